// The backward pass of one layer with options, all directions.
#include "gradients.hpp"
#include "variant_parts.hpp"

namespace recurra {
namespace {

// Memory of one direction's backward pass.
template <class T> struct Room {
  Buffer dgates, dh, raw, entering, rows;
};

template <class T> class Pass {
 public:
  Pass(VariantTapes& tapes, const VariantBackwardArguments& a)
      : tapes_(tapes), l_(tapes.layer), o_(tapes.options), a_(a), plan_(*tapes.plan), shape_(shape_of(l_)),
        how_(variant_sharing(l_)), N_(plan_.rows), Hp_(padded_size<T>(l_.H)), Pp_(padded_size<T>(l_.P)),
        stride_(variant_kernels<T>().stride(shape_, o_)), wants_dx_(a.dx.base), wants_weights_(!a.gradients.empty()),
        packed_(l_, plain_weights(a.weights), parts(), how_.threads), vectors_(l_, a.weights),
        x_time_(times(l_, plan_, a.x)), y_time_(times(l_, plan_, a.y)), dy_time_(times(l_, plan_, a.dy)),
        dx_time_(times(l_, plan_, a.dx)), zeros_(size_t(l_.P) * sizeof(T)),
        sums_(size_t(kSumPlanes * Hp_ * l_.D * int64_t(plan_.chunks.size())) * sizeof(T)), rooms_(size_t(l_.D)) {
    std::memset(zeros_.as<T>(), 0, size_t(l_.P) * sizeof(T));
    for (int64_t d = 0; d < l_.D; d++) jobs_.push_back(job(d));
  }

  void run() {
    const auto& k = variant_kernels<T>();
    over_chunks(
        jobs_, plan_, how_, sizeof(T), [&](const Chunk& c) { return k.backward_scratch(jobs_[0], c); },
        [&](const VariantBackwardJob<T>& job, const Chunk& c, const Team&, const Buffer& room) {
          k.backward(job, c, sums_of(&job - jobs_.data(), &c - plan_.chunks.data()), room.as<T>());
        },
        [&](const VariantBackwardJob<T>& job, const Chunk& c) {
          if (wants_dx_) clear_padding<T>(l_, plan_, c, job.plain.dx, l_.I);
        });
    if (!wants_weights_) return;
    std::vector<Gradient<T>> gradients;
    for (int64_t d = 0; d < l_.D; d++) {
      list_gradients(gradients, d);
      add_sums(d);
    }
    take(gradients, N_, work(l_, N_) < kSmall ? 1 : how_.threads);
  }

 private:
  std::vector<int> parts() const {
    std::vector<int> wanted{kToUnprojected, kToState};
    if (wants_dx_) wanted.push_back(kToInput);
    return wanted;
  }

  T* sums_of(int64_t d, int64_t chunk) const {
    return sums_.template as<T>() + (d * int64_t(plan_.chunks.size()) + chunk) * kSumPlanes * Hp_;
  }

  const T* const* kept_rows(int64_t d) const { return rooms_[size_t(d)].rows.template as<const T*>() + 3 * N_; }

  VariantBackwardJob<T> job(int64_t d) {
    Room<T>& room = rooms_[size_t(d)];
    if (a_.keep) room.dgates = Buffer(size_t(N_ * stride_) * sizeof(T));
    if (l_.projected) room.dh = Buffer(size_t(N_ * Pp_) * sizeof(T));
    if (l_.projected && a_.keep) room.raw = Buffer(size_t(N_ * Hp_) * sizeof(T));
    if (a_.masks.h_in) room.entering = Buffer(size_t(N_ * Pp_) * sizeof(T));
    room.rows = Buffer(size_t(4 * N_) * sizeof(void*));
    auto** rows = room.rows.template as<const T*>();
    const Tape<T> tape{tapes_.sums[size_t(d)].template as<T>(), l_.kind == kLstm ? tapes_.cells[size_t(d)].template as<T>() : nullptr};
    const BackwardJob<T> plain{shape_, is_reverse(l_, d), packed_.each[size_t(d)],
                               {at<T>(a_.x.base, 0), x_time_.data(), a_.x.by_row},
                               {at<T>(a_.y.base, d * l_.P), y_time_.data(), a_.y.by_row},
                               {at<T>(a_.dy.base, d * l_.P), dy_time_.data(), a_.dy.by_row},
                               {at<T>(a_.dx.base, d * a_.dx_direction), dx_time_.data(), a_.dx.by_row},
                               at<T>(a_.h0, d * l_.B * l_.P), at<T>(a_.c0, d * l_.B * l_.H), at<T>(a_.dhn, d * l_.B * l_.P),
                               at<T>(a_.dcn, d * l_.B * l_.H), at<T>(a_.dh0, d * l_.B * l_.P), at<T>(a_.dc0, d * l_.B * l_.H),
                               tape, a_.keep ? room.dgates.template as<T>() : tape.gates, room.dh.template as<T>(),
                               a_.keep ? room.raw.template as<T>() : tape.cells, rows, rows + N_,
                               wants_dx_ ? const_cast<T**>(rows + 2 * N_) : nullptr, zeros_.as<T>()};
    const bool clips = !tapes_.projected.empty();
    fill_kept_rows(plain, rows + 3 * N_);
    return {plain, o_, masks_of<T>(l_, a_.masks, d), vectors_.each[size_t(d)],
            clips ? tapes_.projected[size_t(d)].template as<T>() : nullptr, room.entering.template as<T>()};
  }

  // What a projection is made from, or r h where the reset is before the product.
  void fill_kept_rows(const BackwardJob<T>& job, const T** rows) const {
    for (int64_t n = 0; n < N_; n++)
      rows[n] = l_.projected ? job.raw + n * Hp_ : l_.kind == kGruBefore ? job.tape.gates + n * stride_ + 3 * Hp_ : nullptr;
  }

  void list_gradients(std::vector<Gradient<T>>& all, int64_t d) const {
    const auto& job = jobs_[size_t(d)].plain;
    const WeightGradients& g = a_.gradients[size_t(d)].plain;
    const bool apart = l_.kind == kGru, summed = is_normed(o_);  // summed: biases come from the chunks' sums
    T *b_ih = summed ? nullptr : at<T>(g.b_ih, 0), *b_hh = summed ? nullptr : at<T>(g.b_hh, 0);
    const auto add = [&](const T* const* right, int64_t columns, void* out, T* bias, T* bias2, std::initializer_list<int> planes,
                         int64_t gate = 0) {
      if (!out) return;
      all.push_back({job.dgates, stride_, {}, {}, {}, right, columns, at<T>(out, 0), bias, bias2});
      add_gates(all.back(), l_, kernels<T>().lanes(), planes, gate);
    };
    const auto both = [&](std::initializer_list<int> input, std::initializer_list<int> state) {
      add(job.x_row, l_.I, g.w_ih, b_ih, apart ? nullptr : b_hh, input);
      add(job.h_row, l_.P, g.w_hh, apart ? b_hh : nullptr, nullptr, state);
    };
    switch (l_.kind) {
      case kRnn: both({0}, {0}); break;
      case kLstm: norms_sides(o_) ? both({0, 1, 2, 3}, {4, 5, 6, 7}) : both({0, 1, 2, 3}, {0, 1, 2, 3}); break;
      case kGru: both({1, 2, 0}, {1, 2, 3}); break;
      default:
        both({1, 2, 0}, {1, 2});
        add(kept_rows(d), l_.P, g.w_hh, nullptr, nullptr, {0}, 2);
    }
    if (!g.w_hr || !l_.projected) return;
    const int lanes = kernels<T>().lanes();
    all.push_back({job.dh, Pp_, {}, {}, {}, kept_rows(d), l_.H, at<T>(g.w_hr, 0), nullptr, nullptr});
    for (int64_t c = 0; c < l_.P; c += lanes) {
      all.back().offset.push_back(c);
      all.back().out_row.push_back(c);
      all.back().lanes.push_back(int(std::min<int64_t>(lanes, l_.P - c)));
    }
  }

  // Gains, biases and peepholes: the chunks' sums in their order.
  void add_sums(int64_t d) const {
    const VariantGradients& g = a_.gradients[size_t(d)];
    const auto put = [&](void* to, int first, int planes) {
      if (!to) return;
      for (int64_t p = 0; p < planes; p++)
        for (int64_t k = 0; k < l_.H; k++) {
          T sum = 0;
          for (size_t c = 0; c < plan_.chunks.size(); c++) sum += sums_of(d, int64_t(c))[(first + p) * Hp_ + k];
          static_cast<T*>(to)[p * l_.H + k] = sum;
        }
    };
    put(g.w_p, kSumPeephole, 3);
    put(g.n_ih, kSumInput, 4);
    put(g.n_hh, kSumState, 4);
    put(g.n_c, kSumCell, 1);
    put(g.m_c, kSumShift, 1);
    if (!is_normed(o_)) return;
    put(g.plain.b_ih, kSumBias, 4);
    put(g.plain.b_hh, kSumBias, 4);
  }

  VariantTapes& tapes_;
  const Layer& l_;
  const Options& o_;
  const VariantBackwardArguments& a_;
  const Plan& plan_;
  const Shape shape_;
  const Sharing how_;
  const int64_t N_, Hp_, Pp_, stride_;
  const bool wants_dx_, wants_weights_;
  const AllPacked<T> packed_;
  const AllVectors<T> vectors_;
  const std::vector<int64_t> x_time_, y_time_, dy_time_, dx_time_;
  Buffer zeros_, sums_;
  std::vector<Room<T>> rooms_;
  std::vector<VariantBackwardJob<T>> jobs_;
};

}  // namespace

void backward(VariantTapes& tapes, const VariantBackwardArguments& a) {
  if (tapes.layer.is_double)
    Pass<double>(tapes, a).run();
  else
    Pass<float>(tapes, a).run();
}

}  // namespace recurra
