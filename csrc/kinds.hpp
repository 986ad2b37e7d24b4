// The recurrences, activations and the plain structures that cross between the planner and the kernels.
#pragma once
#include <cstdint>

enum Kind { kRnn = 0, kLstm = 1, kGru = 2, kGruBefore = 3 };
enum Activation {
  kTanh, kRelu, kSigmoid, kAffine, kLeakyRelu, kThresholdedRelu, kHardSigmoid, kElu, kSoftsign, kSoftplus,
  kScaledTanh  // with alpha and beta only
};

// Sizes of one layer: I inputs, H neurons, P width of the output (H, or the projection), and which recurrence.
struct Shape {
  int kind, activation;
  int64_t I, H, P;
  bool projected;
  bool from_zero = false;  // one step from a state of zeros: the recurrent product is zero and is not taken
  int64_t recurrent() const { return from_zero ? 0 : P; }
};

// Rows that one team of threads carries through all steps, longest first.
struct Chunk {
  int rows;
  int64_t steps;         // of the longest row
  const int* row;        // [rows] place in the batch
  const int* active;     // [steps + 1] rows that still have an observation; active[steps] = 0
  const int64_t* place;  // [steps] where the step's first row lies on the tape
};

// Where the rows of a sequence lie: element (t, row, k) is at base + time[t] + row * by_row + k.
template <class T> struct Rows {
  T* base;
  const int64_t* time;
  int64_t by_row;
  T* at(int64_t t, int row) const { return base + time[t] + row * by_row; }
};

// Packed weights of one layer and direction; forward: for w x; backward: for the products with w and w_hh transposed.
template <class T> struct Packed {
  T *forward, *bias, *projection;        // panels
  T *to_state, *to_input, *to_unprojected;
};

template <class T> struct Weights {
  const T *w_ih, *w_hh, *b_ih, *b_hh, *w_hr;
};

// What the forward pass leaves for the backward pass; rows of all chunks one after the other. Planes of a row of gates,
// each of padded H: LSTM i f g o; GRU n r z (h U_n + b_hn); GRU with the reset before the product n r z (r h).
template <class T> struct Tape {
  T *gates, *cells;  // [rows of all steps][gate_stride], [..][padded H]
};

template <class T> struct ForwardJob {
  Shape shape;
  bool reverse;
  Packed<T> packed;
  Rows<const T> x;
  Rows<T> y;
  const T *h0, *c0;  // [B, P], [B, H], or null for zeros
  T *hn, *cn;        // [B, P], [B, H]
  Tape<T> tape;      // null in inference
};

template <class T> struct BackwardJob {
  Shape shape;
  bool reverse;
  Packed<T> packed;
  Rows<const T> x, y, dy;  // dy.base may be null
  Rows<T> dx;              // base may be null
  const T *h0, *c0, *dhn, *dcn;
  T *dh0, *dc0;  // may be null
  Tape<T> tape;
  T* dgates;  // may be tape.gates
  T *dh, *raw;  // with a projection: [rows of all steps][padded P] and o tanh c [..][padded H]
  const T **x_row, **h_row;  // [rows of all steps], written here
  T** dx_row;                // null if dx is not wanted
  const T* zeros;
};

// One share of a weight gradient: columns [m0, m1) of rows times up to four vectors of dgates.
template <class T> struct OuterJob {
  const T* left;          // dgates or dh
  int64_t left_stride;
  int64_t offset[4];      // of each vector in a row of left
  int64_t out_row[4];     // the gradient's row of each vector's first lane
  int lanes[4];           // valid lanes of each vector
  int vectors;
  const T* const* right;  // [N] rows of x, y or o tanh c
  int64_t N, m0, m1;
  T* out;                 // [.., out_stride]
  int64_t out_stride;
  T *bias_out, *bias_out2;  // may be null
};

// Synchronises the threads of a team; size 1 costs nothing.
struct Team {
  int rank = 0, size = 1;
  void* barrier = nullptr;
  void (*wait)(void*) = nullptr;
  void sync() const {
    if (size > 1) wait(barrier);
  }
};

template <class T> struct VariantKernels;  // variant.hpp

template <class T> struct Kernels {
  int (*lanes)();
  int64_t (*gate_stride)(const Shape&);
  int64_t (*panel_size)(const Shape&, int which);          // elements of each part of Packed
  int64_t (*panel_count)(const Shape&, int which);
  void (*pack)(const Shape&, const Weights<T>&, const Packed<T>&, int which, int64_t first, int64_t last);
  int64_t (*forward_scratch)(const Shape&, const Chunk&);  // elements
  void (*forward)(const ForwardJob<T>&, const Chunk&, const Team&, T* scratch);
  int64_t (*backward_scratch)(const Shape&, const Chunk&);
  void (*backward)(const BackwardJob<T>&, const Chunk&, const Team&, T* scratch);
  int64_t (*outer_scratch)(int64_t columns);
  void (*outer)(const OuterJob<T>&, T* scratch);
  int64_t (*step_row_scratch)(const Shape&);               // elements
  void (*step_row)(const Shape&, const Weights<T>&, const T* x, T* h, T* c, T* scratch);
  uint64_t (*fingerprint)(const void*, uint64_t bytes);
  double (*peak)(int64_t repeats, T* sum);
  const VariantKernels<T>* variant;
};
