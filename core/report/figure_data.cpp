#include "report/figure_data.h"

#include <algorithm>
#include <cmath>

#include "base/words.h"
#include "domain/quantity_text.h"
#include "report/number_text.h"
#include "report/table_notes.h"
#include "report/ticks.h"

namespace lowbit::report {
namespace {

using DataCells = std::vector<std::optional<Json>>;

std::optional<Json> data_cell(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return Json(*value);
}

std::optional<Json> number_of(const MeasuredValue& value) {
  return value.figure.state == Figure::State::number ? data_cell(value.figure.value) : std::nullopt;
}

/// The axis along x and those of `over`, each once.
std::vector<std::string> axes_of(const FigureSpec& figure, const MeasuredFigure& measured) {
  std::vector<std::string> axes;
  if (!figure.x_axis.value.empty()) axes.push_back(figure.x_axis.value);
  for (const MeasuredRow& row : measured.rows) {
    for (const MeasuredPoint& point : row.points) {
      for (const auto& [axis, value] : point.at) {
        if (std::find(axes.begin(), axes.end(), axis) == axes.end()) axes.push_back(axis);
      }
    }
  }
  return axes;
}

QueryResult points_data(const FigureSpec& figure, const MeasuredFigure& measured) {
  QueryResult out{.columns = {"row", "label"}, .rows = {}};
  const std::vector<std::string> axes = axes_of(figure, measured);
  out.columns.insert(out.columns.end(), axes.begin(), axes.end());
  const bool is_radar = figure.kind == FigureSpec::Kind::radar;
  for (const QuantitySpec& quantity : figure.quantities) {
    const std::string& label = quantity.column.label.value;
    out.columns.insert(out.columns.end(), {label, label + ": std", label + ": n seeds"});
    if (quantity.column.is_share()) out.columns.insert(out.columns.end(), {label + ": low", label + ": high"});
    if (is_radar) out.columns.push_back(label + ": to baseline");
  }
  for (const MeasuredRow& row : measured.rows) {
    for (const MeasuredPoint& point : row.points) {
      DataCells cells{Json(row.id), Json(row.label)};
      for (const std::string& axis : axes) {
        const auto found =
            std::find_if(point.at.begin(), point.at.end(), [&](const auto& entry) { return entry.first == axis; });
        const bool along_x = axis == figure.x_axis.value && !point.place.is_null();
        cells.push_back(along_x                   ? std::optional(point.place)
                        : found == point.at.end() ? std::nullopt
                                                  : std::optional(found->second));
      }
      const auto ratios = is_radar ? relative_to_baseline(measured, point) : std::vector<std::optional<double>>();
      for (std::size_t i = 0; i < point.values.size(); ++i) {
        const MeasuredValue& value = point.values[i];
        cells.insert(cells.end(), {number_of(value), data_cell(value.deviation), Json(value.n_seeds)});
        if (figure.quantities[i].column.is_share()) {
          cells.push_back(data_cell(value.interval ? std::optional(value.interval->low) : std::nullopt));
          cells.push_back(data_cell(value.interval ? std::optional(value.interval->high) : std::nullopt));
        }
        if (is_radar) cells.push_back(data_cell(ratios[i]));
      }
      out.rows.push_back(std::move(cells));
    }
  }
  return out;
}

QueryResult curves_data(const FigureSpec& figure, const MeasuredFigure& measured) {
  QueryResult out{.columns = {"row", "label", "curve", "step", "value", "n seeds"}, .rows = {}};
  if (figure.smooth > 0) out.columns.emplace_back("smoothed");
  for (std::size_t i = 0; i < figure.curves.size(); ++i) {
    for (const MeasuredRow& row : measured.rows) {
      const MeasuredCurve& curve = row.curves[i];
      const DataCells head{Json(row.id), Json(row.label), Json(figure.curves[i].label.value)};
      if (curve.state != Figure::State::number) {  // said, not dropped
        DataCells cells = head;
        cells.resize(out.columns.size());
        out.rows.push_back(std::move(cells));
        continue;
      }
      const std::vector<CurvePoint> means = smoothed(curve.points, figure.smooth);
      for (std::size_t point = 0; point < curve.points.size(); ++point) {
        DataCells cells = head;
        cells.insert(cells.end(),
                     {Json(curve.points[point].step), data_cell(curve.points[point].value), Json(curve.n_seeds)});
        if (figure.smooth > 0) cells.push_back(data_cell(means[point].value));
        out.rows.push_back(std::move(cells));
      }
    }
  }
  return out;
}

/// Three digits, for sentences.
std::string in_words(double value) { return significant(value, 3); }

std::string percent(const ColumnSpec& column, double value) {
  return column.percent ? in_words(100 * value) + " %" : in_words(value);
}

std::string point_words(const FigureSpec& figure, const MeasuredPoint& point) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < point.values.size(); ++i) {
    const ColumnSpec& column = figure.quantities[i].column;
    const MeasuredValue& value = point.values[i];
    words.push_back(column.label.value + " " + (value.is_number() ? percent(column, value.figure.value) : "not there"));
  }
  return joined(words);
}

/// "2 to 8", or "none".
std::string range_words(const std::vector<double>& values, const ColumnSpec& column) {
  if (values.empty()) return "none";
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *low == *high ? percent(column, *low) : percent(column, *low) + " to " + percent(column, *high);
}

/// Distinct states that are no numbers, with what they mean; by quantity and curve together.
struct Lacks {
  std::size_t not_numbers = 0;
  std::size_t absent = 0;
  std::size_t not_positive = 0;  ///< on a logarithmic axis
};

Lacks lacks_of(const FigureSpec& figure, const MeasuredFigure& measured) {
  Lacks lacks;
  const auto count = [&](const Figure& value, bool log) {
    const bool finite = std::abs(value.value) <= kMostDrawn;
    if (value.state == Figure::State::not_a_number || (value.state == Figure::State::number && !finite)) {
      ++lacks.not_numbers;
    } else if (value.state == Figure::State::absent) {
      ++lacks.absent;
    } else if (value.state == Figure::State::number && log && value.value < kLeastDrawn) {
      ++lacks.not_positive;
    }
  };
  for (const MeasuredRow& row : measured.rows) {
    for (const MeasuredPoint& point : row.points) {
      for (std::size_t i = 0; i < point.values.size(); ++i) {
        const bool is_x = figure.kind == FigureSpec::Kind::line && figure.x_axis.value.empty() && i == 0;
        if (is_x && row.baseline) continue;  // lies nowhere along x
        count(point.values[i].figure, figure.quantities[i].log || (is_x && figure.x_log));
      }
    }
    for (std::size_t i = 0; i < row.curves.size(); ++i) {
      if (row.curves[i].state == Figure::State::absent) ++lacks.absent;
      lacks.not_numbers += row.curves[i].n_not_numbers;
      for (const CurvePoint& point : row.curves[i].points) {
        if (figure.curves[i].log && point.value && *point.value < kLeastDrawn) ++lacks.not_positive;
      }
    }
  }
  return lacks;
}

void add_bars(const FigureSpec& figure, const MeasuredFigure& measured, std::vector<std::string>& lines) {
  if (figure.kind != FigureSpec::Kind::line && figure.kind != FigureSpec::Kind::radar) return;
  bool over_items = false;
  bool over_seeds = false;
  for (const MeasuredRow& row : measured.rows) {
    for (const MeasuredPoint& point : row.points) {
      const MeasuredValue& y = point.values.back();
      over_items = over_items || y.interval.has_value();
      over_seeds = over_seeds || (!y.interval && y.deviation);
    }
  }
  if (figure.kind != FigureSpec::Kind::line) return;
  if (over_items) lines.emplace_back("bars: 95 % interval over items, seeds fixed");
  if (over_seeds) lines.emplace_back("bars: ± standard deviation over seeds");
}

}  // namespace

std::vector<std::optional<double>> relative_to_baseline(const MeasuredFigure& measured, const MeasuredPoint& point) {
  std::vector<std::optional<double>> ratios(point.values.size());
  const auto base =
      std::find_if(measured.rows.begin(), measured.rows.end(), [](const MeasuredRow& row) { return row.baseline; });
  if (base == measured.rows.end()) return ratios;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    const MeasuredValue& own = point.values[i];
    const MeasuredValue& other = base->points.front().values[i];
    if (!own.is_number() || !other.is_number()) continue;
    const bool down = measured.better[i] == Better::down;
    const double over = down ? other.figure.value : own.figure.value;
    const double under = down ? own.figure.value : other.figure.value;
    if (under != 0 && std::isfinite(over / under)) ratios[i] = over / under;
  }
  return ratios;
}

std::vector<CurvePoint> smoothed(const std::vector<CurvePoint>& points, double weight) {
  std::vector<CurvePoint> out;
  double sum = 0;
  double weights = 0;
  for (const CurvePoint& point : points) {
    CurvePoint mean{point.step, std::nullopt};
    if (point.value && std::abs(*point.value) <= kMostDrawn) {
      sum = weight * sum + *point.value;
      weights = weight * weights + 1;
      mean.value = sum / weights;
    }
    out.push_back(mean);
  }
  return out;
}

QueryResult figure_data(const FigureSpec& figure, const MeasuredFigure& measured) {
  return figure.curves.empty() ? points_data(figure, measured) : curves_data(figure, measured);
}

std::string summary_of(const FigureSpec& figure, const MeasuredFigure& measured) {
  std::vector<std::string> sentences;
  for (const MeasuredRow& row : measured.rows) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < row.curves.size(); ++i) {
      std::vector<double> values;
      for (const CurvePoint& point : row.curves[i].points) {
        if (point.value) values.push_back(*point.value);
      }
      words.push_back(figure.curves[i].label.value + " " + range_words(values, {}) +
                      (values.empty() ? "" : ", last " + in_words(values.back())));
    }
    if (row.curves.empty() && row.points.size() == 1) words.push_back(point_words(figure, row.points.front()));
    if (row.curves.empty() && row.points.size() > 1) {
      const ColumnSpec& column = figure.quantities.back().column;
      std::vector<double> values;
      for (const MeasuredPoint& point : row.points) {
        if (point.values.back().is_number()) values.push_back(point.values.back().figure.value);
      }
      words.push_back(count_text(values.size(), "point") + ", " + column.label.value + " " +
                      range_words(values, column));
    }
    sentences.push_back(row.label + ": " + joined(words, "; "));
  }
  return joined(sentences, ". ") + ".";
}

std::vector<std::string> footnotes_of(const FigureSpec& figure, const MeasuredFigure& measured,
                                      const std::string& rerun) {
  std::vector<std::string> lines;
  std::string basis;
  for (const std::size_t n : measured.n_items) basis += (basis.empty() ? "n = " : ", ") + std::to_string(n);
  if (!basis.empty()) basis += " items";
  if (!measured.seeds.empty()) {
    std::vector<std::string> seeds;
    for (const std::int64_t seed : measured.seeds) seeds.push_back(std::to_string(seed));
    basis +=
        (basis.empty() ? "" : "; ") + std::string(seeds.size() == 1 ? "seed " : "mean over seeds ") + joined(seeds);
  }
  if (!basis.empty()) lines.push_back(std::move(basis));
  add_bars(figure, measured, lines);
  if (measured.n_ungraded > 0) {
    lines.push_back(ungraded_note(measured.n_ungraded));
  }
  if (figure.smooth > 0) {
    lines.push_back("faint: as reported; strong: exponentially weighted mean, weight of what came before " +
                    in_words(figure.smooth));
  }
  const Lacks lacks = lacks_of(figure, measured);
  if (lacks.not_numbers > 0) {
    lines.push_back("not drawn: " + count_text(lacks.not_numbers, "value") +
                    (lacks.not_numbers == 1 ? " that is" : " that are") + " no number, or not finite");
  }
  if (lacks.not_positive > 0) {
    lines.push_back("not drawn: " + count_text(lacks.not_positive, "value") + " at or below 0 on a logarithmic scale");
  }
  if (lacks.absent > 0) {
    lines.push_back("not drawn: " + count_text(lacks.absent, "value") + " that a row has no stage for");
  }
  std::size_t left_out = 0;
  for (const MeasuredRow& row : measured.rows) {
    for (const MeasuredCurve& curve : row.curves) left_out += curve.n_steps_left_out;
  }
  if (left_out > 0) lines.push_back("not drawn: " + count_text(left_out, "step") + " that some seeds lack");
  if (!measured.missing.empty()) {
    constexpr std::size_t kListed = 6;
    lines.push_back("not there yet: " + listed(measured.missing, kListed) + "; `" + rerun + "` makes " +
                    (measured.missing.size() == 1 ? "it" : "them"));
  }
  lines.insert(lines.end(), figure.notes.begin(), figure.notes.end());
  return lines;
}

}  // namespace lowbit::report
