// One observation at a time: packed weights and the carried state of a stack of layers, in native memory.
#pragma once
#include <vector>

#include "layer.hpp"

namespace recurra {

class Stepper {
 public:
  // layer: sizes of the first layer (T is ignored, B rows, D 1); weights: one a layer.
  Stepper(const Layer& layer, const std::vector<LayerWeights>& weights);
  virtual ~Stepper();
  // Whether the weights lie where they lay when they were packed.
  bool holds(const std::vector<uintptr_t>& addresses) const { return addresses == addresses_; }
  // One step of the rows named (all rows if rows is null): x [count, I] to y [count, P], with the weights as they are now.
  virtual void step(const void* x, void* y, const int64_t* rows, int64_t count);
  // The state as it is, h [L, B, P] and c [L, B, H] (c may be null).
  void get(void* h, void* c) const;
  void set(const void* h, const void* c);
  const Layer& layer() const { return layer_; }
  int64_t layers() const { return layers_; }

 protected:
  // Memory for the state and what goes from layer to layer; nothing is packed.
  Stepper(const Layer& layer, int64_t layers, std::vector<uintptr_t> addresses);
  // Refuses rows that are not there.
  void check(const int64_t* rows, int64_t count) const;
  Layer layer_;
  std::vector<uintptr_t> addresses_;
  int64_t layers_;
  Buffer state_, between_;
  std::vector<int> row_;

 private:
  template <class T> void pack_typed();
  template <class T> void step_one(const T* x, T* y, int64_t row);
  template <class T> void step_typed(const T* x, T* y, const int64_t* rows, int64_t count);
  void pack();
  void refresh();  // packs again if the weights' values are no longer those that were packed
  std::vector<LayerWeights> weights_;
  Buffer packed_, scratch_;
  uint64_t fingerprint() const;
  uint64_t seen_ = 0;
  std::vector<int64_t> offset_;  // of each layer's packed parts
};

}  // namespace recurra
