#include "report/figure_sheet.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace lowbit::report {
namespace {

constexpr std::array<std::string_view, 7> kColors{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                  "#E69F00", "#56B4E9", "#000000"};
constexpr std::array<std::string_view, 6> kDashes{"", "7 3", "2 2", "9 3 2 3", "4 2", "12 4"};
constexpr std::array<Marker, 7> kMarkers{Marker::circle, Marker::square, Marker::triangle, Marker::diamond,
                                         Marker::cross,  Marker::wedge,  Marker::plus};
constexpr std::array<Hatch, 7> kHatches{Hatch::none,    Hatch::rising, Hatch::dots,   Hatch::level,
                                        Hatch::falling, Hatch::grid,   Hatch::upright};
constexpr double kTitleSize = 14;
constexpr double kLineHeight = 18;
constexpr double kNoteHeight = 15;
constexpr double kSample = 30;  // width of a legend's sample

double unit_of(const ColumnSpec& column) {
  if (column.unit.value == "kB") return 1e3;
  if (column.unit.value == "MB") return 1e6;
  return column.unit.value == "GB" ? 1e9 : 1;
}

}  // namespace

RowStyle row_style(std::size_t n) {
  return {kColors.at(n % kColors.size()), kDashes.at(n % kDashes.size()), kMarkers.at(n % kMarkers.size())};
}

RowStyle baseline_style() { return {kNeutral, "5 4", Marker::plus}; }

std::vector<RowStyle> styles_of(const MeasuredFigure& measured) {
  std::vector<RowStyle> styles;
  std::size_t n = 0;
  for (const MeasuredRow& row : measured.rows) styles.push_back(row.baseline ? baseline_style() : row_style(n++));
  return styles;
}

PartStyle part_style(std::size_t n) { return {kColors.at(n % kColors.size()), kHatches.at(n % kHatches.size())}; }

Sheet::Sheet(const FigureSpec& figure, const std::string& description)
    : svg(figure.title.empty() ? figure.name.value : figure.title, description) {
  const std::string& title = figure.title.empty() ? figure.name.value : figure.title;
  for (const std::string& line : wrapped(title, kSheetWidth - 2 * kSheetMargin, kTitleSize, true)) {
    svg.text({kSheetMargin, y + kTitleSize - 2}, line, {.size = kTitleSize, .bold = true});
    y += kLineHeight;
  }
  y += 8;
}

void Sheet::legend(const std::vector<LegendEntry>& entries) {
  constexpr double kGap = 20;
  const double right = kSheetWidth - kSheetMargin;
  double x = kSheetMargin;
  for (const LegendEntry& entry : entries) {
    const double sample = entry.sample == LegendEntry::Sample::marker ? 12 : kSample;
    const std::string label = shortened_to(entry.label, right - kSheetMargin - sample - 6, 12);
    const double width = sample + 6 + text_width(label, 12);
    if (x > kSheetMargin && x + width > right) {
      x = kSheetMargin;
      y += kLineHeight;
    }
    const double middle = y + 6;
    const Stroke stroke{.color = entry.style.color, .width = 2, .dash = entry.style.dash};
    switch (entry.sample) {
      case LegendEntry::Sample::line: svg.line({x, middle}, {x + sample, middle}, stroke); break;
      case LegendEntry::Sample::marked_line:
        svg.line({x, middle}, {x + sample, middle}, stroke);
        svg.marker(entry.style.marker, {x + sample / 2, middle}, entry.style.color);
        break;
      case LegendEntry::Sample::marker:
        svg.marker(entry.style.marker, {x + sample / 2, middle}, entry.style.color);
        break;
      case LegendEntry::Sample::box: svg.hatched({x, middle - 6}, sample, 12, entry.style.color, entry.hatch); break;
      case LegendEntry::Sample::band:
        svg.line({x, middle}, {x + sample, middle}, {.color = entry.style.color, .width = 8, .opacity = 0.18});
        break;
    }
    svg.text({x + sample + 6, y + 10}, label, {});
    x += width + kGap;
  }
  if (!entries.empty()) y += kLineHeight + 6;
}

void Sheet::footnotes(const std::vector<std::string>& lines) {
  y += 8;
  for (const std::string& note : lines) {
    for (const std::string& line : wrapped(printable(note), kSheetWidth - 2 * kSheetMargin, kTickSize)) {
      svg.text({kSheetMargin, y + kTickSize}, line, {.size = kTickSize, .color = kDim});
      y += kNoteHeight;
    }
  }
}

double width_of_ticks(const Ticks& ticks) {
  double width = 0;
  for (const double value : ticks.at) width = std::max(width, text_width(tick_text(value, ticks.digits), kTickSize));
  return width;
}

void draw_y_ticks(Svg& svg, const PlotArea& area, const Scale& scale, const Ticks& ticks) {
  for (const double value : ticks.at) {
    const double y = scale(value);
    svg.line({area.left, y}, {area.right, y}, {.color = kGrid});
    svg.text({area.left - 6, y + 4}, tick_text(value, ticks.digits),
             {.size = kTickSize, .anchor = Anchor::end, .color = kDim});
  }
}

void draw_x_ticks(Svg& svg, const PlotArea& area, const Scale& scale, const Ticks& ticks,
                  const std::vector<std::string>& texts) {
  constexpr double kBetween = 6;
  double free_from = 0;
  svg.line({area.left, area.bottom}, {area.right, area.bottom}, {});
  for (std::size_t i = 0; i < ticks.at.size(); ++i) {
    const double x = scale(ticks.at[i]);
    svg.line({x, area.bottom}, {x, area.bottom + 4}, {});
    const std::string text = texts.empty() ? tick_text(ticks.at[i], ticks.digits) : texts[i];
    const double half = text_width(text, kTickSize) / 2;
    if (x - half < free_from) continue;
    svg.text({x, area.bottom + 16}, text, {.size = kTickSize, .anchor = Anchor::middle, .color = kDim});
    free_from = x + half + kBetween;
  }
}

double shown(const ColumnSpec& column, double value) { return column.percent ? 100 * value : value / unit_of(column); }

std::string shown_label(const ColumnSpec& column) {
  if (column.percent) return column.label.value + " (%)";
  return column.label.value + (column.unit.value.empty() ? "" : " (" + column.unit.value + ")");
}

std::string shortened_to(const std::string& text, double width, double size) {
  std::string safe = printable(text);
  if (text_width(safe, size) <= width) return safe;
  std::size_t n = width_of(safe);
  while (n > 1 && text_width(first_characters(safe, n), size) + size > width) --n;
  return std::string(first_characters(safe, n)) + "…";
}

}  // namespace lowbit::report
