// The variant kernel, compiled once for each instruction set beside isa.cpp.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // in GCC 12's own avx512fintrin.h, inlined into these loops
#endif
#include "variant_forward.hpp"
#include "variant_lstm_back.hpp"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

namespace {
template <class T> VariantKernels<T> variant_table() {
  return {variant_stride<T>, side_panel_count<T>,        side_panel_size<T>, pack_side<T>, variant_forward_scratch<T>,
          variant_forward<T>, variant_backward_scratch<T>, variant_backward<T>};
}
}  // namespace

const VariantKernels<float>& JOIN(RECURRA_TABLE, _variant_f32)() {
  static const VariantKernels<float> kernels = variant_table<float>();
  return kernels;
}
const VariantKernels<double>& JOIN(RECURRA_TABLE, _variant_f64)() {
  static const VariantKernels<double> kernels = variant_table<double>();
  return kernels;
}
