// Weights in the order in which the products read them: panels of up to four vectors, zero where padded.
#pragma once
#include "product.hpp"
#include "tile.hpp"

namespace {

// Gates that the input and the recurrent product have each, and planes of a row on the tape (see kinds.hpp).
INLINE int gates_of(int kind) { return kind == kLstm ? 4 : kind == kRnn ? 1 : 3; }
INLINE int planes_of(int kind) { return kind == kRnn ? 1 : 4; }

template <class T> int64_t gate_stride(const Shape& s) { return planes_of(s.kind) * padded<T>(s.H) + kLanes<T>; }

enum Part { kForward, kBias, kProjection, kToState, kToInput, kToUnprojected };

// Panels of r and z together, which a GRU with the reset before the product takes before those of n.
template <class T> int64_t reset_panels(const Shape& s) { return divided_up(2 * vectors<T>(s.H), kPanel); }

template <class T> int64_t panel_count(const Shape& s, int part) {
  const int64_t Hv = vectors<T>(s.H);
  switch (part) {
    case kForward:
    case kBias:
      return s.kind == kRnn ? divided_up(Hv, kPanel) : s.kind == kGruBefore ? reset_panels<T>(s) + divided_up(Hv, kPanel) : Hv;
    case kProjection: return s.projected ? divided_up(vectors<T>(s.P), kPanel) : 0;
    case kToState: return divided_up(vectors<T>(s.P), kPanel);
    case kToInput: return divided_up(vectors<T>(s.I), kPanel);
    default: return s.projected ? divided_up(Hv, kPanel) : 0;
  }
}

template <class T> int64_t one_panel(const Shape& s, int part) {
  const int64_t L = kLanes<T>, width = kPanel * L, G = gates_of(s.kind);
  switch (part) {
    case kForward: return (s.I + s.P) * (s.kind == kRnn || s.kind == kGruBefore ? kPanel : G) * L;
    case kBias: return width;
    case kProjection: return s.H * width;
    case kToState:
    case kToInput: return G * padded<T>(s.H) * width;
    default: return s.P * width;
  }
}

template <class T> int64_t panel_size(const Shape& s, int part) { return panel_count<T>(s, part) * one_panel<T>(s, part); }

// to[k][j][lane] = from[row(j) + lane][k]: rows of the weight become lanes; zero beyond lanes(j).
template <class T, class Row, class LanesOf>
INLINE void transpose(T* to, const T* from, int64_t K, int64_t stride, int nv, Row row, LanesOf lanes) {
  const int L = kLanes<T>;
  for (int j = 0; j < nv; j++) {
    const int n = int(lanes(j));
    const T* source = from + row(j) * stride;
    T* out = to + j * L;
    const int64_t step = int64_t(nv) * L;
    for (int64_t k0 = 0; k0 < K; k0 += 16) {
      const int64_t k1 = lesser(K, k0 + 16);
      int done = 0;  // lanes whose whole tiles are turned
      if (k1 - k0 == 16)
        while (done + 8 <= n && turn_tile(out + k0 * step + done, step, source + done * stride + k0, stride) &&
               turn_tile(out + (k0 + 8) * step + done, step, source + done * stride + k0 + 8, stride))
          done += 8;
      for (int lane = done; lane < n; lane++)
        for (int64_t k = k0; k < k1; k++) out[k * step + lane] = source[lane * stride + k];
      if (n < L)
        for (int64_t k = k0; k < k1; k++)
          for (int lane = n; lane < L; lane++) out[k * step + lane] = T(0);
    }
  }
}

// Where the vectors of panel p of [X Y] W come from: by gates of one vector of neurons, or by vectors side by side.
template <class T> struct PanelRows {
  const Shape& s;
  int64_t p;
  int64_t width() const {  // vectors
    const int64_t Hv = vectors<T>(s.H), first = reset_panels<T>(s);
    if (s.kind == kRnn) return lesser(kPanel, Hv - p * kPanel);
    if (s.kind != kGruBefore) return gates_of(s.kind);
    return p < first ? lesser(kPanel, 2 * Hv - p * kPanel) : lesser(kPanel, Hv - (p - first) * kPanel);
  }
  int64_t gate(int j) const {
    const int64_t first = reset_panels<T>(s);
    if (s.kind != kGruBefore) return s.kind == kRnn ? 0 : j;
    return p >= first ? 2 : (p * kPanel + j) / vectors<T>(s.H);
  }
  int64_t neuron(int j) const {  // of the first lane
    const int64_t first = reset_panels<T>(s);
    if (s.kind == kRnn) return (p * kPanel + j) * kLanes<T>;
    if (s.kind != kGruBefore) return p * kLanes<T>;
    return (p >= first ? (p - first) * kPanel + j : (p * kPanel + j) % vectors<T>(s.H)) * kLanes<T>;
  }
  int64_t row(int j) const { return gate(j) * s.H + neuron(j); }
  int64_t lanes(int j) const { return lesser(kLanes<T>, s.H - neuron(j)); }
};

template <class T> void pack_forward(const Shape& s, const Weights<T>& w, const Packed<T>& to, int64_t p) {
  const int64_t L = kLanes<T>;
  const PanelRows<T> rows{s, p};
  T* panel = to.forward + p * one_panel<T>(s, kForward);
  T* bias = to.bias + p * kPanel * L;
  const int nv = int(rows.width());
  auto row = [&](int j) { return rows.row(j); };
  auto lanes = [&](int j) { return rows.lanes(j); };
  transpose(panel, w.w_ih, s.I, s.I, nv, row, lanes);
  if (!s.from_zero) transpose(panel + s.I * nv * L, w.w_hh, s.P, s.P, nv, row, lanes);
  for (int j = 0; j < kPanel; j++) store(bias + j * L, Vec<T>{});
  if (!w.b_ih) return;
  for (int j = 0; j < nv; j++) {
    const int n = int(lanes(j));
    Vec<T> b = load_first(w.b_ih + row(j), n), u = load_first(w.b_hh + row(j), n);
    const bool apart = s.kind == kGru && j == 2;
    store(bias + j * L, apart ? b : b + u);
    if (apart) store(bias + 3 * L, u);
  }
}

// Panel p of to[k][columns]: the weight's rows gate by gate, each gate padded to whole vectors.
template <class T>
void pack_columns(T* to, const T* from, int64_t rows, int64_t columns, const int* gate, int gates, bool pad, int64_t p) {
  const int64_t L = kLanes<T>, padded_rows = pad ? padded<T>(rows) : rows;
  const int64_t c0 = p * kPanel * L, nv = lesser(kPanel, vectors<T>(columns) - p * kPanel);
  T* out = to + p * gates * padded_rows * kPanel * L;
  for (int g = 0; g < gates; g++)
    for (int64_t k = 0; k < padded_rows; k++)
      for (int64_t j = 0; j < nv; j++, out += L) {
        const int64_t c = c0 + j * L;
        store(out, k < rows ? load_first(from + (gate[g] * rows + k) * columns + c, int(lesser(L, columns - c))) : Vec<T>{});
      }
}

template <class T>
void pack(const Shape& s, const Weights<T>& w, const Packed<T>& to, int part, int64_t first, int64_t last) {
  static const int in_order[] = {0, 1, 2, 3}, n_first[] = {2, 0, 1};
  const int G = gates_of(s.kind);
  for (int64_t p = first; p < last; p++) switch (part) {
      case kForward: pack_forward(s, w, to, p); break;
      case kProjection: {
        const int64_t L = kLanes<T>;
        const int nv = int(lesser(kPanel, vectors<T>(s.P) - p * kPanel));
        transpose(to.projection + p * s.H * kPanel * L, w.w_hr, s.H, s.H, nv, [&](int j) { return (p * kPanel + j) * L; },
                  [&](int j) { return lesser(L, s.P - (p * kPanel + j) * L); });
        break;
      }
      case kToState: pack_columns(to.to_state, w.w_hh, s.H, s.P, s.kind == kGruBefore ? n_first : in_order, G, true, p); break;
      case kToInput: pack_columns(to.to_input, w.w_ih, s.H, s.I, s.kind >= kGru ? n_first : in_order, G, true, p); break;
      case kToUnprojected: pack_columns(to.to_unprojected, w.w_hr, s.P, s.H, in_order, 1, false, p); break;
      default: break;
    }
}

}  // namespace
