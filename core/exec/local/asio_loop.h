// Loop on Boost.Asio. Internal to exec/local and the programs that put parts together.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>

#include "exec/loop.h"

namespace lowbit::exec {

class AsioLoop : public Loop {
 public:
  AsioLoop();
  ~AsioLoop() override;

  void post(Task task) override;
  void after(std::chrono::milliseconds delay, Task task) override;
  void in_background(Task work, Task then) override;

  /// `task` runs at each SIGINT or SIGTERM, on the loop's thread: no code runs inside a signal handler.
  void on_interrupt(Task task);
  /// Runs until `stop()` and until background work has ended. Once only.
  void run();
  void stop();

  boost::asio::io_context& context() { return context_; }

 private:
  void wait_for_interrupt();

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::signal_set signals_;
  boost::asio::thread_pool background_;
  Task interrupted_;
};

}  // namespace lowbit::exec
