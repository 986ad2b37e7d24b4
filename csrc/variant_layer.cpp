// The forward pass of one layer with options, all directions.
#include <cmath>

#include "variant_parts.hpp"

namespace recurra {
namespace {

template <class T> Buffer& added(std::vector<Buffer>& to, int64_t elements) {
  return to.emplace_back(size_t(elements) * sizeof(T));
}

// The tape of one direction.
template <class T> Tape<T> tape_of(VariantTapes& tapes, const Shape& s) {
  const Layer& l = tapes.layer;
  const int64_t N = tapes.plan->rows;
  Tape<T> tape{added<T>(tapes.sums, N * variant_kernels<T>().stride(s, tapes.options)).template as<T>(), nullptr};
  if (l.kind == kLstm) tape.cells = added<T>(tapes.cells, N * padded_size<T>(l.H)).template as<T>();
  return tape;
}

template <class T>
std::unique_ptr<VariantTapes> forward_typed(const Layer& l, const Options& o, const VariantForwardArguments& a) {
  const auto& k = variant_kernels<T>();
  const Shape s = shape_of(l);
  const Sharing how = variant_sharing(l);
  auto tapes = std::make_unique<VariantTapes>();
  tapes->layer = l;
  tapes->options = o;
  tapes->plan = std::make_unique<Plan>(l, how.parts);
  const Plan& plan = *tapes->plan;
  const AllPacked<T> packed(l, plain_weights(a.weights), {kProjection}, how.threads);
  const AllSides<T> sides(l, a.weights, how.threads);
  const AllVectors<T> vectors(l, a.weights);
  const auto x_time = times(l, plan, a.x), y_time = times(l, plan, a.y);
  std::vector<VariantForwardJob<T>> jobs;
  for (int64_t d = 0; d < l.D; d++) {
    const Tape<T> tape = a.keep ? tape_of<T>(*tapes, s) : Tape<T>{nullptr, nullptr};
    const bool clips = a.keep && l.projected && std::isfinite(o.projection_clip);
    T* projected = clips ? added<T>(tapes->projected, plan.rows * padded_size<T>(l.P)).template as<T>() : nullptr;
    const ForwardJob<T> plain{s, is_reverse(l, d), packed.each[size_t(d)], {at<T>(a.x.base, 0), x_time.data(), a.x.by_row},
                              {at<T>(a.y.base, d * l.P), y_time.data(), a.y.by_row}, at<T>(a.h0, d * l.B * l.P),
                              at<T>(a.c0, d * l.B * l.H), at<T>(a.hn, d * l.B * l.P), at<T>(a.cn, d * l.B * l.H), tape};
    jobs.push_back({plain, o, masks_of<T>(l, a.masks, d),
                    {sides.of(d, kInputSide), sides.of(d, kStateSide), sides.of(d, kCandidateSide)},
                    vectors.each[size_t(d)], projected, typed<T>(a.weights[size_t(d)].plain)});
  }
  over_chunks(
      jobs, plan, how, sizeof(T), [&](const Chunk& c) { return k.forward_scratch(jobs[0], c); },
      [&](const VariantForwardJob<T>& job, const Chunk& c, const Team&, const Buffer& room) { k.forward(job, c, room.as<T>()); },
      [&](const VariantForwardJob<T>& job, const Chunk& c) { clear_padding<T>(l, plan, c, job.plain.y, l.P); });
  if (!a.keep) return nullptr;
  tapes->layer.lengths = tapes->layer.batch_sizes = nullptr;
  return tapes;
}

}  // namespace

std::unique_ptr<VariantTapes> forward(const Layer& l, const Options& o, const VariantForwardArguments& a) {
  check_memory(l, ForwardArguments{a.x, a.y, plain_weights(a.weights), a.h0, a.c0, a.hn, a.cn, a.keep});
  return l.is_double ? forward_typed<double>(l, o, a) : forward_typed<float>(l, o, a);
}

int64_t VariantTapes::bytes() const {
  size_t sum = 0;
  for (const auto* buffers : {&sums, &cells, &projected})
    for (const auto& b : *buffers) sum += b.bytes();
  return int64_t(sum);
}

}  // namespace recurra
