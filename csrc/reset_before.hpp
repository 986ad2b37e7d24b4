// The GRU whose reset gate acts before the recurrent product, n = tanh(x W_n + (r h) U_n + b): two products a step.
#pragma once
#include "backward.hpp"
#include "forward.hpp"

namespace {

// r h and z of one row from the preactivations of one panel.
template <class T, int NV> INLINE void reset_and_update(const Forward<T>& f, Vec<T> (&a)[NV], const PanelRows<T>& panel, int64_t t, int64_t r) {
#pragma GCC unroll 4
  for (int j = 0; j < NV; j++) {
    const int64_t at = panel.neuron(j), gate = panel.gate(j);
    const Vec<T> s = sigmoid_(a[j]);
    if (gate == 0)
      store(f.reset + r * f.stride + at, s * load(f.now + r * f.out_stride + at));
    else
      store(f.update + r * f.stride + at, s);
    if (f.job.tape.gates) store(f.gates(t, r) + (1 + gate) * f.Hp + at, s);
  }
}

// n and the output of one row.
template <class T, int NV> INLINE void candidate(const Forward<T>& f, Vec<T> (&a)[NV], const PanelRows<T>& panel, int64_t t, int64_t r) {
  constexpr int L = kLanes<T>;
#pragma GCC unroll 4
  for (int j = 0; j < NV; j++) {
    const int64_t at = panel.neuron(j);
    const Vec<T> n = tanh_(a[j]), z = load(f.update + r * f.stride + at);
    const Vec<T> h = n + z * (load(f.now + r * f.out_stride + at) - n);
    store(f.next + r * f.out_stride + at, h);
    store_first(f.job.y.at(t, f.chunk.row[r]) + at, h, int(lesser(L, f.job.shape.H - at)));
    if (f.job.tape.gates) {
      T* G = f.gates(t, r) + at;
      store(G, n);
      store(G + 3 * f.Hp, load(f.reset + r * f.stride + at));
    }
  }
}

template <class T>
void reset_before_step(const Forward<T>& f, int64_t t, int64_t n, int64_t slot, const Panels& mine, const Team& team) {
  by_panel<T, kRnn>(f, mine.gates, [&](auto nv, int64_t p) INLINED {
    constexpr int NV = decltype(nv)::value;
    const PanelRows<T> panel{f.job.shape, p};
    panel_rows<T, kRnn, NV>(
        f, p, t, n, slot, [&](int64_t r) INLINED { return f.now + r * f.out_stride; },
        [&](Vec<T>(&a)[NV], int64_t r) INLINED { reset_and_update<T, NV>(f, a, panel, t, r); });
  });
  team.sync();
  by_panel<T, kRnn>(f, mine.candidate, [&](auto nv, int64_t p) INLINED {
    constexpr int NV = decltype(nv)::value;
    const PanelRows<T> panel{f.job.shape, p};
    panel_rows<T, kRnn, NV>(
        f, p, t, n, slot, [&](int64_t r) INLINED { return f.reset + r * f.stride; },
        [&](Vec<T>(&a)[NV], int64_t r) INLINED { candidate<T, NV>(f, a, panel, t, r); });
  });
}

// dn and dz of one row, and z dh for the state before; the tape's r h stays, for U_n's gradient is made from it.
template <class T> INLINE void candidate_row(const Backward<T>& b, int64_t t, int64_t r, Share vs) {
  constexpr int L = kLanes<T>;
  const int64_t place = b.place(t, r), Hp = b.Hp, H = b.job.shape.H;
  const Vec<T> one = broadcast(T(1));
  const T *G = b.job.tape.gates + place * b.tape_stride, *dy = output_gradient(b, t, r), *before = b.job.h_row[place];
  T* D = b.job.dgates + place * b.tape_stride;
  for (int64_t v = vs.first; v < vs.last; v++) {
    const int64_t k = v * L;
    const Vec<T> n = load(G + k), z = load(G + 2 * Hp + k), hp = load_first(before + k, int(lesser(L, H - k)));
    const Vec<T> d = total(b, dy, r, k);
    store(D + k, d * (one - z) * (one - n * n));
    store(D + 2 * Hp + k, d * (hp - n) * z * (one - z));
    store(b.dh + r * b.out_stride + k, d * z);
  }
}

// d(r h) = dn U_n gives dr, and r d(r h) goes to the state before.
template <class T> void through_reset(const Backward<T>& b, int64_t t, int64_t n, Share panels) {
  constexpr int L = kLanes<T>;
  const Shape& s = b.job.shape;
  const Vec<T> one = broadcast(T(1));
  multiply<T>(
      n, b.Hp, b.job.packed.to_state, panels.first, panels.last, vectors<T>(s.H),
      [&](int64_t r) { return b.job.dgates + b.place(t, r) * b.tape_stride; }, [](int64_t, int64_t) { return Vec<T>{}; },
      [&](int64_t r, int64_t v, Vec<T> d) {
        const int64_t place = b.place(t, r), k = v * L;
        const Vec<T> hp = load_first(b.job.h_row[place] + k, int(lesser(L, s.H - k)));
        const Vec<T> reset = load(b.job.tape.gates + place * b.tape_stride + b.Hp + k);
        T* dh = b.dh + r * b.out_stride + k;
        store(b.job.dgates + place * b.tape_stride + b.Hp + k, d * hp * reset * (one - reset));
        store(dh, load(dh) + d * reset);
      },
      gates_of(s.kind) * b.Hp);
}

// dh += [dr dz] [U_r U_z], whose rows lie behind those of U_n in each panel.
template <class T> void through_gates(const Backward<T>& b, int64_t t, int64_t n, Share panels) {
  constexpr int L = kLanes<T>;
  const Shape& s = b.job.shape;
  multiply<T>(
      n, 2 * b.Hp, b.job.packed.to_state, panels.first, panels.last, vectors<T>(s.H),
      [&](int64_t r) { return b.job.dgates + b.place(t, r) * b.tape_stride + b.Hp; },
      [&](int64_t r, int64_t v) { return load(b.dh + r * b.out_stride + v * L); },
      [&](int64_t r, int64_t v, Vec<T> d) { store(b.dh + r * b.out_stride + v * L, d); }, gates_of(s.kind) * b.Hp, b.Hp);
}

template <class T>
void reset_before_back(const Backward<T>& b, int64_t t, int64_t n, Share panels, Share mine, bool state_wanted, const Team& team) {
  for (int64_t r = 0; r < n; r++) candidate_row(b, t, r, mine);
  team.sync();
  through_reset(b, t, n, panels);
  team.sync();
  if (state_wanted) through_gates(b, t, n, panels);
}

}  // namespace
