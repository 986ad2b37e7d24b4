// The groups of checks that main runs, one after the other.
#pragma once

namespace selftest {

// How much is run: quick is for emulation and for builds that run many times slower.
struct Extent {
  bool quick = false;
  bool emulated = false;  // under an emulator of another processor
};

void check_equations(const Extent& extent);  // the naive backward pass against central differences of the naive forward
void check_layers(const Extent& extent);     // every kind, type, layout and odd size
void check_variants(const Extent& extent);  // layers with options, and their steps
void check_stepper(const Extent& extent);    // one observation at a time, selected rows, changed weights
void check_threads(const Extent& extent);    // several callers at once
void check_fork(const Extent& extent);       // a child of a process that used threads
void check_denormals();                      // the mode is put back

}  // namespace selftest
