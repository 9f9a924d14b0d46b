// Threads that each run whole pieces of work, every tensor operation inside on one thread. What a piece computes does
// not depend on how many threads there are, so neither do the bits of a result.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace lowbit::lm::train {

/// From its construction on, tensor operations of the calling thread run on one thread too: OpenMP teams inside several
/// threads would only fight for the same cores, and OpenBLAS keeps its number of threads in one variable for all.
class ThreadPool {
 public:
  /// `n_threads` >= 1, the calling thread included.
  explicit ThreadPool(int64_t n_threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  /// Runs task(0) ... task(n - 1), in any order, and returns when all are done. When some throw, the exception of the
  /// smallest number is thrown here.
  void run(int64_t n, const std::function<void(int64_t)>& task);

 private:
  void serve();
  /// Takes tasks until none is left. REQUIRES: `lock` held; it is on return.
  void work(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(int64_t)>* task_ = nullptr;  // guarded by mutex_, as all below
  int64_t next_ = 0, n_tasks_ = 0, n_done_ = 0;
  std::vector<std::exception_ptr> failures_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace lowbit::lm::train
