// Picks the widest instruction set that this processor has, or a lower one that RECURRA_CPU_ISA names.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "layer.hpp"

const Kernels<float>& baseline_f32();
const Kernels<double>& baseline_f64();
#if defined(RECURRA_X86)
const Kernels<float>& avx2_f32();
const Kernels<double>& avx2_f64();
#if defined(RECURRA_AVX512)
const Kernels<float>& avx512_f32();
const Kernels<double>& avx512_f64();
#else  // never asked for: `widest` stops at AVX2
const Kernels<float>& avx512_f32() { return avx2_f32(); }
const Kernels<double>& avx512_f64() { return avx2_f64(); }
#endif
#endif

namespace recurra {
namespace {

enum Level { kBaseline, kAvx2, kAvx512 };

Level widest() {
#if defined(RECURRA_X86)
  __builtin_cpu_init();
#if defined(RECURRA_AVX512)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd"))
    return kAvx512;
#endif
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) return kAvx2;
#endif
  return kBaseline;
}

Level chosen() {
  const Level most = widest();
  const char* wish = std::getenv("RECURRA_CPU_ISA");
  if (!wish || !*wish || !std::strcmp(wish, "auto")) return most;
  const Level level = !std::strcmp(wish, "baseline") || !std::strcmp(wish, "neon") ? kBaseline
                      : !std::strcmp(wish, "avx2")   ? kAvx2
                      : !std::strcmp(wish, "avx512") ? kAvx512
                                                     : Level(-1);
  if (int(level) < 0)
    throw std::runtime_error(std::string("RECURRA_CPU_ISA should be avx512, avx2, baseline or auto, got: ") + wish);
  if (level > most) throw std::runtime_error(std::string("RECURRA_CPU_ISA=") + wish + ": this processor does not have it");
  return level;
}

Level level() {
  static const Level now = chosen();
  return now;
}

}  // namespace

const char* instruction_set() {
#if defined(__aarch64__)
  static const char* const names[] = {"neon"};
#else
  static const char* const names[] = {"baseline", "avx2", "avx512"};
#endif
  return names[level()];
}

#if defined(RECURRA_X86)
template <> const Kernels<float>& kernels() {
  return level() == kAvx512 ? avx512_f32() : level() == kAvx2 ? avx2_f32() : baseline_f32();
}
template <> const Kernels<double>& kernels() {
  return level() == kAvx512 ? avx512_f64() : level() == kAvx2 ? avx2_f64() : baseline_f64();
}
#else
template <> const Kernels<float>& kernels() { return baseline_f32(); }
template <> const Kernels<double>& kernels() { return baseline_f64(); }
#endif

}  // namespace recurra
