// The numbers of a figure, before anything is drawn. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/curve.h"
#include "domain/figure_spec.h"
#include "domain/study_results.h"
#include "report/figure_points.h"
#include "report/measured_table.h"

namespace lowbit::report {

/// One quantity of one point, in the units of the store.
struct MeasuredValue {
  Figure figure;
  std::optional<double> deviation;   ///< over seeds
  std::optional<Interval> interval;  ///< 95 % over items: shares and accuracies
  std::size_t n_seeds = 0;

  /// Something that can be drawn.
  [[nodiscard]] bool is_number() const;
};

struct MeasuredPoint {
  std::vector<std::pair<std::string, Json>> at;  ///< values on the axes of `over`
  Json place;                                    ///< line, heat: its value on the axis along x; null without one
  std::optional<double> x;                       ///< line: where it lies, if that is a number
  std::vector<MeasuredValue> values;             ///< as FigureSpec::quantities
};

/// Mean over seeds, at the steps that all of them have.
struct MeasuredCurve {
  Figure::State state = Figure::State::absent;  ///< number, absent or missing
  std::vector<CurvePoint> points;
  std::size_t n_seeds = 0;
  std::size_t n_not_numbers = 0;
  std::size_t n_steps_left_out = 0;  ///< that some seeds lack
};

struct MeasuredRow {
  std::string id;
  std::string label;
  bool baseline = false;
  std::vector<MeasuredPoint> points;
  std::vector<MeasuredCurve> curves;  ///< as FigureSpec::curves
};

struct MeasuredFigure {
  std::vector<MeasuredRow> rows;
  std::vector<Better> better;  ///< of each quantity; none where neither file nor schemas/metrics.yaml says it
  std::set<std::size_t> n_items;
  std::set<std::int64_t> seeds;
  std::size_t n_ungraded = 0;
  std::vector<std::string> missing;  ///< "score[seed=1] (failed)"
};

/// The results whose predictions or curves the figure needs.
struct FigureNeeds {
  std::vector<std::int64_t> answers;
  std::vector<std::int64_t> curves;
};
[[nodiscard]] FigureNeeds needs_of(const FigureSpec& figure, const FigurePoints& points,
                                   const std::vector<RowSources>& sources);

/// What measure() of tables refuses; LB7042 not the name of one curve; LB7043 a radar's axis of which nothing says
/// which way is better.
[[nodiscard]] Result<MeasuredFigure> measure_figure(const FigureSpec& figure, const FigurePoints& points,
                                                    const std::vector<RowSources>& sources, const Answers& answers,
                                                    const Curves& curves);

}  // namespace lowbit::report
