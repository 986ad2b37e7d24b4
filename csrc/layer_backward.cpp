// The backward pass of one layer, all directions: time in chunks on the threads, then each weight's gradient as one product.
#include "gradients.hpp"

namespace recurra {
namespace {

// The planes of dgates in the order of the weights' gates.
template <class T> void add_all_gates(Gradient<T>& g, const Layer& l, int lanes, int candidate) {
  switch (l.kind) {
    case kRnn: return add_gates(g, l, lanes, {0});
    case kLstm: return add_gates(g, l, lanes, {0, 1, 2, 3});
    default: return add_gates(g, l, lanes, {1, 2, candidate});
  }
}

// kept_rows: what a projection is made from (o tanh c), or r h where the reset is before the product.
template <class T>
void list_gradients(std::vector<Gradient<T>>& all, const BackwardJob<T>& job, const Layer& l, const WeightGradients& g,
                    const T* const* kept_rows) {
  const auto& k = kernels<T>();
  const int lanes = k.lanes();
  const int64_t stride = k.gate_stride(job.shape);
  T *b_ih = at<T>(g.b_ih, 0), *b_hh = at<T>(g.b_hh, 0);
  const bool apart = l.kind == kGru;
  if (g.w_ih) {
    all.push_back({job.dgates, stride, {}, {}, {}, job.x_row, l.I, at<T>(g.w_ih, 0), b_ih, apart ? nullptr : b_hh});
    add_all_gates(all.back(), l, lanes, 0);
  }
  if (g.w_hh) {
    const bool from_zero = l.T == 1 && !job.h0;  // then the gradient is zero, and only b_hh's is left to take
    const int64_t columns = from_zero ? 0 : l.P;
    if (from_zero) std::memset(g.w_hh, 0, size_t(gates_of_weights(l.kind) * l.H * l.P) * sizeof(T));
    all.push_back({job.dgates, stride, {}, {}, {}, job.h_row, columns, at<T>(g.w_hh, 0), apart ? b_hh : nullptr, nullptr});
    if (l.kind == kGruBefore) {
      add_gates(all.back(), l, lanes, {1, 2});
      all.push_back({job.dgates, stride, {}, {}, {}, kept_rows, columns, at<T>(g.w_hh, 0), nullptr, nullptr});
      add_gates(all.back(), l, lanes, {0}, 2);
    } else {
      add_all_gates(all.back(), l, lanes, 3);
    }
  }
  if (g.w_hr && l.projected) {
    const int64_t Pp = (l.P + lanes - 1) / lanes * lanes;
    all.push_back({job.dh, Pp, {}, {}, {}, kept_rows, l.H, at<T>(g.w_hr, 0), nullptr, nullptr});
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
  std::vector<int> parts{kToUnprojected};
  if (l.T > 1 || a.dh0 || l.kind == kGruBefore) parts.push_back(kToState);  // else no step has one before it
  if (wants_dx) parts.push_back(kToInput);
  const AllPacked<T> packed(l, a.weights, parts, how.threads);
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
    jobs.push_back({s, is_reverse(l, d), packed.each[size_t(d)], {at<T>(a.x.base, 0), x_time.data(), a.x.by_row},
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
    auto** kept_rows = rooms[size_t(d)].rows.template as<const T*>() + 3 * N;
    const BackwardJob<T>& job = jobs[size_t(d)];
    for (int64_t n = 0; n < N; n++)
      kept_rows[n] = l.projected ? job.raw + n * Hp : l.kind == kGruBefore ? job.tape.gates + n * k.gate_stride(s) + 3 * Hp : nullptr;
    list_gradients(gradients, job, l, a.gradients[size_t(d)], kept_rows);
  }
  take(gradients, N, work(l, N) < kSmall ? 1 : how.threads);
}

}  // namespace

void backward(Tapes& tapes, const BackwardArguments& a) {
  tapes.layer.is_double ? backward_typed<double>(tapes, a) : backward_typed<float>(tapes, a);
}

}  // namespace recurra
