// Layer normalisation of one row of planes, and the way back through it. Ba, Kiros & Hinton 2016.
#pragma once
#include "step_row.hpp"

namespace {

// Zeros in the lanes past n.
template <class T> INLINE Vec<T> first_lanes(Vec<T> v, int64_t n) {
  if (n >= kLanes<T>) return v;
  T lane[kLanes<T>];
  store(lane, v);
  return load_first(lane, int(n));
}

// Calls f(k, lanes) for every vector of `planes` planes of H numbers each.
template <class T, class F> INLINE void over_planes(int64_t planes, int64_t H, F f) {
  const int64_t Hp = padded<T>(H);
  for (int64_t p = 0; p < planes; p++)
    for (int64_t k = 0; k < H; k += kLanes<T>) f(p * Hp + k, H - k);
}

// hat = (x - mean) / sqrt(variance + eps) over all planes together, zero beyond H; gives 1 / sqrt(..).
template <class T> T normalise(const T* x, T* hat, int64_t planes, int64_t H, double eps) {
  Vec<T> sum{}, squares{};
  over_planes<T>(planes, H, [&](int64_t k, int64_t n) INLINED { sum += first_lanes<T>(load(x + k), n); });
  const T count = T(planes * H);
  const Vec<T> mean = broadcast(sum_of<T>(sum) / count);
  over_planes<T>(planes, H, [&](int64_t k, int64_t n) INLINED {
    const Vec<T> d = first_lanes<T>(load(x + k) - mean, n);
    store(hat + k, d);
    squares += d * d;
  });
  const T scale = T(1) / std::sqrt(sum_of<T>(squares) / count + T(eps));
  for (int64_t k = 0; k < planes * padded<T>(H); k += kLanes<T>) store(hat + k, load(hat + k) * broadcast(scale));
  return scale;
}

// dx from d = gradient of gain * hat: what normalise does to a gradient. dx may be d.
template <class T>
void through_norm(const T* d, const T* gain, const T* hat, T scale, T* dx, int64_t planes, int64_t H) {
  Vec<T> sum{}, product{};
  const int64_t n = planes * padded<T>(H);
  for (int64_t k = 0; k < n; k += kLanes<T>) {
    const Vec<T> v = load(d + k) * load(gain + k);
    sum += v;
    product += v * load(hat + k);
  }
  const T count = T(planes * H);
  const Vec<T> mean = broadcast(sum_of<T>(sum) / count), slant = broadcast(sum_of<T>(product) / count);
  over_planes<T>(planes, H, [&](int64_t k, int64_t lanes) INLINED {
    const Vec<T> v = load(d + k) * load(gain + k) - mean - load(hat + k) * slant;
    store(dx + k, first_lanes<T>(v * broadcast(scale), lanes));
  });
}

// to += a * b, n numbers
template <class T> INLINE void add_products(T* to, const T* a, const T* b, int64_t n) {
  for (int64_t k = 0; k < n; k += kLanes<T>) store(to + k, load(to + k) + load(a + k) * load(b + k));
}
template <class T> INLINE void add(T* to, const T* a, int64_t n) {
  for (int64_t k = 0; k < n; k += kLanes<T>) store(to + k, load(to + k) + load(a + k));
}

}  // namespace
