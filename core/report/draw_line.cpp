#include <algorithm>
#include <cmath>
#include <set>

#include "report/draw_figure.h"
#include "report/figure_data.h"
#include "report/figure_sheet.h"
#include "report/pareto_front.h"

namespace lowbit::report {
namespace {

constexpr double kLinePlotHeight = 300;
constexpr std::size_t kMostXValues = 10;  // of an axis that are ticks themselves

struct Dot {
  double x = 0;
  double y = 0;
  std::optional<Interval> bar;
  bool drawn = true;  ///< false: a place along x where nothing is there, which cuts the line
};

class LinePlot {
 public:
  LinePlot(const FigureSpec& figure, const MeasuredFigure& measured)
      : figure_(figure),
        measured_(measured),
        y_(figure.quantities.back()),
        sheet_(figure, summary_of(figure, measured)) {
    for (const MeasuredRow& row : measured.rows) dots_.push_back(dots_of(row));
    styles_ = styles_of(measured);
  }

  std::string draw(const std::vector<std::string>& footnotes) {
    legend();
    place();
    sheet_.svg.text({kSheetMargin, area_.top - 12},
                    shortened_to(shown_label(y_.column), area_.right - kSheetMargin, 12), {});
    if (anything()) {
      draw_y_ticks(sheet_.svg, area_, y_scale_, y_scale_.ticks(7));
    } else {
      sheet_.svg.text({(area_.left + area_.right) / 2, (area_.top + area_.bottom) / 2}, "nothing is there to draw",
                      {.anchor = Anchor::middle, .color = kDim});
    }
    draw_x_ticks(sheet_.svg, area_, x_scale_, x_ticks());
    sheet_.svg.text({(area_.left + area_.right) / 2, area_.bottom + 34},
                    shortened_to(x_label(), area_.right - area_.left, 12), {.anchor = Anchor::middle});
    if (figure_.front != FigureSpec::Front::none) front();
    for (std::size_t i = 0; i < dots_.size(); ++i) {
      if (measured_.rows[i].baseline) {
        across(i);
      } else {
        row(i);
      }
    }
    sheet_.y = area_.bottom + 40;
    sheet_.footnotes(footnotes);
    return sheet_.finish();
  }

 private:
  [[nodiscard]] std::vector<Dot> dots_of(const MeasuredRow& row) const {
    std::vector<Dot> dots;
    for (const MeasuredPoint& point : row.points) {
      const MeasuredValue& value = point.values.back();
      if (!point.x && !row.baseline) continue;
      Dot dot{x_of(point), shown(y_.column, value.figure.value), std::nullopt, value.is_number()};
      if (!row.baseline && !can_be_drawn(dot.x, figure_.x_log)) continue;
      if (!can_be_drawn(dot.y, y_.log)) dot.drawn = false;
      if (!dot.drawn) {
        dots.push_back(dot);
        continue;
      }
      if (value.interval) dot.bar = {shown(y_.column, value.interval->low), shown(y_.column, value.interval->high)};
      if (!value.interval && value.deviation) {
        const double deviation = shown(y_.column, *value.deviation);
        dot.bar = {dot.y - deviation, dot.y + deviation};
      }
      // A logarithmic axis has no room for an end at 0 or below: the bar goes no further down than up.
      if (dot.bar && y_.log && dot.bar->low < kLeastDrawn) dot.bar->low = dot.y * dot.y / dot.bar->high;
      dots.push_back(dot);
    }
    std::stable_sort(dots.begin(), dots.end(), [](const Dot& a, const Dot& b) { return a.x < b.x; });
    return dots;
  }

  [[nodiscard]] double x_of(const MeasuredPoint& point) const {
    if (!point.x) return 0;
    return figure_.x_axis.value.empty() ? shown(figure_.quantities.front().column, *point.x) : *point.x;
  }

  [[nodiscard]] std::string x_label() const {
    if (!figure_.x_axis.value.empty()) return figure_.x_label.empty() ? figure_.x_axis.value : figure_.x_label;
    ColumnSpec column = figure_.quantities.front().column;
    if (!figure_.x_label.empty()) column.label.value = figure_.x_label;
    return shown_label(column);
  }

  [[nodiscard]] bool is_there(std::size_t row) const {
    return std::any_of(dots_[row].begin(), dots_[row].end(), [](const Dot& dot) { return dot.drawn; });
  }

  [[nodiscard]] bool anything() const {
    for (std::size_t row = 0; row < dots_.size(); ++row) {
      if (is_there(row)) return true;
    }
    return false;
  }

  void legend() {
    std::vector<LegendEntry> entries;
    for (std::size_t i = 0; i < dots_.size(); ++i) {
      const bool baseline = measured_.rows[i].baseline;
      using Sample = LegendEntry::Sample;
      const Sample sample = baseline ? Sample::line : figure_.joined ? Sample::marked_line : Sample::marker;
      entries.push_back({sample, measured_.rows[i].label + (is_there(i) ? "" : " (not there)"), styles_[i]});
    }
    if (figure_.front != FigureSpec::Front::none) {
      entries.push_back({LegendEntry::Sample::band, "Pareto front", {.color = "#000", .dash = {}}});
    }
    sheet_.legend(entries);
  }

  void place() {
    std::vector<double> xs;
    std::vector<double> ys;
    for (std::size_t i = 0; i < dots_.size(); ++i) {
      for (const Dot& dot : dots_[i]) {
        if (!measured_.rows[i].baseline) xs.push_back(dot.x);
        if (!dot.drawn) continue;
        ys.push_back(dot.y);
        if (dot.bar) ys.insert(ys.end(), {dot.bar->low, dot.bar->high});
      }
    }
    const auto around = [](std::vector<double> values, bool log, int most) {
      if (values.empty()) values = {1, 10};
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      return scale_around(*low, *high, log, most);
    };
    y_scale_ = around(ys, y_.log, 7);
    x_scale_ = around(xs, figure_.x_log, 8);
    if (!figure_.x_log) {  // points do not stand on the edge
      const auto [low, high] = xs.empty() ? std::pair(xs.begin(), xs.end()) : std::minmax_element(xs.begin(), xs.end());
      if (!xs.empty() && *low < *high) {
        const double margin = (*high - *low) / 25;
        x_scale_.low = *low - margin;
        x_scale_.high = *high + margin;
      }
    }
    area_.left = kSheetMargin + width_of_ticks(y_scale_.ticks(7)) + 8;
    area_.right = kSheetWidth - kSheetMargin;
    area_.top = sheet_.y + 28;
    area_.bottom = area_.top + kLinePlotHeight;
    y_scale_.from = area_.bottom;
    y_scale_.to = area_.top;
    x_scale_.from = area_.left;
    x_scale_.to = area_.right;
  }

  /// Few values of an axis are its ticks: 2, 3, 4 and 8 bits.
  [[nodiscard]] Ticks x_ticks() const {
    std::set<double> values;
    for (std::size_t i = 0; i < dots_.size(); ++i) {
      for (const Dot& dot : dots_[i]) {
        if (!measured_.rows[i].baseline) values.insert(dot.x);
      }
    }
    const bool whole = std::all_of(values.begin(), values.end(), [](double v) { return v == std::round(v); });
    if (figure_.x_axis.value.empty() || !whole || values.empty() || values.size() > kMostXValues) {
      return x_scale_.ticks(8);
    }
    return {{values.begin(), values.end()}, 0};
  }

  [[nodiscard]] Spot spot(const Dot& dot) const { return {x_scale_(dot.x), y_scale_(dot.y)}; }

  void front() {
    std::vector<Dot> all;
    std::vector<Trade> trades;
    const double sign = figure_.front == FigureSpec::Front::lowest ? 1 : -1;
    for (std::size_t i = 0; i < dots_.size(); ++i) {
      if (measured_.rows[i].baseline) continue;
      for (const Dot& dot : dots_[i]) {
        if (!dot.drawn) continue;
        all.push_back(dot);
        trades.push_back({dot.x, sign * dot.y});
      }
    }
    std::vector<Spot> through;
    for (const std::size_t i : pareto_front(trades)) through.push_back(spot(all[i]));
    sheet_.svg.path(through, {.color = "#000", .width = 9, .opacity = 0.18});
  }

  void across(std::size_t i) {
    for (const Dot& dot : dots_[i]) {
      if (!dot.drawn) continue;
      const double y = y_scale_(dot.y);
      sheet_.svg.line({area_.left, y}, {area_.right, y}, {.color = kNeutral, .width = 1.6, .dash = "5 4"});
    }
  }

  void row(std::size_t i) {
    const RowStyle& style = styles_[i];
    std::vector<Spot> line;
    const auto end_line = [&] {
      if (figure_.joined) sheet_.svg.path(line, {.color = style.color, .width = 1.8, .dash = style.dash});
      line.clear();
    };
    for (const Dot& dot : dots_[i]) {
      if (dot.drawn) line.push_back(spot(dot));
      if (!dot.drawn) end_line();
    }
    end_line();
    for (const Dot& dot : dots_[i]) {
      if (!dot.drawn) continue;
      if (dot.bar) error_bar(dot, style.color);
      sheet_.svg.marker(style.marker, spot(dot), style.color);
    }
  }

  void error_bar(const Dot& dot, std::string_view color) {
    constexpr double kCap = 3;
    const double x = x_scale_(dot.x);
    for (const double end : {dot.bar->low, dot.bar->high}) {
      sheet_.svg.line({x - kCap, y_scale_(end)}, {x + kCap, y_scale_(end)}, {.color = color});
    }
    sheet_.svg.line({x, y_scale_(dot.bar->low)}, {x, y_scale_(dot.bar->high)}, {.color = color});
  }

  const FigureSpec& figure_;
  const MeasuredFigure& measured_;
  const QuantitySpec& y_;
  Sheet sheet_;
  std::vector<std::vector<Dot>> dots_;  ///< by row
  std::vector<RowStyle> styles_;
  PlotArea area_;
  Scale x_scale_;
  Scale y_scale_;
};

}  // namespace

std::string draw_line(const FigureSpec& figure, const MeasuredFigure& measured,
                      const std::vector<std::string>& footnotes) {
  return LinePlot(figure, measured).draw(footnotes);
}

}  // namespace lowbit::report
