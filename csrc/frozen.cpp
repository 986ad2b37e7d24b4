// Packs once what the forward pass of a frozen layer reads at every call.
#include "frozen.hpp"

#include <optional>

#include "layer_parts.hpp"

namespace recurra {

struct PackedLayer {
  std::optional<AllPacked<float>> f32;
  std::optional<AllPacked<double>> f64;
};

template <> const std::vector<Packed<float>>& packed_of(const PackedLayer& packed) { return packed.f32->each; }
template <> const std::vector<Packed<double>>& packed_of(const PackedLayer& packed) { return packed.f64->each; }

uint64_t fingerprint(const Layer& l, const LayerWeights& w, int64_t inputs) {
  const auto& k = kernels<float>();
  const uint64_t element = l.is_double ? sizeof(double) : sizeof(float);
  const int64_t rows = gates_of_weights(l.kind) * l.H;
  const void* parts[] = {w.w_ih, w.w_hh, w.b_ih, w.b_hh, w.w_hr};
  const int64_t sizes[] = {rows * inputs, rows * l.P, rows, rows, l.P * l.H};
  uint64_t sum = 0;
  for (int j = 0; j < 5; j++)
    if (parts[j]) sum = sum * 31 + k.fingerprint(parts[j], uint64_t(sizes[j]) * element);
  return sum;
}

namespace {

uint64_t fingerprint_of(const Layer& layer, const std::vector<LayerWeights>& weights) {
  uint64_t sum = 0;
  for (const LayerWeights& w : weights) sum = sum * 31 + fingerprint(layer, w, layer.I);
  return sum;
}

std::shared_ptr<const PackedLayer> pack(const Layer& layer, const std::vector<LayerWeights>& weights) {
  const std::vector<int> parts{kForward, kBias, kProjection};
  check_memory(layer, weights);
  auto packed = std::make_shared<PackedLayer>();
  if (layer.is_double)
    packed->f64.emplace(layer, weights, parts, layer.threads);
  else
    packed->f32.emplace(layer, weights, parts, layer.threads);
  return packed;
}

bool same_sizes(const Layer& a, const Layer& b) {
  return a.kind == b.kind && a.is_double == b.is_double && a.I == b.I && a.H == b.H && a.P == b.P && a.D == b.D &&
         a.projected == b.projected;
}

}  // namespace

Frozen::Frozen(const Layer& layer, const std::vector<LayerWeights>& weights)
    : layer_(layer), packed_(pack(layer, weights)), seen_(fingerprint_of(layer, weights)) {}

std::shared_ptr<const PackedLayer> Frozen::current(const Layer& layer, const std::vector<LayerWeights>& weights) const {
  if (!same_sizes(layer, layer_)) return nullptr;
  const uint64_t now = fingerprint_of(layer_, weights);
  std::lock_guard<std::mutex> lock(mutex_);
  if (now != seen_) {
    packed_ = pack(layer, weights);
    seen_ = now;
  }
  return packed_;
}

int64_t Frozen::bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return int64_t(layer_.is_double ? packed_->f64->bytes() : packed_->f32->bytes());
}

}  // namespace recurra
