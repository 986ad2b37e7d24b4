// Layers with options against plain loops: values, and each part's gradient along a direction against differences.
#include <cmath>
#include <limits>

#include "../variant_layer.hpp"
#include "../variant_stepper.hpp"
#include "groups.hpp"
#include "native.hpp"
#include "variant_naive.hpp"

namespace selftest {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Every number of a problem that has a gradient, by name.
std::vector<std::pair<std::string, Numbers*>> parts_of(VariantProblem& p) {
  std::vector<std::pair<std::string, Numbers*>> parts{{"x", &p.x}, {"h0", &p.h0}, {"c0", &p.c0}};
  for (size_t d = 0; d < p.weights.size(); d++)
    for (size_t k = 0; k < p.weights[d].size(); k++)
      parts.push_back({"weight " + std::to_string(k) + " of direction " + std::to_string(d), &p.weights[d][k]});
  return parts;
}

Phi draw_phi(Draw& draw) {
  static const int smooth[] = {kTanh, kSigmoid, kAffine, kLeakyRelu, kHardSigmoid, kElu, kSoftsign, kSoftplus, kScaledTanh, kRelu};
  return {smooth[draw.below(10)], 0.6, 0.8};
}

VariantNumbers draw_weights(Draw& draw, const VariantProblem& p, bool projected, bool peephole) {
  const int64_t gates = p.kind == kRnn ? 1 : p.kind == kLstm ? 4 : 3, H = p.H;
  const double scale = 1 / std::sqrt(double(H));
  const bool normed = is_normed(p.options), sides = norms_sides(p.options), biased = draw.below(4) > 0;
  const auto gains = [&](bool there, int64_t n) {
    Numbers g = draw.numbers(there ? n : 0, 0.3);
    for (double& v : g) v += 1;
    return g;
  };
  return {draw.numbers(gates * H * p.I, scale), draw.numbers(gates * H * p.P, scale), draw.numbers(biased ? gates * H : 0, 0.3),
          draw.numbers(biased ? gates * H : 0, 0.3), draw.numbers(projected ? p.P * H : 0, scale),
          draw.numbers(peephole ? 3 * H : 0, 0.5), gains(normed, 4 * H), gains(sides, 4 * H), gains(sides, H),
          draw.numbers(sides ? H : 0, 0.3)};
}

void draw_masks(Draw& draw, VariantProblem& p) {
  const int64_t has_cell = p.kind == kLstm, rows = p.D * p.B, all = rows * p.T;
  const auto coins = [&](int64_t n, double heads) {
    Numbers to;
    for (int64_t k = 0; k < n; k++) to.push_back(draw.coin() ? heads : 0);
    return to;
  };
  if (draw.coin()) p.h_in = coins(rows * p.P, 2);
  if (draw.coin()) return;
  if (draw.coin()) {
    p.keep_h = coins(all * p.P, 1);
    p.keep_c = coins(all * p.H * has_cell, 1);
  } else {
    p.share_h = 0.15;
    p.share_c = has_cell ? 0.25 : 0;
  }
}

VariantProblem draw_variant(Draw& draw, int kind, std::array<int64_t, 4> T_B_I_H) {
  const auto [T, B, I, H] = T_B_I_H;
  VariantProblem p{kind, {}, T, B, I, H, H, 1 + draw.below(2), draw.coin(), {}, {}, {}, {}, {}, {}, {}, {}};
  Options& o = p.options;
  o.gate = draw.coin() ? Phi{kSigmoid} : draw_phi(draw);
  o.candidate = draw.coin() ? Phi{} : draw_phi(draw);
  o.output = draw.coin() ? Phi{} : draw_phi(draw);
  if (draw.coin()) o.clip = 0.9;
  bool projected = false, peephole = false;
  if (kind == kLstm) {
    o.norm = int(draw.below(4));
    o.coupling = int(draw.below(3));
    if (draw.coin()) o.cell_clip = 0.6;
    projected = draw.coin();
    if (projected) p.P = 1 + draw.below(H);
    if (projected && draw.coin()) o.projection_clip = 0.5;
    peephole = !norms_sides(o) && draw.coin();
  }
  const bool ragged = draw.coin();
  for (int64_t b = 0; b < B; b++) p.lengths.push_back(ragged ? draw.below(T + 1) : T);
  p.x = draw.numbers(T * B * I, 1);
  p.h0 = draw.numbers(p.D * B * p.P, 1);
  p.c0 = draw.numbers(kind == kLstm ? p.D * B * H : 0, 1);
  for (int64_t d = 0; d < p.D; d++) p.weights.push_back(draw_weights(draw, p, projected, peephole));
  draw_masks(draw, p);
  return p;
}

// A problem's numbers in one type, in memory of exactly their size; NaN where an answer goes.
template <class T> class Run {
 public:
  Run(VariantProblem& p, int threads, const Numbers& doutputs) : p_(p), threads_(threads) {
    for (const auto& [name, numbers] : parts_of(p)) {
      given_.emplace_back(numbers->begin(), numbers->end());
      wanted_.emplace_back(numbers->size() * (name == "x" ? size_t(p.D) : 1), T(kNaN));
    }
    for (const Numbers* mask : {&p.h_in, &p.keep_h, &p.keep_c}) masks_.emplace_back(mask->begin(), mask->end());
    const int64_t y = p.T * p.B * p.D * p.P, h = p.D * p.B * p.P;
    const auto cut = [&](int64_t from, int64_t to) { return std::vector<T>(doutputs.begin() + from, doutputs.begin() + to); };
    for (auto part : {cut(0, y), cut(y, y + h), cut(y + h, int64_t(doutputs.size()))}) {
      out_.emplace_back(part.size(), T(kNaN));
      dout_.push_back(std::move(part));
    }
    for (int64_t b = 0; b < p.B; b++)  // the padding is never read
      for (int64_t t = p.lengths[size_t(b)]; t < p.T; t++)
        for (int64_t k = 0; k < p.I; k++) given_[0][size_t((t * p.B + b) * p.I + k)] = T(kNaN);
  }

  void take(bool twice) {
    const recurra::Layer layer{p_.kind, 0, sizeof(T) == 8, p_.T, p_.B, p_.I, p_.H, p_.P, p_.D, !p_.weights[0][kWhr].empty(),
                               threads_, p_.lengths.data(), nullptr, p_.reverse};
    const recurra::MaskArguments masks{at(masks_[0]), at(masks_[1]), at(masks_[2]), p_.share_h, p_.share_c};
    const recurra::VariantForwardArguments f{rows(given_[0], p_.I), rows(out_[0], p_.D * p_.P), weights<recurra::VariantWeights>(given_),
                                             masks, at(given_[1]), at(given_[2]), at(out_[1]), at(out_[2]), true};
    auto tapes = recurra::forward(layer, p_.options, f);
    recurra::VariantBackwardArguments b{f.x, f.y, rows(dout_[0], p_.D * p_.P), rows(wanted_[0], p_.I), p_.T * p_.B * p_.I, f.weights,
                                        weights<recurra::VariantGradients>(wanted_), masks, f.h0, f.c0, at(dout_[1]), at(dout_[2]),
                                        at(wanted_[1]), at(wanted_[2]), twice};
    recurra::backward(*tapes, b);
    if (!twice) return;
    b.keep = false;
    recurra::backward(*tapes, b);
  }

  Numbers outputs() const {
    Numbers all;
    for (const auto& part : out_) all.insert(all.end(), part.begin(), part.end());
    return all;
  }
  // The gradient of part k; that of x of both directions together.
  Numbers gradient(size_t k) const {
    const size_t n = given_[k].size();
    Numbers sum(n);
    for (size_t i = 0; i < wanted_[k].size(); i++) sum[i % n] += double(wanted_[k][i]);
    return sum;
  }

 private:
  static T* at(std::vector<T>& v) { return v.empty() ? nullptr : v.data(); }
  recurra::Strided rows(std::vector<T>& v, int64_t width) { return {v.data(), p_.B * width, width}; }
  template <class All> std::vector<All> weights(std::vector<std::vector<T>>& from) {
    std::vector<All> all;
    for (size_t i = 3; i < from.size(); i += 10) {
      const auto w = [&](size_t k) { return at(from[i + k]); };
      all.push_back({{w(0), w(1), w(2), w(3), w(4)}, w(5), w(6), w(7), w(8), w(9)});
    }
    return all;
  }
  VariantProblem& p_;
  int threads_;
  std::vector<std::vector<T>> given_, wanted_, masks_, out_, dout_;
};

double dot(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); i++) sum += a[i] * b[i];
  return sum;
}

Numbers direction(Draw& draw, size_t n) {
  Numbers to = draw.numbers(int64_t(n), 1);
  const double length = std::sqrt(dot(to, to));
  for (double& v : to) v /= length;
  return to;
}

// The derivative of (outputs . weights) as one part moves along `along`, by differences so small that hardly a number passes
// a corner of an activation or a bound.
double slope(const VariantProblem& p, Numbers& part, const Numbers& along, const Numbers& weights) {
  constexpr double kStep = 1e-6;
  const Numbers before = part;
  const auto moved = [&](double step) {
    for (size_t i = 0; i < part.size(); i++) part[i] = before[i] + step * along[i];
    return dot(solve(p), weights);
  };
  const double difference = (moved(kStep) - moved(-kStep)) / (2 * kStep);
  part = before;
  return difference;
}

void check_variant(Draw& draw, int kind, std::array<int64_t, 4> size) {
  VariantProblem p = draw_variant(draw, kind, size);
  const std::string what = "kind " + std::to_string(kind) + " with options, T " + std::to_string(p.T) + " B " + std::to_string(p.B) +
                           " I " + std::to_string(p.I) + " H " + std::to_string(p.H) + " P " + std::to_string(p.P) + " norm " +
                           std::to_string(p.options.norm);
  const Numbers wanted = solve(p), weights = draw.numbers(int64_t(wanted.size()), 1);
  const int threads = 1 + int(draw.below(3));
  Run<double> run(p, threads, weights);
  run.take(draw.coin());
  Run<float> single(p, threads, weights);
  single.take(draw.coin());
  expect_close(run.outputs(), wanted, 1e-12, what + ": outputs");
  const bool rough = is_normed(p.options) && p.H < 5;  // few numbers normalised: rounding is all that is left
  if (!rough) expect_close(single.outputs(), wanted, 2e-5, what + ": outputs in float");
  const auto parts = parts_of(p);
  for (size_t k = 0; k < parts.size(); k++) {
    const auto& [name, numbers] = parts[k];
    if (numbers->empty()) continue;
    const Numbers found = run.gradient(k), along = direction(draw, numbers->size());
    const double want = slope(p, *numbers, along, weights), got = dot(found, along);
    expect(std::fabs(got - want) <= 1e-6 * (1 + std::sqrt(dot(found, found))), what + ": gradient of " + name);
    if (!rough) expect_close(single.gradient(k), found, 1e-4, what + ": gradient in float of " + name);
  }
}

// One observation at a time, all rows and row by row.
void check_steps(Draw& draw, int kind) {
  VariantProblem p = draw_variant(draw, kind, {3, 2, 4, 9});
  p.D = 1;
  p.reverse = false;
  p.lengths.assign(2, 3);
  for (Numbers* mask : {&p.h_in, &p.keep_h, &p.keep_c}) mask->clear();
  p.weights.resize(1);
  p.h0.assign(size_t(p.B * p.P), 0);
  p.c0.assign(kind == kLstm ? size_t(p.B * p.H) : 0, 0);
  const Numbers wanted = solve(p);
  const recurra::Layer layer{kind, 0, true, 1, p.B, p.I, p.H, p.P, 1, !p.weights[0][kWhr].empty(), 1, nullptr, nullptr};
  auto& w = p.weights[0];
  const auto at = [&](int k) { return w[size_t(k)].empty() ? nullptr : w[size_t(k)].data(); };
  const recurra::VariantWeights weights{{at(0), at(1), at(2), at(3), at(4)}, at(5), at(6), at(7), at(8), at(9)};
  recurra::VariantStepper stepper(layer, p.options, {weights}, p.share_h, p.share_c);
  Numbers found;
  for (int64_t t = 0; t < p.T; t++) {
    Numbers y(size_t(p.B * p.P), kNaN);
    if (t == 1) {  // row by row
      for (int64_t row : {1, 0}) stepper.step(p.x.data() + (t * p.B + row) * p.I, y.data() + row * p.P, &row, 1);
    } else {
      stepper.step(p.x.data() + t * p.B * p.I, y.data(), nullptr, p.B);
    }
    found.insert(found.end(), y.begin(), y.end());
  }
  expect_close(found, Numbers(wanted.begin(), wanted.begin() + p.T * p.B * p.P), 1e-12, "steps of kind " + std::to_string(kind));
}

}  // namespace

void check_variants(const Extent& extent) {
  Draw draw(23);
  const std::vector<int64_t> hidden = extent.quick ? std::vector<int64_t>{2, 19} : std::vector<int64_t>{1, 2, 5, 16, 19, 33};
  for (int kind : {kRnn, kLstm, kGru, kGruBefore}) {
    for (int64_t H : hidden)
      for (int64_t B : {0, 1, 5})
        for (int64_t T : {0, 1, 4})
          for (int times = extent.quick || kind != kLstm ? 1 : 4; times; times--) check_variant(draw, kind, {T, B, 1 + draw.below(7), H});
    check_variant(draw, kind, {3, 60, 5, 9});                      // more rows than are read at once
    if (!extent.quick) check_variant(draw, kind, {12, 13, 40, 50});  // divided among threads
    for (int times = extent.quick ? 2 : 8; times; times--) check_steps(draw, kind);
  }
}

}  // namespace selftest
