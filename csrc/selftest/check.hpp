// Counts what passes and what fails, draws repeatable numbers, and measures errors.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace selftest {

using Numbers = std::vector<double>;

// Counts one check and prints it if it failed; may be called by several threads.
void expect(bool passed, const std::string& what);

// norm(found - wanted) / norm(wanted) is at most the bound, with a quarter of each number's order of one as the least norm;
// where all wanted numbers are zero, so are those found.
void expect_close(const Numbers& found, const Numbers& wanted, double bound, const std::string& what);

double relative_error(const Numbers& found, const Numbers& wanted);

// Prints "N passed, M failed"; the process's exit status.
int report();

int64_t failures();

// Repeatable numbers (splitmix64).
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}
  uint64_t bits();
  int64_t below(int64_t n) { return int64_t(bits() % uint64_t(n)); }
  bool coin() { return bits() & 1; }
  // Uniform in (-scale, scale), a float's value, so that both types are handed the same numbers.
  double number(double scale);
  Numbers numbers(int64_t n, double scale);

 private:
  uint64_t state_;
};

}  // namespace selftest
