// What the kernels need of the process: waiting threads, buffers used again, denormals off. All of it survives fork.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>

#include "kinds.hpp"

namespace recurra {

// Runs each(0) .. each(tasks - 1) on up to `threads` threads, the caller among them; returns when all are done.
// If the threads are busy with another caller's work, the caller does everything itself.
void run_tasks(int threads, int tasks, const std::function<void(int)>& each);

// Runs each(team) for a team of `size` threads that may wait for each other; alone if the threads are busy.
void run_team(int size, const std::function<void(const Team&)>& each);

// 64-byte aligned memory that is kept for the next caller when it is let go.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes);
  ~Buffer();
  Buffer(Buffer&& other) noexcept : data_(other.data_), bytes_(other.bytes_) { other.data_ = nullptr; }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  template <class T> T* as() const { return static_cast<T*>(data_); }
  size_t bytes() const { return data_ ? bytes_ : 0; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

// Flushes denormals to zero in this thread until it goes out of scope.
class NoDenormals {
 public:
  NoDenormals();
  ~NoDenormals();

 private:
  unsigned long mode_;
};

size_t kept_bytes();

}  // namespace recurra
