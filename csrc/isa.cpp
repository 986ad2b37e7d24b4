// The kernels, compiled once for each instruction set; RECURRA_TABLE names the functions that hand out this one's tables.
#include "backward.hpp"
#include "fingerprint.hpp"
#include "forward.hpp"
#include "outer.hpp"
#include "peak.hpp"
#include "reset_before.hpp"
#include "step_row.hpp"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

const VariantKernels<float>& JOIN(RECURRA_TABLE, _variant_f32)();
const VariantKernels<double>& JOIN(RECURRA_TABLE, _variant_f64)();

namespace {
template <class T> int lanes() { return kLanes<T>; }
template <class T> Kernels<T> table(const VariantKernels<T>& variant) {
  return {lanes<T>,   gate_stride<T>,      panel_size<T>, panel_count<T>,   pack<T>,       forward_scratch<T>,
          forward<T>, backward_scratch<T>, backward<T>,   outer_scratch<T>, outer<T>,
          step_row_scratch<T>, step_row<T>, fingerprint, peak<T>, &variant};
}
}  // namespace

const Kernels<float>& JOIN(RECURRA_TABLE, _f32)() {
  static const Kernels<float> kernels = table<float>(JOIN(RECURRA_TABLE, _variant_f32)());
  return kernels;
}
const Kernels<double>& JOIN(RECURRA_TABLE, _f64)() {
  static const Kernels<double> kernels = table<double>(JOIN(RECURRA_TABLE, _variant_f64)());
  return kernels;
}
