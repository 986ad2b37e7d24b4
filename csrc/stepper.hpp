// One observation at a time: packed weights and the carried state of a stack of layers, in native memory.
#pragma once
#include <vector>

#include "layer.hpp"

namespace recurra {

class Stepper {
 public:
  // layer: sizes of the first layer (T is ignored, B rows, D 1); weights: one a layer.
  Stepper(const Layer& layer, const std::vector<LayerWeights>& weights);
  ~Stepper();
  // Packs the weights again if they are not those that were packed last; the state stays.
  void refresh(const std::vector<LayerWeights>& weights);
  void pack(const std::vector<LayerWeights>& weights);
  // One step of the rows named (all rows if rows is null): x [count, I] to y [count, P].
  void step(const void* x, void* y, const int64_t* rows, int64_t count);
  // The state as it is, h [L, B, P] and c [L, B, H] (c may be null).
  void get(void* h, void* c) const;
  void set(const void* h, const void* c);
  const Layer& layer() const { return layer_; }
  int64_t layers() const { return layers_; }

 private:
  template <class T> void pack_typed(const std::vector<LayerWeights>& weights);
  template <class T> void step_typed(const T* x, T* y, const int64_t* rows, int64_t count);
  Layer layer_;
  int64_t layers_;
  Buffer packed_, state_, scratch_, between_;
  uint64_t fingerprint(const std::vector<LayerWeights>& weights) const;
  uint64_t seen_ = 0;
  std::vector<int64_t> offset_;  // of each layer's packed parts
  std::vector<int> row_;
};

}  // namespace recurra
