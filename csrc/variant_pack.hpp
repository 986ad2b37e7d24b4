// Weights of the variant kernel's products: vectors side by side over the gates, x W and h U apart.
#pragma once
#include "pack.hpp"
#include "variant.hpp"

namespace {

// Planes of a row of sums.
INLINE int64_t sum_planes(const Shape& s, const Options& o) { return norms_sides(o) ? 8 : planes_of(s.kind); }
template <class T> int64_t variant_stride(const Shape& s, const Options& o) { return sum_planes(s, o) * padded<T>(s.H) + kLanes<T>; }

// The plane where the recurrent products begin: on it and after it lie the gradients that go to the state.
INLINE int64_t state_plane(const Shape& s, const Options& o) { return norms_sides(o) ? 4 : s.kind == kGru || s.kind == kGruBefore ? 1 : 0; }

struct SidePanels {
  int64_t K;      // inputs of the product
  int gates;      // of the weight's, side by side
  int order[4];   // which
};
INLINE SidePanels side_panels(const Shape& s, int side) {
  const bool before = s.kind == kGruBefore;
  if (side == kCandidateSide) return {s.P, before ? 1 : 0, {2}};
  if (side == kStateSide) return {s.P, before ? 2 : gates_of(s.kind), {0, 1, 2, 3}};
  if (s.kind == kGru || before) return {s.I, 3, {2, 0, 1}};
  return {s.I, gates_of(s.kind), {0, 1, 2, 3}};
}

template <class T> int64_t side_vectors(const Shape& s, int side) { return side_panels(s, side).gates * vectors<T>(s.H); }
template <class T> int64_t side_panel_count(const Shape& s, int side) { return divided_up(side_vectors<T>(s, side), kPanel); }
template <class T> int64_t side_panel_size(const Shape& s, int side) { return side_panels(s, side).K * kPanel * kLanes<T>; }

template <class T> void pack_side(const Shape& s, const T* weight, T* to, int side, int64_t first, int64_t last) {
  const SidePanels panels = side_panels(s, side);
  const int64_t Hv = vectors<T>(s.H), all = side_vectors<T>(s, side);
  for (int64_t p = first; p < last; p++) {
    const auto neuron = [&](int j) { return (p * kPanel + j) % Hv * kLanes<T>; };
    transpose(
        to + p * side_panel_size<T>(s, side), weight, panels.K, panels.K, int(lesser(kPanel, all - p * kPanel)),
        [&](int j) { return panels.order[(p * kPanel + j) / Hv] * s.H + neuron(j); },
        [&](int j) { return lesser(kLanes<T>, s.H - neuron(j)); });
  }
}

// Hands out scratch memory; without any it only counts.
template <class T> struct Room {
  T* base;
  int64_t used = 0;
  T* take(int64_t n) {
    T* taken = base ? base + used : nullptr;
    used += n;
    return taken;
  }
};

}  // namespace
