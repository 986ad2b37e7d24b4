// The backward pass over time of one chunk of rows: dgates(t) from dy and what the forward pass kept, dh(t-1) = dgates(t) W_hh.
#pragma once
#include "activations.hpp"
#include "pack.hpp"

namespace {

template <class T> struct Backward {
  const BackwardJob<T>& job;
  const Chunk& chunk;
  int64_t Hp, stride, out_stride, tape_stride;
  T *dh, *dc, *draw;  // dh(t) from the steps after t; dc likewise; draw: before the projection

  int64_t place(int64_t t, int64_t r) const { return chunk.place[t] + r; }
  // The step before t in the order of the recurrence, -1 if row r has none.
  int64_t before(int64_t t, int64_t r) const {
    if (!job.reverse) return t - 1;
    return t + 1 < chunk.steps && r < chunk.active[t + 1] ? t + 1 : -1;
  }
};

template <class T> int64_t backward_scratch(const Shape& s, const Chunk& c) {
  const int64_t h = row_stride<T>(s.H), p = row_stride<T>(s.P);
  return c.rows * (p + h + (s.projected ? h : 0));
}

// The rows that weight gradients are made from: x and h before each step, in the tape's order.
template <class T> void list_rows(const Backward<T>& b) {
  const BackwardJob<T>& job = b.job;
  for (int64_t t = 0; t < b.chunk.steps; t++)
    for (int64_t r = 0; r < b.chunk.active[t]; r++) {
      const int row = b.chunk.row[r];
      const int64_t n = b.place(t, r), tp = b.before(t, r);
      job.x_row[n] = job.x.at(t, row);
      job.h_row[n] = tp >= 0 ? job.y.at(tp, row) : job.h0 ? job.h0 + row * job.shape.P : job.zeros;
    }
}

template <class T> void begin(const Backward<T>& b) {
  const int64_t H = b.job.shape.H, P = b.job.shape.P;
  for (int r = 0; r < b.chunk.rows; r++) {
    const int64_t row = b.chunk.row[r];
    memset(b.dh + r * b.out_stride, 0, size_t(b.out_stride) * sizeof(T));
    memset(b.dc + r * b.stride, 0, size_t(b.stride) * sizeof(T));
    if (b.job.dhn) memcpy(b.dh + r * b.out_stride, b.job.dhn + row * P, size_t(P) * sizeof(T));
    if (b.job.dcn) memcpy(b.dc + r * b.stride, b.job.dcn + row * H, size_t(H) * sizeof(T));
  }
}

template <class T> void finish(const Backward<T>& b) {
  const int64_t H = b.job.shape.H, P = b.job.shape.P;
  for (int r = 0; r < b.chunk.rows; r++) {
    const int64_t row = b.chunk.row[r];
    if (b.job.dh0) memcpy(b.job.dh0 + row * P, b.dh + r * b.out_stride, size_t(P) * sizeof(T));
    if (b.job.dc0) memcpy(b.job.dc0 + row * H, b.dc + r * b.stride, size_t(H) * sizeof(T));
  }
}

// dy(t) + dh(t) of one vector, before any projection.
template <class T> INLINE Vec<T> total(const Backward<T>& b, const T* dy, int64_t r, int64_t at) {
  Vec<T> d = load(b.dh + r * b.out_stride + at);
  return dy ? d + load_first(dy + at, int(lesser(kLanes<T>, b.job.shape.P - at))) : d;
}

template <class T> INLINE const T* output_gradient(const Backward<T>& b, int64_t t, int64_t r) {
  return b.job.dy.base ? b.job.dy.at(t, b.chunk.row[r]) : nullptr;
}

template <class T> INLINE void lstm_row(const Backward<T>& b, int64_t t, int64_t r, Share vs) {
  constexpr int L = kLanes<T>;
  const int64_t n = b.place(t, r), tp = b.before(t, r), Hp = b.Hp, H = b.job.shape.H;
  const Vec<T> one = broadcast(T(1));
  const T *G = b.job.tape.gates + n * b.tape_stride, *dy = b.draw ? nullptr : output_gradient(b, t, r);
  const T* first = b.job.c0 ? b.job.c0 + b.chunk.row[r] * H : nullptr;
  T *D = b.job.dgates + n * b.tape_stride, *C = b.job.tape.cells + n * Hp;
  const T* Cp = tp >= 0 ? b.job.tape.cells + b.place(tp, r) * Hp : nullptr;
  for (int64_t v = vs.first; v < vs.last; v++) {
    const int64_t k = v * L;
    Vec<T> i = load(G + k), f = load(G + Hp + k), g = load(G + 2 * Hp + k), o = load(G + 3 * Hp + k);
    Vec<T> tc = tanh_(load(C + k)), d = b.draw ? load(b.draw + r * b.stride + k) : total(b, dy, r, k);
    Vec<T> cp = Cp ? load(Cp + k) : first ? load_first(first + k, int(lesser(L, H - k))) : Vec<T>{};
    T* dcp = b.dc + r * b.stride + k;
    Vec<T> dc = load(dcp) + d * o * (one - tc * tc);
    store(D + k, dc * g * i * (one - i));
    store(D + Hp + k, dc * cp * f * (one - f));
    store(D + 2 * Hp + k, dc * i * (one - g * g));
    store(D + 3 * Hp + k, d * tc * o * (one - o));
    store(dcp, dc * f);
    if (b.draw) store(b.job.raw + n * Hp + k, o * tc);
  }
}

template <class T> INLINE void gru_row(const Backward<T>& b, int64_t t, int64_t r, Share vs) {
  constexpr int L = kLanes<T>;
  const int64_t n = b.place(t, r), Hp = b.Hp, H = b.job.shape.H;
  const Vec<T> one = broadcast(T(1));
  const T *G = b.job.tape.gates + n * b.tape_stride, *dy = output_gradient(b, t, r), *before = b.job.h_row[n];
  T* D = b.job.dgates + n * b.tape_stride;
  for (int64_t v = vs.first; v < vs.last; v++) {
    const int64_t k = v * L;
    Vec<T> new_ = load(G + k), rr = load(G + Hp + k), z = load(G + 2 * Hp + k), hn = load(G + 3 * Hp + k);
    Vec<T> hp = load_first(before + k, int(lesser(L, H - k))), d = total(b, dy, r, k);
    Vec<T> dn = d * (one - z) * (one - new_ * new_);
    store(D + k, dn);
    store(D + Hp + k, dn * hn * rr * (one - rr));
    store(D + 2 * Hp + k, d * (hp - new_) * z * (one - z));
    store(D + 3 * Hp + k, dn * rr);
    store(b.dh + r * b.out_stride + k, d * z);
  }
}

template <class T> INLINE void rnn_row(const Backward<T>& b, int64_t t, int64_t r, Share vs) {
  constexpr int L = kLanes<T>;
  const int64_t n = b.place(t, r), H = b.job.shape.H;
  const T *dy = output_gradient(b, t, r), *y = b.job.y.at(t, b.chunk.row[r]);
  T* D = b.job.dgates + n * b.tape_stride;
  for (int64_t v = vs.first; v < vs.last; v++) {
    const int64_t k = v * L, left = H - k;
    Vec<T> out = load_first(y + k, int(lesser(L, left)));
    Vec<T> s = b.job.shape.activation == kTanh ? broadcast(T(1)) - out * out : slope<T>(out, b.job.shape.activation);
    store(D + k, total(b, dy, r, k) * s);
  }
}

// draw = (dy + dh) W_hr, and what W_hr's gradient needs.
template <class T> void unproject(const Backward<T>& b, int64_t t, int64_t n) {
  constexpr int L = kLanes<T>;
  const Shape& s = b.job.shape;
  const int64_t Pp = padded<T>(s.P);
  for (int64_t r = 0; r < n; r++)
    for (int64_t k = 0; k < Pp; k += L) store(b.job.dh + b.place(t, r) * Pp + k, total(b, output_gradient(b, t, r), r, k));
  multiply<T>(
      n, s.P, b.job.packed.to_unprojected, 0, panel_count<T>(s, kToUnprojected), vectors<T>(s.H),
      [&](int64_t r) { return b.job.dh + b.place(t, r) * Pp; }, [](int64_t, int64_t) { return Vec<T>{}; },
      [&](int64_t r, int64_t v, Vec<T> d) { store(b.draw + r * b.stride + v * L, d); });
}

template <class T, int KIND> void through_state(const Backward<T>& b, int64_t t, int64_t n, Share panels) {
  constexpr int L = kLanes<T>;
  const Shape& s = b.job.shape;
  const int64_t first = KIND == kGru ? b.Hp : 0;
  multiply<T>(
      n, gates_of(KIND) * b.Hp, b.job.packed.to_state, panels.first, panels.last, vectors<T>(s.P),
      [&](int64_t r) { return b.job.dgates + b.place(t, r) * b.tape_stride + first; },
      [&](int64_t r, int64_t v) { return KIND == kGru ? load(b.dh + r * b.out_stride + v * L) : Vec<T>{}; },
      [&](int64_t r, int64_t v, Vec<T> d) { store(b.dh + r * b.out_stride + v * L, d); });
}

// dx of every step at once: dgates W_ih, some rows at a time so that they stay in the cache.
template <class T> void through_input(const Backward<T>& b, const Team& team) {
  constexpr int L = kLanes<T>, kBlock = 48;
  const Shape& s = b.job.shape;
  int64_t first = b.chunk.steps ? b.chunk.place[0] : 0, N = 0;
  for (int64_t t = 0; t < b.chunk.steps; t++) N += b.chunk.active[t];
  const Share mine = share(divided_up(N, kBlock), team);
  for (int64_t block = mine.first; block < mine.last; block++) {
    const int64_t n0 = first + block * kBlock;
    multiply<T>(
        lesser(kBlock, first + N - n0), gates_of(s.kind) * b.Hp, b.job.packed.to_input, 0, panel_count<T>(s, kToInput),
        vectors<T>(s.I), [&](int64_t r) { return b.job.dgates + (n0 + r) * b.tape_stride; },
        [](int64_t, int64_t) { return Vec<T>{}; },
        [&](int64_t r, int64_t v, Vec<T> d) {
          store_first(b.job.dx_row[n0 + r] + v * L, d, int(lesser(L, s.I - v * L)));
        });
  }
}

template <class T> void list_input_gradients(const Backward<T>& b) {
  for (int64_t t = 0; t < b.chunk.steps; t++)
    for (int64_t r = 0; r < b.chunk.active[t]; r++) b.job.dx_row[b.place(t, r)] = b.job.dx.at(t, b.chunk.row[r]);
}

template <class T>
void reset_before_back(const Backward<T>& b, int64_t t, int64_t n, Share panels, Share mine, bool state_wanted, const Team& team);

template <class T, int KIND> void run_backward(const Backward<T>& b, const Team& team) {
  const Chunk& c = b.chunk;
  const bool back = b.job.reverse, lead = team.rank == 0;
  if (lead) {
    begin(b);
    list_rows(b);
    if (b.job.dx_row) list_input_gradients(b);
  }
  team.sync();
  const Share panels = share(panel_count<T>(b.job.shape, kToState), team);
  const int64_t all = vectors<T>(b.job.shape.H);
  const Share mine = team.size == 1 ? Share{0, all} : Share{lesser(all, panels.first * kPanel), lesser(all, panels.last * kPanel)};
  for (int64_t i = 0; i < c.steps; i++) {
    const int64_t t = back ? i : c.steps - 1 - i, n = c.active[t];
    const bool state_wanted = i + 1 < c.steps || b.job.dh0;
    if constexpr (KIND == kGruBefore) {
      reset_before_back(b, t, n, panels, mine, state_wanted, team);
      continue;
    }
    if (b.draw) unproject(b, t, n);
    for (int64_t r = 0; r < n; r++) {
      if constexpr (KIND == kRnn) rnn_row(b, t, r, mine);
      if constexpr (KIND == kLstm) lstm_row(b, t, r, mine);
      if constexpr (KIND == kGru) gru_row(b, t, r, mine);
    }
    team.sync();
    if (state_wanted) through_state<T, KIND>(b, t, n, panels);
  }
  team.sync();
  if (lead) finish(b);
  if (b.job.dx_row) through_input(b, team);
}

template <class T> void backward(const BackwardJob<T>& job, const Chunk& chunk, const Team& team, T* scratch) {
  const Shape& s = job.shape;
  Backward<T> b{job, chunk, padded<T>(s.H), row_stride<T>(s.H), row_stride<T>(s.P), gate_stride<T>(s), nullptr, nullptr, nullptr};
  b.dh = scratch;
  b.dc = b.dh + chunk.rows * b.out_stride;
  if (s.projected) b.draw = b.dc + chunk.rows * b.stride;
  switch (s.kind) {
    case kRnn: run_backward<T, kRnn>(b, team); break;
    case kLstm: run_backward<T, kLstm>(b, team); break;
    case kGru: run_backward<T, kGru>(b, team); break;
    default: run_backward<T, kGruBefore>(b, team); break;
  }
}

}  // namespace
