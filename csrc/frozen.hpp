// Weights of a layer that stay packed from call to call, and how a change of them is noticed.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "layer.hpp"

namespace recurra {

// A number that changes when a weight does; inputs is the layer's own I.
uint64_t fingerprint(const Layer& layer, const LayerWeights& weights, int64_t inputs);

struct PackedLayer;
template <class T> const std::vector<Packed<T>>& packed_of(const PackedLayer& packed);

class Frozen {
 public:
  // layer: kind, type, sizes and directions (T, B and lengths are ignored); weights: one a direction.
  Frozen(const Layer& layer, const std::vector<LayerWeights>& weights);
  // What is packed, packed anew if the weights are others by now; null for a layer of another type or size.
  std::shared_ptr<const PackedLayer> current(const Layer& layer, const std::vector<LayerWeights>& weights) const;
  int64_t bytes() const;

 private:
  Layer layer_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const PackedLayer> packed_;
  mutable uint64_t seen_ = 0;
};

}  // namespace recurra
