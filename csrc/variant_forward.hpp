// The forward pass of the variant kernel over one chunk of rows: products into rows of sums, then each row by itself.
#pragma once
#include "forward.hpp"
#include "variant_lstm.hpp"

namespace {

constexpr int64_t kInputRows = 48;  // rows of x taken at once, of one step or of several

template <class T> int64_t steps_at_once(const Chunk& c) {
  return c.rows ? lesser(c.steps, c.rows < kInputRows ? kInputRows / c.rows : 1) : 1;
}

template <class T> struct VariantForward {
  const VariantForwardJob<T>& job;
  Forward<T> plain;  // of its memory: now, next, cells, raw, and pre for the sums where no tape is kept
  T *in, *gates;     // h times h_in; r and z of every row where the reset is before the product
  T* y;              // of one row: [3] planes, or a projected output
  LstmRow<T> row;

  VariantForward(const VariantForwardJob<T>& j, const Chunk& c, Room<T>& room)
      : job(j),
        plain{j.plain, c, padded<T>(j.plain.shape.H), row_stride<T>(j.plain.shape.H), row_stride<T>(j.plain.shape.P),
              variant_stride<T>(j.plain.shape, j.options), variant_stride<T>(j.plain.shape, j.options), steps_at_once<T>(c),
              nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr},
        row(lay_out(room)) {}

  LstmRow<T> lay_out(Room<T>& room) {
    const Shape& s = job.plain.shape;
    const int64_t rows = plain.chunk.rows;
    plain.now = room.take(rows * plain.out_stride);
    plain.next = room.take(rows * plain.out_stride);
    plain.cells = room.take(rows * plain.stride);
    plain.raw = s.projected ? room.take(rows * plain.stride) : nullptr;
    plain.pre = job.plain.tape.gates ? nullptr : room.take(rows * plain.hoist * plain.pre_stride);
    in = job.masks.h_in ? room.take(rows * plain.out_stride) : nullptr;
    gates = s.kind == kGruBefore ? room.take(rows * 2 * plain.Hp) : nullptr;
    y = room.take(3 * plain.Hp + padded<T>(s.P));
    return LstmRow<T>(s, job.options, room, false);
  }

  const Shape& shape() const { return job.plain.shape; }
  T* sums(int64_t t, int64_t r, int64_t slot) const {
    return plain.pre ? plain.pre + (slot * plain.chunk.rows + r) * plain.pre_stride : plain.gates(t, r);
  }
  const T* entering(int64_t r) const { return (in ? in : plain.now) + r * plain.out_stride; }
};

// The bias that a product begins with: none where it is added after normalisation.
template <class T> const T* first_bias(const VariantForward<T>& v) { return is_normed(v.job.options) ? nullptr : v.job.vectors.bias; }

// The gates of one side's product, added to planes from `to` on, straight from a weight of K columns.
template <class T> void add_side(const Shape& s, int side, const T* weight, const T* left, T* to) {
  const SidePanels gates = side_panels(s, side);
  for (int g = 0; g < gates.gates; g++)
    add_product(to + g * padded<T>(s.H), weight + gates.order[g] * s.H * gates.K, left, s.H, gates.K);
}

template <class T> void take_input_rows(const VariantForward<T>& v, const T* const* x, T* const* to, int64_t n) {
  const Shape& s = v.shape();
  const T* bias = first_bias(v);
  if (!v.job.panels[kInputSide]) {
    const size_t bytes = size_t(planes_of(s.kind) * v.plain.Hp) * sizeof(T);
    for (int64_t r = 0; r < n; r++) {
      bias ? memcpy(to[r], bias, bytes) : memset(to[r], 0, bytes);
      add_side(s, kInputSide, v.job.as_they_lie.w_ih, x[r], to[r]);
    }
    return;
  }
  multiply<T>(
      n, s.I, v.job.panels[kInputSide], 0, side_panel_count<T>(s, kInputSide), side_vectors<T>(s, kInputSide),
      [&](int64_t r) { return x[r]; }, [&](int64_t, int64_t j) { return bias ? load(bias + j * kLanes<T>) : Vec<T>{}; },
      [&](int64_t r, int64_t j, Vec<T> sum) { store(to[r] + j * kLanes<T>, sum); });
  if (s.kind != kGru) return;
  const int64_t last = 3 * v.plain.Hp;
  for (int64_t r = 0; r < n; r++) memcpy(to[r] + last, bias + last, size_t(v.plain.Hp) * sizeof(T));
}

// X W of `count` steps from t on, going by `by`.
template <class T> void take_inputs(const VariantForward<T>& v, int64_t t, int64_t by, int64_t count) {
  const T* x[kInputRows];
  T* to[kInputRows];
  int64_t n = 0;
  for (int64_t slot = 0; slot < count; slot++, t += by)
    for (int64_t r = 0; r < v.plain.chunk.active[t]; r++) {
      x[n] = v.job.plain.x.at(t, v.plain.chunk.row[r]);
      to[n++] = v.sums(t, r, slot);
      if (n < kInputRows) continue;
      take_input_rows(v, x, to, n);
      n = 0;
    }
  take_input_rows(v, x, to, n);
}

// sums += left U of one side, onto the planes from `plane` on; where h U stands apart it begins from zero.
template <class T, class Left>
void add_recurrent(const VariantForward<T>& v, int64_t t, int64_t slot, int64_t n, int side, int64_t plane, Left left) {
  const Shape& s = v.shape();
  const bool fresh = norms_sides(v.job.options);
  const int64_t first = plane * v.plain.Hp;
  if (!v.job.panels[side]) {
    for (int64_t r = 0; r < n; r++) {
      T* to = v.sums(t, r, slot) + first;
      if (fresh) memset(to, 0, size_t(4 * v.plain.Hp) * sizeof(T));
      add_side(s, side, v.job.as_they_lie.w_hh, left(r), to);
    }
    return;
  }
  multiply<T>(
      n, s.P, v.job.panels[side], 0, side_panel_count<T>(s, side), side_vectors<T>(s, side), left,
      [&](int64_t r, int64_t j) { return fresh ? Vec<T>{} : load(v.sums(t, r, slot) + first + j * kLanes<T>); },
      [&](int64_t r, int64_t j, Vec<T> sum) { store(v.sums(t, r, slot) + first + j * kLanes<T>, sum); });
}

// keep * old + (1 - keep) * new, of a vector that begins at k of row r.
template <class T>
INLINE Vec<T> mixed(const Keep<T>& keep, int64_t place, int64_t width, int64_t k, Vec<T> old, Vec<T> fresh) {
  const Vec<T> share = keep.mask ? load_first(keep.mask + place * width + k, int(lesser(kLanes<T>, width - k))) : broadcast(keep.share);
  return share * old + (broadcast(T(1)) - share) * fresh;
}

// Puts one vector of the new output where it belongs.
template <class T> INLINE void settle(const VariantForward<T>& v, int64_t t, int64_t r, int64_t k, Vec<T> h) {
  const int64_t P = v.shape().P, row = v.plain.chunk.row[r];
  if (v.job.masks.h.on())
    h = mixed(v.job.masks.h, t * v.job.masks.B + row, P, k, load(v.plain.now + r * v.plain.out_stride + k), h);
  store(v.plain.next + r * v.plain.out_stride + k, h);
  store_first(v.job.plain.y.at(t, int(row)) + k, h, int(lesser(kLanes<T>, P - k)));
}

template <class T> void take_rnn_row(VariantForward<T>& v, int64_t t, int64_t r, const T* sums) {
  const Options& o = v.job.options;
  apply<T>(o.candidate, o.clip, sums, v.y, nullptr, v.plain.Hp);
  for (int64_t k = 0; k < v.plain.Hp; k += kLanes<T>) settle(v, t, r, k, load(v.y + k));
}

template <class T> void take_lstm_row(VariantForward<T>& v, int64_t t, int64_t r, const T* sums) {
  const Shape& s = v.shape();
  const int64_t Hp = v.plain.Hp;
  T* cell = v.plain.cells + r * v.plain.stride;
  const T* fresh = LstmStep<T>{s, v.job.options, v.job.vectors, sums, cell, v.row}.take();
  const int64_t place = t * v.job.masks.B + v.plain.chunk.row[r];
  T* kept = v.job.plain.tape.cells ? v.plain.cell(t, r) : nullptr;
  for (int64_t k = 0; k < Hp; k += kLanes<T>) {
    Vec<T> c = load(fresh + k);
    if (v.job.masks.c.on()) c = mixed(v.job.masks.c, place, s.H, k, load(cell + k), c);
    store(cell + k, c);
    if (kept) store(kept + k, c);
    const Vec<T> h = load(v.row.gate + 3 * Hp + k) * load(v.row.out + k);
    if (v.plain.raw)
      store(v.plain.raw + r * v.plain.stride + k, h);
    else
      settle(v, t, r, k, h);
  }
}

// h' from n and z.
template <class T> INLINE void gru_output(VariantForward<T>& v, int64_t t, int64_t r, const T* n, const T* z) {
  for (int64_t k = 0; k < v.plain.Hp; k += kLanes<T>) {
    const Vec<T> fresh = load(n + k);
    settle(v, t, r, k, fresh + load(z + k) * (load(v.plain.now + r * v.plain.out_stride + k) - fresh));
  }
}

template <class T> void take_gru_row(VariantForward<T>& v, int64_t t, int64_t r, const T* sums) {
  const Options& o = v.job.options;
  const int64_t Hp = v.plain.Hp;
  T *reset = v.y, *n = v.y + 2 * Hp;
  apply<T>(o.gate, o.clip, sums + Hp, reset, nullptr, 2 * Hp);
  memcpy(n, sums, size_t(Hp) * sizeof(T));
  add_products(n, reset, sums + 3 * Hp, Hp);
  apply<T>(o.candidate, o.clip, n, n, nullptr, Hp);
  gru_output(v, t, r, n, reset + Hp);
}

template <class T> void reset_before_rows(VariantForward<T>& v, int64_t t, int64_t slot, int64_t n) {
  const Options& o = v.job.options;
  const int64_t Hp = v.plain.Hp;
  for (int64_t r = 0; r < n; r++) {
    T *sums = v.sums(t, r, slot), *reset = v.gates + r * 2 * Hp;
    apply<T>(o.gate, o.clip, sums + Hp, reset, nullptr, 2 * Hp);
    for (int64_t k = 0; k < Hp; k += kLanes<T>) store(sums + 3 * Hp + k, load(reset + k) * load(v.entering(r) + k));
  }
  add_recurrent(v, t, slot, n, kCandidateSide, 0, [&](int64_t r) { return v.sums(t, r, slot) + 3 * Hp; });
  for (int64_t r = 0; r < n; r++) {
    apply<T>(o.candidate, o.clip, v.sums(t, r, slot), v.y, nullptr, Hp);
    gru_output(v, t, r, v.y, v.gates + (r * 2 + 1) * Hp);
  }
}

template <class T> void project_rows(const VariantForward<T>& v, int64_t t, int64_t n) {
  const Shape& s = v.shape();
  const int64_t Pp = padded<T>(s.P);
  const Vec<T> high = broadcast(T(v.job.options.projection_clip)), low = -high;
  const auto raw = [&](int64_t r) { return v.plain.raw + r * v.plain.stride; };
  const auto finish = [&](int64_t r, int64_t j, Vec<T> h) {
    const int64_t k = j * kLanes<T>;
    if (v.job.projected) store(v.job.projected + (v.plain.chunk.place[t] + r) * Pp + k, h);
    settle(v, t, r, k, at_most(at_least(h, low), high));
  };
  if (!v.job.plain.packed.projection) {
    for (int64_t r = 0; r < n; r++) {
      memset(v.y, 0, size_t(Pp) * sizeof(T));
      add_product(v.y, v.job.as_they_lie.w_hr, raw(r), s.P, s.H);
      for (int64_t j = 0; j < vectors<T>(s.P); j++) finish(r, j, load(v.y + j * kLanes<T>));
    }
    return;
  }
  multiply<T>(
      n, s.H, v.job.plain.packed.projection, 0, panel_count<T>(s, kProjection), vectors<T>(s.P), raw,
      [](int64_t, int64_t) { return Vec<T>{}; }, finish);
}

template <class T> void mask_state(const VariantForward<T>& v, int64_t n) {
  const int64_t P = v.shape().P;
  for (int64_t r = 0; r < n; r++) {
    const T *h = v.plain.now + r * v.plain.out_stride, *mask = v.job.masks.h_in + v.plain.chunk.row[r] * P;
    for (int64_t k = 0; k < P; k += kLanes<T>)
      store(v.in + r * v.plain.out_stride + k, load(h + k) * load_first(mask + k, int(lesser(kLanes<T>, P - k))));
  }
}

template <class T> void variant_step(VariantForward<T>& v, int64_t t, int64_t slot, int64_t n) {
  const Shape& s = v.shape();
  if (v.in) mask_state(v, n);
  add_recurrent(v, t, slot, n, kStateSide, state_plane(s, v.job.options), [&](int64_t r) { return v.entering(r); });
  if (s.kind == kGruBefore) return reset_before_rows(v, t, slot, n);
  for (int64_t r = 0; r < n; r++) {
    const T* sums = v.sums(t, r, slot);
    switch (s.kind) {
      case kRnn: take_rnn_row(v, t, r, sums); break;
      case kLstm: take_lstm_row(v, t, r, sums); break;
      default: take_gru_row(v, t, r, sums); break;
    }
  }
  if (v.plain.raw) project_rows(v, t, n);
}

template <class T> void variant_forward(const VariantForwardJob<T>& job, const Chunk& c, T* scratch) {
  Room<T> room{scratch};
  VariantForward<T> v(job, c, room);
  Forward<T>& f = v.plain;
  const bool back = job.plain.reverse;
  begin(f);
  if (!back) leave(f, f.now, c.steps ? c.active[0] : 0, c.rows);
  for (int64_t i = 0; i < c.steps; i++) {
    const int64_t t = back ? c.steps - 1 - i : i, n = c.active[t], slot = i % f.hoist;
    if (slot == 0) take_inputs(v, t, back ? -1 : 1, lesser(f.hoist, c.steps - i));
    variant_step(v, t, slot, n);
    if (!back) leave(f, f.next, t + 1 < c.steps ? c.active[t + 1] : 0, n);
    T* swap = f.now;
    f.now = f.next;
    f.next = swap;
  }
  if (back) leave(f, f.now, 0, c.rows);
}

template <class T> int64_t variant_forward_scratch(const VariantForwardJob<T>& job, const Chunk& c) {
  Room<T> room{nullptr};
  VariantForward<T>(job, c, room);
  return room.used;
}

}  // namespace
