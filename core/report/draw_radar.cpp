#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/words.h"
#include "report/draw_figure.h"
#include "report/figure_data.h"
#include "report/figure_sheet.h"
#include "report/number_text.h"

namespace lowbit::report {
namespace {

constexpr double kRadius = 150;
constexpr double kDotLine = 34;  // height of an axis of the dot plot

using Ratios = std::vector<std::optional<double>>;

/// By row, then by axis.
std::vector<Ratios> ratios_of(const MeasuredFigure& measured) {
  std::vector<Ratios> out;
  for (const MeasuredRow& row : measured.rows) out.push_back(relative_to_baseline(measured, row.points.front()));
  return out;
}

const MeasuredRow* baseline_of(const MeasuredFigure& measured) {
  const auto row =
      std::find_if(measured.rows.begin(), measured.rows.end(), [](const MeasuredRow& r) { return r.baseline; });
  return row == measured.rows.end() ? nullptr : &*row;
}

/// "16.2 %": what 1 stands for on an axis.
std::string baseline_text(const FigureSpec& figure, const MeasuredFigure& measured, std::size_t axis) {
  const MeasuredRow* row = baseline_of(measured);
  const ColumnSpec& column = figure.quantities[axis].column;
  if (row == nullptr || !row->points.front().values[axis].is_number()) return "1 = (not there)";
  return "1 = " + significant(shown(column, row->points.front().values[axis].figure.value), 3) +
         (column.percent ? " %" : "");
}

std::vector<std::string> with_explanation(const FigureSpec& figure, const MeasuredFigure& measured,
                                          const std::string& where, std::vector<std::string> footnotes) {
  const MeasuredRow* row = baseline_of(measured);
  std::vector<std::string> inverted;
  for (std::size_t i = 0; i < measured.better.size(); ++i) {
    if (measured.better[i] == Better::down) inverted.push_back(figure.quantities[i].column.label.value);
  }
  std::string text = "multiples of " + (row == nullptr ? std::string("the baseline") : row->label);
  if (!inverted.empty()) text += "; baseline over value for " + joined(inverted);
  footnotes.insert(footnotes.begin(), text + ": " + where + " is better");
  return footnotes;
}

std::vector<LegendEntry> legend_of(const MeasuredFigure& measured, const std::vector<RowStyle>& styles,
                                   const std::vector<Ratios>& ratios, bool dots) {
  std::vector<LegendEntry> entries;
  for (std::size_t i = 0; i < measured.rows.size(); ++i) {
    using Sample = LegendEntry::Sample;
    const bool baseline = measured.rows[i].baseline;
    const bool there = std::any_of(ratios[i].begin(), ratios[i].end(), [](const auto& r) { return r.has_value(); });
    const std::string ending = baseline ? " = 1" : there ? "" : " (not there)";
    entries.push_back({baseline ? Sample::line
                       : dots   ? Sample::marker
                                : Sample::marked_line,
                       measured.rows[i].label + ending, styles[i]});
  }
  return entries;
}

class Radar {
 public:
  Radar(const FigureSpec& figure, const MeasuredFigure& measured)
      : figure_(figure),
        measured_(measured),
        sheet_(figure, summary_of(figure, measured)),
        ratios_(ratios_of(measured)),
        styles_(styles_of(measured)) {}

  std::string draw(std::vector<std::string> footnotes) {
    sheet_.legend(legend_of(measured_, styles_, ratios_, false));
    centre_ = {kSheetWidth / 2, sheet_.y + 46 + kRadius};
    scale_ = {.low = 0, .high = figure_.range, .log = false, .from = 0, .to = kRadius};
    web();
    for (std::size_t i = 0; i < ratios_.size(); ++i) {
      if (!measured_.rows[i].baseline) polygon(i);
    }
    labels();
    sheet_.y = centre_.y + kRadius + 46;
    footnotes = with_explanation(figure_, measured_, "outwards", std::move(footnotes));
    footnotes.front() += "; rings from 0 to " + range_text();
    if (n_beyond_ > 0) {
      footnotes.insert(footnotes.begin() + 1, "hollow marks lie beyond the outer ring");
    }
    sheet_.footnotes(footnotes);
    return sheet_.finish();
  }

 private:
  [[nodiscard]] std::string range_text() const { return significant(figure_.range, 4); }

  [[nodiscard]] double angle(std::size_t axis) const {
    const auto n = static_cast<double>(figure_.quantities.size());
    return 2 * std::numbers::pi * static_cast<double>(axis) / n - std::numbers::pi / 2;
  }

  [[nodiscard]] Spot spot(std::size_t axis, double radius) const {
    return {centre_.x + radius * std::cos(angle(axis)), centre_.y + radius * std::sin(angle(axis))};
  }

  [[nodiscard]] std::vector<Spot> ring(double radius) const {
    std::vector<Spot> spots;
    for (std::size_t axis = 0; axis < figure_.quantities.size(); ++axis) spots.push_back(spot(axis, radius));
    return spots;
  }

  void web() {
    const Ticks ticks = linear_ticks(0, figure_.range, 6);
    for (const double value : ticks.at) {
      if (value > 0) sheet_.svg.path(ring(scale_(value)), {.color = kGrid}, true);
    }
    sheet_.svg.path(ring(kRadius), {.color = "#b9bfc6"}, true);
    for (std::size_t axis = 0; axis < figure_.quantities.size(); ++axis) {
      sheet_.svg.line(centre_, spot(axis, kRadius), {.color = kGrid});
    }
    sheet_.svg.path(ring(scale_(1)), {.color = kNeutral, .width = 1.6, .dash = "5 4"}, true);
    for (const double value : ticks.at) {
      const double y = centre_.y - scale_(value);
      sheet_.svg.text({centre_.x - 5, y + 4}, tick_text(value, ticks.digits),
                      {.size = 10, .anchor = Anchor::end, .color = kDim, .halo = true});
    }
  }

  /// Joins neighbours only: across a value that is not there nothing is drawn.
  void polygon(std::size_t row) {
    const Ratios& ratios = ratios_[row];
    const RowStyle& style = styles_[row];
    const std::size_t n = ratios.size();
    std::vector<std::optional<Spot>> spots(n);
    std::vector<bool> beyond(n, false);
    for (std::size_t axis = 0; axis < n; ++axis) {
      if (!ratios[axis]) continue;
      beyond[axis] = *ratios[axis] > figure_.range;
      spots[axis] = spot(axis, scale_(std::clamp(*ratios[axis], 0.0, figure_.range)));
      n_beyond_ += beyond[axis] ? 1 : 0;
    }
    std::vector<Spot> all;
    for (const auto& at : spots) {
      if (at) all.push_back(*at);
    }
    const Stroke stroke{.color = style.color, .width = 2, .dash = style.dash};
    if (all.size() == n) {
      sheet_.svg.area(all, style.color, 0.04);
      sheet_.svg.path(all, stroke, true);
    } else {
      for (std::size_t axis = 0; axis < n; ++axis) {
        if (spots[axis] && spots[(axis + 1) % n]) sheet_.svg.path({*spots[axis], *spots[(axis + 1) % n]}, stroke);
      }
    }
    for (std::size_t axis = 0; axis < n; ++axis) {
      if (spots[axis]) sheet_.svg.marker(style.marker, *spots[axis], style.color, beyond[axis]);
    }
  }

  void labels() {
    for (std::size_t axis = 0; axis < figure_.quantities.size(); ++axis) {
      const double side = std::cos(angle(axis));
      const double up = std::sin(angle(axis));
      const Anchor anchor = side > 0.1 ? Anchor::start : side < -0.1 ? Anchor::end : Anchor::middle;
      const Spot at = spot(axis, kRadius + 12);
      const double y = at.y + 4 + 8 * up - (up < -0.9 ? 10 : 0);
      const double room = anchor == Anchor::middle ? 2 * kRadius : kSheetWidth / 2 - kRadius * std::abs(side) - 30;
      sheet_.svg.text({at.x, y}, shortened_to(figure_.quantities[axis].column.label.value, room, 12),
                      {.anchor = anchor});
      sheet_.svg.text({at.x, y + 13}, baseline_text(figure_, measured_, axis),
                      {.size = 10, .anchor = anchor, .color = kDim});
    }
  }

  const FigureSpec& figure_;
  const MeasuredFigure& measured_;
  Sheet sheet_;
  std::vector<Ratios> ratios_;
  std::vector<RowStyle> styles_;
  Spot centre_;
  Scale scale_;
  int n_beyond_ = 0;
};

}  // namespace

std::string draw_radar(const FigureSpec& figure, const MeasuredFigure& measured,
                       const std::vector<std::string>& footnotes) {
  return Radar(figure, measured).draw(footnotes);
}

std::string draw_dots(const FigureSpec& figure, const MeasuredFigure& measured,
                      const std::vector<std::string>& footnotes) {
  Sheet sheet(figure, summary_of(figure, measured));
  const std::vector<RowStyle> styles = styles_of(measured);
  const std::vector<Ratios> ratios = ratios_of(measured);
  sheet.legend(legend_of(measured, styles, ratios, true));
  double low = 1;
  double high = 1;
  for (const Ratios& row : ratios) {
    for (const auto& ratio : row) {
      low = std::min(low, ratio.value_or(1));
      high = std::max(high, ratio.value_or(1));
    }
  }
  double label_width = 0;
  for (std::size_t axis = 0; axis < figure.quantities.size(); ++axis) {
    const double width = std::max(text_width(figure.quantities[axis].column.label.value, 12),
                                  text_width(baseline_text(figure, measured, axis), 10));
    label_width = std::max(label_width, std::min(width, 220.0));
  }
  Scale scale = scale_around(low, high, false, 8);
  const PlotArea area{.left = kSheetMargin + label_width + 16,
                      .top = sheet.y,
                      .right = kSheetWidth - kSheetMargin - 8,
                      .bottom = sheet.y + static_cast<double>(figure.quantities.size()) * kDotLine};
  scale.from = area.left;
  scale.to = area.right;
  const Ticks ticks = scale.ticks(8);
  for (const double value : ticks.at) {
    sheet.svg.line({scale(value), area.top}, {scale(value), area.bottom}, {.color = kGrid});
  }
  sheet.svg.line({scale(1), area.top}, {scale(1), area.bottom}, {.color = kNeutral, .width = 1.6, .dash = "5 4"});
  const auto n_rows = static_cast<double>(measured.rows.size() - (baseline_of(measured) == nullptr ? 0 : 1));
  for (std::size_t axis = 0; axis < figure.quantities.size(); ++axis) {
    const double y = area.top + (static_cast<double>(axis) + 0.5) * kDotLine;
    sheet.svg.line({area.left, y}, {area.right, y}, {.color = kGrid});
    sheet.svg.text({area.left - 8, y}, shortened_to(figure.quantities[axis].column.label.value, label_width, 12),
                   {.anchor = Anchor::end});
    sheet.svg.text({area.left - 8, y + 12}, baseline_text(figure, measured, axis),
                   {.size = 10, .anchor = Anchor::end, .color = kDim});
    double place = -(n_rows - 1) / 2;  // rows stand a little apart: none hides another
    for (std::size_t row = 0; row < ratios.size(); ++row) {
      if (measured.rows[row].baseline) continue;
      constexpr double kApart = 7;
      if (ratios[row][axis]) {
        sheet.svg.marker(styles[row].marker, {scale(*ratios[row][axis]), y + place * kApart}, styles[row].color);
      }
      place += 1;
    }
  }
  draw_x_ticks(sheet.svg, area, scale, ticks);
  sheet.y = area.bottom + 22;
  sheet.footnotes(with_explanation(figure, measured, "to the right", footnotes));
  return sheet.finish();
}

}  // namespace lowbit::report
