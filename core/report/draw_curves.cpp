#include <algorithm>
#include <cmath>

#include "report/draw_figure.h"
#include "report/figure_data.h"
#include "report/figure_sheet.h"

namespace lowbit::report {
namespace {

constexpr double kPanelHeight = 170;
constexpr double kPanelGap = 24;
constexpr double kBolder = 1.08;         // bold text over text
constexpr std::size_t kMostSpots = 120;  // of a line: more cannot be told apart at this width

/// Neighbours averaged where there are more than can be drawn; cut where a value is none that the scale has.
std::vector<std::vector<Spot>> lines_of(const std::vector<CurvePoint>& points, const Scale& x, const Scale& y) {
  const std::size_t each = (points.size() + kMostSpots - 1) / kMostSpots;
  std::vector<std::vector<Spot>> lines(1);
  for (std::size_t begin = 0; begin < points.size(); begin += each) {
    const std::size_t end = std::min(begin + each, points.size());
    double step = 0;
    double value = 0;
    std::size_t n = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const auto& of_step = points[i].value;
      if (!of_step || !can_be_drawn(*of_step, y.log)) continue;
      step += static_cast<double>(points[i].step);
      value += *of_step;
      ++n;
    }
    if (n == 0) {
      if (!lines.back().empty()) lines.emplace_back();
      continue;
    }
    lines.back().push_back({x(step / static_cast<double>(n)), y(value / static_cast<double>(n))});
  }
  return lines;
}

class CurvesPlot {
 public:
  CurvesPlot(const FigureSpec& figure, const MeasuredFigure& measured)
      : figure_(figure),
        measured_(measured),
        styles_(styles_of(measured)),
        sheet_(figure, summary_of(figure, measured)) {}

  std::string draw(std::vector<std::string> footnotes) {
    std::vector<LegendEntry> entries;
    for (std::size_t i = 0; i < measured_.rows.size(); ++i) {
      const auto& curves = measured_.rows[i].curves;
      const bool there =
          std::any_of(curves.begin(), curves.end(), [](const MeasuredCurve& curve) { return !curve.points.empty(); });
      entries.push_back(
          {LegendEntry::Sample::line, measured_.rows[i].label + (there ? "" : " (not there)"), styles_[i]});
    }
    sheet_.legend(entries);
    const std::size_t per_line = figure_.curves.size() == 1 ? 1 : 2;
    const double width =
        (kSheetWidth - 2 * kSheetMargin - (per_line == 2 ? kPanelGap : 0)) / static_cast<double>(per_line);
    for (std::size_t i = 0; i < figure_.curves.size(); ++i) {
      const double left = kSheetMargin + static_cast<double>(i % per_line) * (width + kPanelGap);
      panel(i, left, left + width);
      const bool last = i % per_line == per_line - 1 || i + 1 == figure_.curves.size();
      if (last) sheet_.y += kPanelHeight + 66;
    }
    if (averaged_) footnotes.emplace_back("lines of more than 120 points are drawn as means of neighbours");
    sheet_.footnotes(footnotes);
    return sheet_.finish();
  }

 private:
  void panel(std::size_t curve, double left, double right) {
    const CurveSpec& spec = figure_.curves[curve];
    std::vector<double> steps;
    std::vector<double> values;
    for (const MeasuredRow& row : measured_.rows) {
      const auto& points = row.curves[curve].points;
      averaged_ = averaged_ || points.size() > kMostSpots;
      // The range is that of the lines: with thousands of points single ones are not drawn.
      for (const CurvePoint& point : points) {
        if (!point.value || !can_be_drawn(*point.value, spec.log)) continue;
        steps.push_back(static_cast<double>(point.step));
        values.push_back(*point.value);
      }
    }
    sheet_.svg.text({left, sheet_.y + 12}, shortened_to(spec.label.value, (right - left) / kBolder, 12),
                    {.bold = true});
    if (values.empty()) {
      sheet_.svg.text({left, sheet_.y + 40}, "nothing is there to draw", {.color = kDim});
      return;
    }
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const auto [first, last] = std::minmax_element(steps.begin(), steps.end());
    Scale y = scale_around(*low, *high, spec.log, 7);
    const Ticks y_ticks = y.ticks(7);
    Scale x{.low = *first, .high = *first < *last ? *last : *first + 1};
    const PlotArea area{.left = left + width_of_ticks(y_ticks) + 8,
                        .top = sheet_.y + 24,
                        .right = right,
                        .bottom = sheet_.y + 24 + kPanelHeight};
    x.from = area.left;
    x.to = area.right;
    y.from = area.bottom;
    y.to = area.top;
    draw_y_ticks(sheet_.svg, area, y, y_ticks);
    draw_x_ticks(sheet_.svg, area, x, x.ticks(figure_.curves.size() == 1 ? 8 : 5));
    sheet_.svg.text({(area.left + area.right) / 2, area.bottom + 32},
                    shortened_to(figure_.x_label, area.right - area.left, kTickSize),
                    {.size = kTickSize, .anchor = Anchor::middle});
    const bool smooth = figure_.smooth > 0;
    for (std::size_t row = 0; row < styles_.size() && smooth; ++row) {
      draw(measured_.rows[row].curves[curve].points, x, y, {.color = styles_[row].color, .width = 1, .opacity = 0.3});
    }
    for (std::size_t row = 0; row < styles_.size(); ++row) {
      const auto points = smoothed(measured_.rows[row].curves[curve].points, figure_.smooth);
      draw(points, x, y, {.color = styles_[row].color, .width = 1.8, .dash = styles_[row].dash});
    }
  }

  void draw(const std::vector<CurvePoint>& points, const Scale& x, const Scale& y, const Stroke& stroke) {
    for (const std::vector<Spot>& line : lines_of(points, x, y)) sheet_.svg.path(line, stroke);
  }

  const FigureSpec& figure_;
  const MeasuredFigure& measured_;
  std::vector<RowStyle> styles_;
  Sheet sheet_;
  bool averaged_ = false;
};

}  // namespace

std::string draw_curves(const FigureSpec& figure, const MeasuredFigure& measured,
                        const std::vector<std::string>& footnotes) {
  return CurvesPlot(figure, measured).draw(footnotes);
}

}  // namespace lowbit::report
