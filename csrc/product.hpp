// The one product everything is made of: a few rows times a packed panel of up to four vectors, held in registers.
#pragma once
#include "kinds.hpp"
#include "vec.hpp"

namespace {

template <int N> struct Const {
  static constexpr int value = N;
};

constexpr int kPanel = 4;  // vectors of a panel

INLINE int64_t divided_up(int64_t n, int64_t by) { return (n + by - 1) / by; }
template <class T> INLINE int64_t vectors(int64_t n) { return divided_up(n, kLanes<T>); }
template <class T> INLINE int64_t padded(int64_t n) { return vectors<T>(n) * kLanes<T>; }
// A row's stride in scratch memory: a vector past the padded size, so that rows do not share cache sets.
template <class T> INLINE int64_t row_stride(int64_t n) { return padded<T>(n) + kLanes<T>; }
INLINE int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }

// Vector j of a packed row goes to accumulator j, except that the third may go to the fourth (GRU's recurrent n).
template <int third> INLINE constexpr int slot(int j) { return j == 2 ? third : j; }

template <class T, int MR, int NV, int NA, int third>
INLINE void multiply_add_rows(Vec<T> (&acc)[MR][NA], const T* const* left, int64_t K, const T* packed) {
  for (int64_t k = 0; k < K; k++, packed += NV * kLanes<T>) {
    Vec<T> a[MR];
#pragma GCC unroll 8
    for (int r = 0; r < MR; r++) a[r] = broadcast(left[r][k]);
#pragma GCC unroll 4
    for (int j = 0; j < NV; j++) {
      Vec<T> w = load(packed + j * kLanes<T>);
#pragma GCC unroll 8
      for (int r = 0; r < MR; r++) acc[r][slot<third>(j)] += a[r] * w;
    }
  }
}

// One row has too few sums to keep the multipliers busy while each waits for the one before: even and odd k apart.
template <class T, int NV, int NA, int third>
INLINE void multiply_add_one_row(Vec<T> (&acc)[1][NA], const T* left, int64_t K, const T* packed) {
  Vec<T> odd[NV];
#pragma GCC unroll 4
  for (int j = 0; j < NV; j++) odd[j] = Vec<T>{};
  int64_t k = 0;
  for (; k + 2 <= K; k += 2, packed += 2 * NV * kLanes<T>) {
    const Vec<T> a = broadcast(left[k]), b = broadcast(left[k + 1]);
#pragma GCC unroll 4
    for (int j = 0; j < NV; j++) {
      acc[0][slot<third>(j)] += a * load(packed + j * kLanes<T>);
      odd[j] += b * load(packed + (NV + j) * kLanes<T>);
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < NV; j++) {
    if (k < K) acc[0][slot<third>(j)] += broadcast(left[k]) * load(packed + j * kLanes<T>);
    acc[0][slot<third>(j)] += odd[j];
  }
}

// acc[r][slot(j)] += left[r][k] * packed[k][j], k = 0..K-1
template <class T, int MR, int NV, int NA, int third = 2>
INLINE void multiply_add(Vec<T> (&acc)[MR][NA], const T* const* left, int64_t K, const T* packed) {
  if constexpr (MR == 1)
    multiply_add_one_row<T, NV, NA, third>(acc, left[0], K, packed);
  else
    multiply_add_rows<T, MR, NV, NA, third>(acc, left, K, packed);
}

// Calls f(Const<MR>, first row) over n rows, MR at a time; the last call takes what is left.
template <class F> INLINE void by_rows(int64_t n, F f) {
  int64_t r = 0;
  for (; r + kRows <= n; r += kRows) f(Const<kRows>{}, r);
  switch (int(n - r)) {
    case 5: if constexpr (kRows > 5) f(Const<5>{}, r); break;
    case 4: if constexpr (kRows > 4) f(Const<4>{}, r); break;
    case 3: if constexpr (kRows > 3) f(Const<3>{}, r); break;
    case 2: if constexpr (kRows > 2) f(Const<2>{}, r); break;
    case 1: if constexpr (kRows > 1) f(Const<1>{}, r); break;
    default: break;
  }
}

template <class F> INLINE void by_vectors(int64_t n, F f) {
  switch (int(n)) {
    case 1: f(Const<1>{}); break;
    case 2: f(Const<2>{}); break;
    case 3: f(Const<3>{}); break;
    default: f(Const<4>{}); break;
  }
}

// A panel of gates that does not fit the first cache is taken in blocks of K: all rows pass over one block while it is
// there, and their sums wait in memory between blocks. Measured to gain with vectors of 32 bytes (kernels/lstm/README.md).
constexpr bool kBlocks = kVectorBytes <= 32;
constexpr int64_t kBlockK = 24576 / (kPanel * kVectorBytes);
constexpr int64_t kBlockRows = 48;

INLINE bool in_blocks(int64_t n, int64_t K) { return kBlocks && n > kRows && K > kBlockK + kBlockK / 4; }

// The sums of up to kBlockRows rows of one panel.
template <class T, int NA> struct Sums {
  T at[kBlockRows * NA * kLanes<T>];
  INLINE T* of(int64_t r, int j) { return at + (r * NA + j) * kLanes<T>; }
};

// sums(r)[slot(j)] += left(r)[k] * packed[k][j] for n rows, block by block.
template <class T, int NV, int NA, int third = 2, class Left>
INLINE void add_in_blocks(Sums<T, NA>& sums, int64_t n, int64_t K, const T* packed, Left left) {
  for (int64_t k = 0; k < K; k += kBlockK) {
    const int64_t count = lesser(kBlockK, K - k);
    by_rows(n, [&](auto mr, int64_t r0) INLINED {
      constexpr int MR = decltype(mr)::value;
      const T* rows[MR];
      Vec<T> acc[MR][NV];
#pragma GCC unroll 8
      for (int r = 0; r < MR; r++) {
        rows[r] = left(r0 + r) + k;
#pragma GCC unroll 4
        for (int j = 0; j < NV; j++) acc[r][j] = load(sums.of(r0 + r, slot<third>(j)));
      }
      multiply_add<T, MR, NV, NV>(acc, rows, count, packed + k * NV * kLanes<T>);
#pragma GCC unroll 8
      for (int r = 0; r < MR; r++)
#pragma GCC unroll 4
        for (int j = 0; j < NV; j++) store(sums.of(r0 + r, slot<third>(j)), acc[r][j]);
    });
  }
}

// For rows 0..n-1 and the panels [first, last) of a packed K x N matrix: finish(row, vector, start(row, vector) + left(row) M).
// M may be rows [begin, begin + K) of a taller packed matrix of `all_K` rows.
template <class T, class Left, class Start, class Finish>
INLINE void multiply(int64_t n, int64_t K, const T* packed, int64_t first, int64_t last, int64_t all_vectors, Left left,
                     Start start, Finish finish, int64_t all_K = 0, int64_t begin = 0) {
  for (int64_t p = first; p < last; p++) {
    const T* whole = packed + p * (all_K ? all_K : K) * kPanel * kLanes<T>;
    by_vectors(lesser(kPanel, all_vectors - p * kPanel), [&](auto nv) INLINED {
      constexpr int NV = decltype(nv)::value;
      const T* panel = whole + begin * NV * kLanes<T>;
      by_rows(n, [&](auto mr, int64_t r0) INLINED {
        constexpr int MR = decltype(mr)::value;
        const T* rows[MR];
        Vec<T> acc[MR][NV];
#pragma GCC unroll 8
        for (int r = 0; r < MR; r++) {
          rows[r] = left(r0 + r);
#pragma GCC unroll 4
          for (int j = 0; j < NV; j++) acc[r][j] = start(r0 + r, p * kPanel + j);
        }
        multiply_add<T, MR, NV, NV>(acc, rows, K, panel);
#pragma GCC unroll 8
        for (int r = 0; r < MR; r++)
#pragma GCC unroll 4
          for (int j = 0; j < NV; j++) finish(r0 + r, p * kPanel + j, acc[r][j]);
      });
    });
  }
}

// The panels of one team member.
struct Share {
  int64_t first, last;
};
INLINE Share share(int64_t panels, const Team& team) {
  return {panels * team.rank / team.size, panels * (team.rank + 1) / team.size};
}

}  // namespace
