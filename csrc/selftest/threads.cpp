// Several callers at once, a forked child, and what the kernels leave behind in the thread that calls them.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "groups.hpp"
#include "native.hpp"

namespace selftest {
namespace {

// A layer whose rows are divided among threads, one whose neurons are, and one that is too small for either.
void check_three(uint64_t seed, int threads, const std::string& who) {
  Draw draw(seed);
  for (const Recurrence& how : recurrences())
    for (std::array<int64_t, 5> sizes : {std::array<int64_t, 5>{12, 16, 16, 40, 2}, {2, 3, 16, 192, 1}, {3, 2, 3, 5, 1}}) {
      Way way;
      way.threads = threads;
      const Problem p = draw_problem(draw, how, sizes, draw.coin(), true, true);
      check_layer(p, way, who + ": " + describe(p, way));
    }
}

}  // namespace

void check_threads(const Extent& extent) {
  for (int callers : {2, 4}) {
    std::vector<std::thread> all;
    for (int i = 0; i < callers; i++)
      all.emplace_back([i, &extent] {
        for (int times = 0; times < (extent.quick ? 1 : 6); times++)
          check_three(uint64_t(100 * i + times), 2 + (i + times) % 3, "caller " + std::to_string(i));
      });
    for (auto& one : all) one.join();
  }
}

void check_fork(const Extent& extent) {
  if (extent.emulated) {
    std::printf("fork: left out, QEMU's user emulation ends itself when a forked child starts a thread\n");
    return;
  }
#if defined(__SANITIZE_THREAD__)
  std::printf("fork: left out, ThreadSanitizer starts no threads after a fork\n");
#else
  check_three(3, 3, "before a fork");
  std::fflush(nullptr);
  for (int times = 0; times < 3; times++) {
    const pid_t child = fork();
    if (child == 0) {
      const int64_t before = failures();
      check_three(4, 3, "child");
      _exit(failures() == before ? 0 : 1);
    }
    int status = -1;
    expect(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0,
           "a forked child computes, status " + std::to_string(status));
  }
  check_three(5, 3, "after a fork");
#endif
}

void check_denormals() {
  Draw draw(1);
  volatile float tiny = 1e-30f;
  for (int threads : {1, 4}) {
    Way way;
    way.threads = threads;
    const Problem p = draw_problem(draw, recurrences()[0], {12, 16, 16, 60, 2}, false, true, true);
    check_layer(p, way, describe(p, way));
    expect(tiny * 1e-10f > 0, "denormals are numbers again after a call on " + std::to_string(threads) + " threads");
  }
}

}  // namespace selftest
