// One layer with options over one batch, both passes: as layer.hpp, on the variant kernel.
#pragma once
#include "layer.hpp"
#include "variant.hpp"

namespace recurra {

struct VariantWeights {
  LayerWeights plain;
  const void *w_p, *n_ih, *n_hh, *n_c, *m_c;  // peepholes [3H]; gains [4H], [4H], [H]; bias of the cell's norm [H]
};

struct VariantGradients {
  WeightGradients plain;
  void *w_p, *n_ih, *n_hh, *n_c, *m_c;  // each may be null
};

// Dense tensors of all directions, or null; the shares serve where there is no tensor.
struct MaskArguments {
  const void *h_in, *keep_h, *keep_c;  // [D, B, P], [D, T, B, P], [D, T, B, H]
  double share_h, share_c;
};

struct VariantTapes {
  Layer layer;
  Options options;
  std::unique_ptr<Plan> plan;
  std::vector<Buffer> sums, cells, projected;  // one a direction
  int64_t bytes() const;
};

struct VariantForwardArguments {
  Strided x, y;
  std::vector<VariantWeights> weights;
  MaskArguments masks;
  const void *h0, *c0;
  void *hn, *cn;
  bool keep;
};

struct VariantBackwardArguments {
  Strided x, y, dy, dx;
  int64_t dx_direction;
  std::vector<VariantWeights> weights;
  std::vector<VariantGradients> gradients;  // of each direction, or empty if none is wanted
  MaskArguments masks;
  const void *h0, *c0, *dhn, *dcn;
  void *dh0, *dc0;
  bool keep;  // whether the tape must serve again
};

std::unique_ptr<VariantTapes> forward(const Layer& layer, const Options& options, const VariantForwardArguments& a);
void backward(VariantTapes& tapes, const VariantBackwardArguments& a);

}  // namespace recurra
