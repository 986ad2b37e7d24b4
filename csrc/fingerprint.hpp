// A number that changes when memory changes: how frozen weights and the stepper notice that a weight is no longer what they packed.
#pragma once
#include "vec.hpp"

namespace {

typedef uint64_t Words __attribute__((vector_size(kVectorBytes)));
constexpr int kWords = kVectorBytes / 8;

// Low times high half of each word.
INLINE Words halves_multiplied(Words d) {
#if defined(__AVX512F__)
  return (Words)_mm512_mul_epu32((__m512i)d, (__m512i)(d >> 32));
#elif defined(__AVX2__)
  return (Words)_mm256_mul_epu32((__m256i)d, (__m256i)(d >> 32));
#else
  return (d & (Words{} + 0xFFFFFFFFu)) * (d >> 32);
#endif
}

INLINE uint64_t mixed(uint64_t h, uint64_t word) {
  h = (h ^ word) * 0x9E3779B97F4A7C15u;
  return h ^ (h >> 29);
}

// Every word is multiplied with itself under a key that depends on its place, so that order counts, and added besides.
uint64_t fingerprint(const void* data, uint64_t bytes) {
  const auto* p = static_cast<const unsigned char*>(data);
  Words sum[4] = {}, key[4];
  for (int j = 0; j < 4; j++)
    for (int k = 0; k < kWords; k++) key[j][k] = uint64_t(j * kWords + k + 1) * 0x9E3779B97F4A7C15u;
  const Words step = Words{} + 0xD6E8FEB86659FD93u;
  uint64_t i = 0;
  for (; i + 4 * kVectorBytes <= bytes; i += 4 * kVectorBytes)
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      Words v;
      memcpy(&v, p + i + uint64_t(j) * kVectorBytes, sizeof v);
      sum[j] += halves_multiplied(v ^ key[j]) + ((v << 32) | (v >> 32));
      key[j] += step;
    }
  uint64_t h = bytes;
  for (int j = 0; j < 4; j++)
    for (int k = 0; k < kWords; k++) h = mixed(h, sum[j][k]);
  for (; i < bytes; i += 8) {
    uint64_t word = 0;
    memcpy(&word, p + i, bytes - i < 8 ? size_t(bytes - i) : 8);
    h = mixed(h, word);
  }
  return h;
}

}  // namespace
