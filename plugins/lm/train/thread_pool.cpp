#include "lm/train/thread_pool.h"

#include "lm/torch.h"

namespace lowbit::lm::train {

ThreadPool::ThreadPool(int64_t n_threads) {
  set_threads(1);
  for (int64_t i = 1; i < n_threads; ++i) threads_.emplace_back([this] { serve(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(int64_t n, const std::function<void(int64_t)>& task) {
  std::unique_lock lock(mutex_);
  task_ = &task;
  next_ = 0;
  n_done_ = 0;
  n_tasks_ = n;
  failures_.assign(static_cast<size_t>(n), nullptr);
  changed_.notify_all();
  work(lock);
  changed_.wait(lock, [&] { return n_done_ == n_tasks_; });
  for (const std::exception_ptr& failure : failures_) {
    if (failure) std::rethrow_exception(failure);
  }
}

void ThreadPool::serve() {
  set_threads(1);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || next_ < n_tasks_; });
    if (stopping_) return;
    work(lock);
  }
}

void ThreadPool::work(std::unique_lock<std::mutex>& lock) {
  while (next_ < n_tasks_) {
    const int64_t mine = next_++;
    lock.unlock();
    std::exception_ptr failure;
    try {
      (*task_)(mine);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failures_[static_cast<size_t>(mine)] = failure;
    if (++n_done_ == n_tasks_) changed_.notify_all();
  }
}

}  // namespace lowbit::lm::train
