// The one thread on which everything the scheduler does happens, and the only way to wait for anything.
#pragma once

#include <chrono>
#include <functional>

namespace lowbit::exec {

class Loop {
 public:
  using Task = std::function<void()>;
  virtual ~Loop() = default;

  /// Runs `task` on the loop's thread, later. Callable from any thread.
  virtual void post(Task task) = 0;
  virtual void after(std::chrono::milliseconds delay, Task task) = 0;
  /// Runs `work` on another thread, then `then` on the loop's.
  virtual void in_background(Task work, Task then) = 0;
};

}  // namespace lowbit::exec
