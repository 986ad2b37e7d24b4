// A step is the kernel with every option over a sequence of one step, without panels.
#include "variant_stepper.hpp"

#include "variant_parts.hpp"

namespace recurra {
namespace {

std::vector<uintptr_t> addresses_of(const std::vector<VariantWeights>& weights) {
  std::vector<uintptr_t> addresses;
  for (const auto& w : weights)
    for (const void* part : {w.plain.w_ih, w.plain.w_hh, w.plain.b_ih, w.plain.b_hh, w.plain.w_hr, w.w_p, w.n_ih, w.n_hh, w.n_c, w.m_c})
      addresses.push_back(reinterpret_cast<uintptr_t>(part));
  return addresses;
}

}  // namespace

VariantStepper::VariantStepper(const Layer& layer, const Options& options, const std::vector<VariantWeights>& weights,
                               double share_h, double share_c)
    : Stepper(layer, int64_t(weights.size()), addresses_of(weights)), options_(options), weights_(weights), share_h_(share_h),
      share_c_(share_c) {
  check_memory(layer, plain_weights(weights));
}

void VariantStepper::step(const void* x, void* y, const int64_t* rows, int64_t count) {
  NoDenormals guard;
  if (!count) return;
  check(rows, count);
  layer_.is_double ? step_typed<double>(static_cast<const double*>(x), static_cast<double*>(y), rows, count)
                   : step_typed<float>(static_cast<const float*>(x), static_cast<float*>(y), rows, count);
}

// state: h of `count` rows, then from B rows on c of as many; they go from before the step to after it.
template <class T> void VariantStepper::step_layer(int64_t i, const T* x, T* y, T* state, int64_t count) {
  const auto& k = variant_kernels<T>();
  Layer l = layer_;
  l.I = i ? l.P : l.I;
  const VariantWeights& w = weights_[size_t(i)];
  const AllVectors<T> vectors(l, {w});
  const int64_t time[] = {0}, place[] = {0}, cells = l.B * l.P;
  const int active[] = {int(count), 0};
  const bool has_cells = l.kind == kLstm;
  const ForwardJob<T> plain{shape_of(l), false, {}, {x, time, l.I}, {y, time, l.P}, state, has_cells ? state + cells : nullptr,
                            state, has_cells ? state + cells : nullptr, {nullptr, nullptr}};
  const Masks<T> masks{nullptr, {nullptr, T(share_h_)}, {nullptr, T(share_c_)}, l.B};
  const VariantForwardJob<T> job{plain, options_, masks, {}, vectors.each[0], nullptr, typed<T>(w.plain)};
  const Chunk chunk{int(count), 1, row_.data(), active, place};
  const Buffer room(size_t(k.forward_scratch(job, chunk)) * sizeof(T));
  k.forward(job, chunk, room.as<T>());
}

template <class T> void VariantStepper::step_typed(const T* x, T* y, const int64_t* rows, int64_t count) {
  const int64_t B = layer_.B, H = layer_.H, P = layer_.P, one = B * (P + H);
  for (int64_t i = 0; i < layers_; i++) {
    T *state = state_.as<T>() + i * 2 * one, *after = state + one, *out = i + 1 == layers_ ? y : between_.as<T>() + (i % 2) * B * P;
    const auto copy = [&](T* to, const T* from, bool there) {  // the rows that step, from or to where they lie side by side
      for (int64_t r = 0; r < count; r++) {
        const int64_t row = rows ? rows[r] : r, source = there ? r : row, target = there ? row : r;
        std::memcpy(to + target * P, from + source * P, size_t(P) * sizeof(T));
        std::memcpy(to + B * P + target * H, from + B * P + source * H, size_t(H) * sizeof(T));
      }
    };
    copy(after, state, false);
    step_layer(i, x, out, after, count);
    copy(state, after, true);
    x = out;
  }
}

}  // namespace recurra
