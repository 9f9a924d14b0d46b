// The one thread on which everything the scheduler does happens, and the only way to wait for anything.
#pragma once

#include <chrono>
#include <functional>

namespace lowbit::exec {

class Loop {
 public:
  using Task = std::function<void()>;
  virtual ~Loop() = default;

  /// Time that only passes; what `after` counts by.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point now() const { return std::chrono::steady_clock::now(); }
  /// Runs `task` on the loop's thread, later. Callable from any thread.
  virtual void post(Task task) = 0;
  virtual void after(std::chrono::milliseconds delay, Task task) = 0;
  /// Runs `work` on another thread, then `then` on the loop's.
  virtual void in_background(Task work, Task then) = 0;
};

}  // namespace lowbit::exec
