// What `lowbit run` tells a person while it works: one line per change of state, on stderr.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "exec/run.h"

namespace lowbit::cli {

/// All calls on one thread.
class LineReporter : public exec::RunReporter {
 public:
  explicit LineReporter(bool json) : json_(json) {}
  void on_recovery(const exec::Recovery& recovery) override;
  void on_plan(const graph::ExpandedGraph& graph, const graph::Plan& plan) override;
  void on_event(const exec::Event& event) override;

  /// The two halves of on_event() for a display that prints some of them only.
  void count(const exec::Event& event);
  void print(const exec::Event& event);

 private:
  void line(const std::string& state, const std::string& label, const std::string& text) const;

  bool json_;
  std::size_t to_do_ = 0;
  std::size_t settled_ = 0;
  std::map<std::string, std::chrono::steady_clock::time_point> last_heartbeat_;
};

/// The last line of a run: counts and, where something is left, the command that does it.
[[nodiscard]] std::string summary_line(const exec::RunSummary& summary, double seconds, const std::string& command);

}  // namespace lowbit::cli
