// Eight rows and eight columns turned over in registers.
#pragma once
#include "vec.hpp"

namespace {

// out[i * step + j] = source[j * stride + i] for i and j below 8; false, and nothing is done, where there are no shuffles for it.
template <class T> INLINE bool turn_tile(T*, int64_t, const T*, int64_t) { return false; }
#if defined(__AVX2__)
template <> INLINE bool turn_tile<float>(float* out, int64_t step, const float* source, int64_t stride) {
  __m256 row[8], pair[8], four[8];
  for (int i = 0; i < 8; i++) row[i] = _mm256_loadu_ps(source + i * stride);
  for (int i = 0; i < 4; i++) {
    pair[2 * i] = _mm256_unpacklo_ps(row[2 * i], row[2 * i + 1]);
    pair[2 * i + 1] = _mm256_unpackhi_ps(row[2 * i], row[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) {
    four[4 * i] = _mm256_shuffle_ps(pair[4 * i], pair[4 * i + 2], 0x44);
    four[4 * i + 1] = _mm256_shuffle_ps(pair[4 * i], pair[4 * i + 2], 0xEE);
    four[4 * i + 2] = _mm256_shuffle_ps(pair[4 * i + 1], pair[4 * i + 3], 0x44);
    four[4 * i + 3] = _mm256_shuffle_ps(pair[4 * i + 1], pair[4 * i + 3], 0xEE);
  }
  for (int i = 0; i < 4; i++) {
    _mm256_storeu_ps(out + i * step, _mm256_permute2f128_ps(four[i], four[i + 4], 0x20));
    _mm256_storeu_ps(out + (i + 4) * step, _mm256_permute2f128_ps(four[i], four[i + 4], 0x31));
  }
  return true;
}
#endif

}  // namespace
