// A pool of waiting threads and a store of buffers; a forked child forgets both and builds its own.
#include "runtime.hpp"

#include "openmp.hpp"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace recurra {
namespace {

void breathe() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constexpr int kSpins = 2000;  // before a waiting thread gives its core away

class Barrier {
 public:
  explicit Barrier(int size) : size_(size) {}
  void wait() {
    const unsigned turn = turn_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
      arrived_.store(0, std::memory_order_relaxed);
      turn_.store(turn + 1, std::memory_order_release);
      return;
    }
    for (int spins = 0; turn_.load(std::memory_order_acquire) == turn;)
      if (++spins < kSpins)
        breathe();
      else
        std::this_thread::yield();
  }

 private:
  const int size_;
  std::atomic<int> arrived_{0};
  std::atomic<unsigned> turn_{0};
};

class Pool {
 public:
  // Runs each(rank) for ranks 0..ranks-1, each on a thread of its own; false if the threads are taken.
  bool run(int ranks, const std::function<void(int)>& each) {
    std::unique_lock<std::mutex> turn(busy_, std::try_to_lock);
    if (!turn.owns_lock()) return false;
    if (!grow(ranks - 1)) return false;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      each_ = &each;
      ranks_ = ranks;
      left_.store(int(threads_.size()), std::memory_order_relaxed);
      job_.fetch_add(1, std::memory_order_release);
    }
    if (sleeping_.load(std::memory_order_seq_cst)) wake_.notify_all();
    each(0);
    for (int spins = 0; left_.load(std::memory_order_acquire);)
      if (++spins < kSpins)
        breathe();
      else
        std::this_thread::yield();
    return true;
  }

  void stop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopped_ = true;
      job_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  bool grow(int count) {
    if (stopped_) return count <= 0;
    try {
      while (int(threads_.size()) < count) {
        const int rank = int(threads_.size()) + 1;
        threads_.emplace_back(&Pool::work, this, rank, job_.load());
      }
    } catch (const std::exception&) {
      return false;
    }
    return true;
  }

  void work(int rank, unsigned seen) {
    for (;;) {
      for (int spins = 0; job_.load(std::memory_order_acquire) == seen && spins < kSpins; spins++) breathe();
      if (job_.load(std::memory_order_acquire) == seen) {
        std::unique_lock<std::mutex> lock(mutex_);
        sleeping_.fetch_add(1, std::memory_order_seq_cst);
        wake_.wait(lock, [&] { return job_.load(std::memory_order_acquire) != seen; });
        sleeping_.fetch_sub(1, std::memory_order_seq_cst);
      }
      seen = job_.load(std::memory_order_acquire);
      if (stopped_) return;
      if (rank < ranks_) (*each_)(rank);
      left_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex busy_, mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
  const std::function<void(int)>* each_ = nullptr;
  int ranks_ = 0;
  bool stopped_ = false;
  std::atomic<unsigned> job_{0};
  std::atomic<int> left_{0}, sleeping_{0};
};

// Buffers that were let go, by size; at most kKeep bytes in all.
class Store {
 public:
  static constexpr size_t kKeep = size_t(256) << 20;

  void* take(size_t& bytes) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      auto found = free_.lower_bound(bytes);
      if (found != free_.end() && found->first <= bytes + bytes / 4 + 4096) {
        void* data = found->second;
        bytes = found->first;
        kept_ -= bytes;
        free_.erase(found);
        return data;
      }
    }
    void* data = std::aligned_alloc(64, bytes);
    if (!data) throw std::bad_alloc();
    return data;
  }

  void give(void* data, size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (bytes > kKeep) {
      std::free(data);
      return;
    }
    free_.emplace(bytes, data);
    kept_ += bytes;
    while (kept_ > kKeep) {
      auto largest = std::prev(free_.end());
      kept_ -= largest->first;
      std::free(largest->second);
      free_.erase(largest);
    }
  }

  size_t kept() {
    std::lock_guard<std::mutex> lock(mutex_);
    return kept_;
  }

 private:
  std::mutex mutex_;
  std::multimap<size_t, void*> free_;
  size_t kept_ = 0;
};

// The first exception of several threads, kept until all are done.
class Failure {
 public:
  template <class F> void watch(F f) {
    try {
      f();
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!first_) first_ = std::current_exception();
    }
  }
  void raise() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
};

struct Process {
  Pool pool;
  Store store;
};

std::atomic<Process*> process_{nullptr};

// The child has no threads but the one that forked, and a lock may be held for ever: it starts anew.
void forget() {
  process_.store(nullptr, std::memory_order_release);
  forget_openmp();
}

void stop_threads() {
  if (Process* p = process_.load(std::memory_order_acquire)) p->pool.stop();
}

Process& process() {
  Process* now = process_.load(std::memory_order_acquire);
  if (now) return *now;
  static std::once_flag once;
  std::call_once(once, [] {
    pthread_atfork(nullptr, nullptr, forget);
    std::atexit(stop_threads);
  });
  auto* made = new Process;
  if (process_.compare_exchange_strong(now, made, std::memory_order_acq_rel)) return *made;
  delete made;
  return *now;
}

}  // namespace

void run_tasks(int threads, int tasks, const std::function<void(int)>& each) {
  if (threads > tasks) threads = tasks;
  std::atomic<int> next{0};
  Failure failure;
  const auto some = [&](int, int) {
    NoDenormals guard;
    failure.watch([&] {
      for (int i = next.fetch_add(1); i < tasks; i = next.fetch_add(1)) each(i);
    });
  };
  if (threads <= 1)
    some(0, 1);
  else if (process(), !run_openmp(threads, some))
    if (!process().pool.run(threads, [&](int rank) { some(rank, threads); })) some(0, 1);
  failure.raise();
}

void run_team(int size, const std::function<void(const Team&)>& each) {
  Barrier full(size);
  const auto one = [&](int rank, int ranks) {
    NoDenormals guard;
    if (ranks == size)
      each({rank, size, &full, [](void* b) { static_cast<Barrier*>(b)->wait(); }});
    else if (rank == 0)
      each({});  // fewer threads than asked for cannot wait for each other
  };
  if (size > 1) {
    process();
    if (run_openmp(size, one)) return;
    if (process().pool.run(size, [&](int rank) { one(rank, size); })) return;
  }
  one(0, 1);
}

Buffer::Buffer(size_t bytes) : bytes_((bytes + 63) / 64 * 64 + 64) { data_ = process().store.take(bytes_); }
Buffer::~Buffer() {
  if (data_) process().store.give(data_, bytes_);
}
size_t kept_bytes() { return process().store.kept(); }

#if defined(__x86_64__)
NoDenormals::NoDenormals() : mode_(_mm_getcsr()) { _mm_setcsr(unsigned(mode_) | 0x8040u); }
NoDenormals::~NoDenormals() { _mm_setcsr(unsigned(mode_)); }
#elif defined(__aarch64__)
NoDenormals::NoDenormals() {
  asm volatile("mrs %0, fpcr" : "=r"(mode_));
  asm volatile("msr fpcr, %0" ::"r"(mode_ | (1ul << 24)));
}
NoDenormals::~NoDenormals() { asm volatile("msr fpcr, %0" ::"r"(mode_)); }
#else
NoDenormals::NoDenormals() : mode_(0) {}
NoDenormals::~NoDenormals() {}
#endif

}  // namespace recurra
