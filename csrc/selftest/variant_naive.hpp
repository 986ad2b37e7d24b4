// One layer with options in plain double loops, forward only, written from the equations; differences give its gradients.
#pragma once
#include <array>

#include "../variant.hpp"
#include "check.hpp"

namespace selftest {

// w_ih w_hh b_ih b_hh w_hr, then peepholes, gains of x W, of h U, of the cell, and the cell's bias; empty where not used.
using VariantNumbers = std::array<Numbers, 10>;
enum VariantPart { kWih, kWhh, kBih, kBhh, kWhr, kWp, kNih, kNhh, kNc, kMc };

struct VariantProblem {
  int kind;
  Options options;
  int64_t T, B, I, H, P, D;
  bool reverse;
  std::vector<int64_t> lengths;         // [B]
  Numbers x, h0, c0;                    // [T, B, I], [D, B, P], [D, B, H]
  std::vector<VariantNumbers> weights;  // of each direction
  Numbers h_in, keep_h, keep_c;         // [D, B, P], [D, T, B, P], [D, T, B, H]; empty for none
  double share_h = 0, share_c = 0;      // where there is no tensor
};

// Outputs [T, B, D*P], zero past a row's length, then the last h [D, B, P] and c [D, B, H].
Numbers solve(const VariantProblem& p);

}  // namespace selftest
