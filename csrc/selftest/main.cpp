// The kernels' own test, without Python: exits with 1 if anything differs from the equations.
#include <cstdio>
#include <cstring>
#include <exception>

#include "../layer.hpp"
#include "check.hpp"
#include "groups.hpp"

int main(int argc, char** argv) {
  using namespace selftest;
  Extent extent;
  for (int i = 1; i < argc; i++) {
    const bool quick = !std::strcmp(argv[i], "--quick"), emulated = !std::strcmp(argv[i], "--emulated");
    if (!quick && !emulated) {
      std::fprintf(stderr, "usage: %s [--quick] [--emulated]\n", argv[0]);
      return 2;
    }
    (quick ? extent.quick : extent.emulated) = true;
  }
  try {
    std::printf("%s: ", recurra::instruction_set());
    std::fflush(stdout);
    check_equations(extent);
    check_layers(extent);
    check_variants(extent);
    check_stepper(extent);
    check_threads(extent);
    check_fork(extent);
    check_denormals();
  } catch (const std::exception& error) {
    expect(false, std::string("an exception: ") + error.what());
  }
  return report();
}
