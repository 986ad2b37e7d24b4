// Both passes of one layer, all directions: packs weights, hands chunks to threads, then takes the weight gradients.
#include "layer.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

namespace recurra {
namespace {

constexpr int kParts = 6;  // of Packed
enum { kForward, kBias, kProjection, kToState, kToInput, kToUnprojected };

Shape shape_of(const Layer& l) { return {l.kind, l.activation, l.I, l.H, l.P, l.projected}; }

double work(const Layer& l, int64_t rows) {
  const int gates = l.kind == kLstm ? 4 : l.kind == kRnn ? 1 : 3;
  return 2.0 * double(rows) * double(gates * l.H) * double(l.I + l.P);
}

constexpr double kSmall = 1.0e6;        // operations that are not worth a second thread
constexpr int64_t kFullRows = 4;        // rows a thread needs to be worth a share of its own
constexpr double kHeavyStep = 500.0e3;  // operations of a step that are worth waiting for each other

struct Sharing {
  int threads;
  int64_t parts;  // of the rows
  int team;       // threads that share the neurons of all rows
};

// A pure function of the call and the thread count, so that the same call adds in the same order.
Sharing sharing(const Layer& l) {
  const int threads = work(l, l.T * l.B) * double(l.D) < kSmall ? 1 : std::max(1, l.threads);
  const int64_t each = std::max<int64_t>(1, threads / l.D);
  if (threads == 1 || l.B >= each * kFullRows) return {threads, each, 1};
  const bool wide = l.H >= 64 * threads && l.P == l.H && !l.projected;
  if (wide && work(l, l.B) > kHeavyStep) return {threads, 1, threads};
  return {threads, std::min(each, l.B), 1};
}

bool is_packed(const Plan& plan) { return !plan.batch_offsets.empty(); }

// Where the rows of each step begin, for one strided sequence.
std::vector<int64_t> times(const Layer& l, const Plan& plan, const Strided& s) {
  std::vector<int64_t> at(static_cast<size_t>(l.T));
  for (int64_t t = 0; t < l.T; t++)
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
  AllPacked(const Layer& l, const std::vector<LayerWeights>& weights, std::initializer_list<int> parts, int threads) {
    const auto& k = kernels<T>();
    const Shape s = shape_of(l);
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
  std::vector<Packed<T>> each;

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

template <class T> std::unique_ptr<Tapes> forward_typed(const Layer& l, const ForwardArguments& a) {
  const auto& k = kernels<T>();
  const Shape s = shape_of(l);
  const Sharing how = sharing(l);
  auto tapes = std::make_unique<Tapes>();
  tapes->layer = l;
  tapes->plan = std::make_unique<Plan>(l, how.parts);
  const Plan& plan = *tapes->plan;
  const AllPacked<T> packed(l, a.weights, {kForward, kBias, kProjection}, how.threads);
  const auto x_time = times(l, plan, a.x), y_time = times(l, plan, a.y);
  const int64_t Hp = (l.H + k.lanes() - 1) / k.lanes() * k.lanes();
  std::vector<ForwardJob<T>> jobs;
  for (int64_t d = 0; d < l.D; d++) {
    Tape<T> tape{nullptr, nullptr};
    if (a.keep && l.kind != kRnn) {
      tapes->gates.emplace_back(size_t(plan.rows * k.gate_stride(s)) * sizeof(T));
      tape.gates = tapes->gates.back().template as<T>();
      if (l.kind == kLstm) {
        tapes->cells.emplace_back(size_t(plan.rows * Hp) * sizeof(T));
        tape.cells = tapes->cells.back().template as<T>();
      }
    }
    jobs.push_back({s, d == 1, packed.each[size_t(d)], {at<T>(a.x.base, 0), x_time.data(), a.x.by_row},
                    {at<T>(a.y.base, d * l.P), y_time.data(), a.y.by_row}, at<T>(a.h0, d * l.B * l.P),
                    at<T>(a.c0, d * l.B * l.H), at<T>(a.hn, d * l.B * l.P), at<T>(a.cn, d * l.B * l.H), tape});
  }
  over_chunks(
      jobs, plan, how, sizeof(T), [&](const Chunk& c) { return k.forward_scratch(s, c); },
      [&](const ForwardJob<T>& job, const Chunk& c, const Team& team, const Buffer& room) {
        k.forward(job, c, team, room.as<T>());
      },
      [&](const ForwardJob<T>& job, const Chunk& c) { clear_padding<T>(l, plan, c, job.y, l.P); });
  if (!a.keep) return nullptr;
  tapes->layer.lengths = tapes->layer.batch_sizes = nullptr;
  return tapes;
}

}  // namespace

std::unique_ptr<Tapes> forward(const Layer& l, const ForwardArguments& a) {
  return l.is_double ? forward_typed<double>(l, a) : forward_typed<float>(l, a);
}

int64_t Tapes::bytes() const {
  size_t sum = 0;
  for (const auto& b : gates) sum += b.bytes();
  for (const auto& b : cells) sum += b.bytes();
  return int64_t(sum);
}

// ------------------------------------------------------------------------------------------------- backward

namespace {

// The shares of one weight gradient: which vectors of the left rows, which rows on the right, where to.
template <class T> struct Gradient {
  const T* left;
  int64_t left_stride;
  std::vector<int64_t> offset, out_row;
  std::vector<int> lanes;
  const T* const* right;
  int64_t columns;
  T *out, *bias, *bias2;
};

template <class T>
void add_gates(Gradient<T>& g, const Layer& l, int lanes, std::initializer_list<int> planes) {
  const int64_t Hp = (l.H + lanes - 1) / lanes * lanes;
  int64_t gate = 0;
  for (int plane : planes) {
    for (int64_t k = 0; k < l.H; k += lanes) {
      g.offset.push_back(plane * Hp + k);
      g.out_row.push_back(gate * l.H + k);
      g.lanes.push_back(int(std::min<int64_t>(lanes, l.H - k)));
    }
    gate++;
  }
}

template <class T> void take(const std::vector<Gradient<T>>& gradients, int64_t N, int threads) {
  const auto& k = kernels<T>();
  std::vector<OuterJob<T>> tasks;
  for (const auto& g : gradients) {
    const int64_t n = int64_t(g.offset.size()), panels = (n + 3) / 4;
    const int64_t cuts = std::max<int64_t>(
        1, threads == 1 || panels >= 2 * threads ? 1 : std::min<int64_t>(g.columns / 24, (2 * threads + panels - 1) / panels));
    for (int64_t p = 0; p < panels; p++)
      for (int64_t c = 0; c < cuts; c++) {
        auto cut = [&](int64_t i) { return i == cuts ? g.columns : g.columns * i / cuts / 6 * 6; };
        OuterJob<T> job{g.left, g.left_stride, {}, {}, {}, int(std::min<int64_t>(4, n - 4 * p)), g.right, N,
                        cut(c), cut(c + 1), g.out, g.columns, c ? nullptr : g.bias, c ? nullptr : g.bias2};
        for (int j = 0; j < job.vectors; j++) {
          job.offset[j] = g.offset[size_t(4 * p + j)];
          job.out_row[j] = g.out_row[size_t(4 * p + j)];
          job.lanes[j] = g.lanes[size_t(4 * p + j)];
        }
        tasks.push_back(job);
      }
  }
  run_tasks(threads, int(tasks.size()), [&](int i) {
    const OuterJob<T>& job = tasks[size_t(i)];
    Buffer room(size_t(k.outer_scratch(job.m1 - job.m0)) * sizeof(T));
    k.outer(job, room.as<T>());
  });
}

template <class T>
void list_gradients(std::vector<Gradient<T>>& all, const BackwardJob<T>& job, const Layer& l, const WeightGradients& g,
                    const T* const* raw_rows) {
  const auto& k = kernels<T>();
  const int lanes = k.lanes();
  const int64_t stride = k.gate_stride(job.shape);
  T *b_ih = at<T>(g.b_ih, 0), *b_hh = at<T>(g.b_hh, 0);
  const bool gru = l.kind == kGru;
  if (g.w_ih) {
    all.push_back({job.dgates, stride, {}, {}, {}, job.x_row, l.I, at<T>(g.w_ih, 0), b_ih, gru ? nullptr : b_hh});
    gru ? add_gates(all.back(), l, lanes, {1, 2, 0})
        : l.kind == kLstm ? add_gates(all.back(), l, lanes, {0, 1, 2, 3}) : add_gates(all.back(), l, lanes, {0});
  }
  if (g.w_hh) {
    all.push_back({job.dgates, stride, {}, {}, {}, job.h_row, l.P, at<T>(g.w_hh, 0), gru ? b_hh : nullptr, nullptr});
    gru ? add_gates(all.back(), l, lanes, {1, 2, 3})
        : l.kind == kLstm ? add_gates(all.back(), l, lanes, {0, 1, 2, 3}) : add_gates(all.back(), l, lanes, {0});
  }
  if (g.w_hr && l.projected) {
    const int64_t Pp = (l.P + lanes - 1) / lanes * lanes;
    all.push_back({job.dh, Pp, {}, {}, {}, raw_rows, l.H, at<T>(g.w_hr, 0), nullptr, nullptr});
    for (int64_t c = 0; c < l.P; c += lanes) {
      all.back().offset.push_back(c);
      all.back().out_row.push_back(c);
      all.back().lanes.push_back(int(std::min<int64_t>(lanes, l.P - c)));
    }
  }
}

// Memory of one direction's backward pass.
template <class T> struct Room {
  Buffer dgates, dh, raw, rows;
};

template <class T> void backward_typed(Tapes& tapes, const BackwardArguments& a) {
  const Layer& l = tapes.layer;
  const auto& k = kernels<T>();
  const Shape s = shape_of(l);
  const Sharing how = sharing(l);
  const Plan& plan = *tapes.plan;
  const int64_t N = plan.rows, lanes = k.lanes(), Hp = (l.H + lanes - 1) / lanes * lanes, Pp = (l.P + lanes - 1) / lanes * lanes;
  const bool wants_dx = a.dx.base != nullptr, wants_weights = !a.gradients.empty();
  const AllPacked<T> packed = wants_dx ? AllPacked<T>(l, a.weights, {kToState, kToInput, kToUnprojected}, how.threads)
                                       : AllPacked<T>(l, a.weights, {kToState, kToUnprojected}, how.threads);
  const auto x_time = times(l, plan, a.x), y_time = times(l, plan, a.y), dy_time = times(l, plan, a.dy), dx_time = times(l, plan, a.dx);
  Buffer zeros(size_t(l.P) * sizeof(T)), dx2;
  std::memset(zeros.as<T>(), 0, size_t(l.P) * sizeof(T));
  std::vector<Room<T>> rooms(static_cast<size_t>(l.D));
  std::vector<BackwardJob<T>> jobs;
  for (int64_t d = 0; d < l.D; d++) {
    Room<T>& room = rooms[size_t(d)];
    const bool fresh = a.keep || l.kind == kRnn;
    if (fresh) room.dgates = Buffer(size_t(N * k.gate_stride(s)) * sizeof(T));
    if (l.projected) room.dh = Buffer(size_t(N * Pp) * sizeof(T));
    if (l.projected && a.keep) room.raw = Buffer(size_t(N * Hp) * sizeof(T));
    room.rows = Buffer(size_t(4 * N) * sizeof(void*));
    auto** rows = room.rows.template as<const T*>();
    Tape<T> tape{l.kind == kRnn ? nullptr : tapes.gates[size_t(d)].template as<T>(),
                 l.kind == kLstm ? tapes.cells[size_t(d)].template as<T>() : nullptr};
    jobs.push_back({s, d == 1, packed.each[size_t(d)], {at<T>(a.x.base, 0), x_time.data(), a.x.by_row},
                    {at<T>(a.y.base, d * l.P), y_time.data(), a.y.by_row},
                    {at<T>(a.dy.base, d * l.P), dy_time.data(), a.dy.by_row},
                    {at<T>(a.dx.base, d * a.dx_direction), dx_time.data(), a.dx.by_row}, at<T>(a.h0, d * l.B * l.P),
                    at<T>(a.c0, d * l.B * l.H), at<T>(a.dhn, d * l.B * l.P), at<T>(a.dcn, d * l.B * l.H),
                    at<T>(a.dh0, d * l.B * l.P), at<T>(a.dc0, d * l.B * l.H), tape,
                    fresh ? room.dgates.template as<T>() : tape.gates, room.dh.template as<T>(),
                    a.keep ? room.raw.template as<T>() : tape.cells, rows, rows + N,
                    wants_dx ? const_cast<T**>(rows + 2 * N) : nullptr, zeros.as<T>()});
  }
  over_chunks(
      jobs, plan, how, sizeof(T), [&](const Chunk& c) { return k.backward_scratch(s, c); },
      [&](const BackwardJob<T>& job, const Chunk& c, const Team& team, const Buffer& room) {
        k.backward(job, c, team, room.as<T>());
      },
      [&](const BackwardJob<T>& job, const Chunk& c) {
        if (wants_dx) clear_padding<T>(l, plan, c, job.dx, l.I);
      });
  if (!wants_weights) return;
  std::vector<Gradient<T>> gradients;
  for (int64_t d = 0; d < l.D; d++) {
    auto** raw_rows = rooms[size_t(d)].rows.template as<const T*>() + 3 * N;
    if (l.projected)
      for (int64_t n = 0; n < N; n++) raw_rows[n] = jobs[size_t(d)].raw + n * Hp;
    list_gradients(gradients, jobs[size_t(d)], l, a.gradients[size_t(d)], raw_rows);
  }
  take(gradients, N, work(l, N) < kSmall ? 1 : how.threads);
}

}  // namespace

void backward(Tapes& tapes, const BackwardArguments& a) {
  tapes.layer.is_double ? backward_typed<double>(tapes, a) : backward_typed<float>(tapes, a);
}

}  // namespace recurra
