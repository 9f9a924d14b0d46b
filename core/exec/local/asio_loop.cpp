#include "exec/local/asio_loop.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <utility>

namespace lowbit::exec {

namespace asio = boost::asio;

// Hashing and syncing overlap with scheduling; more threads than this would only compete with the jobs.
constexpr std::size_t kBackgroundThreads = 2;

AsioLoop::AsioLoop() : work_(asio::make_work_guard(context_)), signals_(context_), background_(kBackgroundThreads) {}

AsioLoop::~AsioLoop() { background_.join(); }

void AsioLoop::post(Task task) { asio::post(context_, std::move(task)); }

void AsioLoop::after(std::chrono::milliseconds delay, Task task) {
  auto timer = std::make_shared<asio::steady_timer>(context_, delay);
  timer->async_wait([timer, task = std::move(task)](const boost::system::error_code& code) {
    if (!code) task();
  });
}

void AsioLoop::in_background(Task work, Task then) {
  asio::post(background_, [this, work = std::move(work), then = std::move(then)]() mutable {
    work();
    post(std::move(then));
  });
}

void AsioLoop::on_interrupt(Task task) {
  interrupted_ = std::move(task);
  signals_.add(SIGINT);
  signals_.add(SIGTERM);
  wait_for_interrupt();
}

void AsioLoop::wait_for_interrupt() {
  signals_.async_wait([this](const boost::system::error_code& code, int) {
    if (code) return;
    interrupted_();
    wait_for_interrupt();
  });
}

void AsioLoop::run() {
  context_.run();
  background_.stop();  // what has not begun there has nobody left to tell
  background_.join();  // what runs there refers to objects that end when this returns
}
void AsioLoop::stop() { context_.stop(); }

}  // namespace lowbit::exec
