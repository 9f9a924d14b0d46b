#include "report/comparison_page.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "base/words.h"
#include "domain/coordinates.h"
#include "domain/quantity_text.h"
#include "report/number_text.h"
#include "report/text_table.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kLeast = 2;  // columns: the baseline and one beside it
constexpr std::size_t kAccuracyDigits = 1;
constexpr std::size_t kPercentDigits = 2;
constexpr int kSignificant = 4;
constexpr std::size_t kLongestValue = 40;
constexpr std::size_t kMissingShown = 8;
constexpr std::size_t kStagesShown = 8;
constexpr std::string_view kOwnPlugins = "lowbit.";
constexpr const char* kNotThere = "·";
constexpr const char* kDoesNotApply = "–";
constexpr const char* kRefused = "≠";

bool in_percent(const ComparedMetric& metric) { return metric.unit == "fraction"; }

std::string arrow(Better better) {
  if (better == Better::none) return "";
  return better == Better::up ? " ↑" : " ↓";
}

/// How a metric's row is written: shares in percent; others with as many digits after the point as give the smallest of
/// them kSignificant, none where all are whole.
class Numbers {
 public:
  explicit Numbers(const ComparedMetric& metric) : percent_(in_percent(metric)) {
    if (percent_) {
      digits_ = metric.from_answers ? kAccuracyDigits : kPercentDigits;
      return;
    }
    double least = 0;
    bool whole = true;
    for (const ComparedCell& cell : metric.cells) {
      if (cell.state != Figure::State::number || cell.value == 0) continue;
      const double size = std::abs(cell.value);
      whole = whole && size == std::floor(size);
      least = least == 0 ? size : std::min(least, size);
    }
    plain_ = least == 0 || (least >= kLeastPlain && least < kMostPlain);
    if (!whole && plain_) {
      digits_ =
          static_cast<std::size_t>(std::max(0, kSignificant - 1 - static_cast<int>(std::floor(std::log10(least)))));
    }
  }

  [[nodiscard]] std::string value(double v) const {
    if (!plain_) return significant(v, kSignificant);
    return fixed(percent_ ? 100 * v : v, digits_);
  }
  [[nodiscard]] std::string change(double v) const {
    if (!plain_) return signed_significant(v, kSignificant);
    return fixed_signed(percent_ ? 100 * v : v, digits_);
  }
  [[nodiscard]] std::string spread(double v) const { return " ± " + value(v); }

 private:
  static constexpr double kLeastPlain = 1e-4;
  static constexpr double kMostPlain = 1e12;

  bool percent_;
  bool plain_ = true;
  std::size_t digits_ = 0;
};

std::string value_text(const ComparedCell& cell, const Numbers& numbers) {
  switch (cell.state) {
    case Figure::State::absent: return kDoesNotApply;
    case Figure::State::missing: return cell.not_comparable.empty() ? kNotThere : kRefused;
    case Figure::State::not_a_number: return "nan";
    case Figure::State::number: break;
  }
  return numbers.value(cell.value) + (cell.deviation ? numbers.spread(*cell.deviation) : "");
}

std::string between(const std::string& low, const std::string& high) { return "[" + low + ", " + high + "]"; }

std::string delta_text(const ComparedCell& cell, const Numbers& numbers) {
  if (!cell.not_comparable.empty()) return kRefused;
  if (!cell.delta) return kDoesNotApply;
  return numbers.change(*cell.delta) + (cell.delta_deviation ? numbers.spread(*cell.delta_deviation) : "");
}

/// Stages of lowbit's own plugins without what they all begin with.
std::string setting_text(const ComparedParameter& parameter, const Json& value) {
  if (value.is_null()) return kDoesNotApply;
  std::string text = scalar_text(value);
  if (parameter.name.ends_with(".use") && text.starts_with(kOwnPlugins)) text.erase(0, kOwnPlugins.size());
  return width_of(text) > kLongestValue ? std::string(first_characters(text, kLongestValue - 1)) + "…" : text;
}

/// The grid of a section with its first `n` columns.
class SectionGrid {
 public:
  SectionGrid(const ComparedSection& section, std::size_t n, PageFormat format)
      : section_(section), n_(n), format_(format) {
    grid_.right.assign(n + 1, true);
    grid_.right[0] = false;
  }

  TextGrid grid() {
    grid_.header = {cell("variant")};
    for (std::size_t c = 0; c < n_; ++c) grid_.header.push_back(std::to_string(c + 1));
    for (const ComparedParameter& parameter : section_.parameters) {
      row(parameter.name, [&](std::size_t c) { return setting_text(parameter, parameter.values[c]); });
    }
    if (std::any_of(section_.columns.begin(), section_.columns.end(), [](const auto& c) { return !c.seeds.empty(); })) {
      row("seeds", [&](std::size_t c) { return std::to_string(section_.columns[c].seeds.size()); });
    }
    std::string stage;
    for (const ComparedMetric& metric : section_.metrics) {
      if (metric.stage != stage && section_.stages.size() > 1) row(metric.stage, [](std::size_t) { return ""; });
      stage = metric.stage;
      add(metric);
    }
    return std::move(grid_);
  }

 private:
  template <class Text>
  void row(const std::string& name, const Text& text_of) {
    auto& cells = grid_.rows.emplace_back();
    cells.push_back(cell(name));
    for (std::size_t c = 0; c < n_; ++c) cells.push_back(cell(text_of(c)));
  }

  void add(const ComparedMetric& metric) {
    const Numbers numbers(metric);
    const std::string indent = section_.stages.size() > 1 ? "  " : "";
    row(indent + metric.name + (in_percent(metric) ? " %" : "") + arrow(metric.better),
        [&](std::size_t c) { return value_text(metric.cells[c], numbers); });
    if (metric.from_answers) {
      row(indent + "  [95 %]", [&](std::size_t c) {
        const auto& interval = metric.cells[c].interval;
        return interval ? between(numbers.value(interval->low), numbers.value(interval->high)) : std::string();
      });
    }
    row(indent + "  Δ", [&](std::size_t c) { return c == 0 ? "baseline" : delta_text(metric.cells[c], numbers); });
    if (metric.from_answers) {
      row(indent + "  Δ [95 %]", [&](std::size_t c) {
        const auto& interval = metric.cells[c].delta_interval;
        return interval ? between(numbers.change(interval->low), numbers.change(interval->high)) : std::string();
      });
    }
  }

  [[nodiscard]] std::string cell(const std::string& text) const {
    return format_ == PageFormat::text ? printable(text) : markdown_cell(text);
  }

  const ComparedSection& section_;
  std::size_t n_;
  PageFormat format_;
  TextGrid grid_;
};

std::string shown_grid(const ComparedSection& section, PageFormat format, std::size_t n) {
  const TextGrid grid = SectionGrid(section, n, format).grid();
  return format == PageFormat::text ? aligned(grid) : markdown(grid);
}

std::size_t width_of_lines(const std::string& text) {
  std::size_t width = 0;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = text.find('\n', from);
    width = std::max(width, width_of(std::string_view(text).substr(from, end - from)));
    from = end + 1;
  }
  return width;
}

/// The most columns that fit.
std::size_t columns_that_fit(const ComparedSection& section, PageFormat format, std::size_t width) {
  std::size_t n = section.columns.size();
  while (width > 0 && n > kLeast && width_of_lines(shown_grid(section, format, n)) > width) --n;
  return n;
}

std::string hidden_text(const ComparedSection& section) {
  std::vector<std::string> parts;
  if (section.n_equal_parameters > 0) parts.push_back(count_text(section.n_equal_parameters, "equal parameter"));
  if (section.n_equal_metrics > 0) parts.push_back(count_text(section.n_equal_metrics, "equal metric"));
  return joined(parts, " and ");
}

/// Why a difference is refused, with the metrics and columns that it is refused for.
std::vector<std::string> refusals(const ComparedSection& section, std::size_t n) {
  struct Refused {
    std::string reason;
    std::vector<std::string> columns;
    std::vector<std::string> metrics;
  };
  std::vector<Refused> all;
  const auto add_once = [](std::vector<std::string>& words, const std::string& word) {
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  };
  for (const ComparedMetric& metric : section.metrics) {
    for (std::size_t c = 0; c < n; ++c) {
      const std::string& reason = metric.cells[c].not_comparable;
      if (reason.empty()) continue;
      auto found = std::find_if(all.begin(), all.end(), [&](const Refused& one) { return one.reason == reason; });
      if (found == all.end()) found = all.insert(all.end(), {reason, {}, {}});
      add_once(found->columns, std::to_string(c + 1));
      add_once(found->metrics, metric.stage);
    }
  }
  std::vector<std::string> lines;
  lines.reserve(all.size());
  for (const Refused& one : all) {
    lines.push_back("≠ not comparable: " + joined(one.metrics) + " of " + joined(one.columns) + ": " + one.reason);
  }
  return lines;
}

std::vector<std::string> notes_of(const ComparedSection& section, std::size_t n, std::size_t width) {
  std::vector<std::string> lines;
  bool deviation = false;
  bool interval = false;
  for (const ComparedMetric& metric : section.metrics) {
    for (const ComparedCell& cell : metric.cells) {
      deviation = deviation || cell.deviation || cell.delta_deviation;
      interval = interval || cell.interval || cell.delta_interval;
    }
  }
  lines.push_back("Δ to 1, " + section.columns.front().label + ", paired by seed");
  if (deviation) lines.emplace_back("± standard deviation over seeds (n − 1)");
  if (interval)
    lines.emplace_back("[95 % interval over items, seeds fixed; each by itself, not adjusted for their number]");
  for (std::string& line : refusals(section, n)) lines.push_back(std::move(line));
  if (const std::string hidden = hidden_text(section); !hidden.empty()) {
    lines.push_back(hidden + " hidden (--all-params shows them)");
  }
  const std::size_t n_hidden = section.columns.size() - n + section.n_hidden_columns;
  if (n_hidden > 0) {
    lines.push_back(std::to_string(n_hidden) + " of " +
                    std::to_string(section.columns.size() + section.n_hidden_columns) +
                    " variants hidden: only so many fit into " + std::to_string(width) +
                    " characters (--all-columns shows them; or name fewer)");
  }
  return lines;
}

Json number_of(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

const char* name_of(Figure::State state) {
  switch (state) {
    case Figure::State::number: return "number";
    case Figure::State::not_a_number: return "nan";
    case Figure::State::absent: return "absent";
    case Figure::State::missing: break;
  }
  return "missing";
}

const char* name_of(Better better) {
  if (better == Better::none) return "none";
  return better == Better::up ? "up" : "down";
}

Json cell_document(const ComparedCell& cell) {
  const bool is_number = cell.state == Figure::State::number;
  const auto end = [](const std::optional<Interval>& interval, double Interval::*side) {
    return interval ? Json((*interval).*side) : Json();
  };
  return {{"state", name_of(cell.state)},
          {"value", is_number ? Json(cell.value) : Json()},
          {"std", number_of(cell.deviation)},
          {"low", end(cell.interval, &Interval::low)},
          {"high", end(cell.interval, &Interval::high)},
          {"seeds", cell.n_seeds},
          {"items", cell.n_items == 0 ? Json() : Json(cell.n_items)},
          {"delta", number_of(cell.delta)},
          {"delta_std", number_of(cell.delta_deviation)},
          {"delta_low", end(cell.delta_interval, &Interval::low)},
          {"delta_high", end(cell.delta_interval, &Interval::high)},
          {"not_comparable", cell.not_comparable.empty() ? Json() : Json(cell.not_comparable)}};
}

constexpr const char* kCellColumns[] = {"state", "value", "std",       "low",       "high",       "seeds",
                                        "items", "delta", "delta_std", "delta_low", "delta_high", "not_comparable"};

}  // namespace

std::string comparison_page(const Comparison& comparison, PageFormat format, std::size_t width,
                            const std::string& rerun) {
  const bool text = format == PageFormat::text;
  const auto shown = [&](const std::string& line) {
    return text ? printable(line) + "\n" : "- " + markdown_line(line) + "\n";
  };
  std::string out;
  for (const ComparedSection& section : comparison.sections) {
    const std::size_t n = columns_that_fit(section, format, width);
    const std::string title = comparison.experiment + ": " + joined(section.stages) + ", " +
                              count_text(section.columns.size() + section.n_hidden_columns, "variant");
    out += (out.empty() ? "" : "\n") + (text ? printable(title) + "\n\n" : "**" + markdown_cell(title) + "**\n\n");
    out += shown_grid(section, format, n) + "\n";
    for (const std::string& line : notes_of(section, n, width)) out += shown(line);
  }
  std::string rest;
  if (!comparison.alone.empty()) {
    rest += shown("left out, with one variant: " + listed(comparison.alone, kStagesShown));
  }
  if (!comparison.missing.empty()) {
    rest += shown("· not there yet: " + listed(comparison.missing, kMissingShown) + "; `" + rerun + "` makes it");
  }
  return out + (rest.empty() ? "" : "\n" + rest);
}

Json comparison_document(const Comparison& comparison) {
  Json sections = Json::array();
  for (const ComparedSection& section : comparison.sections) {
    Json variants = Json::array();
    for (const ComparedColumn& column : section.columns) {
      variants.push_back({{"label", column.label}, {"axes", column.axes}, {"seeds", column.seeds}});
    }
    Json parameters = Json::array();
    for (const ComparedParameter& parameter : section.parameters) {
      parameters.push_back({{"name", parameter.name}, {"values", parameter.values}});
    }
    Json metrics = Json::array();
    for (const ComparedMetric& metric : section.metrics) {
      Json cells = Json::array();
      for (const ComparedCell& cell : metric.cells) cells.push_back(cell_document(cell));
      metrics.push_back({{"stage", metric.stage},
                         {"name", metric.name},
                         {"unit", metric.unit},
                         {"better", name_of(metric.better)},
                         {"cells", std::move(cells)}});
    }
    sections.push_back({{"stages", section.stages},
                        {"variants", std::move(variants)},
                        {"parameters", std::move(parameters)},
                        {"equal_parameters", section.n_equal_parameters},
                        {"metrics", std::move(metrics)},
                        {"equal_metrics", section.n_equal_metrics}});
  }
  return {{"experiment", comparison.experiment},
          {"sections", std::move(sections)},
          {"stages_with_one_variant", comparison.alone},
          {"missing", comparison.missing}};
}

QueryResult comparison_rows(const Comparison& comparison) {
  QueryResult rows{.columns = {"stage", "metric", "unit", "better", "variant", "axes", "baseline"}, .rows = {}};
  rows.columns.insert(rows.columns.end(), std::begin(kCellColumns), std::end(kCellColumns));
  for (const ComparedSection& section : comparison.sections) {
    for (const ComparedMetric& metric : section.metrics) {
      for (std::size_t c = 0; c < metric.cells.size(); ++c) {
        std::vector<std::optional<Json>> row{Json(metric.stage),
                                             Json(metric.name),
                                             Json(metric.unit),
                                             Json(name_of(metric.better)),
                                             Json(c + 1),
                                             Json(canonical(section.columns[c].axes)),
                                             Json(canonical(section.columns.front().axes))};
        const Json cell = cell_document(metric.cells[c]);
        for (const char* name : kCellColumns) {
          row.push_back(cell[name].is_null() ? std::nullopt : std::optional<Json>(cell[name]));
        }
        rows.rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

}  // namespace lowbit::report
