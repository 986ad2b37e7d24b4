// One layer over one batch: how rows are divided, what the backward pass needs of the forward pass, and both passes.
#pragma once
#include <memory>
#include <vector>

#include "kinds.hpp"
#include "runtime.hpp"

namespace recurra {

// The arguments of one call as they come from Python; addresses may be 0 where something is not given.
struct Layer {
  int kind, activation;
  bool is_double;
  int64_t T, B, I, H, P, D;
  bool projected;
  int threads;
  const int64_t* lengths;      // [B] or null
  const int64_t* batch_sizes;  // [T] of a packed batch, or null
  bool reverse = false;        // whether the first direction runs from the last step to the first
};

struct Strided {
  void* base;
  int64_t by_time, by_row;  // elements; of a packed batch by_row is the stride of its rows
};

struct LayerWeights {
  const void *w_ih, *w_hh, *b_ih, *b_hh, *w_hr;
};

// Rows divided into chunks, and where each step's rows lie on the tape.
class Plan {
 public:
  Plan(const Layer& layer, int64_t vector_rows);
  std::vector<Chunk> chunks;
  std::vector<int64_t> lengths, batch_offsets;
  int64_t rows = 0;  // of all steps

 private:
  std::vector<std::vector<int>> row_, active_;
  std::vector<std::vector<int64_t>> place_;
};

struct Tapes {
  Layer layer;
  std::unique_ptr<Plan> plan;
  std::vector<Buffer> gates, cells;  // one a direction
  int64_t bytes() const;
};

class Frozen;

struct ForwardArguments {
  Strided x, y;
  std::vector<LayerWeights> weights;
  const void *h0, *c0;
  void *hn, *cn;
  bool keep;
  const Frozen* frozen = nullptr;  // weights that are packed already, or null
};

struct WeightGradients {
  void *w_ih, *w_hh, *b_ih, *b_hh, *w_hr;  // each may be null
};

struct BackwardArguments {
  Strided x, y, dy, dx;
  int64_t dx_direction;  // elements between the input gradients of the two directions
  std::vector<LayerWeights> weights;
  std::vector<WeightGradients> gradients;
  const void *h0, *c0, *dhn, *dcn;
  void *dh0, *dc0;
  bool keep;  // whether the tape must serve again
};

void check_sizes(const Layer& layer);
void check_memory(const Layer& layer, const std::vector<LayerWeights>& weights);
void check_memory(const Layer& layer, const ForwardArguments& a);

std::unique_ptr<Tapes> forward(const Layer& layer, const ForwardArguments& a);
void backward(Tapes& tapes, const BackwardArguments& a);

// The instruction set in use, and what RECURRA_CPU_ISA may name on this machine.
const char* instruction_set();
template <class T> const Kernels<T>& kernels();

}  // namespace recurra
