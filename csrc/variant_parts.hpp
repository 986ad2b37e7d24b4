// What both passes of a layer with options share: threads, weights in the order of the products, vectors plane by plane.
#pragma once
#include "layer_parts.hpp"
#include "variant_layer.hpp"

namespace recurra {
namespace {

template <class T> const VariantKernels<T>& variant_kernels() { return *kernels<T>().variant; }

// Rows are divided among threads, never neurons; a pure function of the call and the thread count.
inline Sharing variant_sharing(const Layer& l) {
  const int threads = work(l, l.T * l.B) * double(l.D) < kSmall ? 1 : std::max(1, l.threads);
  return {threads, std::max<int64_t>(1, std::min<int64_t>(threads / l.D, l.B)), 1};
}

inline std::vector<LayerWeights> plain_weights(const std::vector<VariantWeights>& weights) {
  std::vector<LayerWeights> plain;
  for (const auto& w : weights) plain.push_back(w.plain);
  return plain;
}

template <class T> int64_t padded_size(int64_t n) {
  const int64_t lanes = kernels<T>().lanes();
  return (n + lanes - 1) / lanes * lanes;
}

// The vectors of every direction, each gate padded to whole vectors.
template <class T> class AllVectors {
 public:
  AllVectors(const Layer& l, const std::vector<VariantWeights>& weights)
      : l_(l), Hp_(padded_size<T>(l.H)), buffer_(size_t(kPlanes * Hp_ * l.D) * sizeof(T)) {
    std::memset(buffer_.as<T>(), 0, size_t(kPlanes * Hp_ * l.D) * sizeof(T));
    T* next = buffer_.as<T>();
    const auto take = [&](const void* from, std::initializer_list<int> gates) {
      T* to = next;
      next += int64_t(gates.size()) * Hp_;
      if (from) add(to, from, gates);
      return to;
    };
    for (const auto& w : weights) {
      const T* bias = biases(take(nullptr, {0, 0, 0, 0}), w.plain);
      const T* peephole = take(w.w_p, {0, 1, 2});
      const T *n_ih = take(w.n_ih, {0, 1, 2, 3}), *n_hh = take(w.n_hh, {0, 1, 2, 3});
      const T* n_c = take(w.n_c, {0});
      each.push_back({bias, w.w_p ? peephole : nullptr, n_ih, n_hh, n_c, take(w.m_c, {0})});
    }
  }
  std::vector<Vectors<T>> each;  // of each direction

 private:
  static constexpr int64_t kPlanes = kBiasPlanes + kPeepholePlanes + 4 + 4 + 1 + 1;

  void add(T* to, const void* from, std::initializer_list<int> gates) const {
    for (int gate : gates) {
      for (int64_t k = 0; k < l_.H; k++) to[k] += static_cast<const T*>(from)[gate * l_.H + k];
      to += Hp_;
    }
  }
  // In the order of the sums' planes.
  const T* biases(T* to, const LayerWeights& w) const {
    if (!w.b_ih) return to;
    switch (l_.kind) {
      case kRnn: return add_both(to, w, {0});
      case kLstm: return add_both(to, w, {0, 1, 2, 3});
      case kGruBefore: return add_both(to, w, {2, 0, 1});
      default:
        add_both(to + Hp_, w, {0, 1});
        add(to, w.b_ih, {2});
        add(to + 3 * Hp_, w.b_hh, {2});
        return to;
    }
  }
  const T* add_both(T* to, const LayerWeights& w, std::initializer_list<int> gates) const {
    add(to, w.b_ih, gates);
    add(to, w.b_hh, gates);
    return to;
  }

  const Layer& l_;
  const int64_t Hp_;
  Buffer buffer_;
};

// The panels of the forward products of every direction, packed by all threads.
template <class T> class AllSides {
 public:
  AllSides(const Layer& l, const std::vector<VariantWeights>& weights, int threads) : at_(size_t(l.D) * kSides) {
    const auto& k = variant_kernels<T>();
    const Shape s = shape_of(l);
    int64_t offset[kSides], one = 0;
    for (int side = 0; side < kSides; side++) {
      offset[side] = one;
      one += k.panel_count(s, side) * k.panel_size(s, side);
    }
    buffer_ = Buffer(size_t(one * l.D) * sizeof(T));
    run_tasks(one * l.D < 16384 ? 1 : threads, int(l.D) * kSides, [&](int i) {
      const int64_t d = i / kSides;
      const int side = i % kSides;
      T* to = buffer_.as<T>() + d * one + offset[side];
      at_[size_t(i)] = to;
      const auto& w = weights[size_t(d)].plain;
      k.pack(s, static_cast<const T*>(side == kInputSide ? w.w_ih : w.w_hh), to, side, 0, k.panel_count(s, side));
    });
  }
  const T* of(int64_t d, int side) const { return at_[size_t(d * kSides + side)]; }

 private:
  std::vector<const T*> at_;
  Buffer buffer_;
};

template <class T> Masks<T> masks_of(const Layer& l, const MaskArguments& m, int64_t d) {
  const int64_t rows = d * l.T * l.B;
  return {at<T>(m.h_in, d * l.B * l.P), {at<T>(m.keep_h, rows * l.P), T(m.share_h)}, {at<T>(m.keep_c, rows * l.H), T(m.share_c)}, l.B};
}

}  // namespace
}  // namespace recurra
