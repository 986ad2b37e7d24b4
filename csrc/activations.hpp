// Activations on vectors: tanh and sigmoid without a branch, the rest of ONNX's list, and derivatives from the output.
#pragma once
#include <cmath>

#include "kinds.hpp"
#include "vec.hpp"

namespace {

// Rational approximation on |x| < 7.9, whose coefficients are Eigen's, and 1 from 9 on, where a slope has to vanish.
INLINE Vec<float> tanh_(Vec<float> given) {
  const float bound = 7.90531110763549805f;
  auto b = [](float c) INLINED { return broadcast(c); };
  Vec<float> x = at_most(at_least(given, b(-bound)), b(bound));
  Vec<float> s = x * x;
  Vec<float> p = b(-2.76076847742355e-16f);
  p = p * s + b(2.00018790482477e-13f);
  p = p * s + b(-8.60467152213735e-11f);
  p = p * s + b(5.12229709037114e-08f);
  p = p * s + b(1.48572235717979e-05f);
  p = p * s + b(6.37261928875436e-04f);
  p = p * s + b(4.89352455891786e-03f);
  Vec<float> q = b(1.19825839466702e-06f);
  q = q * s + b(1.18534705686654e-04f);
  q = q * s + b(2.26843463243900e-03f);
  q = q * s + b(4.89352518554385e-03f);
  const Vec<float> y = quotient(x * p, q);
  return given > b(9.0f) ? b(1.0f) : given < b(-9.0f) ? b(-1.0f) : y;
}
// 1 / (1 + exp(-x)), so that a gate that is nearly closed is exact relative to its own size. exp(x) = 2^k exp(r),
// |r| <= ln(2)/2, Taylor to the 7th power; beyond |x| = 88 it is 0 or 1.
INLINE Vec<float> sigmoid_(Vec<float> x) {
  auto b = [](float c) INLINED { return broadcast(c); };
  x = at_most(at_least(x, b(-88.3f)), b(87.0f));
  const float magic = 12582912.0f;
  const Vec<float> shifted = x * b(-1.44269504f) + b(magic);
  const Vec<float> k = shifted - b(magic);
  Vec<float> r = k * b(-6.93359375e-1f) - x;
  r = k * b(2.12194440e-4f) + r;
  Vec<float> p = b(1.0f / 5040.0f);
  p = p * r + b(1.0f / 720.0f);
  p = p * r + b(1.0f / 120.0f);
  p = p * r + b(1.0f / 24.0f);
  p = p * r + b(1.0f / 6.0f);
  p = p * r + b(0.5f);
  p = p * r + b(1.0f);
  p = p * r + b(1.0f);
  const IntVec<float> scale = ((IntVec<float>)shifted << 23) + (IntVec<float>)b(1.0f);
  return quotient(b(1.0f), b(1.0f) + p * (Vec<float>)scale);
}

struct Exponential {
  Vec<double> minus_one;  // exp(r) - 1 of the reduced argument
  Vec<double> scale;      // 2^k
};

// exp(x) = 2^k exp(r), |r| <= ln(2)/2, |x| < 700; Taylor to the 13th power.
INLINE Exponential exponential(Vec<double> x) {
  auto b = [](double c) INLINED { return broadcast(c); };
  const double magic = 6755399441055744.0;
  Vec<double> shifted = x * b(1.4426950408889634) + b(magic);
  Vec<double> k = shifted - b(magic);
  Vec<double> r = x - k * b(6.93147180369123816490e-01);
  r = r - k * b(1.90821492927058770002e-10);
  Vec<double> p = b(1.0 / 6227020800.0);
  const double c[] = {1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0,
                      1.0 / 720.0,       1.0 / 120.0,      1.0 / 24.0,      1.0 / 6.0,      0.5};
#pragma GCC unroll 11
  for (int i = 0; i < 11; i++) p = p * r + b(c[i]);
  Vec<double> e = (p * r) * r + r;
  IntVec<double> bits = ((IntVec<double>)shifted << 52) + ((IntVec<double>)b(1.0));
  return {e, (Vec<double>)bits};
}
INLINE Vec<double> tanh_(Vec<double> x) {
  x = at_most(at_least(x, broadcast(-22.0)), broadcast(22.0));
  Exponential e = exponential(x + x);
  Vec<double> m = e.scale * e.minus_one + (e.scale - broadcast(1.0));
  return m / (m + broadcast(2.0));
}
INLINE Vec<double> sigmoid_(Vec<double> x) {
  x = at_most(at_least(x, broadcast(-700.0)), broadcast(700.0));
  Exponential e = exponential(-x);
  return broadcast(1.0) / (broadcast(1.0) + e.scale * e.minus_one + e.scale);
}

template <class T, class F> INLINE Vec<T> by_lane(Vec<T> x, F f) {
  for (int i = 0; i < kLanes<T>; i++) x[i] = f(x[i]);
  return x;
}
template <class T> INLINE Vec<T> absolute(Vec<T> x) { return x < Vec<T>{} ? -x : x; }

template <class T> INLINE Vec<T> activate(Vec<T> x, int activation) {
  const Vec<T> zero{}, one = broadcast(T(1));
  switch (activation) {
    case kTanh: return tanh_(x);
    case kRelu: return x < zero ? zero : x;
    case kSigmoid: return sigmoid_(x);
    case kAffine: return x;
    case kLeakyRelu: return x < zero ? broadcast(T(0.01)) * x : x;
    case kThresholdedRelu: return x > one ? x : (x == x ? zero : x * zero);
    case kHardSigmoid: return at_most(at_least(broadcast(T(0.2)) * x + broadcast(T(0.5)), zero), one);
    case kElu: return by_lane<T>(x, [](T v) { return v > T(0) ? v : std::expm1(v); });
    case kSoftsign: return x / (one + absolute<T>(x));
    default: return by_lane<T>(x, [](T v) {
      return v == v ? (v > T(0) ? v : T(0)) + std::log1p(std::exp(v > T(0) ? -v : v)) : v;
    });
  }
}

// phi'(x) from y = phi(x).
template <class T> INLINE Vec<T> slope(Vec<T> y, int activation) {
  const Vec<T> zero{}, one = broadcast(T(1));
  switch (activation) {
    case kTanh: return one - y * y;
    case kRelu: return y > zero ? one : zero;
    case kSigmoid: return y * (one - y);
    case kAffine: return one;
    case kLeakyRelu: return y > zero ? one : broadcast(T(0.01));
    case kThresholdedRelu: return y > one ? one : zero;
    case kHardSigmoid: return (y > zero) & (y < one) ? broadcast(T(0.2)) : zero;
    case kElu: return y > zero ? one : y + one;
    case kSoftsign: {
      Vec<T> d = one - absolute<T>(y);
      return d * d;
    }
    default: return by_lane<T>(y, [](T v) { return -std::expm1(-v); });
  }
}

}  // namespace
