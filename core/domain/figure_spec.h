// A figure as its author wrote it beside an experiment: checked for form, not yet looked up in results.
// docs/figures.md. Rows and quantities are those of tables: the same words mean the same results.
#pragma once

#include <string>
#include <vector>

#include "domain/metric_registry.h"
#include "domain/table_spec.h"

namespace lowbit {

/// Results that are drawn as one thing: a line, a polygon, a bar, a strip.
struct FigureRow {
  RowSpec row;             ///< nothing is `given`; the label may hold ${axis} for axes of `by`
  std::vector<Text> by;    ///< axes each of whose values makes a row of its own
  std::vector<Text> over;  ///< axes whose combinations are the points of a row
};

/// A number of a point: value, sum, mean, share or accuracy.
struct QuantitySpec {
  ColumnSpec column;
  bool log = false;              ///< its axis or colours are logarithmic
  Better better = Better::none;  ///< none: as schemas/metrics.yaml has it
};

struct CurveSpec {
  Text label;
  MetricOf metric;  ///< reported step by step
  bool log = false;
};

struct FigureSpec {
  enum class Kind { line, radar, bars, curves, heat };
  enum class Front { none, lowest, highest };

  Kind kind = Kind::line;
  Text name;
  std::string title;
  std::vector<FigureRow> rows;
  std::vector<std::string> notes;

  Text x_axis;          ///< line, heat: the axis of the experiment that lies along x; empty: quantities[0] does
  std::string x_label;  ///< line, heat, curves
  bool x_log = false;   ///< line
  /// line: x if it is one, then y. radar: at least three. bars: the parts from the left on. heat: what colour stands
  /// for, unless that is a curve.
  std::vector<QuantitySpec> quantities;
  std::vector<CurveSpec> curves;  ///< curves: one panel each. heat: one, its steps lie along x
  Text baseline;                  ///< line, radar: id of a row
  Front front = Front::none;      ///< line: which points no other one beats
  bool joined = true;             ///< line: the points of a row
  double range = 1.1;             ///< radar: outermost ring, in multiples of the baseline
  double smooth = 0;              ///< curves: weight of what came before, 0 to below 1
};

struct FiguresFile {
  Text experiment;
  std::vector<FigureSpec> figures;
};

}  // namespace lowbit
