// A step is the forward kernel over a sequence of one step, on memory that is all there already.
#include "stepper.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "frozen.hpp"

namespace recurra {
namespace {

Shape shape_of(const Layer& l, int64_t inputs) { return {l.kind, l.activation, inputs, l.H, l.P, l.projected}; }
enum { kForward, kBias, kProjection };

}  // namespace

Stepper::Stepper(const Layer& layer, int64_t layers, std::vector<uintptr_t> addresses)
    : layer_(layer), addresses_(std::move(addresses)), layers_(layers), row_(static_cast<size_t>(layer.B)) {
  check_sizes(layer);
  std::iota(row_.begin(), row_.end(), 0);
  const size_t element = layer.is_double ? sizeof(double) : sizeof(float);
  // twice: the state before a step, and after it
  state_ = Buffer(size_t(2 * layers_ * layer.B * (layer.P + layer.H)) * element);
  between_ = Buffer(size_t(2 * layer.B * layer.P) * element);
  std::memset(state_.as<char>(), 0, state_.bytes());
}

Stepper::Stepper(const Layer& layer, const std::vector<LayerWeights>& weights)
    : Stepper(layer, int64_t(weights.size()), {}) {
  check_memory(layer, weights);
  weights_ = weights;
  for (const LayerWeights& w : weights)
    for (const void* part : {w.w_ih, w.w_hh, w.b_ih, w.b_hh, w.w_hr}) addresses_.push_back(reinterpret_cast<uintptr_t>(part));
  pack();
}

Stepper::~Stepper() = default;

uint64_t Stepper::fingerprint() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < weights_.size(); i++)
    sum = sum * 31 + recurra::fingerprint(layer_, weights_[i], i ? layer_.P : layer_.I);
  return sum;
}

void Stepper::refresh() {
  if (fingerprint() != seen_) pack();
}

void Stepper::pack() {
  seen_ = fingerprint();
  layer_.is_double ? pack_typed<double>() : pack_typed<float>();
}

template <class T> void Stepper::pack_typed() {
  const auto& k = kernels<T>();
  offset_.clear();
  int64_t all = 0, scratch = 0;
  const int active[] = {int(layer_.B), 0};
  const int64_t place[] = {0};
  for (int64_t i = 0; i < layers_; i++) {
    const Shape s = shape_of(layer_, i ? layer_.P : layer_.I);
    for (int part : {kForward, kBias, kProjection}) {
      offset_.push_back(all);
      all += k.panel_size(s, part);
    }
    const Chunk chunk{int(layer_.B), 1, row_.data(), active, place};
    scratch = std::max({scratch, k.forward_scratch(s, chunk), k.step_row_scratch(s)});
  }
  if (!packed_.bytes()) packed_ = Buffer(size_t(all) * sizeof(T));
  if (!scratch_.bytes()) scratch_ = Buffer(size_t(scratch) * sizeof(T));
  T* base = packed_.as<T>();
  for (int64_t i = 0; i < layers_; i++) {
    const Shape s = shape_of(layer_, i ? layer_.P : layer_.I);
    const LayerWeights& w = weights_[size_t(i)];
    const Weights<T> typed{static_cast<const T*>(w.w_ih), static_cast<const T*>(w.w_hh), static_cast<const T*>(w.b_ih),
                           static_cast<const T*>(w.b_hh), static_cast<const T*>(w.w_hr)};
    const Packed<T> to{base + offset_[size_t(3 * i)], base + offset_[size_t(3 * i + 1)], base + offset_[size_t(3 * i + 2)],
                       nullptr, nullptr, nullptr};
    for (int part : {kForward, kProjection}) k.pack(s, typed, to, part, 0, k.panel_count(s, part));
  }
}

void Stepper::step(const void* x, void* y, const int64_t* rows, int64_t count) {
  NoDenormals guard;
  if (count == 1) {  // reads the weights as they are
    layer_.is_double ? step_one<double>(static_cast<const double*>(x), static_cast<double*>(y), rows ? rows[0] : 0)
                     : step_one<float>(static_cast<const float*>(x), static_cast<float*>(y), rows ? rows[0] : 0);
    return;
  }
  refresh();
  layer_.is_double ? step_typed<double>(static_cast<const double*>(x), static_cast<double*>(y), rows, count)
                   : step_typed<float>(static_cast<const float*>(x), static_cast<float*>(y), rows, count);
}

void Stepper::check(const int64_t* rows, int64_t count) const {
  if (!rows) return;
  if (count > layer_.B) throw std::out_of_range("more rows than the stepper carries");
  for (int64_t r = 0; r < count; r++)
    if (rows[r] < 0 || rows[r] >= layer_.B) throw std::out_of_range("a row lies outside the stepper's batch");
}

template <class T> void Stepper::step_one(const T* x, T* y, int64_t row) {
  const int64_t B = layer_.B, H = layer_.H, P = layer_.P, one = B * (P + H);
  if (row < 0 || row >= B) throw std::out_of_range("a row lies outside the stepper's batch");
  T* h = nullptr;
  for (int64_t i = 0; i < layers_; i++) {
    const LayerWeights& w = weights_[size_t(i)];
    const Weights<T> typed{static_cast<const T*>(w.w_ih), static_cast<const T*>(w.w_hh), static_cast<const T*>(w.b_ih),
                           static_cast<const T*>(w.b_hh), static_cast<const T*>(w.w_hr)};
    T* state = state_.as<T>() + i * 2 * one;
    h = state + row * P;
    kernels<T>().step_row(shape_of(layer_, i ? P : layer_.I), typed, x, h, state + B * P + row * H, scratch_.as<T>());
    x = h;
  }
  std::memcpy(y, h, size_t(P) * sizeof(T));
}

template <class T> void Stepper::step_typed(const T* x, T* y, const int64_t* rows, int64_t count) {
  if (!count) return;
  const auto& k = kernels<T>();
  const int64_t B = layer_.B, H = layer_.H, P = layer_.P, one = B * (P + H);
  T *state = state_.as<T>(), *base = packed_.as<T>(), *between = between_.as<T>();
  const int64_t time[] = {0}, place[] = {0};
  const int active[] = {int(count), 0};
  check(rows, count);
  for (int64_t i = 0; i < layers_; i++) {
    const Shape s = shape_of(layer_, i ? P : layer_.I);
    T *h = state + i * 2 * one, *c = h + B * P, *h1 = h + one, *c1 = h1 + B * P;
    const T *h0 = h, *c0 = c;
    if (rows) {  // the rows that step, side by side
      for (int64_t r = 0; r < count; r++) {
        std::memcpy(h1 + r * P, h + rows[r] * P, size_t(P) * sizeof(T));
        std::memcpy(c1 + r * H, c + rows[r] * H, size_t(H) * sizeof(T));
      }
      h0 = h1;
      c0 = c1;
    }
    T* out = i + 1 == layers_ ? y : between + (i % 2) * B * P;
    const Packed<T> packed{base + offset_[size_t(3 * i)], base + offset_[size_t(3 * i + 1)],
                           base + offset_[size_t(3 * i + 2)], nullptr, nullptr, nullptr};
    const ForwardJob<T> job{s, false, packed, {x, time, s.I}, {out, time, P}, h0, layer_.kind == kLstm ? c0 : nullptr,
                            h1, layer_.kind == kLstm ? c1 : nullptr, {nullptr, nullptr}};
    const Chunk chunk{int(count), 1, row_.data(), active, place};
    k.forward(job, chunk, Team{}, scratch_.as<T>());
    for (int64_t r = 0; r < count; r++) {
      const int64_t row = rows ? rows[r] : r;
      std::memcpy(h + row * P, h1 + r * P, size_t(P) * sizeof(T));
      if (layer_.kind == kLstm) std::memcpy(c + row * H, c1 + r * H, size_t(H) * sizeof(T));
    }
    x = out;
  }
}

void Stepper::get(void* h, void* c) const {
  const size_t element = layer_.is_double ? sizeof(double) : sizeof(float);
  const size_t hs = size_t(layer_.B * layer_.P) * element, cs = size_t(layer_.B * layer_.H) * element;
  for (int64_t i = 0; i < layers_; i++) {
    const char* from = state_.as<char>() + size_t(i) * 2 * (hs + cs);
    std::memcpy(static_cast<char*>(h) + size_t(i) * hs, from, hs);
    if (c) std::memcpy(static_cast<char*>(c) + size_t(i) * cs, from + hs, cs);
  }
}

void Stepper::set(const void* h, const void* c) {
  const size_t element = layer_.is_double ? sizeof(double) : sizeof(float);
  const size_t hs = size_t(layer_.B * layer_.P) * element, cs = size_t(layer_.B * layer_.H) * element;
  for (int64_t i = 0; i < layers_; i++) {
    char* to = state_.as<char>() + size_t(i) * 2 * (hs + cs);
    if (h)
      std::memcpy(to, static_cast<const char*>(h) + size_t(i) * hs, hs);
    else
      std::memset(to, 0, hs);
    if (c)
      std::memcpy(to + hs, static_cast<const char*>(c) + size_t(i) * cs, cs);
    else
      std::memset(to + hs, 0, cs);
  }
}

}  // namespace recurra
