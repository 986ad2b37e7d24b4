// Counts what passes and what fails, draws repeatable numbers, and measures errors.
#include "check.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>

namespace selftest {
namespace {

std::atomic<int64_t> passed_{0}, failed_{0};
constexpr int64_t kPrinted = 40;  // failures that are printed; the rest are counted

}  // namespace

void expect(bool passed, const std::string& what) {
  if (passed) {
    passed_++;
  } else if (failed_++ < kPrinted) {
    std::fprintf(stderr, "FAILED %s\n", what.c_str());
  }
}

double relative_error(const Numbers& found, const Numbers& wanted) {
  double apart = 0, size = 0;
  for (size_t i = 0; i < wanted.size(); i++) {
    apart += (found[i] - wanted[i]) * (found[i] - wanted[i]);
    size += wanted[i] * wanted[i];
  }
  if (size <= 0) return std::sqrt(apart);
  // numbers here are of the order of one; a single one may cancel to almost nothing, and its rounding does not shrink with it
  return std::sqrt(apart / std::max(size, double(wanted.size()) / 16));
}

void expect_close(const Numbers& found, const Numbers& wanted, double bound, const std::string& what) {
  if (found.size() != wanted.size()) return expect(false, what + ": another size");
  const double error = relative_error(found, wanted);
  expect(error <= bound, what + ": error " + std::to_string(error / bound) + " times the bound");  // a NaN fails
}

int report() {
  std::printf("%lld passed, %lld failed\n", static_cast<long long>(passed_), static_cast<long long>(failed_));
  return failed_ || !passed_ ? 1 : 0;
}

int64_t failures() { return failed_; }

uint64_t Draw::bits() {
  uint64_t z = state_ += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

double Draw::number(double scale) { return double(float(scale * (double(bits() >> 11) * 0x1p-52 - 1.0))); }

Numbers Draw::numbers(int64_t n, double scale) {
  Numbers all(static_cast<size_t>(n));
  for (double& one : all) one = number(scale);
  return all;
}

}  // namespace selftest
