#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "domain/coordinates.h"
#include "report/draw_figure.h"
#include "report/figure_data.h"
#include "report/figure_sheet.h"
#include "report/number_text.h"

namespace lowbit::report {
namespace {

constexpr double kCellHeight = 28;
constexpr double kMostCellWidth = 84;
constexpr double kMostHeatLabel = 220;

struct Rgb {
  double red = 0;
  double green = 0;
  double blue = 0;
};

/// Blues of one hue from light to dark: printed in grey, their order stays.
constexpr std::array<Rgb, 5> kBlues{{{247, 251, 255}, {198, 219, 239}, {107, 174, 214}, {33, 113, 181}, {8, 48, 107}}};

Rgb mixed(double share) {
  const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(kBlues.size() - 1);
  const auto first = std::min(static_cast<std::size_t>(place), kBlues.size() - 2);
  const double part = place - static_cast<double>(first);
  const Rgb& a = kBlues.at(first);
  const Rgb& b = kBlues.at(first + 1);
  return {a.red + part * (b.red - a.red), a.green + part * (b.green - a.green), a.blue + part * (b.blue - a.blue)};
}

std::string hex(const Rgb& color) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "#%02x%02x%02x", static_cast<unsigned>(std::lround(color.red)),
                static_cast<unsigned>(std::lround(color.green)), static_cast<unsigned>(std::lround(color.blue)));
  return text.data();
}

/// Of sRGB, from 0 to 1.
double luminance(const Rgb& color) {
  const auto linear = [](double component) {
    const double c = component / 255;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue);
}

/// White stands out from it more than black does: (1 + .05)/(L + .05) > (L + .05)/.05, as WCAG counts contrast.
bool is_dark(const Rgb& color) { return std::pow(luminance(color) + 0.05, 2) < 1.05 * 0.05; }

struct Cell {
  Figure figure;  ///< in the unit of print

  [[nodiscard]] bool is_number() const {
    return figure.state == Figure::State::number && can_be_drawn(figure.value, false);
  }
};

/// Rows and columns of cells, whatever they come from.
struct Cells {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  std::string label;
  std::optional<std::size_t> digits;  ///< after the point; empty: two that count
  bool log = false;
};

Cells sweep(const FigureSpec& figure, const MeasuredFigure& measured) {
  const QuantitySpec& quantity = figure.quantities.front();
  Cells cells{.columns = {},
              .rows = {},
              .label = shown_label(quantity.column),
              .digits = quantity.column.digits,
              .log = quantity.log};
  for (const MeasuredRow& row : measured.rows) {
    for (const MeasuredPoint& point : row.points) {
      const std::string column = scalar_text(point.place);
      if (std::find(cells.columns.begin(), cells.columns.end(), column) == cells.columns.end()) {
        cells.columns.push_back(column);
      }
    }
  }
  for (const MeasuredRow& row : measured.rows) {
    std::vector<Cell>& line = cells.rows.emplace_back(cells.columns.size());
    for (const MeasuredPoint& point : row.points) {
      const auto column = std::find(cells.columns.begin(), cells.columns.end(), scalar_text(point.place));
      Cell& cell = line[static_cast<std::size_t>(column - cells.columns.begin())];
      cell.figure = point.values.front().figure;
      cell.figure.value = shown(quantity.column, cell.figure.value);
    }
  }
  return cells;
}

Cells strip(const FigureSpec& figure, const MeasuredFigure& measured) {
  const CurveSpec& curve = figure.curves.front();
  Cells cells{.columns = {}, .rows = {}, .label = curve.label.value, .log = curve.log};
  std::vector<std::int64_t> steps;
  for (const MeasuredRow& row : measured.rows) {
    for (const CurvePoint& point : row.curves.front().points) steps.push_back(point.step);
  }
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  for (const std::int64_t step : steps) cells.columns.push_back(std::to_string(step));
  for (const MeasuredRow& row : measured.rows) {
    const MeasuredCurve& measured_curve = row.curves.front();
    std::vector<Cell>& line = cells.rows.emplace_back(std::max<std::size_t>(steps.size(), 1));
    for (Cell& cell : line) {
      cell.figure.state = measured_curve.state == Figure::State::number ? Figure::State::absent : measured_curve.state;
    }
    for (const CurvePoint& point : measured_curve.points) {
      const auto column = std::lower_bound(steps.begin(), steps.end(), point.step);
      line[static_cast<std::size_t>(column - steps.begin())].figure = {
          point.value ? Figure::State::number : Figure::State::not_a_number, point.value.value_or(0)};
    }
  }
  if (cells.columns.empty()) cells.columns.emplace_back("–");
  return cells;
}

class HeatMap {
 public:
  HeatMap(const FigureSpec& figure, const MeasuredFigure& measured)
      : figure_(figure),
        measured_(measured),
        cells_(figure.curves.empty() ? sweep(figure, measured) : strip(figure, measured)),
        sheet_(figure, summary_of(figure, measured)) {}

  std::string draw(std::vector<std::string> footnotes) {
    place();
    for (std::size_t row = 0; row < cells_.rows.size(); ++row) {
      const double y = top_ + static_cast<double>(row) * kCellHeight;
      sheet_.svg.text({left_ - 8, y + kCellHeight / 2 + 4}, shortened_to(measured_.rows[row].label, left_ - 24, 12),
                      {.anchor = Anchor::end});
      for (std::size_t column = 0; column < cells_.columns.size(); ++column) {
        cell(cells_.rows[row][column], {left_ + static_cast<double>(column) * width_, y});
      }
    }
    columns();
    scale();
    if (has_empty_) footnotes.insert(footnotes.begin(), "– no stage, · no result yet, nan no number");
    sheet_.footnotes(footnotes);
    return sheet_.finish();
  }

 private:
  void place() {
    double label = 0;
    for (const MeasuredRow& row : measured_.rows) label = std::max(label, text_width(row.label, 12));
    left_ = kSheetMargin + std::min(label, kMostHeatLabel) + 10;
    top_ = sheet_.y;
    const double room = kSheetWidth - kSheetMargin - left_;
    width_ = std::min(kMostCellWidth, room / static_cast<double>(cells_.columns.size()));
    std::vector<double> values;
    for (const auto& row : cells_.rows) {
      for (const Cell& cell : row) {
        if (cell.is_number() && can_be_drawn(cell.figure.value, cells_.log)) values.push_back(cell.figure.value);
      }
    }
    if (values.empty()) values = {1};
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    colors_ = {.low = *low, .high = *high, .log = cells_.log, .from = 0, .to = 1};
    single_ = *low == *high;
  }

  [[nodiscard]] std::string text_of(const Cell& cell) const {
    switch (cell.figure.state) {
      case Figure::State::absent: return "–";
      case Figure::State::missing: return "·";
      case Figure::State::not_a_number: return "nan";
      case Figure::State::number: break;
    }
    if (!cell.is_number()) return "nan";
    if (cells_.digits) return tick_text(cell.figure.value, static_cast<int>(*cells_.digits));
    return significant(cell.figure.value, 2);
  }

  void cell(const Cell& cell, Spot corner) {
    const bool drawn = cell.is_number() && can_be_drawn(cell.figure.value, cells_.log);
    const Rgb color = drawn ? mixed(single_ ? 0.5 : colors_(cell.figure.value)) : Rgb{255, 255, 255};
    const Stroke border{.color = drawn ? "#fff" : "#b9bfc6", .width = width_ < 8 ? 0.0 : 1.0};
    const std::string text = text_of(cell);
    sheet_.svg.rectangle(corner, width_, kCellHeight, hex(color), &border);
    has_empty_ = has_empty_ || !cell.is_number();
    if (text_width(text, kTickSize) + 4 > width_) return;
    sheet_.svg.text({corner.x + width_ / 2, corner.y + kCellHeight / 2 + 4}, text,
                    {.size = kTickSize, .anchor = Anchor::middle, .color = is_dark(color) ? "#fff" : "#16191c"});
  }

  void columns() {
    double y = top_ + static_cast<double>(cells_.rows.size()) * kCellHeight;
    const std::size_t every = label_stride();
    for (std::size_t column = 0; column < cells_.columns.size(); column += every) {
      const double x = left_ + (static_cast<double>(column) + 0.5) * width_;
      sheet_.svg.text({x, y + 15}, cells_.columns[column],
                      {.size = kTickSize, .anchor = Anchor::middle, .color = kDim});
    }
    y += 34;
    const std::string label = !figure_.x_label.empty() ? figure_.x_label
                              : figure_.curves.empty() ? figure_.x_axis.value
                                                       : std::string("step");
    sheet_.svg.text({left_ + width_ * static_cast<double>(cells_.columns.size()) / 2, y}, label,
                    {.anchor = Anchor::middle});
    sheet_.y = y + 14;
  }

  /// Every so many columns are labelled that no label touches the next.
  [[nodiscard]] std::size_t label_stride() const {
    double widest = 0;
    for (const std::string& label : cells_.columns) widest = std::max(widest, text_width(label, kTickSize));
    for (const std::size_t every : std::array<std::size_t, 8>{1, 2, 5, 10, 20, 50, 100, 200}) {
      if (static_cast<double>(every) * width_ >= widest + 4) return every;
    }
    return cells_.columns.size();
  }

  /// The colours with their numbers.
  void scale() {
    constexpr double kLength = 200;
    constexpr std::size_t kStops = 9;
    sheet_.svg.text(
        {left_, sheet_.y + 11},
        shortened_to(cells_.label + (cells_.log ? ", logarithmic" : ""), kSheetWidth - kSheetMargin - left_, 12), {});
    sheet_.y += 18;
    if (!single_) {
      std::vector<std::string> colors;
      for (std::size_t i = 0; i < kStops; ++i) colors.push_back(hex(mixed(static_cast<double>(i) / (kStops - 1))));
      sheet_.svg.gradient({left_, sheet_.y}, kLength, 12, colors);
      Scale along = colors_;
      along.from = left_;
      along.to = left_ + kLength;
      const PlotArea area{.left = left_, .top = sheet_.y, .right = left_ + kLength, .bottom = sheet_.y + 12};
      draw_x_ticks(sheet_.svg, area, along, along.ticks(5));
      sheet_.y += 32;
    }
  }

  const FigureSpec& figure_;
  const MeasuredFigure& measured_;
  Cells cells_;
  Sheet sheet_;
  double left_ = 0;
  double top_ = 0;
  double width_ = 0;  ///< of a cell
  Scale colors_;
  bool single_ = false;  ///< one value: no scale
  bool has_empty_ = false;
};

}  // namespace

std::string draw_heat(const FigureSpec& figure, const MeasuredFigure& measured,
                      const std::vector<std::string>& footnotes) {
  return HeatMap(figure, measured).draw(footnotes);
}

}  // namespace lowbit::report
