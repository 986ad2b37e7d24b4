// One observation at a time through a stack of layers with options; every weight is read as it lies, so none can be stale.
#pragma once
#include "stepper.hpp"
#include "variant_layer.hpp"

namespace recurra {

class VariantStepper : public Stepper {
 public:
  // layer: sizes of the first layer (T is ignored, B rows, D 1); weights: one a layer; shares: what zoneout keeps of h and c.
  VariantStepper(const Layer& layer, const Options& options, const std::vector<VariantWeights>& weights, double share_h,
                 double share_c);
  void step(const void* x, void* y, const int64_t* rows, int64_t count) override;

 private:
  template <class T> void step_typed(const T* x, T* y, const int64_t* rows, int64_t count);
  template <class T> void step_layer(int64_t layer, const T* x, T* y, T* state, int64_t count);
  Options options_;
  std::vector<VariantWeights> weights_;
  double share_h_, share_c_;
};

}  // namespace recurra
