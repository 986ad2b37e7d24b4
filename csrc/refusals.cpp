// What a call is refused for before any memory is made or read: sizes, lengths and addresses that cannot be true.
#include <stdexcept>

#include "layer.hpp"

namespace recurra {
namespace {

constexpr int64_t kRows = int64_t(1) << 30, kWidth = int64_t(1) << 40, kNumbers = int64_t(1) << 58;

bool is_above(int64_t bound, int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) || product > bound;
}

}  // namespace

void check_sizes(const Layer& l) {
  for (int64_t size : {l.T, l.B, l.I, l.H, l.P})
    if (size < 0) throw std::invalid_argument("a size is negative");
  const bool wide = l.I > kWidth || l.H > kWidth || l.P > kWidth;
  if (wide || l.B > kRows || is_above(kNumbers, l.T, l.B) || is_above(kNumbers, l.T * l.B, 8 * l.H + l.I + l.P + 64))
    throw std::length_error("the batch is too large: T * B * hidden_size overflows");
  for (int64_t t = 0; l.batch_sizes && t < l.T; t++)
    if (l.batch_sizes[t] < 0 || l.batch_sizes[t] > (t ? l.batch_sizes[t - 1] : l.B))
      throw std::length_error("batch_sizes must not grow, nor be negative or above the number of rows");
  for (int64_t row = 0; l.lengths && row < l.B; row++)
    if (l.lengths[row] < 0 || l.lengths[row] > l.T) throw std::length_error("a row's length lies outside 0..T");
}

// A tensor whose storage was let go has a shape and no memory.
void check_memory(const Layer& l, const std::vector<LayerWeights>& weights) {
  for (const LayerWeights& w : weights)
    if ((!w.w_ih && l.H && l.I) || (!w.w_hh && l.H && l.P) || (l.projected && !w.w_hr && l.H && l.P) || !w.b_ih != !w.b_hh)
      throw std::invalid_argument("a weight has no memory: its storage was let go");
}

void check_memory(const Layer& l, const ForwardArguments& a) {
  check_memory(l, a.weights);
  if (l.T && l.B && ((!a.x.base && l.I) || (!a.y.base && l.P)))
    throw std::invalid_argument("the input has no memory: its storage was let go");
}

}  // namespace recurra
