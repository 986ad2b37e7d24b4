// The plain structures of the variant kernel, which serves every option that the fused kernels do not know.
#pragma once
#include <cmath>

#include "kinds.hpp"

// An activation with ONNX's alpha and beta.
struct Phi {
  int id = kTanh;
  double alpha = 1, beta = 1;
};

enum Norm { kNoNorm, kNormBa, kNormFastrnns, kNormTflite };  // kernels/lstm/README.md
enum Coupling { kNotCoupled, kCoupleInput, kCoupleForget };  // kCoupleInput: f = 1 - i; kCoupleForget: i = 1 - f

// What differs from the plain recurrence. A bound of infinity clips nothing.
struct Options {
  Phi gate, candidate, output;  // of the gates; of g, n, or a plain recurrent layer; of the LSTM's output
  double clip = INFINITY, cell_clip = INFINITY, projection_clip = INFINITY;
  int norm = kNoNorm, coupling = kNotCoupled;
  double eps = 1e-5;
};

inline bool is_normed(const Options& o) { return o.norm != kNoNorm; }
inline bool norms_sides(const Options& o) { return o.norm == kNormBa || o.norm == kNormFastrnns; }  // x W and h U apart

// Share of the old state that a step keeps: of each number, [T, B, width], or the same of all.
template <class T> struct Keep {
  const T* mask;
  T share;
  bool on() const { return mask || share != T(0); }
};

template <class T> struct Masks {
  const T* h_in;        // [B, P], multiplied with h before the recurrent product; may be null
  Keep<T> h, c;
  int64_t B;
};

enum Side { kInputSide, kStateSide, kCandidateSide };  // of the forward products; the last: U_n where r h enters it
constexpr int kSides = 3;

// Vectors of the weights that are taken lane by lane; each plane of padded H, zero beyond H.
template <class T> struct Vectors {
  const T* bias;      // of the sums' planes, or added after normalisation
  const T* peephole;  // i f o, or null
  const T *n_ih, *n_hh, *n_c, *m_c;
};
enum { kBiasPlanes = 4, kPeepholePlanes = 3 };

// A row of sums on the tape, before any activation. Planes of padded H: RNN a; LSTM i f g o, and where sides are normed
// apart those of x W, then those of h U; GRU n r z (h U_n + b_hn); GRU with the reset before the product n r z (r h).
template <class T> struct VariantForwardJob {
  ForwardJob<T> plain;  // whose tape has the sums, and the carried cells
  Options options;
  Masks<T> masks;
  const T* panels[kSides];  // null where the weights are read as they lie
  Vectors<T> vectors;
  T* projected;             // [rows of all steps][padded P] before the projection's clip, or null
  Weights<T> as_they_lie;
};

template <class T> struct VariantBackwardJob {
  BackwardJob<T> plain;  // dgates in the rows of the sums, those of the state's side last where they differ
  Options options;
  Masks<T> masks;
  Vectors<T> vectors;
  const T* projected;
  T* entering;  // [rows of all steps][padded P], h times h_in, or null
};

// Sums of one chunk, in planes of padded H: bias 4, gains of n_ih 4, of n_hh 4, peepholes 3, n_c, m_c.
enum SumPlane { kSumBias = 0, kSumInput = 4, kSumState = 8, kSumPeephole = 12, kSumCell = 15, kSumShift = 16, kSumPlanes = 17 };

template <class T> struct VariantKernels {
  int64_t (*stride)(const Shape&, const Options&);  // of a row of sums
  int64_t (*panel_count)(const Shape&, int side);
  int64_t (*panel_size)(const Shape&, int side);    // elements of one
  void (*pack)(const Shape&, const T* weight, T* to, int side, int64_t first, int64_t last);
  int64_t (*forward_scratch)(const VariantForwardJob<T>&, const Chunk&);
  void (*forward)(const VariantForwardJob<T>&, const Chunk&, T* scratch);
  int64_t (*backward_scratch)(const VariantBackwardJob<T>&, const Chunk&);
  void (*backward)(const VariantBackwardJob<T>&, const Chunk&, T* sums, T* scratch);  // sums: [kSumPlanes][padded H] or null
};
