// What a running experiment looks like on a terminal: a model of it as lines, failures first. Pure: no terminal, clock
// or environment; cli/live_display.h has those.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exec/snapshot.h"
#include "graph/cost.h"

namespace lowbit::cli {

/// How long what runs and what is to come will take.
struct TimeLeft {
  std::map<std::string, double> by_job;  ///< seconds, by label of a running job
  std::optional<double> seconds;         ///< of everything that something is known of
  std::size_t unknown = 0;               ///< variants to come of which nothing is known
};

/// By what running jobs have told and by what the like of each has taken.
[[nodiscard]] TimeLeft time_left(const exec::Snapshot& now, const graph::CostHistory& history);

/// In the matrix of a sweep the stage of a variant is the column, its coordinates without seed are the row.
struct LiveModel {
  exec::Snapshot now;
  double seconds = 0;  ///< since the run began
  TimeLeft left;
  bool ended = false;  ///< the last picture: it stays
};

struct Paper {
  std::size_t width = 80;
  std::size_t height = 24;
  bool colour = true;
  bool unicode = true;  ///< else plain ASCII marks
};

/// At most `height` lines of at most `width` columns, without newlines. With colour, ANSI sequences stand between.
[[nodiscard]] std::vector<std::string> live_lines(const LiveModel& model, const Paper& paper);

/// Columns that a line takes on a terminal: ANSI sequences take none.
[[nodiscard]] std::size_t columns_of(const std::string& line);

/// What to write to put `lines` in the place of a block that now takes `rows` rows above the cursor.
[[nodiscard]] std::string redraw_text(std::size_t rows, const std::vector<std::string>& lines);

}  // namespace lowbit::cli
