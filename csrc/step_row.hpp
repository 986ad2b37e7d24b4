// One step of one row straight from the weights as they lie: each is read once and none is packed, so none can be stale.
#pragma once
#include "activations.hpp"
#include "pack.hpp"

namespace {

template <class T> INLINE T sum_of(Vec<T> v) {
  T sum = 0;
  for (int i = 0; i < kLanes<T>; i++) sum += v[i];
  return sum;
}
#if defined(__AVX512F__)
template <> INLINE float sum_of<float>(Vec<float> v) { return _mm512_reduce_add_ps((__m512)v); }
template <> INLINE double sum_of<double>(Vec<double> v) { return _mm512_reduce_add_pd((__m512d)v); }
#elif defined(__AVX2__)
template <> INLINE float sum_of<float>(Vec<float> v) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}
#endif

// out[r] += w[r] . v for R rows of K.
template <class T, int R> INLINE void dot_rows(T* out, const T* w, const T* v, int64_t K) {
  constexpr int L = kLanes<T>;
  Vec<T> acc[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) acc[r] = Vec<T>{};
  int64_t k = 0;
  for (; k + L <= K; k += L) {
    const Vec<T> x = load(v + k);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) acc[r] += load(w + r * K + k) * x;
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
    T sum = sum_of<T>(acc[r]);
    for (int64_t i = k; i < K; i++) sum += w[r * K + i] * v[i];
    out[r] += sum;
  }
}

// out += w v for a matrix of rows x K.
template <class T> INLINE void add_product(T* out, const T* w, const T* v, int64_t rows, int64_t K) {
  int64_t r = 0;
  for (; r + 8 <= rows; r += 8) dot_rows<T, 8>(out + r, w + r * K, v, K);
  for (; r < rows; r++) dot_rows<T, 1>(out + r, w + r * K, v, K);
}

// Preactivations of one row by gates, each of padded H.
template <class T> struct RowSums {
  const Shape& s;
  const Weights<T>& w;
  T* at;
  T* gate(int64_t g) const { return at + g * padded<T>(s.H); }
  void begin(int64_t g, const T* bias, int64_t from) const {
    if (bias)
      memcpy(gate(g), bias + from * s.H, size_t(s.H) * sizeof(T));
    else
      memset(gate(g), 0, size_t(s.H) * sizeof(T));
  }
  void add_bias(int64_t g, int64_t from) const {
    for (int64_t k = 0; w.b_hh && k < s.H; k++) gate(g)[k] += w.b_hh[from * s.H + k];
  }
  void add_input(int64_t g, int64_t from, const T* x) const { add_product(gate(g), w.w_ih + from * s.H * s.I, x, s.H, s.I); }
  void add_state(int64_t g, int64_t from, const T* h) const { add_product(gate(g), w.w_hh + from * s.H * s.P, h, s.H, s.P); }
  void all(int64_t g, int64_t from, const T* x, const T* h) const {
    begin(g, w.b_ih, from);
    add_bias(g, from);
    add_input(g, from, x);
    add_state(g, from, h);
  }
};

template <class T, class F> INLINE void by_vector(int64_t H, F f) {
  for (int64_t k = 0; k < padded<T>(H); k += kLanes<T>) f(k, int(lesser(kLanes<T>, H - k)));
}

template <class T> void lstm_row_step(const RowSums<T>& sums, T* h, T* c, T* raw) {
  const Shape& s = sums.s;
  T* out = s.projected ? raw : h;
  by_vector<T>(s.H, [&](int64_t k, int n) INLINED {
    const Vec<T> i = sigmoid_(load(sums.gate(0) + k)), f = sigmoid_(load(sums.gate(1) + k));
    const Vec<T> g = tanh_(load(sums.gate(2) + k)), o = sigmoid_(load(sums.gate(3) + k));
    const Vec<T> cell = f * load_first(c + k, n) + i * g;
    store_first(c + k, cell, n);
    store_first(out + k, o * tanh_(cell), n);
  });
  if (!s.projected) return;
  memset(h, 0, size_t(s.P) * sizeof(T));
  add_product(h, sums.w.w_hr, raw, s.P, s.H);
}

// scratch: gates 0..2 are r z n, gate 3 is U_n's part, or r h.
template <class T> void gru_row_step(const RowSums<T>& sums, const T* x, T* h) {
  const Shape& s = sums.s;
  const bool before = s.kind == kGruBefore;
  sums.begin(2, sums.w.b_ih, 2);
  sums.add_input(2, 2, x);
  if (before) {
    by_vector<T>(s.H, [&](int64_t k, int n) INLINED {
      store(sums.gate(3) + k, sigmoid_(load(sums.gate(0) + k)) * load_first(h + k, n));
    });
    sums.add_bias(2, 2);
    sums.add_state(2, 2, sums.gate(3));
  } else {
    sums.begin(3, sums.w.b_hh, 2);
    sums.add_state(3, 2, h);
  }
  by_vector<T>(s.H, [&](int64_t k, int n) INLINED {
    const Vec<T> z = sigmoid_(load(sums.gate(1) + k)), a = load(sums.gate(2) + k), old = load_first(h + k, n);
    const Vec<T> now = tanh_(before ? a : a + sigmoid_(load(sums.gate(0) + k)) * load(sums.gate(3) + k));
    store_first(h + k, now + z * (old - now), n);
  });
}

template <class T> int64_t step_row_scratch(const Shape& s) { return (planes_of(s.kind) + 1) * padded<T>(s.H); }

// h and c go from the state before the step to that after it.
template <class T> void step_row(const Shape& s, const Weights<T>& w, const T* x, T* h, T* c, T* scratch) {
  const RowSums<T> sums{s, w, scratch};
  const int64_t first = s.kind >= kGru ? 2 : gates_of(s.kind);
  for (int64_t g = 0; g < first; g++) sums.all(g, g, x, h);
  if (s.kind == kLstm) return lstm_row_step(sums, h, c, scratch + 4 * padded<T>(s.H));
  if (s.kind >= kGru) return gru_row_step(sums, x, h);
  by_vector<T>(s.H, [&](int64_t k, int n) INLINED {
    const Vec<T> a = load(sums.gate(0) + k);
    store_first(h + k, s.activation == kTanh ? tanh_(a) : activate<T>(a, s.activation), n);
  });
}

}  // namespace
