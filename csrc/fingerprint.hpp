// A number that changes when memory changes: how the stepper notices that a weight is no longer the one it packed.
#pragma once
#include "vec.hpp"

namespace {

uint64_t fingerprint(const void* data, uint64_t bytes) {
  typedef uint32_t U __attribute__((vector_size(kVectorBytes)));
  const auto* p = static_cast<const unsigned char*>(data);
  U acc[8] = {};
  const U odd = U{} + 0x9E3779B1u;
  uint64_t i = 0;
  for (; i + 8 * sizeof(U) <= bytes; i += 8 * sizeof(U))
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
      U v;
      memcpy(&v, p + i + uint64_t(j) * sizeof(U), sizeof v);
      acc[j] = acc[j] * odd + v;
    }
  uint64_t sum = bytes;
  for (int j = 0; j < 8; j++)
    for (unsigned k = 0; k < sizeof(U) / 4; k++) sum = sum * 0x100000001B3u + acc[j][k];
  for (; i + 4 <= bytes; i += 4) {
    uint32_t word;
    memcpy(&word, p + i, 4);
    sum = (sum ^ word) * 0x100000001B3u;
  }
  return sum;
}

}  // namespace
