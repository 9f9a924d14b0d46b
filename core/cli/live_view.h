// What a running experiment looks like on a terminal: a model of it as lines, failures first. Pure: no terminal, clock
// or environment; cli/live_display.h has those.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exec/snapshot.h"

namespace lowbit::cli {

/// Where a variant stands in the matrix of a sweep: its stage is the column, its coordinates without seed are the row.
struct MatrixPlace {
  std::string row;  ///< "num_bits=3"; empty: no axes
};

struct LiveModel {
  exec::Snapshot now;
  std::vector<MatrixPlace> places;      ///< by variant
  double seconds = 0;                   ///< since the run began
  std::map<std::string, double> rates;  ///< units of progress a second, by label of a running job
  std::map<std::string, double> left;   ///< seconds, by label of a running job
  std::optional<double> left_seconds;   ///< of everything whose like has run before
  std::size_t left_unknown = 0;         ///< variants to come whose like has not
  bool ended = false;                   ///< the last picture: it stays
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
