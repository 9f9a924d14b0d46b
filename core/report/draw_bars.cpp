#include <algorithm>
#include <numeric>

#include "report/draw_figure.h"
#include "report/figure_data.h"
#include "report/figure_sheet.h"

namespace lowbit::report {
namespace {

constexpr double kBarHeight = 20;
constexpr double kBarStep = 28;
constexpr double kMostLabel = 250;

/// In percent; a part that is no number has none.
std::vector<std::optional<double>> parts_of(const FigureSpec& figure, const MeasuredRow& row) {
  std::vector<std::optional<double>> parts;
  const MeasuredPoint& point = row.points.front();
  for (std::size_t i = 0; i < figure.quantities.size(); ++i) {
    const MeasuredValue& value = point.values[i];
    parts.push_back(value.is_number() && value.figure.value >= 0
                        ? std::optional(shown(figure.quantities[i].column, value.figure.value))
                        : std::nullopt);
  }
  return parts;
}

double total_of(const std::vector<std::optional<double>>& parts) {
  return std::accumulate(parts.begin(), parts.end(), 0.0,
                         [](double sum, const std::optional<double>& part) { return sum + part.value_or(0); });
}

/// What a bar lacks is said at its end: a total of what is there would be read as the whole.
std::string end_text(const std::vector<std::optional<double>>& parts) {
  const auto there = [](const std::optional<double>& part) { return part.has_value(); };
  if (std::none_of(parts.begin(), parts.end(), there)) return "· not there";
  const std::string total = tick_text(total_of(parts), 1);
  return std::all_of(parts.begin(), parts.end(), there) ? total : total + " + ?";
}

std::vector<std::string> with_marks(const FigureSpec& figure, const MeasuredFigure& measured,
                                    std::vector<std::string> footnotes) {
  const auto is_partial = [&](const MeasuredRow& row) { return end_text(parts_of(figure, row)).ends_with('?'); };
  if (std::any_of(measured.rows.begin(), measured.rows.end(), is_partial)) {
    footnotes.insert(footnotes.begin(), "+ ?: parts of the bar are not there");
  }
  return footnotes;
}

}  // namespace

std::string draw_bars(const FigureSpec& figure, const MeasuredFigure& measured,
                      const std::vector<std::string>& footnotes) {
  Sheet sheet(figure, summary_of(figure, measured));
  std::vector<LegendEntry> entries;
  for (std::size_t i = 0; i < figure.quantities.size(); ++i) {
    const PartStyle style = part_style(i);
    entries.push_back({LegendEntry::Sample::box,
                       figure.quantities[i].column.label.value,
                       {.color = style.color, .dash = {}},
                       style.hatch});
  }
  sheet.legend(entries);

  double label_width = 0;
  double longest = 0;
  for (const MeasuredRow& row : measured.rows) {
    label_width = std::max(label_width, std::min(kMostLabel, text_width(row.label, 12)));
    longest = std::max(longest, total_of(parts_of(figure, row)));
  }
  Scale scale = scale_around(0, longest > 0 ? longest : 100, false, 8);
  PlotArea area{.left = kSheetMargin + label_width + 8,
                .top = sheet.y,
                .right = kSheetWidth - kSheetMargin - 34,
                .bottom = sheet.y + static_cast<double>(measured.rows.size()) * kBarStep + 4};
  scale.from = area.left;
  scale.to = area.right;
  for (const double value : scale.ticks(8).at) {
    sheet.svg.line({scale(value), area.top}, {scale(value), area.bottom}, {.color = kGrid});
  }
  double y = area.top + (kBarStep - kBarHeight) / 2;
  for (const MeasuredRow& row : measured.rows) {
    sheet.svg.text({area.left - 8, y + kBarHeight / 2 + 4}, shortened_to(row.label, label_width, 12),
                   {.anchor = Anchor::end});
    const auto parts = parts_of(figure, row);
    double sum = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!parts[i] || *parts[i] <= 0) continue;
      const double from = scale(sum);
      sum += *parts[i];
      const double width = scale(sum) - from;
      const PartStyle style = part_style(i);
      sheet.svg.hatched({from, y}, width, kBarHeight, style.color, style.hatch);
      const std::string text = tick_text(*parts[i], 1);
      if (text_width(text, kTickSize) + 8 > width) continue;
      sheet.svg.text({from + width / 2, y + kBarHeight / 2 + 4}, text,
                     {.size = kTickSize, .anchor = Anchor::middle, .halo = true});
    }
    sheet.svg.text({scale(sum) + 6, y + kBarHeight / 2 + 4}, end_text(parts), {.size = kTickSize, .bold = true});
    y += kBarStep;
  }
  draw_x_ticks(sheet.svg, area, scale, scale.ticks(8));
  sheet.svg.text({(area.left + area.right) / 2, area.bottom + 34}, "share of all items (%)",
                 {.anchor = Anchor::middle});
  sheet.y = area.bottom + 40;
  sheet.footnotes(with_marks(figure, measured, footnotes));
  return sheet.finish();
}

}  // namespace lowbit::report
