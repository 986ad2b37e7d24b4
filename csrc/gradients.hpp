// Weight gradients of one layer, all directions, shared out to the threads.
#pragma once
#include "layer_parts.hpp"

namespace recurra {
namespace {

// The shares of one weight gradient: which vectors of the left rows, which rows on the right, where to.
template <class T> struct Gradient {
  const T* left;
  int64_t left_stride;
  std::vector<int64_t> offset, out_row;
  std::vector<int> lanes;
  const T* const* right;
  int64_t columns;
  T *out, *bias, *bias2;
};

template <class T>
void add_gates(Gradient<T>& g, const Layer& l, int lanes, std::initializer_list<int> planes, int64_t gate = 0) {
  const int64_t Hp = (l.H + lanes - 1) / lanes * lanes;
  for (int plane : planes) {
    for (int64_t k = 0; k < l.H; k += lanes) {
      g.offset.push_back(plane * Hp + k);
      g.out_row.push_back(gate * l.H + k);
      g.lanes.push_back(int(std::min<int64_t>(lanes, l.H - k)));
    }
    gate++;
  }
}

template <class T> void take(const std::vector<Gradient<T>>& gradients, int64_t N, int threads) {
  const auto& k = kernels<T>();
  std::vector<OuterJob<T>> tasks;
  for (const auto& g : gradients) {
    const int64_t n = int64_t(g.offset.size()), panels = (n + 3) / 4;
    const int64_t cuts = std::max<int64_t>(
        1, threads == 1 || panels >= 2 * threads ? 1 : std::min<int64_t>(g.columns / 24, (2 * threads + panels - 1) / panels));
    for (int64_t p = 0; p < panels; p++)
      for (int64_t c = 0; c < cuts; c++) {
        auto cut = [&](int64_t i) { return i == cuts ? g.columns : g.columns * i / cuts / 6 * 6; };
        OuterJob<T> job{g.left, g.left_stride, {}, {}, {}, int(std::min<int64_t>(4, n - 4 * p)), g.right, N,
                        cut(c), cut(c + 1), g.out, g.columns, c ? nullptr : g.bias, c ? nullptr : g.bias2};
        for (int j = 0; j < job.vectors; j++) {
          job.offset[j] = g.offset[size_t(4 * p + j)];
          job.out_row[j] = g.out_row[size_t(4 * p + j)];
          job.lanes[j] = g.lanes[size_t(4 * p + j)];
        }
        tasks.push_back(job);
      }
  }
  run_tasks(threads, int(tasks.size()), [&](int i) {
    const OuterJob<T>& job = tasks[size_t(i)];
    Buffer room(size_t(k.outer_scratch(job.m1 - job.m0)) * sizeof(T));
    k.outer(job, room.as<T>());
  });
}

}  // namespace
}  // namespace recurra
