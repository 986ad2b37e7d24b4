// Activations of ONNX's list with alpha and beta, over a row at a time, with their slopes where the backward pass asks.
#pragma once
#include "activations.hpp"
#include "product.hpp"
#include "variant.hpp"

namespace {

// exp(x) - 1 for x <= 0: with t = tanh(x / 2) it is 2 t / (1 - t), and nothing cancels.
template <class T> INLINE Vec<T> expm1_below(Vec<T> x) {
  const Vec<T> t = tanh_(broadcast(T(0.5)) * x);
  return (t + t) / (broadcast(T(1)) - t);
}

// exp(x) for -87 < x <= 0, smaller x as -87: 2^k exp(r), |r| <= ln(2)/2; Taylor to the 7th power.
INLINE Vec<float> exp_below(Vec<float> x) {
  x = at_least(x, broadcast(-87.0f));
  const Vec<float> magic = broadcast(12582912.0f), shifted = x * broadcast(1.44269504f) + magic, k = shifted - magic;
  const Vec<float> r = (x - k * broadcast(0.693359375f)) + k * broadcast(2.12194440e-4f);
  Vec<float> p = broadcast(1.0f / 5040);
  const float c[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
#pragma GCC unroll 7
  for (int i = 0; i < 7; i++) p = p * r + broadcast(c[i]);
  return p * (Vec<float>)(((IntVec<float>)shifted << 23) + (IntVec<float>)broadcast(1.0f));
}
INLINE Vec<double> exp_below(Vec<double> x) {
  const Exponential e = exponential(at_least(x, broadcast(-700.0)));
  return e.scale * e.minus_one + e.scale;
}

// log(1 + u) for 0 <= u <= 1: twice the series of artanh at u / (2 + u), which is at most 1/3.
template <class T> INLINE Vec<T> log1p_up_to_one(Vec<T> u) {
  constexpr int terms = sizeof(T) == 4 ? 8 : 17;
  const Vec<T> s = u / (u + broadcast(T(2))), q = s * s;
  Vec<T> p = broadcast(T(1) / T(2 * terms - 1));
#pragma GCC unroll 17
  for (int n = terms - 2; n >= 0; n--) p = p * q + broadcast(T(1) / T(2 * n + 1));
  return (s + s) * p;
}

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
    return {at_most(at_least(y, zero), one), ((y >= zero) & (y <= one)) ? a : zero};
  } else if constexpr (ID == kElu) {
    const Vec<T> e = expm1_below<T>(x > zero ? zero : x);
    return {x > zero ? x : a * e, x > zero ? one : a * (e + one)};
  } else if constexpr (ID == kSoftsign) {
    const Vec<T> d = one / (one + absolute<T>(x));
    return {x * d, d * d};
  } else {
    const Vec<T> y = (x < zero ? zero : x) + log1p_up_to_one<T>(exp_below(-absolute<T>(x)));
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
    if (slope) store(slope + k, ((v >= low) & (v <= high)) ? c.slope : zero);
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
