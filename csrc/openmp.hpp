// The OpenMP runtime that PyTorch runs on, where it is GNU's: its waiting threads then work for us too, instead of spinning beside ours.
#pragma once
#include <functional>

namespace recurra {

// Runs each(rank, size) on up to `threads` of its threads; false if there is no such runtime or this is a forked child.
bool run_openmp(int threads, const std::function<void(int, int)>& each);

// After fork: GNU's runtime has lost its threads and would wait for them for ever.
void forget_openmp();

}  // namespace recurra
