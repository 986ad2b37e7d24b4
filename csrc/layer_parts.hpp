// What both passes of a layer share: who does what, packed weights, and kernels handed to threads chunk by chunk.
#pragma once
#include <algorithm>
#include <cstring>
#include <functional>

#include "layer.hpp"

namespace recurra {
namespace {

constexpr int kParts = 6;  // of Packed
enum { kForward, kBias, kProjection, kToState, kToInput, kToUnprojected };

// Whether direction d runs from the last step to the first.
inline bool is_reverse(const Layer& l, int64_t d) { return (d == 1) != l.reverse; }

inline Shape shape_of(const Layer& l) { return {l.kind, l.activation, l.I, l.H, l.P, l.projected}; }

inline int64_t gates_of_weights(int kind) { return kind == kLstm ? 4 : kind == kRnn ? 1 : 3; }

inline double work(const Layer& l, int64_t rows) {
  return 2.0 * double(rows) * double(gates_of_weights(l.kind) * l.H) * double(l.I + l.P);
}

constexpr double kSmall = 2.5e6;        // operations that are not worth waking a second thread
constexpr int64_t kFullRows = 4;        // rows a thread needs to be worth a share of its own
// Operations of a step that are worth waiting for each other: where rows could be divided instead, where they could
// not, and where they could not in a plain recurrent layer, whose step ends sooner.
constexpr double kHeavyStep = 500.0e3, kHeavyRow = 40.0e3, kHeavyPlainRow = 200.0e3;

constexpr double kLargeWeights = 8.0e6;  // bytes that every thread would read at every step if rows were divided
constexpr int64_t kManyRows = 16;        // rows a thread has to have to make up for that

struct Sharing {
  int threads;
  int64_t parts;  // of the rows
  int team;       // threads that share the neurons of all rows
};

// A pure function of the call and the thread count, so that the same call adds in the same order.
inline Sharing sharing(const Layer& l) {
  const int threads = work(l, l.T * l.B) * double(l.D) < kSmall ? 1 : std::max(1, l.threads);
  const int64_t each = std::max<int64_t>(1, threads / l.D);
  const double weights = double(gates_of_weights(l.kind) * l.H) * double(l.I + l.P) * (l.is_double ? 8 : 4);
  const bool large = weights > kLargeWeights && l.D == 1 && l.B <= each * kManyRows;
  if (threads == 1 || (l.B >= each * kFullRows && !large)) return {threads, each, 1};
  const double heavy = l.B >= threads ? kHeavyStep : l.kind == kRnn ? kHeavyPlainRow : kHeavyRow;
  const bool wide = l.H >= 32 * threads && l.P == l.H && !l.projected;
  if (wide && work(l, l.B) > heavy) return {threads, 1, threads};
  return {threads, std::min(each, l.B), 1};
}

inline bool is_packed(const Plan& plan) { return !plan.batch_offsets.empty(); }

// Where the rows of each step begin, for one strided sequence.
inline std::vector<int64_t> times(const Layer& l, const Plan& plan, const Strided& s) {
  const int64_t T = l.B ? l.T : 0;  // without rows there may be more steps than memory
  std::vector<int64_t> at(static_cast<size_t>(T));
  for (int64_t t = 0; t < T; t++)
    at[size_t(t)] = is_packed(plan) ? plan.batch_offsets[size_t(t)] * s.by_row : t * s.by_time;
  return at;
}

template <class T> T* at(const void* base, int64_t elements) {
  return base ? const_cast<T*>(static_cast<const T*>(base)) + elements : nullptr;
}

template <class T> Weights<T> typed(const LayerWeights& w) {
  return {static_cast<const T*>(w.w_ih), static_cast<const T*>(w.w_hh), static_cast<const T*>(w.b_ih),
          static_cast<const T*>(w.b_hh), static_cast<const T*>(w.w_hr)};
}

// The wanted parts of every direction's weights, packed by all threads into one buffer.
template <class T> class AllPacked {
 public:
  AllPacked(const Layer& l, const std::vector<LayerWeights>& weights, const std::vector<int>& parts, int threads,
            bool from_zero = false) {
    const auto& k = kernels<T>();
    Shape s = shape_of(l);
    s.from_zero = from_zero;
    int64_t one = 0, offset[kParts] = {};
    for (int part : parts) {
      offset[part] = one;
      one += k.panel_size(s, part);
    }
    buffer_ = Buffer(size_t(one * l.D) * sizeof(T));
    struct Task {
      int64_t d, first, last;
      int part;
    };
    std::vector<Task> tasks;
    const bool small = one * l.D < 16384;
    for (int64_t d = 0; d < l.D; d++) {
      T* base = buffer_.as<T>() + d * one;
      each.push_back({base + offset[0], base + offset[1], base + offset[2], base + offset[3], base + offset[4], base + offset[5]});
      for (int part : parts) {
        if (part == kBias) continue;
        const int64_t n = k.panel_count(s, part), cut = small ? 1 : std::min<int64_t>(n, threads * 2);
        for (int64_t c = 0; c < cut; c++) tasks.push_back({d, n * c / cut, n * (c + 1) / cut, part});
      }
    }
    run_tasks(small ? 1 : threads, int(tasks.size()), [&](int i) {
      const Task& t = tasks[size_t(i)];
      k.pack(s, typed<T>(weights[size_t(t.d)]), each[size_t(t.d)], t.part, t.first, t.last);
    });
  }
  std::vector<Packed<T>> each;  // of each direction
  size_t bytes() const { return buffer_.bytes(); }

 private:
  Buffer buffer_;
};

// Zeros in the rows past each row's length.
template <class T> void clear_padding(const Layer& l, const Plan& plan, const Chunk& c, const Rows<T>& rows, int64_t width) {
  if (is_packed(plan)) return;
  for (int r = 0; r < c.rows; r++)
    for (int64_t t = plan.lengths[size_t(c.row[r])]; t < l.T; t++)
      std::memset(rows.at(t, c.row[r]), 0, size_t(width) * sizeof(T));
}

// Runs one kernel over every direction and chunk, by chunks on single threads or by a team on each in turn.
template <class Job, class Scratch, class Kernel, class After>
void over_chunks(const std::vector<Job>& jobs, const Plan& plan, const Sharing& how, size_t element, Scratch scratch,
                 Kernel kernel, After after) {
  const size_t n = plan.chunks.size();
  if (how.team > 1) {
    for (size_t i = 0; i < jobs.size() * n; i++) {
      Buffer room(size_t(scratch(plan.chunks[i % n])) * element);
      run_team(how.team, [&](const Team& team) { kernel(jobs[i / n], plan.chunks[i % n], team, room); });
      after(jobs[i / n], plan.chunks[i % n]);
    }
    return;
  }
  run_tasks(how.threads, int(jobs.size() * n), [&](int i) {
    const Chunk& chunk = plan.chunks[size_t(i) % n];
    Buffer room(size_t(scratch(chunk)) * element);
    kernel(jobs[size_t(i) / n], chunk, Team{}, room);
    after(jobs[size_t(i) / n], chunk);
  });
}

}  // namespace
}  // namespace recurra
