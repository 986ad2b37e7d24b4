// Activations of ONNX's list with alpha and beta, over a row at a time, with their slopes where the backward pass asks.
#pragma once
#include "activations.hpp"
#include "product.hpp"
#include "variant.hpp"

namespace {

template <class T> struct Curve {
  Vec<T> value, slope;
};

// The activation at x and its slope there; at a corner the slope that PyTorch takes.
template <class T, int ID> INLINE Curve<T> curve(Vec<T> x, Vec<T> a, Vec<T> b) {
  const Vec<T> zero{}, one = broadcast(T(1));
  if constexpr (ID == kTanh) {
    const Vec<T> t = tanh_(x);
    return {t, one - t * t};
  } else if constexpr (ID == kScaledTanh) {
    const Vec<T> t = tanh_(b * x);
    return {a * t, a * b * (one - t * t)};
  } else if constexpr (ID == kSigmoid) {
    const Vec<T> s = sigmoid_(x);
    return {s, s * (one - s)};
  } else if constexpr (ID == kRelu) {
    return {x < zero ? zero : x, x > zero ? one : zero};
  } else if constexpr (ID == kAffine) {
    return {a * x + b, a};
  } else if constexpr (ID == kLeakyRelu) {
    return {x < zero ? a * x : x, x > zero ? one : a};
  } else if constexpr (ID == kThresholdedRelu) {
    return {x > a ? x : (x == x ? zero : x), x > a ? one : zero};
  } else if constexpr (ID == kHardSigmoid) {
    const Vec<T> y = a * x + b;
    return {at_most(at_least(y, zero), one), (y >= zero) & (y <= one) ? a : zero};
  } else if constexpr (ID == kElu) {
    const Vec<T> e = by_lane<T>(x, [](T v) { return v > T(0) ? T(0) : std::expm1(v); });
    return {x > zero ? x : a * e, x > zero ? one : a * (e + one)};
  } else if constexpr (ID == kSoftsign) {
    const Vec<T> d = one / (one + absolute<T>(x));
    return {x * d, d * d};
  } else {
    const Vec<T> y = by_lane<T>(x, [](T v) {
      return v == v ? (v > T(0) ? v : T(0)) + std::log1p(std::exp(v > T(0) ? -v : v)) : v;
    });
    return {y, sigmoid_(x)};
  }
}

// y = phi(x clipped) for n numbers, whole vectors; slope, unless null, is zero where x was clipped.
template <class T, int ID>
void apply_one(const Phi& phi, T clip, const T* x, T* y, T* slope, int64_t n) {
  const Vec<T> a = broadcast(T(phi.alpha)), b = broadcast(T(phi.beta)), high = broadcast(clip), low = -high, zero{};
  for (int64_t k = 0; k < n; k += kLanes<T>) {
    const Vec<T> v = load(x + k);
    const Curve<T> c = curve<T, ID>(at_most(at_least(v, low), high), a, b);
    store(y + k, c.value);
    if (slope) store(slope + k, (v >= low) & (v <= high) ? c.slope : zero);
  }
}

template <class T> void apply(const Phi& phi, double clip, const T* x, T* y, T* slope, int64_t n) {
  const T c = T(clip);
  switch (phi.id) {
    case kTanh: return apply_one<T, kTanh>(phi, c, x, y, slope, n);
    case kRelu: return apply_one<T, kRelu>(phi, c, x, y, slope, n);
    case kSigmoid: return apply_one<T, kSigmoid>(phi, c, x, y, slope, n);
    case kAffine: return apply_one<T, kAffine>(phi, c, x, y, slope, n);
    case kLeakyRelu: return apply_one<T, kLeakyRelu>(phi, c, x, y, slope, n);
    case kThresholdedRelu: return apply_one<T, kThresholdedRelu>(phi, c, x, y, slope, n);
    case kHardSigmoid: return apply_one<T, kHardSigmoid>(phi, c, x, y, slope, n);
    case kElu: return apply_one<T, kElu>(phi, c, x, y, slope, n);
    case kSoftsign: return apply_one<T, kSoftsign>(phi, c, x, y, slope, n);
    case kSoftplus: return apply_one<T, kSoftplus>(phi, c, x, y, slope, n);
    default: return apply_one<T, kScaledTanh>(phi, c, x, y, slope, n);
  }
}

}  // namespace
