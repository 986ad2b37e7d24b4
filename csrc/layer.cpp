// The forward pass of one layer, all directions: packs weights unless they are frozen, and hands chunks to threads.
#include <optional>

#include "frozen.hpp"
#include "layer_parts.hpp"

namespace recurra {
namespace {

template <class T> std::unique_ptr<Tapes> forward_typed(const Layer& l, const ForwardArguments& a) {
  const auto& k = kernels<T>();
  Shape s = shape_of(l);
  s.from_zero = l.T == 1 && !a.h0;
  const Sharing how = sharing(l);
  auto tapes = std::make_unique<Tapes>();
  tapes->layer = l;
  tapes->plan = std::make_unique<Plan>(l, how.parts);
  const Plan& plan = *tapes->plan;
  const auto frozen = a.frozen ? a.frozen->current(l, a.weights) : nullptr;
  std::optional<AllPacked<T>> fresh;
  if (!frozen) fresh.emplace(l, a.weights, std::vector<int>{kForward, kBias, kProjection}, how.threads, s.from_zero);
  const std::vector<Packed<T>>& packed = frozen ? packed_of<T>(*frozen) : fresh->each;
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
    jobs.push_back({s, is_reverse(l, d), packed[size_t(d)], {at<T>(a.x.base, 0), x_time.data(), a.x.by_row},
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
  check_memory(l, a);
  return l.is_double ? forward_typed<double>(l, a) : forward_typed<float>(l, a);
}

int64_t Tapes::bytes() const {
  size_t sum = 0;
  for (const auto& b : gates) sum += b.bytes();
  for (const auto& b : cells) sum += b.bytes();
  return int64_t(sum);
}

}  // namespace recurra
