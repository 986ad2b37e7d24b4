// The backward pass of one LSTM row with every option, and the sums for gains, biases and peepholes.
#pragma once
#include "variant_backward.hpp"

namespace {

// From the gradients of h and of the carried cell to those of o's preactivation, of what the output reads of the cell,
// and of the cell itself; what zoneout keeps goes to v.kept.
template <class T> void output_back(VariantBackward<T>& v, int64_t t, int64_t r) {
  const Backward<T>& b = v.plain;
  const int64_t Hp = b.Hp, H = v.shape().H, place = b.place(t, r), mask = t * v.job.masks.B + b.chunk.row[r];
  const LstmRow<T>& row = v.row;
  const T *o = row.gate + 3 * Hp, *draw = b.draw + r * b.stride, *dc = b.dc + r * b.stride;
  const bool sides = norms_sides(v.job.options), shown_carried = v.job.options.norm == kNormFastrnns;
  T* raw = v.shape().projected ? b.job.raw + place * Hp : nullptr;
  const Vec<T> one = broadcast(T(1));
  for (int64_t k = 0; k < Hp; k += kLanes<T>) {
    const Vec<T> d = load(draw + k), out = load(row.out + k), ok = load(o + k);
    Vec<T> dcell = load(dc + k), kept{}, dshown = d * ok * load(row.out_slope + k);
    if (v.job.masks.c.on()) {
      const Vec<T> share = kept_share(v.job.masks.c, mask, H, k);
      kept = share * dcell;
      dcell = (one - share) * dcell;
    }
    store(v.da + 3 * Hp + k, d * out * load(row.slope + 3 * Hp + k));
    store(v.dshown + k, shown_carried ? dshown + dcell : dshown);
    store(v.dcell + k, shown_carried ? Vec<T>{} : sides ? dcell : dcell + dshown);
    store(v.kept + k, kept);
    if (raw) store(raw + k, ok * out);
  }
}

// Where the cell is normalised before it is shown.
template <class T> void cell_norm_back(VariantBackward<T>& v) {
  const int64_t Hp = v.plain.Hp;
  add_products(v.gathering(kSumCell), v.dshown, v.row.cell_hat, Hp);
  add(v.gathering(kSumShift), v.dshown, Hp);
  through_norm(v.dshown, v.job.vectors.n_c, v.row.cell_hat, v.row.cell_scale, v.dshown, 1, v.shape().H);
  add(v.dcell, v.dshown, Hp);
}

// Through the normalisation of gate p by itself, and its peephole: it saw `cell`, whose gradient is `to`.
template <class T> void gate_back(VariantBackward<T>& v, int p, int peephole, const T* cell, T* to) {
  const int64_t Hp = v.plain.Hp;
  T* da = v.da + p * Hp;
  if (v.job.options.norm == kNormTflite) {
    const T* hat = v.row.x_hat + p * Hp;
    add(v.gathering(kSumBias + p), da, Hp);
    add_products(v.gathering(kSumInput + p), da, hat, Hp);
    through_norm(da, v.job.vectors.n_ih + p * Hp, hat, v.row.x_scale[p], da, 1, v.shape().H);
  }
  if (!v.job.vectors.peephole || peephole < 0) return;
  add_products(v.gathering(kSumPeephole + peephole), da, cell, Hp);
  add_products(to, da, v.job.vectors.peephole + peephole * Hp, Hp);
}

// From the new cell's gradient to those of i, f and g, and of the cell before, to which `kept` goes too.
template <class T> void cell_back(VariantBackward<T>& v, T* dc) {
  const int64_t Hp = v.plain.Hp;
  const LstmRow<T>& row = v.row;
  const Options& o = v.job.options;
  const Vec<T> high = broadcast(T(o.cell_clip)), low = -high, zero{};
  const T *i = row.gate, *f = i + Hp, *g = f + Hp, *slope = row.slope;
  for (int64_t k = 0; k < Hp; k += kLanes<T>) {
    const Vec<T> raw = load(row.raw + k), d = ((raw >= low) & (raw <= high)) ? load(v.dcell + k) : zero;
    Vec<T> di = d * load(g + k), df = d * load(v.before + k);
    if (o.coupling == kCoupleInput) {
      di -= df;
      df = zero;
    } else if (o.coupling == kCoupleForget) {
      df -= di;
      di = zero;
    }
    store(v.da + k, di * load(slope + k));
    store(v.da + Hp + k, df * load(slope + Hp + k));
    store(v.da + 2 * Hp + k, d * load(i + k) * load(slope + 2 * Hp + k));
    store(dc + k, load(v.kept + k) + d * load(f + k));
  }
}

// To the sums of x W and h U, which were normalised apart.
template <class T> void sides_back(VariantBackward<T>& v, T* D) {
  const int64_t n = 4 * v.plain.Hp, H = v.shape().H;
  add(v.gathering(kSumBias), v.da, n);
  add_products(v.gathering(kSumInput), v.da, v.row.x_hat, n);
  add_products(v.gathering(kSumState), v.da, v.row.h_hat, n);
  through_norm(v.da, v.job.vectors.n_ih, v.row.x_hat, v.row.x_scale[0], D, 4, H);
  through_norm(v.da, v.job.vectors.n_hh, v.row.h_hat, v.row.h_scale, D + n, 4, H);
}

template <class T> void load_cell_before(VariantBackward<T>& v, int64_t t, int64_t r) {
  const Backward<T>& b = v.plain;
  const int64_t H = v.shape().H, at = b.before(t, r);
  const T* row = at >= 0 ? b.job.tape.cells + b.place(at, r) * b.Hp : b.job.c0 ? b.job.c0 + b.chunk.row[r] * H : nullptr;
  for (int64_t k = 0; k < b.Hp; k += kLanes<T>) store(v.before + k, load_state(row, k, H));
}

template <class T> void lstm_row_back(VariantBackward<T>& v, int64_t t, int64_t r) {
  const int64_t Hp = v.plain.Hp;
  const bool sides = norms_sides(v.job.options);
  T *D = v.dgates(t, r), *dc = v.plain.dc + r * v.plain.stride;
  load_cell_before(v, t, r);
  LstmStep<T>{v.shape(), v.job.options, v.job.vectors, v.sums_of(t, r), v.before, v.row}.take();
  output_back(v, t, r);
  if (sides)
    cell_norm_back(v);
  else
    gate_back(v, 3, 2, v.row.cell, v.dcell);
  cell_back(v, dc);
  if (sides) return sides_back(v, D);
  gate_back(v, 0, 0, v.before, dc);
  gate_back(v, 1, 1, v.before, dc);
  gate_back(v, 2, -1, v.before, dc);
  memcpy(D, v.da, size_t(4 * Hp) * sizeof(T));
}

constexpr int64_t kGathered = 64;  // rows summed before they are added to all: error grows less

template <class T> void gather(VariantBackward<T>& v, int64_t rows, bool last) {
  v.gathered += rows;
  if (!last && v.gathered < kGathered) return;
  const int64_t n = kSumPlanes * v.plain.Hp;
  if (v.sums) add(v.sums, v.fresh, n);
  memset(v.fresh, 0, size_t(n) * sizeof(T));
  v.gathered = 0;
}

template <class T> void variant_step_back(VariantBackward<T>& v, int64_t t, int64_t n, bool state_wanted) {
  const Shape& s = v.shape();
  for (int64_t r = 0; r < n; r++) split_output(v, t, r);
  if (s.projected) before_projection(v, t, n);
  for (int64_t r = 0; r < n; r++) switch (s.kind) {
      case kRnn: rnn_row_back(v, t, r); break;
      case kLstm: lstm_row_back(v, t, r); break;
      case kGru: gru_row_back(v, t, r); break;
      default: reset_before_row_back(v, t, r); break;
    }
  if (s.kind == kLstm) gather(v, n, false);
  if (s.kind == kGruBefore) variant_through_reset(v, t, n);
  if (state_wanted) variant_through_state(v, t, n);
}

template <class T> void variant_backward(const VariantBackwardJob<T>& job, const Chunk& c, T* sums, T* scratch) {
  Room<T> room{scratch};
  VariantBackward<T> v(job, c, sums, room);
  const int64_t n = kSumPlanes * v.plain.Hp;
  memset(v.fresh, 0, size_t(n) * sizeof(T));
  if (sums) memset(sums, 0, size_t(n) * sizeof(T));
  begin(v.plain);
  memset(v.plain.draw, 0, size_t(c.rows * v.plain.stride) * sizeof(T));
  list_masked_rows(v);
  if (job.plain.dx_row) list_input_gradients(v.plain);
  for (int64_t i = 0; i < c.steps; i++) {
    const int64_t t = job.plain.reverse ? i : c.steps - 1 - i;
    variant_step_back(v, t, c.active[t], i + 1 < c.steps || job.plain.dh0);
  }
  gather(v, 0, true);
  finish(v.plain);
  if (job.plain.dx_row) through_input(v.plain, Team{});
}

template <class T> int64_t variant_backward_scratch(const VariantBackwardJob<T>& job, const Chunk& c) {
  Room<T> room{nullptr};
  VariantBackward<T>(job, c, nullptr, room);
  return room.used;
}

}  // namespace
