// Divides the rows of a batch among threads, longest first, and places every valid step on the tape.
#include <algorithm>
#include <numeric>

#include "layer.hpp"

namespace recurra {
namespace {

std::vector<int64_t> lengths_of(const Layer& l) {
  check_sizes(l);
  if (l.lengths) return std::vector<int64_t>(l.lengths, l.lengths + l.B);
  std::vector<int64_t> lengths(size_t(l.B), l.batch_sizes ? 0 : l.T);
  if (l.batch_sizes)
    for (int64_t t = 0; t < l.T; t++)
      for (int64_t row = 0; row < l.batch_sizes[t]; row++) lengths[size_t(row)] = t + 1;
  return lengths;
}

}  // namespace

Plan::Plan(const Layer& l, int64_t parts) : lengths(lengths_of(l)) {
  if (l.batch_sizes) {
    batch_offsets.assign(1, 0);
    for (int64_t t = 0; t < l.T; t++) batch_offsets.push_back(batch_offsets.back() + l.batch_sizes[t]);
  }
  parts = std::max<int64_t>(1, std::min(parts, l.B));
  std::vector<int> order(static_cast<size_t>(l.B));
  std::iota(order.begin(), order.end(), 0);
  const bool ragged = l.lengths || l.batch_sizes;
  if (ragged)
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return lengths[size_t(a)] > lengths[size_t(b)]; });
  for (int64_t part = 0; part < (l.B ? parts : 0); part++) {
    std::vector<int> mine;
    if (ragged)  // dealt like cards, so that every part has long and short rows
      for (int64_t k = part; k < l.B; k += parts) mine.push_back(order[size_t(k)]);
    else
      mine.assign(order.begin() + l.B * part / parts, order.begin() + l.B * (part + 1) / parts);
    const int64_t steps = lengths[size_t(mine[0])];
    std::vector<int> active(size_t(steps) + 1, 0);
    std::vector<int64_t> place(size_t(steps) + 1, rows);
    size_t alive = mine.size();
    for (int64_t t = 0; t < steps; t++) {
      while (lengths[size_t(mine[alive - 1])] <= t) alive--;
      active[size_t(t)] = int(alive);
      place[size_t(t)] = rows;
      rows += int64_t(alive);
    }
    row_.push_back(std::move(mine));
    active_.push_back(std::move(active));
    place_.push_back(std::move(place));
    chunks.push_back({int(row_.back().size()), steps, row_.back().data(), active_.back().data(), place_.back().data()});
  }
}

}  // namespace recurra
