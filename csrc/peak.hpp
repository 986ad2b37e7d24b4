// How many fused multiply-adds the machine can do: independent chains of them in registers, nothing from memory.
#pragma once
#include "vec.hpp"

namespace {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kChains = 24;
#else
constexpr int kChains = 12;  // with the two factors, what 16 registers hold
#endif

// Does `repeats` rounds; gives the operations done (a multiply-add is two) and leaves in *sum what came out.
template <class T> double peak(int64_t repeats, T* sum) {
  Vec<T> x[kChains];
#pragma GCC unroll 24
  for (int j = 0; j < kChains; j++) x[j] = broadcast(*sum + T(j));
  const Vec<T> factor = broadcast(T(0.5)), term = broadcast(T(0.5) + *sum);
  for (int64_t i = 0; i < repeats; i++)
#pragma GCC unroll 24
    for (int j = 0; j < kChains; j++) x[j] = x[j] * factor + term;
  Vec<T> all{};
#pragma GCC unroll 24
  for (int j = 0; j < kChains; j++) all += x[j];
  *sum = all[0];
  return 2.0 * kLanes<T> * kChains * double(repeats);
}

}  // namespace
