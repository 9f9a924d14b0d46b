// Measured figures as pictures: SVG files that stand alone. Pure: equal numbers give equal bytes.
#pragma once

#include <string>
#include <vector>

#include "domain/figure_spec.h"
#include "report/measured_figure.h"

namespace lowbit::report {

struct DrawnFigure {
  std::string suffix;  ///< of the file's name: empty, or "-dots" for a radar's twin
  std::string svg;
};

/// `rerun` is the command that makes what is missing.
[[nodiscard]] std::vector<DrawnFigure> draw_figure(const FigureSpec& figure, const MeasuredFigure& measured,
                                                   const std::string& rerun);

/// Points in a plane, joined row by row; a baseline across; the Pareto front.
[[nodiscard]] std::string draw_line(const FigureSpec& figure, const MeasuredFigure& measured,
                                    const std::vector<std::string>& footnotes);
/// Multiples of the baseline on spokes.
[[nodiscard]] std::string draw_radar(const FigureSpec& figure, const MeasuredFigure& measured,
                                     const std::vector<std::string>& footnotes);
/// The same numbers as dots on parallel lines, where lengths can be compared.
[[nodiscard]] std::string draw_dots(const FigureSpec& figure, const MeasuredFigure& measured,
                                    const std::vector<std::string>& footnotes);
/// Shares on top of each other, a bar a row.
[[nodiscard]] std::string draw_bars(const FigureSpec& figure, const MeasuredFigure& measured,
                                    const std::vector<std::string>& footnotes);
/// What was reported step by step, a panel a curve.
[[nodiscard]] std::string draw_curves(const FigureSpec& figure, const MeasuredFigure& measured,
                                      const std::vector<std::string>& footnotes);
/// Cells whose colour is a number: points of an axis, or steps of a curve.
[[nodiscard]] std::string draw_heat(const FigureSpec& figure, const MeasuredFigure& measured,
                                    const std::vector<std::string>& footnotes);

}  // namespace lowbit::report
