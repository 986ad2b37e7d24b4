// The kernels run on a problem: numbers laid out in memory of exactly the size needed, NaN where nothing may be read.
#include "native.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "../layer.hpp"

namespace selftest {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <class T> std::vector<T> typed(const Numbers& numbers) { return std::vector<T>(numbers.begin(), numbers.end()); }
template <class T> Numbers numbers(const std::vector<T>& typed) { return Numbers(typed.begin(), typed.end()); }
// Bit by bit, so that NaN equals NaN.
bool identical(const Numbers& a, const Numbers& b) {
  return a.size() == b.size() && (a.empty() || !std::memcmp(a.data(), b.data(), a.size() * sizeof(double)));
}
template <class T> T* address(std::vector<T>& v, bool given = true) { return given ? v.data() : nullptr; }

// Rows of one width as they lie in memory. An empty one still has an address, which nobody may read through.
template <class T> class Sequence {
 public:
  Sequence(const Problem& p, Layout layout, int64_t width, int64_t copies = 1) : p_(p), layout_(layout), width_(width) {
    switch (layout) {
      case Layout::kTimeFirst: by_row = width; by_time = p.B * width; size_ = p.T * by_time; break;
      case Layout::kBatchFirst: by_time = width; by_row = p.T * width; size_ = p.B * by_row; break;
      case Layout::kGaps:
        by_row = width + 3;
        by_time = p.B * by_row + 5;
        size_ = p.T && p.B ? (p.T - 1) * by_time + (p.B - 1) * by_row + width : 0;
        break;
      case Layout::kPacked:
        by_time = 0;
        by_row = width;
        offset_.push_back(0);
        for (int64_t t = 0; t < p.T; t++) offset_.push_back(offset_.back() + active(t));
        size_ = offset_.back() * width;
    }
    memory_.assign(size_t(size_ * copies), T(kNaN));
    memory_.shrink_to_fit();
  }
  // Puts in the valid steps of [T, B, width].
  void put(const Numbers& from) {
    each_valid([&](int64_t t, int64_t b) {
      for (int64_t k = 0; k < width_; k++) memory_[at(t, b, k)] = T(from[size_t((t * p_.B + b) * width_ + k)]);
    });
  }
  // Copy `copy` as [T, B, width]; what is neither valid nor a gap must be zero, and a gap untouched.
  Numbers get(int64_t copy, const std::string& what) const {
    Numbers to(size_t(p_.T * p_.B * width_));
    int64_t taken = 0, written = 0;
    for (int64_t t = 0; t < p_.T; t++)
      for (int64_t b = 0; b < p_.B; b++) {
        if (layout_ == Layout::kPacked && t >= p_.lengths[size_t(b)]) continue;
        for (int64_t k = 0; k < width_; k++) to[size_t((t * p_.B + b) * width_ + k)] = double(memory_[at(t, b, k) + size_t(copy * size_)]);
        taken += width_;
      }
    for (int64_t i = 0; i < size_; i++) written += !std::isnan(memory_[size_t(copy * size_ + i)]);
    expect(written == taken, what + ": numbers missing, or written into a gap");
    return to;
  }
  recurra::Strided strided(bool given = true) { return {address(memory_, given), by_time, by_row}; }
  int64_t size() const { return size_; }
  int64_t active(int64_t t) const {
    int64_t n = 0;
    for (int64_t length : p_.lengths) n += length > t;
    return n;
  }
  int64_t by_time = 0, by_row = 0;

 private:
  template <class F> void each_valid(F f) const {
    for (int64_t b = 0; b < p_.B; b++)
      for (int64_t t = 0; t < p_.lengths[size_t(b)]; t++) f(t, b);
  }
  size_t at(int64_t t, int64_t b, int64_t k) const {
    return size_t((layout_ == Layout::kPacked ? (offset_[size_t(t)] + b) * width_ : t * by_time + b * by_row) + k);
  }
  const Problem& p_;
  Layout layout_;
  int64_t width_, size_ = 0;
  std::vector<int64_t> offset_;
  std::vector<T> memory_;
};

template <class T> struct TypedWeights {
  explicit TypedWeights(const LayerNumbers& w) {
    for (size_t k = 0; k < 5; k++) part[k] = typed<T>(w[k]);
  }
  T* at(size_t k) { return address(part[k], !part[k].empty()); }
  std::array<std::vector<T>, 5> part;
};

template <class T> class Call {
 public:
  Call(const Problem& p, const Way& way)
      : p_(p), way_(way), x_(p, way.layout, p.I), y_(p, way.layout, p.D * p.P), dy_(p, way.layout, p.D * p.P),
        dx_(p, way.layout, p.I, p.D), h0_(typed<T>(p.h0)), c0_(typed<T>(p.c0)), dhn_(typed<T>(p.dhn)), dcn_(typed<T>(p.dcn)),
        hn_(h0_.size(), T(kNaN)), cn_(c0_.size(), T(kNaN)), dh0_(hn_), dc0_(cn_) {
    x_.put(p.x);
    dy_.put(p.dy);
    for (const LayerNumbers& w : p.weights) {
      weights_.emplace_back(w);
      gradients_.emplace_back(w);
    }
    for (int64_t t = 0; t < p.T; t++) batch_sizes_.push_back(x_.active(t));
  }

  // Both passes, whatever they give.
  void run_unchecked() {
    auto tapes = recurra::forward(layer(), forward_arguments());
    recurra::backward(*tapes, backward_arguments(true));
  }

  Answer run(const std::string& what) {
    auto tapes = recurra::forward(layer(), forward_arguments());
    expect(tapes != nullptr, what + ": no tapes");
    Answer answer{y_.get(0, what + " y"), numbers(hn_), numbers(cn_), {}, {}, {}, {}};
    if (way_.twice) {
      recurra::backward(*tapes, backward_arguments(true));
      const Answer first = take(what + " first");
      recurra::backward(*tapes, backward_arguments(false));
      const Answer second = take(what + " second");
      bool same = identical(first.dx, second.dx) && identical(first.dh0, second.dh0) && identical(first.dc0, second.dc0);
      for (size_t d = 0; d < size_t(p_.D); d++)
        for (size_t k = 0; k < 5; k++) same = same && identical(first.gradients[d][k], second.gradients[d][k]);
      expect(same, what + ": a second backward pass gives other numbers");
    } else {
      recurra::backward(*tapes, backward_arguments(false));
    }
    Answer back = take(what);
    std::swap(back.y, answer.y);
    std::swap(back.hn, answer.hn);
    std::swap(back.cn, answer.cn);
    return back;
  }

 private:
  recurra::Layer layer() {
    recurra::Layer l{};
    l.kind = p_.how.kind;
    l.activation = p_.how.activation;
    l.is_double = way_.is_double;
    l.T = p_.T, l.B = p_.B, l.I = p_.I, l.H = p_.H, l.P = p_.P, l.D = p_.D;
    l.projected = p_.how.projected;
    l.threads = way_.threads;
    for (int64_t length : p_.lengths)
      if (length != p_.T) l.lengths = p_.lengths.data();
    if (way_.layout == Layout::kPacked) {
      l.lengths = nullptr;
      l.batch_sizes = batch_sizes_.data();
    }
    return l;
  }

  std::vector<recurra::LayerWeights> weights() {
    std::vector<recurra::LayerWeights> all;
    for (auto& w : weights_) all.push_back({w.at(0), w.at(1), w.at(2), w.at(3), w.at(4)});
    return all;
  }

  recurra::ForwardArguments forward_arguments() {
    recurra::ForwardArguments a{};
    a.x = x_.strided();
    a.y = y_.strided();
    a.weights = weights();
    a.h0 = address(h0_, way_.states);
    a.c0 = address(c0_, way_.states && p_.how.has_cell);
    a.hn = address(hn_);
    a.cn = address(cn_, p_.how.has_cell);
    a.keep = true;
    return a;
  }

  recurra::BackwardArguments backward_arguments(bool keep) {
    recurra::BackwardArguments a{};
    a.x = x_.strided();
    a.y = y_.strided();
    a.dy = dy_.strided(way_.dy);
    a.dx = dx_.strided(way_.dx);
    a.dx_direction = dx_.size();
    a.weights = weights();
    for (auto& g : gradients_)
      for (auto& part : g.part) part.assign(part.size(), T(kNaN));
    if (way_.weights)
      for (auto& g : gradients_) a.gradients.push_back({g.at(0), g.at(1), g.at(2), g.at(3), g.at(4)});
    a.h0 = address(h0_, way_.states);
    a.c0 = address(c0_, way_.states && p_.how.has_cell);
    a.dhn = address(dhn_, way_.dlast);
    a.dcn = address(dcn_, way_.dlast && p_.how.has_cell);
    a.dh0 = address(dh0_, way_.dfirst);
    a.dc0 = address(dc0_, way_.dfirst && p_.how.has_cell);
    a.keep = keep;
    return a;
  }

  Answer take(const std::string& what) {
    Answer answer{{}, {}, {}, {}, numbers(dh0_), numbers(dc0_), {}};
    for (int64_t d = 0; way_.dx && d < p_.D; d++) {
      const Numbers one = dx_.get(d, what + " dx");
      answer.dx.insert(answer.dx.end(), one.begin(), one.end());
    }
    for (auto& g : gradients_) {
      answer.gradients.emplace_back();
      for (size_t k = 0; k < 5; k++) answer.gradients.back()[k] = numbers(g.part[k]);
    }
    return answer;
  }

  const Problem& p_;
  const Way& way_;
  Sequence<T> x_, y_, dy_, dx_;
  std::vector<T> h0_, c0_, dhn_, dcn_, hn_, cn_, dh0_, dc0_;
  std::vector<TypedWeights<T>> weights_, gradients_;
  std::vector<int64_t> batch_sizes_;
};

}  // namespace

double forward_bound(bool is_double) { return is_double ? 1e-12 : 2e-6; }
double gradient_bound(bool is_double) { return is_double ? 1e-12 : 2e-5; }

Answer run_native(const Problem& p, const Way& way, const std::string& what) {
  return way.is_double ? Call<double>(p, way).run(what) : Call<float>(p, way).run(what);
}

void check_layer(const Problem& p, const Way& way, const std::string& what) {
  const Answer found = run_native(p, way, what), wanted = solve(p);
  const double forward = forward_bound(way.is_double), gradient = gradient_bound(way.is_double);
  expect_close(found.y, wanted.y, forward, what + " y");
  expect_close(found.hn, wanted.hn, forward, what + " hn");
  if (p.how.has_cell) expect_close(found.cn, wanted.cn, forward, what + " cn");
  if (way.dx) expect_close(found.dx, wanted.dx, gradient, what + " dx");
  if (way.dfirst) expect_close(found.dh0, wanted.dh0, gradient, what + " dh0");
  if (way.dfirst && p.how.has_cell) expect_close(found.dc0, wanted.dc0, gradient, what + " dc0");
  static const char* const names[] = {" dw_ih", " dw_hh", " db_ih", " db_hh", " dw_hr"};
  for (size_t d = 0; way.weights && d < size_t(p.D); d++)
    for (size_t k = 0; k < 5; k++)
      expect_close(found.gradients[d][k], wanted.gradients[d][k], gradient, what + names[k] + (d ? " in reverse" : ""));
}

void poison_memory(const Problem& p, const Way& way) {
  Problem poison = p;
  for (Numbers* part : {&poison.x, &poison.h0, &poison.c0, &poison.dy}) part->assign(part->size(), kNaN);
  for (LayerNumbers& w : poison.weights)
    for (Numbers& part : w) part.assign(part.size(), kNaN);
  way.is_double ? Call<double>(poison, way).run_unchecked() : Call<float>(poison, way).run_unchecked();
}

std::string describe(const Problem& p, const Way& way) {
  static const char* const layouts[] = {"time first", "batch first", "gaps", "packed"};
  std::string text = p.how.name;
  text += way.is_double ? " float64" : " float32";
  for (auto [name, size] : {std::pair{" T=", p.T}, {" B=", p.B}, {" I=", p.I}, {" H=", p.H}, {" D=", p.D}})
    text += name + std::to_string(size);
  text += " lengths";
  for (int64_t length : p.lengths) text += " " + std::to_string(length);
  return text + ", " + layouts[int(way.layout)] + ", " + std::to_string(way.threads) + " threads";
}

}  // namespace selftest
