// The forward pass over time of one chunk of rows: [X(t) Y(t-1)] W in registers, then the gates on what is still there.
#pragma once
#include "activations.hpp"
#include "pack.hpp"

namespace {

template <class T> struct Forward {
  const ForwardJob<T>& job;
  const Chunk& chunk;
  int64_t Hp, stride, out_stride, tape_stride, pre_stride, hoist;
  T *now, *next, *cells, *raw, *pre;  // raw: o tanh c before a projection; pre: X W of `hoist` steps
  T *reset, *update;                  // r h and z of a step, where the reset is before the product

  T* gates(int64_t t, int64_t r) const { return job.tape.gates + (chunk.place[t] + r) * tape_stride; }
  T* cell(int64_t t, int64_t r) const { return job.tape.cells + (chunk.place[t] + r) * Hp; }
};

// Below this many rows the weights of the input are read once for several steps instead of at every step.
constexpr int kFewRows = kRows > 4 ? 4 : 2;

template <class T> int64_t hoisted_steps(const Chunk& c) {
  return c.rows >= kFewRows || c.steps < 3 ? 0 : lesser(c.steps, 24 / c.rows);
}

template <class T> int64_t pre_stride(const Shape& s) { return panel_count<T>(s, kForward) * kPanel * kLanes<T>; }

template <class T> int64_t forward_scratch(const Shape& s, const Chunk& c) {
  const int64_t h = row_stride<T>(s.H), p = row_stride<T>(s.P);
  return c.rows * (2 * p + h + (s.projected ? h : 0) + (s.kind == kGruBefore ? 2 * h : 0)) + c.rows * hoisted_steps<T>(c) * pre_stride<T>(s);
}

// X W + b of one panel, for MR rows.
template <class T, int KIND, int NV, int MR>
INLINE void input_part(Vec<T> (&acc)[MR][KIND == kRnn ? NV : 4], const Forward<T>& f, int64_t p, const T* const* x) {
  constexpr int NA = KIND == kRnn ? NV : 4, NX = KIND == kGru ? 3 : NA;
  const T* bias = f.job.packed.bias + p * kPanel * kLanes<T>;
#pragma GCC unroll 4
  for (int j = 0; j < NA; j++)
#pragma GCC unroll 8
    for (int r = 0; r < MR; r++) acc[r][j] = load(bias + j * kLanes<T>);
  multiply_add<T, MR, NX, NA>(acc, x, f.job.shape.I, f.job.packed.forward + p * one_panel<T>(f.job.shape, kForward));
}

// The gates of one row from the preactivations of one panel, and what the step leaves.
template <class T, int KIND, int NV, int NA>
INLINE void gate(const Forward<T>& f, Vec<T> (&a)[NA], int64_t p, int64_t t, int64_t r) {
  constexpr int L = kLanes<T>;
  const int64_t H = f.job.shape.H, Hp = f.Hp;
  T* y = f.job.y.at(t, f.chunk.row[r]);
  if constexpr (KIND == kRnn) {
#pragma GCC unroll 4
    for (int j = 0; j < NV; j++) {
      const int64_t at = (p * kPanel + j) * L;
      Vec<T> h = f.job.shape.activation == kTanh ? tanh_(a[j]) : activate<T>(a[j], f.job.shape.activation);
      store(f.next + r * f.out_stride + at, h);
      store_first(y + at, h, int(lesser(L, H - at)));
    }
    return;
  }
  const int64_t at = p * L;
  if constexpr (KIND == kLstm) {
    Vec<T> i = sigmoid_(a[0]), forget = sigmoid_(a[1]), g = tanh_(a[2]), o = sigmoid_(a[3]);
    T* cp = f.cells + r * f.stride + at;
    Vec<T> c = forget * load(cp) + i * g;
    store(cp, c);
    Vec<T> h = o * tanh_(c);
    if (f.raw) {
      store(f.raw + r * f.stride + at, h);
    } else {
      store(f.next + r * f.out_stride + at, h);
      store_first(y + at, h, int(lesser(L, H - at)));
    }
    if (f.job.tape.gates) {
      T* G = f.gates(t, r) + at;
      store(G, i);
      store(G + Hp, forget);
      store(G + 2 * Hp, g);
      store(G + 3 * Hp, o);
      store(f.cell(t, r) + at, c);
    }
  }
  if constexpr (KIND == kGru) {
    Vec<T> rr = sigmoid_(a[0]), z = sigmoid_(a[1]), n = tanh_(a[2] + rr * a[3]);
    Vec<T> h = n + z * (load(f.now + r * f.out_stride + at) - n);
    store(f.next + r * f.out_stride + at, h);
    store_first(y + at, h, int(lesser(L, H - at)));
    if (f.job.tape.gates) {
      T* G = f.gates(t, r) + at;
      store(G, n);
      store(G + Hp, rr);
      store(G + 2 * Hp, z);
      store(G + 3 * Hp, a[3]);
    }
  }
}

// As panel_rows, with the panel in blocks; there are many rows, so nothing was hoisted.
template <class T, int KIND, int NV, class Left, class Finish>
void panel_rows_in_blocks(const Forward<T>& f, int64_t p, int64_t t, int64_t n, Left left, Finish finish) {
  constexpr int NA = KIND == kRnn ? NV : 4, NX = KIND == kGru ? 3 : NA, L = kLanes<T>;
  const Shape& s = f.job.shape;
  const T *panel = f.job.packed.forward + p * one_panel<T>(s, kForward), *bias = f.job.packed.bias + p * kPanel * L;
  Sums<T, NA> sums;
  for (int64_t first = 0; first < n; first += kBlockRows) {
    const int64_t count = lesser(kBlockRows, n - first);
    for (int64_t r = 0; r < count; r++)
      for (int j = 0; j < NA; j++) store(sums.of(r, j), load(bias + j * L));
    add_in_blocks<T, NX, NA>(sums, count, s.I, panel,
                             [&](int64_t r) INLINED { return f.job.x.at(t, f.chunk.row[first + r]); });
    add_in_blocks<T, NX, NA, KIND == kGru ? 3 : 2>(sums, count, s.recurrent(), panel + s.I * NX * L,
                                                   [&](int64_t r) INLINED { return left(first + r); });
    for (int64_t r = 0; r < count; r++) {
      Vec<T> acc[NA];
      for (int j = 0; j < NA; j++) acc[j] = load(sums.of(r, j));
      finish(acc, first + r);
    }
  }
}

// The preactivations of one panel at one step for n rows, [X(t) left] W + b, handed to finish(sums, row) row by row;
// slot is the step's place among the hoisted ones.
template <class T, int KIND, int NV, class Left, class Finish>
INLINE void panel_rows(const Forward<T>& f, int64_t p, int64_t t, int64_t n, int64_t slot, Left left, Finish finish) {
  constexpr int NA = KIND == kRnn ? NV : 4, NX = KIND == kGru ? 3 : NA, L = kLanes<T>;
  const Shape& s = f.job.shape;
  const T* recurrent = f.job.packed.forward + p * one_panel<T>(s, kForward) + s.I * NX * L;
  if (KIND != kRnn && in_blocks(n, s.I + s.P)) return panel_rows_in_blocks<T, KIND, NV>(f, p, t, n, left, finish);
  by_rows(n, [&](auto mr, int64_t r0) INLINED {
    constexpr int MR = decltype(mr)::value;
    Vec<T> acc[MR][NA];
    const T* rows[MR];
    if (f.hoist) {
#pragma GCC unroll 8
      for (int r = 0; r < MR; r++)
#pragma GCC unroll 4
        for (int j = 0; j < NA; j++)
          acc[r][j] = load(f.pre + (slot * f.chunk.rows + r0 + r) * f.pre_stride + (p * kPanel + j) * L);
    } else {
#pragma GCC unroll 8
      for (int r = 0; r < MR; r++) rows[r] = f.job.x.at(t, f.chunk.row[r0 + r]);
      input_part<T, KIND, NV, MR>(acc, f, p, rows);
    }
#pragma GCC unroll 8
    for (int r = 0; r < MR; r++) rows[r] = left(r0 + r);
    multiply_add<T, MR, NX, NA, KIND == kGru ? 3 : 2>(acc, rows, s.recurrent(), recurrent);
    for (int r = 0; r < MR; r++) finish(acc[r], r0 + r);
  });
}

template <class T, int KIND, int NV> void panel_step(const Forward<T>& f, int64_t p, int64_t t, int64_t n, int64_t slot) {
  constexpr int NA = KIND == kRnn ? NV : 4;
  panel_rows<T, KIND, NV>(
      f, p, t, n, slot, [&](int64_t r) INLINED { return f.now + r * f.out_stride; },
      [&](Vec<T>(&a)[NA], int64_t r) INLINED { gate<T, KIND, NV, NA>(f, a, p, t, r); });
}

// X W + b of `count` steps from t on (going by `by`), for all rows, into pre.
template <class T, int KIND, int NV> void hoist(const Forward<T>& f, int64_t p, int64_t t, int64_t by, int64_t count) {
  constexpr int NA = KIND == kRnn ? NV : 4, L = kLanes<T>;
  const int64_t rows = f.chunk.rows;
  by_rows(count * rows, [&](auto mr, int64_t i0) INLINED {
    constexpr int MR = decltype(mr)::value;
    const T* x[MR];
    Vec<T> acc[MR][NA];
    for (int i = 0; i < MR; i++) {
      const int64_t step = t + by * ((i0 + i) / rows), r = (i0 + i) % rows;
      // a row that has ended repeats the first one's input, and nobody reads the result
      x[i] = f.job.x.at(step, f.chunk.row[r < f.chunk.active[step] ? r : 0]);
    }
    input_part<T, KIND, NV, MR>(acc, f, p, x);
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++)
#pragma GCC unroll 4
      for (int j = 0; j < NA; j++) store(f.pre + (i0 + i) * f.pre_stride + (p * kPanel + j) * L, acc[i][j]);
  });
}

template <class T, int KIND, class F> INLINE void by_panel(const Forward<T>& f, Share mine, F each) {
  for (int64_t p = mine.first; p < mine.last; p++) {
    if constexpr (KIND == kRnn)
      by_vectors(PanelRows<T>{f.job.shape, p}.width(), [&](auto nv) INLINED { each(nv, p); });
    else
      each(Const<4>{}, p);
  }
}

template <class T> void project(const Forward<T>& f, int64_t t, int64_t n) {
  const Shape& s = f.job.shape;
  constexpr int L = kLanes<T>;
  multiply<T>(
      n, s.H, f.job.packed.projection, 0, panel_count<T>(s, kProjection), vectors<T>(s.P),
      [&](int64_t r) { return f.raw + r * f.stride; }, [](int64_t, int64_t) { return Vec<T>{}; },
      [&](int64_t r, int64_t v, Vec<T> h) {
        store(f.next + r * f.out_stride + v * L, h);
        store_first(f.job.y.at(t, f.chunk.row[r]) + v * L, h, int(lesser(L, s.P - v * L)));
      });
}

template <class T> void copy_row(T* to, const T* from, int64_t n) {
  if (from)
    memcpy(to, from, size_t(n) * sizeof(T));
  else
    memset(to, 0, size_t(n) * sizeof(T));
}

template <class T> void begin(const Forward<T>& f) {
  const int64_t H = f.job.shape.H, P = f.job.shape.P;
  for (int r = 0; r < f.chunk.rows; r++) {
    const int64_t row = f.chunk.row[r];
    T *now = f.now + r * f.out_stride, *next = f.next + r * f.out_stride, *c = f.cells + r * f.stride;
    memset(now, 0, size_t(f.out_stride) * sizeof(T));
    memset(c, 0, size_t(f.stride) * sizeof(T));
    if (f.job.h0) copy_row(now, f.job.h0 + row * P, P);
    memcpy(next, now, size_t(f.out_stride) * sizeof(T));
    if (f.job.c0) copy_row(c, f.job.c0 + row * H, H);
  }
}

template <class T> void leave(const Forward<T>& f, const T* h, int64_t first, int64_t last) {
  const int64_t H = f.job.shape.H, P = f.job.shape.P;
  for (int64_t r = first; r < last; r++) {
    const int64_t row = f.chunk.row[r];
    copy_row(f.job.hn + row * P, h + r * f.out_stride, P);
    if (f.job.cn) copy_row(f.job.cn + row * H, f.cells + r * f.stride, H);
  }
}

// The panels of one thread, those of r and z apart from those of n where the reset is before the product.
struct Panels {
  Share all, gates, candidate;
};

template <class T> Panels panels_of(const Shape& s, const Team& team) {
  const int64_t count = panel_count<T>(s, kForward);
  if (s.kind != kGruBefore) return {share(count, team), {0, 0}, {0, 0}};
  const int64_t first = reset_panels<T>(s);
  const Share gates = share(first, team), rest = share(count - first, team);
  return {{0, 0}, gates, {first + rest.first, first + rest.last}};
}

template <class T> void reset_before_step(const Forward<T>& f, int64_t t, int64_t n, int64_t slot, const Panels& mine, const Team& team);

template <class T, int KIND> void take_step(const Forward<T>& f, int64_t t, int64_t n, int64_t slot, const Panels& mine) {
  by_panel<T, KIND>(f, mine.all, [&](auto nv, int64_t p) INLINED { panel_step<T, KIND, decltype(nv)::value>(f, p, t, n, slot); });
  if (f.raw) project(f, t, n);
}

template <class T, int KIND> void hoist_panels(const Forward<T>& f, const Panels& mine, int64_t t, int64_t by, int64_t count) {
  const auto take = [&](auto nv, int64_t p) INLINED { hoist<T, KIND, decltype(nv)::value>(f, p, t, by, count); };
  by_panel<T, KIND>(f, mine.all, take);
  by_panel<T, KIND>(f, mine.gates, take);
  by_panel<T, KIND>(f, mine.candidate, take);
}

// KIND is that of the panels: those of a GRU with the reset before the product are side by side, as an RNN's are.
template <class T, int KIND> void run_forward(Forward<T>& f, const Team& team) {
  const Chunk& c = f.chunk;
  const bool back = f.job.reverse, lead = team.rank == 0;
  const Panels mine = panels_of<T>(f.job.shape, team);
  if (lead) begin(f);
  team.sync();
  if (lead && !back) leave(f, f.now, c.steps ? c.active[0] : 0, c.rows);
  for (int64_t i = 0; i < c.steps; i++) {
    const int64_t t = back ? c.steps - 1 - i : i, n = c.active[t];
    const int64_t slot = f.hoist ? i % f.hoist : 0;
    if (f.hoist && slot == 0) hoist_panels<T, KIND>(f, mine, t, back ? -1 : 1, lesser(f.hoist, c.steps - i));
    if (f.reset)
      reset_before_step(f, t, n, slot, mine, team);
    else
      take_step<T, KIND>(f, t, n, slot, mine);
    team.sync();
    if (lead && !back) leave(f, f.next, t + 1 < c.steps ? c.active[t + 1] : 0, n);
    T* swap = f.now;
    f.now = f.next;
    f.next = swap;
  }
  if (lead && back) leave(f, f.now, 0, c.rows);
}

template <class T> void forward(const ForwardJob<T>& job, const Chunk& chunk, const Team& team, T* scratch) {
  const Shape& s = job.shape;
  Forward<T> f{job, chunk, padded<T>(s.H), row_stride<T>(s.H), row_stride<T>(s.P), gate_stride<T>(s),
               pre_stride<T>(s), hoisted_steps<T>(chunk), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
  f.now = scratch;
  f.next = f.now + chunk.rows * f.out_stride;
  f.cells = f.next + chunk.rows * f.out_stride;
  T* rest = f.cells + chunk.rows * f.stride;
  const auto take = [&] {
    T* taken = rest;
    rest += chunk.rows * f.stride;
    return taken;
  };
  if (s.projected) f.raw = take();
  if (s.kind == kGruBefore) {
    f.reset = take();
    f.update = take();
  }
  f.pre = rest;
  switch (s.kind) {
    case kLstm: run_forward<T, kLstm>(f, team); break;
    case kGru: run_forward<T, kGru>(f, team); break;
    default: run_forward<T, kRnn>(f, team); break;
  }
}

}  // namespace
