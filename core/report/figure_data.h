// The numbers of a figure for programs, and in words. Pure.
#pragma once

#include <string>
#include <vector>

#include "domain/figure_spec.h"
#include "domain/query_result.h"
#include "report/measured_figure.h"

namespace lowbit::report {

/// One row a point, or a step of a curve; in the units of the store, never rounded; empty for what is not there. What
/// the drawing adds stands beside what was measured: multiples of the baseline, smoothed curves.
[[nodiscard]] QueryResult figure_data(const FigureSpec& figure, const MeasuredFigure& measured);

/// A quantity over that of the baseline, or the other way round where less is better: above 1 is better than the
/// baseline. By quantity; empty where one of the two is no number, or the divisor is 0.
[[nodiscard]] std::vector<std::optional<double>> relative_to_baseline(const MeasuredFigure& measured,
                                                                      const MeasuredPoint& point);

/// Exponentially weighted mean: s = w s + (1 - w) x, started so that a constant stays what it is; what is no number
/// changes nothing. REQUIRES: 0 <= weight < 1.
[[nodiscard]] std::vector<CurvePoint> smoothed(const std::vector<CurvePoint>& points, double weight);

/// What the figure shows, for those who cannot see it: a sentence a row.
[[nodiscard]] std::string summary_of(const FigureSpec& figure, const MeasuredFigure& measured);

/// What the figure rests on and what it lacks, one text a line; then the author's notes. `rerun` is the command that
/// makes what is missing.
[[nodiscard]] std::vector<std::string> footnotes_of(const FigureSpec& figure, const MeasuredFigure& measured,
                                                    const std::string& rerun);

}  // namespace lowbit::report
