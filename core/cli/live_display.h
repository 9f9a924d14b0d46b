// `lowbit run` on a terminal: a block at the bottom that is redrawn in place (cli/live_view.h), above it a line for
// each thing that a person will want to scroll back to. Everywhere else: cli/run_reporter.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include "cli/live_view.h"
#include "cli/run_reporter.h"
#include "graph/cost.h"

namespace lowbit::cli {

/// Whether stderr is a terminal that can be redrawn: not TERM=dumb.
[[nodiscard]] bool can_redraw();

/// The paper that a terminal is: 80 columns of 24 lines where `descriptor` is none.
[[nodiscard]] Paper paper_of(int descriptor);

/// All calls on one thread.
class LiveDisplay : public exec::RunReporter {
 public:
  explicit LiveDisplay(graph::CostHistory history) : history_(std::move(history)) {}
  ~LiveDisplay() override;

  void on_recovery(const exec::Recovery& recovery) override;
  void on_plan(const graph::ExpandedGraph& graph, const graph::Plan& plan) override;
  void on_event(const exec::Event& event) override;
  void on_tick(const exec::Snapshot& now) override;
  [[nodiscard]] std::chrono::milliseconds tick() const override;
  /// The last picture, which stays.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  void draw();
  void erase();
  [[nodiscard]] bool drawn_before() const { return !lines_on_screen_.empty(); }

  LineReporter lines_{false};
  graph::CostHistory history_;
  LiveModel model_;
  std::size_t variants_ = 0;
  std::vector<std::string> lines_on_screen_;
  Clock::time_point started_ = Clock::now();
};

}  // namespace lowbit::cli
