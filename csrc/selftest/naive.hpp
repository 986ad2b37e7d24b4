// One layer in plain double loops, forward and backward, written from the equations: what the kernels are held against.
#pragma once
#include <array>

#include "check.hpp"

namespace selftest {

// A recurrence that the kernels know: a row of the table at the head of naive.cpp.
struct Recurrence {
  const char* name;
  int kind, activation, gates;
  bool has_cell, projected;
};
const std::vector<Recurrence>& recurrences();
const std::vector<Recurrence>& activations();  // the plain layer with every other activation

// w_ih [G*H, I], w_hh [G*H, P], b_ih and b_hh [G*H] (empty without biases), w_hr [P, H] (empty without a projection).
using LayerNumbers = std::array<Numbers, 5>;

struct Problem {
  Recurrence how;
  int64_t T, B, I, H, P, D;
  std::vector<int64_t> lengths;       // [B]
  Numbers x, h0, c0;                  // [T, B, I], [D, B, P], [D, B, H]
  std::vector<LayerNumbers> weights;  // of each direction
  Numbers dy, dhn, dcn;               // [T, B, D*P], [D, B, P], [D, B, H]
};

struct Answer {
  Numbers y, hn, cn;      // zero past a row's length
  Numbers dx, dh0, dc0;   // dx [D, T, B, I]: one for each direction
  std::vector<LayerNumbers> gradients;
};

LayerNumbers draw_weights(Draw& draw, const Recurrence& how, int64_t inputs, int64_t H, int64_t P, bool biases);

// Lengths of every row 0..T if ragged, T otherwise; a state of zeros if not `states`.
Problem draw_problem(Draw& draw, const Recurrence& how, std::array<int64_t, 5> T_B_I_H_D, bool ragged, bool states, bool biases);

Answer solve(const Problem& p);

}  // namespace selftest
