// Weight gradients: one product over all rows of all steps, out[g][m] = sum over n of left[n][g] right[n][m].
#pragma once
#include "product.hpp"
#include "tile.hpp"

namespace {

constexpr int kRowsAtOnce = 96;  // of left, copied together so that the panel stays in the first cache

template <class T> int64_t outer_scratch(int64_t columns) {
  return (kRowsAtOnce + columns + 1) * kPanel * kLanes<T>;
}

// sums[m][j] += right(n)[m] * left[n][j] over n rows.
template <class T, int NV>
void accumulate(T* sums, const T* left, const T* const* right, int64_t n, int64_t m0, int64_t m1) {
  constexpr int L = kLanes<T>;
  by_rows(m1 - m0, [&](auto mr, int64_t m) INLINED {
    constexpr int MR = decltype(mr)::value;
    Vec<T> acc[MR][NV];
#pragma GCC unroll 8
    for (int r = 0; r < MR; r++)
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) acc[r][j] = Vec<T>{};
    const T* panel = left;
    for (int64_t k = 0; k < n; k++, panel += NV * L) {
      const T* a = right[k] + m0 + m;
      Vec<T> b[MR];
#pragma GCC unroll 8
      for (int r = 0; r < MR; r++) b[r] = broadcast(a[r]);
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        Vec<T> w = load(panel + j * L);
#pragma GCC unroll 8
        for (int r = 0; r < MR; r++) acc[r][j] += b[r] * w;
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < MR; r++)
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        T* to = sums + ((m + r) * NV + j) * L;
        store(to, load(to) + acc[r][j]);
      }
  });
}

// The sums of vector j, [columns][lanes], as rows of the gradient.
template <class T> void lay_down(const OuterJob<T>& job, int j, const T* sums, int64_t stride) {
  const int n = job.lanes[j];
  T* out = job.out + job.out_row[j] * job.out_stride;
  for (int64_t m0 = job.m0; m0 < job.m1; m0 += 8, sums += 8 * stride) {
    const int64_t count = lesser(8, job.m1 - m0);
    int done = 0;  // lanes whose tiles are turned
    while (count == 8 && done + 8 <= n && turn_tile(out + done * job.out_stride + m0, job.out_stride, sums + done, stride))
      done += 8;
    for (int lane = done; lane < n; lane++)
      for (int64_t m = 0; m < count; m++) out[lane * job.out_stride + m0 + m] = sums[m * stride + lane];
  }
}

template <class T, int NV> void outer_panel(const OuterJob<T>& job, T* scratch) {
  constexpr int L = kLanes<T>;
  T *left = scratch, *sums = scratch + kRowsAtOnce * NV * L, *bias = sums + (job.m1 - job.m0) * NV * L;
  memset(sums, 0, size_t((job.m1 - job.m0 + 1) * NV * L) * sizeof(T));
  for (int64_t n0 = 0; n0 < job.N; n0 += kRowsAtOnce) {
    const int64_t n = lesser(kRowsAtOnce, job.N - n0);
    Vec<T> sum[NV] = {};
    for (int64_t k = 0; k < n; k++)
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        Vec<T> v = load(job.left + (n0 + k) * job.left_stride + job.offset[j]);
        store(left + (k * NV + j) * L, v);
        sum[j] += v;
      }
    for (int j = 0; j < NV; j++) store(bias + j * L, load(bias + j * L) + sum[j]);
    accumulate<T, NV>(sums, left, job.right + n0, n, job.m0, job.m1);
  }
  for (int j = 0; j < NV; j++) {
    lay_down(job, j, sums + j * L, NV * L);
    for (int lane = 0; lane < job.lanes[j]; lane++) {
      if (job.bias_out) job.bias_out[job.out_row[j] + lane] = bias[j * L + lane];
      if (job.bias_out2) job.bias_out2[job.out_row[j] + lane] = bias[j * L + lane];
    }
  }
}

template <class T> void outer(const OuterJob<T>& job, T* scratch) {
  by_vectors(job.vectors, [&](auto nv) INLINED { outer_panel<T, decltype(nv)::value>(job, scratch); });
}

}  // namespace
