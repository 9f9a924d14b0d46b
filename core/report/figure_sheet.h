// The parts that all figures have: title, legend, footnotes, axes, and how rows are told apart. Colours are those of
// Okabe and Ito; dash, marker and hatching tell the same without colour.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "domain/figure_spec.h"
#include "report/measured_figure.h"
#include "report/svg.h"
#include "report/ticks.h"

namespace lowbit::report {

inline constexpr double kSheetWidth = 640;
inline constexpr double kSheetMargin = 16;
inline constexpr double kTickSize = 11;  ///< of the text of ticks, footnotes and values
inline constexpr std::string_view kDim = "#56606a";
inline constexpr std::string_view kGrid = "#e3e6ea";
inline constexpr std::string_view kNeutral = "#6b7075";  ///< of the baseline

struct RowStyle {
  std::string_view color;
  std::string_view dash;
  Marker marker = Marker::circle;
};
/// The n-th row that is not the baseline.
[[nodiscard]] RowStyle row_style(std::size_t n);
[[nodiscard]] RowStyle baseline_style();
/// By row of the figure.
[[nodiscard]] std::vector<RowStyle> styles_of(const MeasuredFigure& measured);

struct PartStyle {
  std::string_view color;
  Hatch hatch = Hatch::none;
};
[[nodiscard]] PartStyle part_style(std::size_t n);

struct LegendEntry {
  enum class Sample { line, marked_line, marker, box, band };
  Sample sample = Sample::marked_line;
  std::string label;
  RowStyle style;
  Hatch hatch = Hatch::none;
};

/// From the top down: title, then what its user draws from `y` on, then footnotes.
class Sheet {
 public:
  Sheet(const FigureSpec& figure, const std::string& description);

  void legend(const std::vector<LegendEntry>& entries);
  void footnotes(const std::vector<std::string>& lines);
  [[nodiscard]] std::string finish() const { return svg.finish(kSheetWidth, y + kSheetMargin); }

  Svg svg;
  double y = kSheetMargin;  ///< where the next part begins
};

struct PlotArea {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

/// Grid lines and numbers for every tick; the axis itself is the user's.
void draw_y_ticks(Svg& svg, const PlotArea& area, const Scale& scale, const Ticks& ticks);
/// Labels that would touch the one before are left out, their marks are not. `texts` may be empty: tick_text().
void draw_x_ticks(Svg& svg, const PlotArea& area, const Scale& scale, const Ticks& ticks,
                  const std::vector<std::string>& texts = {});
/// Of the widest number along a y axis.
[[nodiscard]] double width_of_ticks(const Ticks& ticks);

/// In the unit of print: percent, kB.
[[nodiscard]] double shown(const ColumnSpec& column, double value);
/// "accuracy ↑ (%)"
[[nodiscard]] std::string shown_label(const ColumnSpec& column);

/// The first `width` pixels of a label, with … where something was left out.
[[nodiscard]] std::string shortened_to(const std::string& text, double width, double size);

}  // namespace lowbit::report
