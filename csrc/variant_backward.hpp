// The backward pass of the variant kernel over one chunk of rows: what comes in, RNN and GRU rows, the products with U.
#pragma once
#include "backward.hpp"
#include "variant_lstm.hpp"

namespace {

template <class T> struct VariantBackward {
  const VariantBackwardJob<T>& job;
  Backward<T> plain;          // of its memory dh, dc, and draw: the gradient of the new output before any projection
  T *before, *kept;           // the cell before, and the gradient that zoneout hands to it
  T *y, *slope;               // [3] of one row
  T *resets, *reset_slopes;   // [1] of every row where the reset is before the product
  T *da, *dcell, *dshown;     // LSTM: [4], [1], [1] of one row
  T *fresh, *sums;            // gains, biases and peepholes: of some steps, of all; null where they are not wanted
  int64_t gathered = 0;       // rows in fresh
  LstmRow<T> row;

  VariantBackward(const VariantBackwardJob<T>& j, const Chunk& c, T* all_sums, Room<T>& room)
      : job(j),
        plain{j.plain, c, padded<T>(j.plain.shape.H), row_stride<T>(j.plain.shape.H), row_stride<T>(j.plain.shape.P),
              variant_stride<T>(j.plain.shape, j.options), nullptr, nullptr, nullptr},
        sums(all_sums),
        row(lay_out(room)) {}

  LstmRow<T> lay_out(Room<T>& room) {
    const int64_t rows = plain.chunk.rows, Hp = plain.Hp;
    plain.dh = room.take(rows * plain.out_stride);
    plain.dc = room.take(rows * plain.stride);
    plain.draw = room.take(rows * plain.stride);
    before = room.take(Hp);
    kept = room.take(Hp);
    y = room.take(3 * Hp);
    slope = room.take(3 * Hp);
    const bool reset_before = job.plain.shape.kind == kGruBefore;
    resets = reset_before ? room.take(rows * Hp) : nullptr;
    reset_slopes = reset_before ? room.take(rows * Hp) : nullptr;
    da = room.take(4 * Hp);
    dcell = room.take(Hp);
    dshown = room.take(Hp);
    fresh = room.take(kSumPlanes * Hp);
    return LstmRow<T>(job.plain.shape, job.options, room, true);
  }

  const Shape& shape() const { return job.plain.shape; }
  const T* sums_of(int64_t t, int64_t r) const { return job.plain.tape.gates + plain.place(t, r) * plain.tape_stride; }
  T* dgates(int64_t t, int64_t r) const { return job.plain.dgates + plain.place(t, r) * plain.tape_stride; }
  T* gathering(int plane) const { return fresh + plane * plain.Hp; }
  // The state before the step, not padded; null for zeros.
  const T* state(int64_t t, int64_t r) const {
    const int64_t row = plain.chunk.row[r], before_it = plain.before(t, r);
    if (before_it >= 0) return job.plain.y.at(before_it, int(row));
    return job.plain.h0 ? job.plain.h0 + row * shape().P : nullptr;
  }
};

template <class T> INLINE Vec<T> load_state(const T* row, int64_t k, int64_t width) {
  return row ? load_first(row + k, int(lesser(kLanes<T>, width - k))) : Vec<T>{};
}

// The share of the old value that zoneout kept, of a vector that begins at k.
template <class T> INLINE Vec<T> kept_share(const Keep<T>& keep, int64_t place, int64_t width, int64_t k) {
  return keep.mask ? load_first(keep.mask + place * width + k, int(lesser(kLanes<T>, width - k))) : broadcast(keep.share);
}

// dh becomes what zoneout hands on; the rest goes to the new output, before the projection's clip.
template <class T> void split_output(const VariantBackward<T>& v, int64_t t, int64_t r) {
  const Backward<T>& b = v.plain;
  const Shape& s = v.shape();
  const T* dy = output_gradient(b, t, r);
  const int64_t n = b.place(t, r), Pp = padded<T>(s.P), place = t * v.job.masks.B + b.chunk.row[r];
  const T* projected = v.job.projected ? v.job.projected + n * Pp : nullptr;
  T *dh = b.dh + r * b.out_stride, *to = s.projected ? b.job.dh + n * Pp : b.draw + r * b.stride;
  const Vec<T> high = broadcast(T(v.job.options.projection_clip)), low = -high, one = broadcast(T(1));
  for (int64_t k = 0; k < Pp; k += kLanes<T>) {
    Vec<T> d = total(b, dy, r, k), rest{};
    if (v.job.masks.h.on()) {
      const Vec<T> share = kept_share(v.job.masks.h, place, s.P, k);
      rest = share * d;
      d = (one - share) * d;
    }
    if (projected) {
      const Vec<T> h = load(projected + k);
      d = ((h >= low) & (h <= high)) ? d : Vec<T>{};
    }
    store(to + k, d);
    store(dh + k, rest);
  }
}

// draw = d W_hr of every row.
template <class T> void before_projection(const VariantBackward<T>& v, int64_t t, int64_t n) {
  const Backward<T>& b = v.plain;
  const Shape& s = v.shape();
  const int64_t Pp = padded<T>(s.P);
  multiply<T>(
      n, s.P, b.job.packed.to_unprojected, 0, panel_count<T>(s, kToUnprojected), vectors<T>(s.H),
      [&](int64_t r) { return b.job.dh + b.place(t, r) * Pp; }, [](int64_t, int64_t) { return Vec<T>{}; },
      [&](int64_t r, int64_t j, Vec<T> d) { store(b.draw + r * b.stride + j * kLanes<T>, d); });
}

template <class T> void rnn_row_back(VariantBackward<T>& v, int64_t t, int64_t r) {
  const Options& o = v.job.options;
  T* D = v.dgates(t, r);
  const T* d = v.plain.draw + r * v.plain.stride;
  apply<T>(o.candidate, o.clip, v.sums_of(t, r), v.y, v.slope, v.plain.Hp);
  for (int64_t k = 0; k < v.plain.Hp; k += kLanes<T>) store(D + k, load(d + k) * load(v.slope + k));
}

// dn and dz of one row, and z dh for the state before; n stands third in v.y.
template <class T> void candidate_back(VariantBackward<T>& v, int64_t t, int64_t r) {
  const int64_t Hp = v.plain.Hp, H = v.shape().H;
  const Vec<T> one = broadcast(T(1));
  const T *z = v.y + Hp, *n = v.y + 2 * Hp, *old = v.state(t, r), *draw = v.plain.draw + r * v.plain.stride;
  T *D = v.dgates(t, r), *dh = v.plain.dh + r * v.plain.out_stride;
  for (int64_t k = 0; k < Hp; k += kLanes<T>) {
    const Vec<T> d = load(draw + k), zk = load(z + k);
    store(D + k, d * (one - zk) * load(v.slope + 2 * Hp + k));
    store(D + 2 * Hp + k, d * (load_state(old, k, H) - load(n + k)) * load(v.slope + Hp + k));
    store(dh + k, load(dh + k) + d * zk);
  }
}

template <class T> void gru_row_back(VariantBackward<T>& v, int64_t t, int64_t r) {
  const Options& o = v.job.options;
  const int64_t Hp = v.plain.Hp;
  const T *sums = v.sums_of(t, r), *recurrent = v.da;
  T *n = v.y + 2 * Hp, *D = v.dgates(t, r);
  apply<T>(o.gate, o.clip, sums + Hp, v.y, v.slope, 2 * Hp);
  memcpy(n, sums, size_t(Hp) * sizeof(T));
  memcpy(v.da, sums + 3 * Hp, size_t(Hp) * sizeof(T));
  add_products(n, v.y, recurrent, Hp);
  apply<T>(o.candidate, o.clip, n, n, v.slope + 2 * Hp, Hp);
  candidate_back(v, t, r);
  for (int64_t k = 0; k < Hp; k += kLanes<T>) {
    const Vec<T> dn = load(D + k);
    store(D + Hp + k, dn * load(recurrent + k) * load(v.slope + k));
    store(D + 3 * Hp + k, dn * load(v.y + k));
  }
}

template <class T> void reset_before_row_back(VariantBackward<T>& v, int64_t t, int64_t r) {
  const Options& o = v.job.options;
  const int64_t Hp = v.plain.Hp;
  const size_t bytes = size_t(Hp) * sizeof(T);
  const T* sums = v.sums_of(t, r);
  apply<T>(o.gate, o.clip, sums + Hp, v.y, v.slope, 2 * Hp);
  apply<T>(o.candidate, o.clip, sums, v.y + 2 * Hp, v.slope + 2 * Hp, Hp);
  memcpy(v.resets + r * Hp, v.y, bytes);
  memcpy(v.reset_slopes + r * Hp, v.slope, bytes);
  candidate_back(v, t, r);
}

// What a recurrent product hands to the state of row r, through the mask that h passed on its way in.
template <class T> INLINE void give_to_state(const VariantBackward<T>& v, int64_t r, int64_t k, Vec<T> d) {
  const int64_t P = v.shape().P;
  T* dh = v.plain.dh + r * v.plain.out_stride + k;
  if (v.job.masks.h_in) d *= load_state(v.job.masks.h_in + v.plain.chunk.row[r] * P, k, P);
  store(dh, load(dh) + d);
}

// d(r h) = dn U_n gives dr, and r d(r h) goes to the state before.
template <class T> void variant_through_reset(const VariantBackward<T>& v, int64_t t, int64_t n) {
  const Shape& s = v.shape();
  const int64_t Hp = v.plain.Hp;
  multiply<T>(
      n, Hp, v.job.plain.packed.to_state, 0, panel_count<T>(s, kToState), vectors<T>(s.H),
      [&](int64_t r) { return v.dgates(t, r); }, [](int64_t, int64_t) { return Vec<T>{}; },
      [&](int64_t r, int64_t j, Vec<T> d) {
        const int64_t k = j * kLanes<T>;
        const Vec<T> h = load_state(v.job.plain.h_row[v.plain.place(t, r)], k, s.H);
        store(v.dgates(t, r) + Hp + k, d * h * load(v.reset_slopes + r * Hp + k));
        give_to_state(v, r, k, d * load(v.resets + r * Hp + k));
      },
      gates_of(s.kind) * Hp);
}

template <class T> void variant_through_state(const VariantBackward<T>& v, int64_t t, int64_t n) {
  const Shape& s = v.shape();
  const int64_t Hp = v.plain.Hp, first = state_plane(s, v.job.options) * Hp, all = gates_of(s.kind) * Hp;
  const int64_t skipped = s.kind == kGruBefore ? Hp : 0;  // of each panel: those of U_n are done
  multiply<T>(
      n, all - skipped, v.job.plain.packed.to_state, 0, panel_count<T>(s, kToState), vectors<T>(s.P),
      [&](int64_t r) { return v.dgates(t, r) + first; }, [](int64_t, int64_t) { return Vec<T>{}; },
      [&](int64_t r, int64_t j, Vec<T> d) { give_to_state(v, r, j * kLanes<T>, d); }, all, skipped);
}

// The rows that weight gradients are made from; those of U passed the mask.
template <class T> void list_masked_rows(const VariantBackward<T>& v) {
  const Backward<T>& b = v.plain;
  list_rows(b);
  if (!v.job.masks.h_in) return;
  const int64_t P = v.shape().P, Pp = padded<T>(P);
  for (int64_t t = 0; t < b.chunk.steps; t++)
    for (int64_t r = 0; r < b.chunk.active[t]; r++) {
      const int64_t n = b.place(t, r);
      const T *h = b.job.h_row[n], *mask = v.job.masks.h_in + b.chunk.row[r] * P;
      T* to = v.job.entering + n * Pp;
      for (int64_t k = 0; k < Pp; k += kLanes<T>) store(to + k, load_state(h, k, P) * load_state(mask, k, P));
      b.job.h_row[n] = to;
    }
}

}  // namespace
