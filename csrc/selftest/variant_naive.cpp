// One layer with options in plain double loops, forward only, written from the equations; differences give its gradients.
#include "variant_naive.hpp"

#include <algorithm>
#include <cmath>

namespace selftest {
namespace {

double phi(const Phi& f, double x) {
  const double a = f.alpha, b = f.beta;
  switch (f.id) {
    case kTanh: return std::tanh(x);
    case kRelu: return x > 0 ? x : 0;
    case kSigmoid: return 1 / (1 + std::exp(-x));
    case kAffine: return a * x + b;
    case kLeakyRelu: return x > 0 ? x : a * x;
    case kThresholdedRelu: return x > a ? x : 0;
    case kHardSigmoid: return std::fmin(std::fmax(a * x + b, 0), 1);
    case kElu: return x > 0 ? x : a * std::expm1(x);
    case kSoftsign: return x / (1 + std::fabs(x));
    case kSoftplus: return std::log1p(std::exp(x));
    default: return a * std::tanh(b * x);
  }
}

double clipped(double x, double bound) { return std::fmin(std::fmax(x, -bound), bound); }

Numbers slice(const Numbers& from, int64_t begin, int64_t n) { return Numbers(from.begin() + begin, from.begin() + begin + n); }

// to[g] += sum over k of w[g][k] v[k]
void add_product(Numbers& to, const Numbers& w, const Numbers& v, size_t first_row = 0) {
  for (size_t g = 0; g < to.size(); g++)
    for (size_t k = 0; k < v.size(); k++) to[g] += w[(first_row + g) * v.size() + k] * v[k];
}

void add(Numbers& to, const Numbers& from, int64_t begin = 0) {
  for (size_t k = 0; k < to.size() && !from.empty(); k++) to[k] += from[size_t(begin) + k];
}

// (x - mean) / sqrt(variance + eps) * gain
Numbers normed(const Numbers& x, const double* gain, double eps) {
  double mean = 0, variance = 0;
  for (double v : x) mean += v / double(x.size());
  for (double v : x) variance += (v - mean) * (v - mean) / double(x.size());
  Numbers to;
  for (size_t k = 0; k < x.size(); k++) to.push_back((x[k] - mean) / std::sqrt(variance + eps) * gain[k]);
  return to;
}

// One step of one row.
struct Step {
  const VariantProblem& p;
  const VariantNumbers& w;
  const Numbers& x;
  Numbers entering, h, c;  // h after the mask, and the state, which becomes the one after the step

  double act(const Phi& f, double a) const { return phi(f, clipped(a, p.options.clip)); }

  void rnn() {
    Numbers a(static_cast<size_t>(p.H));
    add(a, w[kBih]);
    add(a, w[kBhh]);
    add_product(a, w[kWih], x);
    add_product(a, w[kWhh], entering);
    for (size_t k = 0; k < a.size(); k++) h[k] = act(p.options.candidate, a[k]);
  }

  void gru() {
    const size_t H = size_t(p.H);
    const bool before = p.kind == kGruBefore;
    Numbers X(3 * H), U(3 * H), r(H), z(H);
    add(X, w[kBih]);
    add_product(X, w[kWih], x);
    add(U, w[kBhh]);
    add_product(U, w[kWhh], entering);
    for (size_t k = 0; k < H; k++) {
      r[k] = act(p.options.gate, X[k] + U[k]);
      z[k] = act(p.options.gate, X[H + k] + U[H + k]);
    }
    Numbers last(H), masked(H);
    if (before) {
      for (size_t k = 0; k < H; k++) masked[k] = r[k] * entering[k];
      add(last, w[kBhh], 2 * p.H);
      add_product(last, w[kWhh], masked, 2 * H);
    }
    for (size_t k = 0; k < H; k++) {
      const double n = act(p.options.candidate, X[2 * H + k] + (before ? last[k] : r[k] * U[2 * H + k]));
      h[k] = z[k] * h[k] + (1 - z[k]) * n;
    }
  }

  // The preactivation of one gate: peephole, its own normalisation.
  Numbers gate(const Numbers& sums, int64_t g, int peephole, const Numbers& seen) const {
    const Options& o = p.options;
    Numbers a = slice(sums, g * p.H, p.H);
    for (size_t k = 0; k < a.size() && peephole >= 0 && !w[kWp].empty(); k++) a[k] += w[kWp][size_t(peephole * p.H) + k] * seen[k];
    if (o.norm != kNormTflite) return a;
    a = normed(a, w[kNih].data() + g * p.H, o.eps);
    add(a, w[kBih], g * p.H);
    add(a, w[kBhh], g * p.H);
    return a;
  }

  Numbers sums() const {
    const Options& o = p.options;
    Numbers a(size_t(4 * p.H)), U(size_t(4 * p.H));
    add_product(a, w[kWih], x);
    add_product(U, w[kWhh], entering);
    if (norms_sides(o)) {
      a = normed(a, w[kNih].data(), o.eps);
      U = normed(U, w[kNhh].data(), o.eps);
    }
    add(a, U);
    if (o.norm == kNormTflite) return a;
    add(a, w[kBih]);
    add(a, w[kBhh]);
    return a;
  }

  void lstm() {
    const Options& o = p.options;
    const Numbers all = sums(), i = gate(all, 0, 0, c), f = gate(all, 1, 1, c), g = gate(all, 2, -1, c);
    for (size_t k = 0; k < c.size(); k++) {
      double in = act(o.gate, i[k]), forget = act(o.gate, f[k]);
      if (o.coupling == kCoupleInput) forget = 1 - in;
      if (o.coupling == kCoupleForget) in = 1 - forget;
      c[k] = clipped(forget * c[k] + in * act(o.candidate, g[k]), o.cell_clip);
    }
    const Numbers out = gate(all, 3, 2, c);
    Numbers shown = c, raw(c.size());
    if (norms_sides(o)) {
      shown = normed(c, w[kNc].data(), o.eps);
      add(shown, w[kMc]);
    }
    for (size_t k = 0; k < c.size(); k++) raw[k] = act(o.gate, out[k]) * phi(o.output, shown[k]);
    if (o.norm == kNormFastrnns) c = shown;
    if (w[kWhr].empty()) {
      h = raw;
      return;
    }
    std::fill(h.begin(), h.end(), 0);
    add_product(h, w[kWhr], raw);
    for (double& v : h) v = clipped(v, o.projection_clip);
  }

  void take() { p.kind == kRnn ? rnn() : p.kind == kLstm ? lstm() : gru(); }
};

// keep * old + (1 - keep) * new
void mix(Numbers& fresh, const Numbers& old, const Numbers& keep, double share, int64_t begin) {
  for (size_t k = 0; k < fresh.size(); k++) {
    const double s = keep.empty() ? share : keep[size_t(begin) + k];
    fresh[k] = s * old[k] + (1 - s) * fresh[k];
  }
}

}  // namespace

Numbers solve(const VariantProblem& p) {
  const int64_t all = p.T * p.B * p.D * p.P, last = p.D * p.B;
  const bool has_cell = p.kind == kLstm;
  Numbers found(size_t(all + last * (p.P + (has_cell ? p.H : 0))));
  for (int64_t d = 0; d < p.D; d++)
    for (int64_t b = 0; b < p.B; b++) {
      const int64_t row = d * p.B + b, length = p.lengths[size_t(b)];
      Numbers h = slice(p.h0, row * p.P, p.P), c = has_cell ? slice(p.c0, row * p.H, p.H) : Numbers{};
      for (int64_t i = 0; i < length; i++) {
        const int64_t t = (d == 1) != p.reverse ? length - 1 - i : i, place = (d * p.T + t) * p.B + b;
        const Numbers x = slice(p.x, (t * p.B + b) * p.I, p.I);
        Numbers entering = h;
        for (size_t k = 0; k < h.size() && !p.h_in.empty(); k++) entering[k] *= p.h_in[size_t(row * p.P) + k];
        Step step{p, p.weights[size_t(d)], x, entering, h, c};
        step.take();
        mix(step.h, h, p.keep_h, p.share_h, place * p.P);
        if (has_cell) mix(step.c, c, p.keep_c, p.share_c, place * p.H);
        h = step.h;
        c = step.c;
        std::copy(h.begin(), h.end(), found.begin() + ((t * p.B + b) * p.D + d) * p.P);
      }
      std::copy(h.begin(), h.end(), found.begin() + all + row * p.P);
      std::copy(c.begin(), c.end(), found.begin() + all + last * p.P + row * p.H);
    }
  return found;
}

}  // namespace selftest
