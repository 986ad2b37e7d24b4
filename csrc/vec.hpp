// One machine vector of float or double, by GCC vector extensions; its width is that of the instruction set compiled for.
#pragma once
#include <cstdint>
#include <cstring>
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64, kRows = 6;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32, kRows = 3;
#elif defined(__aarch64__)
constexpr int kVectorBytes = 16, kRows = 6;
#else
constexpr int kVectorBytes = 16, kRows = 2;
#endif

#define INLINED __attribute__((always_inline))  // on a lambda
#define INLINE inline INLINED

template <class T> struct VecOf;
template <> struct VecOf<float> {
  typedef float V __attribute__((vector_size(kVectorBytes)));
  typedef int32_t N __attribute__((vector_size(kVectorBytes)));
};
template <> struct VecOf<double> {
  typedef double V __attribute__((vector_size(kVectorBytes)));
  typedef int64_t N __attribute__((vector_size(kVectorBytes)));
};
template <class T> using Vec = typename VecOf<T>::V;
template <class T> using IntVec = typename VecOf<T>::N;
template <class T> constexpr int kLanes = kVectorBytes / int(sizeof(T));

template <class T> INLINE Vec<T> load(const T* p) {
  Vec<T> v;
  memcpy(&v, p, sizeof v);
  return v;
}
template <class T> INLINE void store(T* p, Vec<T> v) { memcpy(p, &v, sizeof v); }
template <class T> INLINE Vec<T> broadcast(T x) { return Vec<T>{} + x; }
#if defined(__AVX512F__)
template <> INLINE Vec<float> broadcast<float>(float x) { return (Vec<float>)_mm512_set1_ps(x); }
template <> INLINE Vec<double> broadcast<double>(double x) { return (Vec<double>)_mm512_set1_pd(x); }
#elif defined(__AVX2__)
template <> INLINE Vec<float> broadcast<float>(float x) { return (Vec<float>)_mm256_set1_ps(x); }
template <> INLINE Vec<double> broadcast<double>(double x) { return (Vec<double>)_mm256_set1_pd(x); }
#endif

// The first n lanes from memory (0 <= n), zeros beyond.
template <class T> INLINE Vec<T> load_first(const T* p, int n) {
  if (n >= kLanes<T>) return load(p);
  Vec<T> v{};
  if (n > 0) memcpy(&v, p, size_t(n) * sizeof(T));
  return v;
}
template <class T> INLINE void store_first(T* p, Vec<T> v, int n) {
  if (n >= kLanes<T>)
    store(p, v);
  else if (n > 0)
    memcpy(p, &v, size_t(n) * sizeof(T));
}
#if defined(__AVX512F__)
template <> INLINE Vec<float> load_first<float>(const float* p, int n) {
  return n >= 16 ? load(p) : (Vec<float>)_mm512_maskz_loadu_ps(__mmask16(n > 0 ? (1u << n) - 1 : 0), p);
}
template <> INLINE void store_first<float>(float* p, Vec<float> v, int n) {
  if (n >= 16)
    store(p, v);
  else
    _mm512_mask_storeu_ps(p, __mmask16(n > 0 ? (1u << n) - 1 : 0), (__m512)v);
}
#endif

template <class V> INLINE V at_most(V x, V high) { return x > high ? high : x; }  // NaN stays NaN
template <class V> INLINE V at_least(V x, V low) { return x < low ? low : x; }

INLINE Vec<double> quotient(Vec<double> p, Vec<double> q) { return p / q; }
INLINE Vec<float> quotient(Vec<float> p, Vec<float> q) {
#if defined(__AVX512F__)
  Vec<float> r = (Vec<float>)_mm512_rcp14_ps((__m512)q);
  r = r * (broadcast(2.0f) - q * r);
  return p * r;
#else
  return p / q;
#endif
}

}  // namespace
