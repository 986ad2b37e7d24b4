// One layer in plain double loops, forward and backward, written from the equations: what the kernels are held against.
#include "naive.hpp"

#include <algorithm>
#include <cmath>

#include "../kinds.hpp"

namespace selftest {

// To hold another recurrence against its equations, add its row here and its case to `step` and `step_back`.
const std::vector<Recurrence>& recurrences() {
  static const std::vector<Recurrence> all = {
      {"rnn", kRnn, kTanh, 1, false, false},
      {"lstm", kLstm, 0, 4, true, false},
      {"lstm with projection", kLstm, 0, 4, true, true},
      {"gru, reset after", kGru, 0, 3, false, false},
      {"gru, reset before", kGruBefore, 0, 3, false, false},
  };
  return all;
}

const std::vector<Recurrence>& activations() {
  static const std::vector<Recurrence> all = {
      {"rnn relu", kRnn, kRelu, 1, false, false},
      {"rnn sigmoid", kRnn, kSigmoid, 1, false, false},
      {"rnn affine", kRnn, kAffine, 1, false, false},
      {"rnn leaky relu", kRnn, kLeakyRelu, 1, false, false},
      {"rnn thresholded relu", kRnn, kThresholdedRelu, 1, false, false},
      {"rnn hard sigmoid", kRnn, kHardSigmoid, 1, false, false},
      {"rnn elu", kRnn, kElu, 1, false, false},
      {"rnn softsign", kRnn, kSoftsign, 1, false, false},
      {"rnn softplus", kRnn, kSoftplus, 1, false, false},
  };
  return all;
}

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double phi(int activation, double x) {
  switch (activation) {
    case kTanh: return std::tanh(x);
    case kRelu: return x > 0 ? x : 0;
    case kSigmoid: return sigmoid(x);
    case kAffine: return x;
    case kLeakyRelu: return x > 0 ? x : 0.01 * x;
    case kThresholdedRelu: return x > 1 ? x : 0;
    case kHardSigmoid: return std::fmin(std::fmax(0.2 * x + 0.5, 0), 1);
    case kElu: return x > 0 ? x : std::expm1(x);
    case kSoftsign: return x / (1 + std::fabs(x));
    default: return std::log1p(std::exp(x));  // softplus
  }
}

double phi_slope(int activation, double x) {
  switch (activation) {
    case kTanh: return 1 - std::tanh(x) * std::tanh(x);
    case kRelu: return x > 0 ? 1 : 0;
    case kSigmoid: return sigmoid(x) * sigmoid(-x);
    case kAffine: return 1;
    case kLeakyRelu: return x > 0 ? 1 : 0.01;
    case kThresholdedRelu: return x > 1 ? 1 : 0;
    case kHardSigmoid: return std::fabs(x) < 2.5 ? 0.2 : 0;
    case kElu: return x > 0 ? 1 : std::exp(x);
    case kSoftsign: return 1 / ((1 + std::fabs(x)) * (1 + std::fabs(x)));
    default: return sigmoid(x);  // softplus
  }
}

// to[g] += sum over k of w[g][k] v[k], for rows [first, last).
void add_product(Numbers& to, const Numbers& w, const Numbers& v, size_t first, size_t last) {
  for (size_t g = first; g < last; g++)
    for (size_t k = 0; k < v.size(); k++) to[g] += w[g * v.size() + k] * v[k];
}

// to[k] += sum over g of w[g][k] d[g], for rows [first, last).
void add_transposed(Numbers& to, const Numbers& w, const Numbers& d, size_t first, size_t last) {
  for (size_t g = first; g < last; g++)
    for (size_t k = 0; k < to.size(); k++) to[k] += w[g * to.size() + k] * d[g];
}

// w[g][k] += d[g] v[k], for rows [first, last).
void add_outer(Numbers& w, const Numbers& d, const Numbers& v, size_t first, size_t last) {
  for (size_t g = first; g < last; g++)
    for (size_t k = 0; k < v.size(); k++) w[g * v.size() + k] += d[g] * v[k];
}

// What one step of one row reads and makes.
struct Moment {
  Numbers x, h, c;       // the input, and the state before
  Numbers a, u;          // x W + b_ih and h U + b_hh, [G*H]
  Numbers gate;          // the gates' values, [G*H]
  Numbers reset_h;       // r h, of a GRU that resets before
  Numbers c1, raw, h1;   // the state after; raw is h1 before a projection
};

void step(const Recurrence& how, const LayerNumbers& w, Moment& m) {
  const size_t rows = w[0].size() / m.x.size(), H = rows / size_t(how.gates), recurrent = how.kind == kGruBefore ? 2 * H : rows;
  m.a = w[2].empty() ? Numbers(rows) : w[2];
  m.u = w[3].empty() ? Numbers(rows) : w[3];
  m.gate.assign(rows, 0);
  m.c1 = m.c;
  m.raw.assign(H, 0);
  add_product(m.a, w[0], m.x, 0, rows);
  add_product(m.u, w[1], m.h, 0, recurrent);
  for (size_t j = 0; j < H; j++) {
    double *a = &m.a[j], *u = &m.u[j], *gate = &m.gate[j];
    if (how.kind == kRnn) m.raw[j] = phi(how.activation, a[0] + u[0]);
    if (how.kind == kLstm) {  // i f g o
      for (size_t k : {0, 1, 3}) gate[k * H] = sigmoid(a[k * H] + u[k * H]);
      gate[2 * H] = std::tanh(a[2 * H] + u[2 * H]);
      m.c1[j] = gate[H] * m.c[j] + gate[0] * gate[2 * H];
      m.raw[j] = gate[3 * H] * std::tanh(m.c1[j]);
    }
    if (how.kind >= kGru)  // r z n
      for (size_t k : {0, 1}) gate[k * H] = sigmoid(a[k * H] + u[k * H]);
  }
  if (how.kind == kGruBefore) {
    m.reset_h = m.h;
    for (size_t j = 0; j < H; j++) m.reset_h[j] *= m.gate[j];
    add_product(m.u, w[1], m.reset_h, 2 * H, rows);
  }
  for (size_t j = 0; how.kind >= kGru && j < H; j++) {
    const double reset = how.kind == kGru ? m.gate[j] : 1, z = m.gate[H + j];
    const double n = m.gate[2 * H + j] = std::tanh(m.a[2 * H + j] + reset * m.u[2 * H + j]);
    m.raw[j] = (1 - z) * n + z * m.h[j];
  }
  m.h1 = how.projected ? Numbers(m.h.size()) : m.raw;
  if (how.projected) add_product(m.h1, w[4], m.raw, 0, m.h1.size());
}

// From the gradients of the state after a step to those of the state before it; adds to the weights' and the input's.
void step_back(const Recurrence& how, const LayerNumbers& w, const Moment& m, LayerNumbers& dw, Numbers& dx, Numbers& dh, Numbers& dc) {
  const size_t rows = m.a.size(), H = rows / size_t(how.gates), recurrent = how.kind == kGruBefore ? 2 * H : rows;
  Numbers draw = how.projected ? Numbers(H) : dh, da(rows), du(rows), before(dh.size()), d_reset_h(H);
  if (how.projected) {
    add_transposed(draw, w[4], dh, 0, dh.size());
    add_outer(dw[4], dh, m.raw, 0, dh.size());
  }
  for (size_t j = 0; j < H; j++) {
    const double *gate = &m.gate[j], d = draw[j];
    if (how.kind == kRnn) da[j] = du[j] = d * phi_slope(how.activation, m.a[j] + m.u[j]);
    if (how.kind == kLstm) {
      const double i = gate[0], f = gate[H], g = gate[2 * H], o = gate[3 * H], tc = std::tanh(m.c1[j]);
      const double inner = dc[j] + d * o * (1 - tc * tc);
      da[j] = inner * g * i * (1 - i);
      da[H + j] = inner * m.c[j] * f * (1 - f);
      da[2 * H + j] = inner * i * (1 - g * g);
      da[3 * H + j] = d * tc * o * (1 - o);
      dc[j] = inner * f;
      for (size_t k = 0; k < 4; k++) du[k * H + j] = da[k * H + j];
    }
    if (how.kind >= kGru) {
      const double r = gate[0], z = gate[H], n = gate[2 * H];
      const double dn = d * (1 - z) * (1 - n * n);
      da[2 * H + j] = dn;
      da[H + j] = du[H + j] = d * (m.h[j] - n) * z * (1 - z);
      du[2 * H + j] = how.kind == kGru ? dn * r : dn;
      if (how.kind == kGru) da[j] = du[j] = dn * m.u[2 * H + j] * r * (1 - r);
      before[j] = d * z;
    }
  }
  if (how.kind == kGruBefore) {
    add_transposed(d_reset_h, w[1], du, 2 * H, rows);
    add_outer(dw[1], du, m.reset_h, 2 * H, rows);
    for (size_t j = 0; j < H; j++) {
      const double r = m.gate[j];
      da[j] = du[j] = d_reset_h[j] * m.h[j] * r * (1 - r);
      before[j] += d_reset_h[j] * r;
    }
  }
  add_transposed(before, w[1], du, 0, recurrent);
  add_outer(dw[1], du, m.h, 0, recurrent);
  add_transposed(dx, w[0], da, 0, rows);
  add_outer(dw[0], da, m.x, 0, rows);
  for (size_t g = 0; g < rows && !dw[2].empty(); g++) {
    dw[2][g] += da[g];
    dw[3][g] += du[g];
  }
  dh = before;
}

Numbers slice(const Numbers& from, int64_t first, int64_t n) {
  return Numbers(from.begin() + first, from.begin() + first + n);
}

void put(Numbers& to, int64_t first, const Numbers& from) { std::copy(from.begin(), from.end(), to.begin() + first); }

void solve_row(const Problem& p, int64_t d, int64_t b, Answer& answer) {
  const int64_t T = p.lengths[size_t(b)], row = d * p.B + b;
  const LayerNumbers& w = p.weights[size_t(d)];
  Numbers h = slice(p.h0, row * p.P, p.P), c = slice(p.c0, row * p.H, p.H);
  std::vector<Moment> moments;
  auto time = [&](int64_t i) { return d ? T - 1 - i : i; };
  auto y_at = [&](int64_t t) { return ((t * p.B + b) * p.D + d) * p.P; };
  for (int64_t i = 0; i < T; i++) {
    moments.push_back({slice(p.x, (time(i) * p.B + b) * p.I, p.I), h, c, {}, {}, {}, {}, {}, {}, {}});
    step(p.how, w, moments.back());
    h = moments.back().h1;
    c = moments.back().c1;
    put(answer.y, y_at(time(i)), h);
  }
  put(answer.hn, row * p.P, h);
  put(answer.cn, row * p.H, c);
  Numbers dh = slice(p.dhn, row * p.P, p.P), dc = slice(p.dcn, row * p.H, p.H);
  for (int64_t i = T - 1; i >= 0; i--) {
    const int64_t x_at = ((d * p.T + time(i)) * p.B + b) * p.I;
    for (int64_t k = 0; k < p.P; k++) dh[size_t(k)] += p.dy[size_t(y_at(time(i)) + k)];
    Numbers dx(static_cast<size_t>(p.I));
    step_back(p.how, w, moments[size_t(i)], answer.gradients[size_t(d)], dx, dh, dc);
    put(answer.dx, x_at, dx);
  }
  put(answer.dh0, row * p.P, dh);
  put(answer.dc0, row * p.H, dc);
}

}  // namespace

LayerNumbers draw_weights(Draw& draw, const Recurrence& how, int64_t inputs, int64_t H, int64_t P, bool biases) {
  const int64_t rows = how.gates * H, b = biases ? rows : 0;
  // not by H alone: where all gates are saturated, a slope made from float32 outputs, 1 - y y, has no digits left
  const double scale = 1 / std::sqrt(double(std::max(H, inputs)));
  return {draw.numbers(rows * inputs, scale), draw.numbers(rows * P, scale), draw.numbers(b, scale),
          draw.numbers(b, scale), draw.numbers(how.projected ? P * H : 0, scale)};
}

Problem draw_problem(Draw& draw, const Recurrence& how, std::array<int64_t, 5> sizes, bool ragged, bool states, bool biases) {
  const auto [T, B, I, H, D] = sizes;
  const int64_t P = how.projected ? (H + 1) / 2 : H;
  Problem p{how, T, B, I, H, P, D, {}, {}, {}, {}, {}, {}, {}, {}};
  for (int64_t b = 0; b < B; b++) p.lengths.push_back(!ragged ? T : b == 1 ? T : b == 0 && B > 1 ? 0 : draw.below(T + 1));
  p.x = draw.numbers(T * B * I, 2);
  p.h0 = draw.numbers(D * B * P, states ? 1 : 0);
  p.c0 = draw.numbers(D * B * H, states && how.has_cell ? 1 : 0);
  for (int64_t d = 0; d < D; d++) p.weights.push_back(draw_weights(draw, how, I, H, P, biases));
  p.dy = draw.numbers(T * B * D * P, 1);
  p.dhn = draw.numbers(D * B * P, 1);
  p.dcn = draw.numbers(D * B * H, how.has_cell ? 1 : 0);
  return p;
}

Answer solve(const Problem& p) {
  Answer answer{Numbers(size_t(p.T * p.B * p.D * p.P)), Numbers(size_t(p.D * p.B * p.P)), Numbers(size_t(p.D * p.B * p.H)),
                Numbers(size_t(p.D * p.T * p.B * p.I)), Numbers(size_t(p.D * p.B * p.P)), Numbers(size_t(p.D * p.B * p.H)), {}};
  for (int64_t d = 0; d < p.D; d++) {
    answer.gradients.emplace_back();
    for (size_t k = 0; k < 5; k++) answer.gradients.back()[k].assign(p.weights[size_t(d)][k].size(), 0);
    for (int64_t b = 0; b < p.B; b++) solve_row(p, d, b, answer);
  }
  return answer;
}

}  // namespace selftest
