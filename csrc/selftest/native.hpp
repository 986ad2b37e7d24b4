// The kernels run on a problem: numbers laid out in memory of exactly the size needed, NaN where nothing may be read.
#pragma once
#include "naive.hpp"

namespace selftest {

enum class Layout {
  kTimeFirst,   // [T, B, ...] without gaps
  kBatchFirst,  // [B, T, ...] without gaps
  kGaps,        // [T, B, ...] with gaps between rows and between steps
  kPacked       // valid steps only, rows longest first; lengths must fall, none may be 0
};

// How the kernels are called; every way must give the same numbers.
struct Way {
  bool is_double = false;
  Layout layout = Layout::kTimeFirst;
  int threads = 1;
  bool states = true, dy = true, dlast = true;  // whether these are handed in, or null
  bool dx = true, dfirst = true, weights = true;  // whether these gradients are wanted
  bool twice = false;                             // whether the tape serves two backward passes
};

// What the kernels give. Numbers that must not be written count as failures, and `what` names the call.
Answer run_native(const Problem& p, const Way& way, const std::string& what);

// Both passes by the kernels and by the equations, every number compared. The bounds are those of the way's type.
void check_layer(const Problem& p, const Way& way, const std::string& what);

// The same call on NaN everywhere, so that the memory it lets go, which the next call gets, holds NaN.
void poison_memory(const Problem& p, const Way& way);

std::string describe(const Problem& p, const Way& way);

// Forward and gradient bounds of norm(found - wanted) / norm(wanted).
double forward_bound(bool is_double);
double gradient_bound(bool is_double);

}  // namespace selftest
