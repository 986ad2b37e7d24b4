// The stepper against the equations of the whole sequence: stacked layers, selected rows, states set and read, new weights.
#include <cmath>
#include <limits>

#include "../stepper.hpp"
#include "groups.hpp"
#include "native.hpp"

namespace selftest {
namespace {

constexpr int64_t kInputs = 5, kSteps = 6;

// A stack in double: the problem of each layer, of T steps of B rows; each reads the outputs of the one below.
struct Stack {
  std::vector<Problem> layers;
  Stack(Draw& draw, const Recurrence& how, int64_t layer_count, int64_t B, int64_t H) {
    for (int64_t i = 0; i < layer_count; i++) {
      const int64_t inputs = i ? layers[0].P : kInputs;
      layers.push_back(draw_problem(draw, how, {kSteps, B, inputs, H, 1}, false, true, true));
    }
  }
  std::vector<Answer> solved() {
    std::vector<Answer> answers;
    for (Problem& p : layers) {
      if (!answers.empty()) p.x = answers.back().y;
      answers.push_back(solve(p));
    }
    return answers;
  }
};

template <class T> class Steps {
 public:
  explicit Steps(const Stack& stack) : first_(stack.layers[0]) {
    for (const Problem& p : stack.layers) {
      parts_.emplace_back();
      for (const Numbers& part : p.weights[0]) parts_.back().emplace_back(part.begin(), part.end());
    }
    recurra::Layer l{};
    l.kind = first_.how.kind;
    l.activation = first_.how.activation;
    l.is_double = sizeof(T) == sizeof(double);
    l.T = l.D = l.threads = 1;
    l.B = first_.B, l.I = first_.I, l.H = first_.H, l.P = first_.P;
    l.projected = first_.how.projected;
    stepper_ = std::make_unique<recurra::Stepper>(l, weights());
    h_.resize(parts_.size() * size_t(l.B * l.P));
    c_.resize(parts_.size() * size_t(l.B * l.H));
  }
  void set(const Stack& stack) {
    h_.clear();
    c_.clear();
    for (const Problem& p : stack.layers) {
      h_.insert(h_.end(), p.h0.begin(), p.h0.end());
      c_.insert(c_.end(), p.c0.begin(), p.c0.end());
    }
    stepper_->set(h_.data(), first_.how.has_cell ? c_.data() : nullptr);
  }
  // One step of these rows (all if null) at time t of the first layer's input.
  Numbers step(int64_t t, const std::vector<int64_t>* rows) {
    const int64_t count = rows ? int64_t(rows->size()) : first_.B, I = first_.I;
    std::vector<T> x, y(size_t(count * first_.P), std::numeric_limits<T>::quiet_NaN());
    for (int64_t r = 0; r < count; r++) {
      const auto from = first_.x.begin() + (t * first_.B + (rows ? (*rows)[size_t(r)] : r)) * I;
      x.insert(x.end(), from, from + I);
    }
    stepper_->step(x.data(), y.data(), rows ? rows->data() : nullptr, count);
    return Numbers(y.begin(), y.end());
  }
  std::pair<Numbers, Numbers> state() {
    std::vector<T> h(h_.size(), std::numeric_limits<T>::quiet_NaN()), c(c_.size(), std::numeric_limits<T>::quiet_NaN());
    stepper_->get(h.data(), c.data());
    return {Numbers(h.begin(), h.end()), Numbers(c.begin(), c.end())};
  }
  void scale_weights(double by) {
    for (auto& layer : parts_)
      for (auto& part : layer)
        for (T& number : part) number *= T(by);
  }

 private:
  std::vector<recurra::LayerWeights> weights() {
    std::vector<recurra::LayerWeights> all;
    auto at = [](const std::vector<T>& part) { return part.empty() ? nullptr : part.data(); };
    for (auto& p : parts_) all.push_back({at(p[0]), at(p[1]), at(p[2]), at(p[3]), at(p[4])});
    return all;
  }
  const Problem& first_;
  std::vector<std::vector<std::vector<T>>> parts_;
  std::vector<T> h_, c_;
  std::unique_ptr<recurra::Stepper> stepper_;
};

Numbers joined(const std::vector<Answer>& answers, Numbers Answer::*part) {
  Numbers all;
  for (const Answer& a : answers) all.insert(all.end(), (a.*part).begin(), (a.*part).end());
  return all;
}

template <class T> void check_stack(const Recurrence& how, int64_t layers, int64_t B, int64_t H) {
  const double bound = forward_bound(sizeof(T) == sizeof(double));
  const std::string what = std::string("stepper, ") + how.name + (sizeof(T) == 8 ? " float64 " : " float32 ") +
                           std::to_string(layers) + " layers B=" + std::to_string(B) + " H=" + std::to_string(H);
  Draw draw(uint64_t(100 * layers + 10 * B + H));
  Stack stack(draw, how, layers, B, H);
  Steps<T> steps(stack), by_rows(stack);
  steps.set(stack);
  by_rows.set(stack);
  const std::vector<Answer> truth = stack.solved();
  Numbers all, selected(truth.back().y.size());
  for (int64_t t = 0; t < kSteps; t++) {
    const Numbers y = steps.step(t, nullptr);
    all.insert(all.end(), y.begin(), y.end());
    for (int64_t from : {1, 0}) {  // odd rows, then even rows
      std::vector<int64_t> rows;
      for (int64_t b = from; b < B; b += 2) rows.insert(rows.begin(), b);
      const Numbers some = by_rows.step(t, &rows);
      const int64_t P = stack.layers[0].P;
      for (size_t r = 0; r < rows.size(); r++)
        std::copy_n(some.begin() + int64_t(r) * P, P, selected.begin() + (t * B + rows[r]) * P);
    }
  }
  expect_close(all, truth.back().y, bound, what);
  expect_close(selected, truth.back().y, bound, what + ", some rows at a time");
  for (Steps<T>* one : {&steps, &by_rows}) {
    const auto [h, c] = one->state();
    expect_close(h, joined(truth, &Answer::hn), bound, what + " h");
    if (how.has_cell) expect_close(c, joined(truth, &Answer::cn), bound, what + " c");
  }
  for (Problem& p : stack.layers)
    for (Numbers& part : p.weights[0])
      for (double& number : part) number *= 0.5;
  steps.scale_weights(0.5);
  steps.set(stack);
  const Numbers y = steps.step(0, nullptr), wanted = stack.solved().back().y;
  expect_close(y, Numbers(wanted.begin(), wanted.begin() + int64_t(y.size())), bound, what + " after a change of weights");
}

}  // namespace

void check_stepper(const Extent& extent) {
  for (const Recurrence& how : recurrences())
    for (int64_t layers : {1, 3})
      for (int64_t B : {1, 5})
        for (int64_t H : {1, 16, 33}) {
          if (extent.quick && H == 16) continue;
          check_stack<float>(how, layers, B, H);
          check_stack<double>(how, layers, B, H);
        }
}

}  // namespace selftest
