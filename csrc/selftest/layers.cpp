// Whole layers against the equations: sizes, lengths, layouts, directions, threads and types; and the equations themselves.
#include <algorithm>
#include <functional>

#include "groups.hpp"
#include "native.hpp"

namespace selftest {
namespace {

// The sum of every output times its given gradient.
double loss(const Problem& p) {
  const Answer a = solve(p);
  double sum = 0;
  for (auto [outputs, gradients] : {std::pair{&a.y, &p.dy}, {&a.hn, &p.dhn}, {&a.cn, &p.dcn}})
    for (size_t i = 0; i < outputs->size(); i++) sum += (*outputs)[i] * (*gradients)[i];
  return sum;
}

// Central differences of the loss in every number of one part of the problem.
Numbers differences(Problem& p, Numbers& part) {
  constexpr double kStep = 1e-5;
  Numbers found;
  for (double& number : part) {
    const double before = number;
    number = before + kStep;
    const double above = loss(p);
    number = before - kStep;
    found.push_back((above - loss(p)) / (2 * kStep));
    number = before;
  }
  return found;
}

void check_equations_of(const Recurrence& how) {
  constexpr double kBound = 1e-8;  // the square of the step times a third derivative, and rounding over the step
  Draw draw(11);
  Problem p = draw_problem(draw, how, {3, 3, 2, 3, 2}, true, true, true);
  const Answer a = solve(p);
  const std::string what = std::string("equations of ") + how.name;
  Numbers dx(p.x.size());  // of both directions together
  for (size_t i = 0; i < a.dx.size(); i++) dx[i % dx.size()] += a.dx[i];
  expect_close(dx, differences(p, p.x), kBound, what + " dx");
  expect_close(a.dh0, differences(p, p.h0), kBound, what + " dh0");
  if (how.has_cell) expect_close(a.dc0, differences(p, p.c0), kBound, what + " dc0");
  for (size_t d = 0; d < 2; d++)
    for (size_t k = 0; k < 5; k++)
      expect_close(a.gradients[d][k], differences(p, p.weights[d][k]), kBound, what + " weight " + std::to_string(k));
}

// A packed batch has its rows longest first, and none of length 0.
bool pack(Problem& p) {
  if (!p.T || !p.B) return false;
  for (int64_t& length : p.lengths) length = std::max<int64_t>(1, length);
  p.lengths[0] = p.T;
  std::sort(p.lengths.begin(), p.lengths.end(), std::greater<>());
  return true;
}

void check_one(Draw& draw, const Recurrence& how, bool is_double, std::array<int64_t, 3> T_B_H) {
  const auto [T, B, H] = T_B_H;
  static const int64_t inputs[] = {1, 3, 16, 19};
  Way way;
  way.is_double = is_double;
  way.threads = 1 + int(draw.below(4));
  way.states = draw.coin();
  Problem p = draw_problem(draw, how, {T, B, inputs[draw.below(4)], H, 1 + draw.below(2)}, draw.coin(), way.states, draw.below(4) > 0);
  way.layout = static_cast<Layout>(draw.below(4));
  if (way.layout == Layout::kPacked && !pack(p)) way.layout = Layout::kTimeFirst;
  way.dy = draw.below(6) > 0;
  way.dlast = draw.below(3) > 0;
  if (!way.dy) p.dy.assign(p.dy.size(), 0);
  if (!way.dlast) {
    p.dhn.assign(p.dhn.size(), 0);
    p.dcn.assign(p.dcn.size(), 0);
  }
  way.dx = draw.below(5) > 0;
  way.dfirst = draw.below(3) > 0;
  way.weights = draw.below(5) > 0;
  way.twice = draw.below(3) == 0;
  poison_memory(p, way);
  check_layer(p, way, describe(p, way));
}

}  // namespace

void check_equations(const Extent&) {
  for (const Recurrence& how : recurrences()) check_equations_of(how);
  for (const Recurrence& how : activations()) check_equations_of(how);
}

void check_layers(const Extent& extent) {
  Draw draw(7);
  const std::vector<int64_t> hidden = extent.quick ? std::vector<int64_t>{1, 5, 33} : std::vector<int64_t>{1, 5, 16, 33, 50};
  for (const Recurrence& how : recurrences())
    for (bool is_double : {false, true})
      for (int64_t H : hidden)
        for (int64_t B : {0, 1, 3, 13})
          for (int64_t T : {0, 1, 7})
            for (int times = extent.quick ? 1 : 3; times; times--) check_one(draw, how, is_double, {T, B, H});
  for (const Recurrence& how : activations())
    for (bool is_double : {false, true})
      for (int64_t H : {5, 33}) check_one(draw, how, is_double, {7, 13, H});
  // long enough that rows are divided among threads, and wide enough that neurons are
  for (const Recurrence& how : recurrences())
    for (bool is_double : {false, true}) {
      for (int times = extent.quick ? 1 : 4; times; times--) check_one(draw, how, is_double, {20, 13, 50});
      for (int times = extent.quick ? 1 : 4; times; times--) check_one(draw, how, is_double, {extent.quick ? 3 : 9, 5, 256});
      // so many rows of so wide panels that sums wait in memory between blocks of a panel
      for (int times = extent.quick ? 1 : 3; times; times--) check_one(draw, how, is_double, {2, extent.quick ? 53 : 101, 250});
    }
}

}  // namespace selftest
