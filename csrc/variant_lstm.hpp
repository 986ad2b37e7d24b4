// The gates of one LSTM row from its sums, with every option: what the forward pass goes on with and the backward pass
// computes again. Order of a step: peephole, normalisation, clip, activation, coupling, cell, cell's clip, output.
#pragma once
#include "variant_norm.hpp"
#include "variant_pack.hpp"
#include "variant_phi.hpp"

namespace {

// Planes of padded H; gates in the order i f g o.
template <class T> struct LstmRow {
  T *a, *gate, *slope;       // [4] before and after the activation; slope null in the forward pass
  T *x_hat, *h_hat;          // [4] normalised sums: of x W (or of each gate), of h U
  T *raw, *cell;             // the new cell before and after its clip
  T *cell_hat, *shown;       // normalised cell, and with gain and bias
  T *out, *out_slope;        // phi(what is shown of the cell)
  T x_scale[4], h_scale, cell_scale;

  LstmRow(const Shape& s, const Options& o, Room<T>& room, bool slopes) {
    const int64_t Hp = padded<T>(s.H);
    const auto planes = [&](int n, bool wanted = true) { return wanted ? room.take(n * Hp) : nullptr; };
    a = planes(4);
    gate = planes(4);
    slope = planes(4, slopes);
    x_hat = planes(4, is_normed(o));
    h_hat = planes(4, norms_sides(o));
    raw = planes(1);
    cell = planes(1);
    cell_hat = planes(1, norms_sides(o));
    shown = planes(1, norms_sides(o));
    out = planes(1);
    out_slope = planes(1, slopes);
  }
};

template <class T> struct LstmStep {
  const Shape& s;
  const Options& o;
  const Vectors<T>& w;
  const T *sums, *before;  // of this row; the cell before, padded
  LstmRow<T>& row;

  int64_t Hp() const { return padded<T>(s.H); }

  // The preactivations of planes [first, last), where each gate is normalised by itself or not at all; cell: what their
  // peepholes see.
  void preactivations(int first, int last, const T* cell, const T* peephole) const {
    const int64_t H = Hp();
    for (int p = first; p < last; p++) {
      T* a = row.a + p * H;
      memcpy(a, sums + p * H, size_t(H) * sizeof(T));
      if (w.peephole && p != 2) add_products(a, cell, peephole + (p == 1 ? H : 0), H);
      if (o.norm != kNormTflite) continue;
      T* hat = row.x_hat + p * H;
      row.x_scale[p] = normalise(a, hat, 1, s.H, o.eps);
      memcpy(a, w.bias + p * H, size_t(H) * sizeof(T));
      add_products(a, hat, w.n_ih + p * H, H);
    }
  }

  // Those of all gates, where x W and h U are normalised apart.
  void normed_sides() const {
    const int64_t n = 4 * Hp();
    row.x_scale[0] = normalise(sums, row.x_hat, 4, s.H, o.eps);
    row.h_scale = normalise(sums + n, row.h_hat, 4, s.H, o.eps);
    memcpy(row.a, w.bias, size_t(n) * sizeof(T));
    add_products(row.a, row.x_hat, w.n_ih, n);
    add_products(row.a, row.h_hat, w.n_hh, n);
  }

  void activate_planes(const Phi& phi, int first, int count) const {
    const int64_t H = Hp(), at = first * H;
    apply(phi, o.clip, row.a + at, row.gate + at, row.slope ? row.slope + at : nullptr, count * H);
  }

  void couple() const {
    const int64_t H = Hp();
    T *i = row.gate, *f = row.gate + H;
    const Vec<T> one = broadcast(T(1));
    if (o.coupling == kCoupleInput)
      for (int64_t k = 0; k < H; k += kLanes<T>) store(f + k, one - load(i + k));
    if (o.coupling == kCoupleForget)
      for (int64_t k = 0; k < H; k += kLanes<T>) store(i + k, one - load(f + k));
  }

  void new_cell() const {
    const int64_t H = Hp();
    const Vec<T> high = broadcast(T(o.cell_clip)), low = -high;
    const T *i = row.gate, *f = i + H, *g = f + H;
    over_planes<T>(1, s.H, [&](int64_t k, int64_t n) INLINED {
      const Vec<T> c = first_lanes<T>(load(f + k) * load(before + k) + load(i + k) * load(g + k), n);
      store(row.raw + k, c);
      store(row.cell + k, at_most(at_least(c, low), high));
    });
  }

  // What the output's activation reads of the cell.
  const T* shown() const {
    if (!norms_sides(o)) return row.cell;
    const int64_t H = Hp();
    row.cell_scale = normalise(row.cell, row.cell_hat, 1, s.H, o.eps);
    memcpy(row.shown, w.m_c, size_t(H) * sizeof(T));
    add_products(row.shown, row.cell_hat, w.n_c, H);
    return row.shown;
  }

  // Everything; gives what the step carries on as its cell.
  const T* take() const {
    const bool sides = norms_sides(o);
    const int64_t H = Hp();
    if (sides)
      normed_sides();
    else
      preactivations(0, 3, before, w.peephole);
    activate_planes(o.gate, 0, 2);
    activate_planes(o.candidate, 2, 1);
    couple();
    new_cell();
    if (!sides) preactivations(3, 4, row.cell, w.peephole ? w.peephole + 2 * H : nullptr);
    activate_planes(o.gate, 3, 1);
    const T* seen = shown();
    apply(o.output, INFINITY, seen, row.out, row.out_slope, H);
    return o.norm == kNormFastrnns ? seen : row.cell;
  }
};

}  // namespace
