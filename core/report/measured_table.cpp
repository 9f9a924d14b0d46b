#include "report/measured_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/glob.h"
#include "base/words.h"
#include "report/answers.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kMetricsListed = 12;

using Kind = ColumnSpec::Kind;
using State = Figure::State;
using Variants = std::vector<const StudyVariant*>;

Diagnostics placed(Diagnostics problems, const SourceSpan& span, const std::string& label) {
  for (Diagnostic& problem : problems) problem.at(span, label);
  return problems;
}

class Measuring {
 public:
  Measuring(const TableSpec& table, const std::vector<RowSources>& sources, const Answers& answers)
      : table_(table), sources_(sources), answers_(answers) {}

  Result<MeasuredTable> run() {
    for (std::size_t row = 0; row < table_.rows.size(); ++row) {
      auto& cells = out_.rows.emplace_back();
      for (const ColumnSpec& column : table_.columns) cells.push_back(cell(row, column));
    }
    for (const ComparisonSpec& comparison : table_.comparisons) compare(comparison);
    adjust();
    if (problems_.empty()) return std::move(out_);
    return std::move(problems_);
  }

 private:
  MeasuredCell cell(std::size_t row, const ColumnSpec& column) {
    MeasuredCell cell;
    const auto& given = table_.rows[row].given;
    const auto author = std::find_if(given.begin(), given.end(),
                                     [&](const auto& entry) { return entry.first.value == column.label.value; });
    if (author != given.end()) {
      cell.content = MeasuredCell::Content::given;
      cell.given = author->second.value;
      return cell;
    }
    switch (column.kind) {
      case Kind::accuracy: return accuracy(row, column);
      case Kind::delta: {
        const std::size_t baseline = table_.row_index(column.baseline.value);
        if (row != baseline) return difference(row, baseline, column.role, column.baseline.span);
        cell.content = MeasuredCell::Content::baseline;
        return cell;
      }
      case Kind::share: return share(row, column);
      case Kind::sum: cell.figures.push_back(sum(row, column)); return cell;
      case Kind::mean: return mean_of_all(row, column);
      case Kind::value:
      case Kind::list: break;
    }
    for (const MetricOf& metric : column.metrics) add(cell, mean(row, metric, column));
    return cell;
  }

  /// Null when the row has no stage for it. What has no result is listed as missing.
  const Variants* variants(std::size_t row, const Text& role) {
    const auto found = sources_[row].find(role.value);
    if (found == sources_[row].end()) return nullptr;
    for (const StudyVariant* variant : found->second) {
      if (variant->seed) out_.seeds.insert(*variant->seed);
      if (variant->result_id) out_.content_keys.insert(variant->content_key);
      if (variant->result_id) continue;
      const std::string text = variant->label + " (" + variant->state + ")";
      if (std::find(out_.missing.begin(), out_.missing.end(), text) == out_.missing.end()) out_.missing.push_back(text);
    }
    return &found->second;
  }

  static bool complete(const Variants& variants) {
    return std::all_of(variants.begin(), variants.end(), [](const auto* v) { return v->result_id.has_value(); });
  }

  struct Mean {
    Figure figure;
    std::string unit;
    std::int64_t count = 0;  ///< of the seed with the fewest
    std::string metric;
    const StudyVariant* variant = nullptr;  ///< the first
  };

  static void add(MeasuredCell& cell, const Mean& mean) {
    cell.figures.push_back(mean.figure);
    if (mean.figure.state != State::number) return;
    cell.metrics.insert(mean.metric);
    cell.variants.push_back(mean.variant);
  }

  static Mean missing() {
    Mean mean;
    mean.figure.state = State::missing;
    return mean;
  }

  Mean mean(std::size_t row, const MetricOf& wanted, const ColumnSpec& column) {
    const Variants* of = variants(row, wanted.role);
    if (of == nullptr) return {};
    if (!complete(*of)) return missing();
    Mean out{.figure = {State::number, 0},
             .unit = {},
             .count = std::numeric_limits<std::int64_t>::max(),
             .metric = {},
             .variant = of->front()};
    std::string name;
    for (const StudyVariant* variant : *of) {
      const auto metric = the_metric(*variant, wanted);
      if (metric == variant->metrics.end()) return missing();
      if (!name.empty() && name != metric->first) {
        not_one(*variant, wanted, {name, metric->first});
        return missing();
      }
      name = metric->first;
      out.metric = name;
      out.unit = metric->second.unit;
      if (!metric->second.value) out.figure.state = State::not_a_number;
      out.figure.value += metric->second.value.value_or(0);
      out.count = std::min(out.count, metric->second.count);
    }
    out.figure.value /= static_cast<double>(of->size());
    const std::string fits = column.percent ? "fraction" : column.unit.value.empty() ? out.unit : "bytes";
    if (out.unit != fits) {
      report_once(error("LB7027", "metric " + ticked(name) + " is in " + out.unit + ", not in " + fits)
                      .at(wanted.metric.span, "a metric in " + out.unit)
                      .note(column.kind == Kind::share ? "`share` shows fractions"
                            : column.percent           ? "`percent: true` shows fractions"
                                                       : "`unit` shows bytes")
                      .fix("remove the key, or name another metric"));
    }
    return out;
  }

  std::map<std::string, MeasuredMetric>::const_iterator the_metric(const StudyVariant& variant,
                                                                   const MetricOf& wanted) {
    std::vector<std::string> found;
    auto metric = variant.metrics.end();
    for (auto it = variant.metrics.begin(); it != variant.metrics.end(); ++it) {
      if (!matches_glob(wanted.metric.value, it->first)) continue;
      found.push_back(it->first);
      metric = it;
    }
    if (found.size() == 1) return metric;
    not_one(variant, wanted, found);
    return variant.metrics.end();
  }

  void not_one(const StudyVariant& variant, const MetricOf& wanted, const std::vector<std::string>& found) {
    std::vector<std::string> names;
    for (const auto& [name, metric] : variant.metrics) names.push_back(name);
    const std::string near = nearest(wanted.metric.value, names);
    Diagnostic problem =
        error("LB7024", ticked(wanted.metric.value) + " is " + (found.empty() ? "no metric" : "more than one metric") +
                            " of " + ticked(variant.label));
    problem.at(wanted.metric.span, found.empty() ? "unknown metric" : "matches " + listed(found, kMetricsListed));
    if (found.empty()) problem.note("its metrics: " + (names.empty() ? "none" : listed(names, kMetricsListed)));
    report_once(problem.fix(near.empty() || !found.empty() ? "write the name of one metric; * stands for any text"
                                                           : "a metric with a similar name exists: " + ticked(near)));
  }

  // A slip in a column meets every row.
  void report_once(Diagnostic problem) {
    const auto same = [&](const Diagnostic& d) {
      return d.code == problem.code && d.span.line == problem.span.line && d.span.column == problem.span.column;
    };
    if (std::none_of(problems_.begin(), problems_.end(), same)) problems_.push_back(std::move(problem));
  }

  /// Seeds share their items: a mean over them is taken for a share of as many items as one of them has.
  MeasuredCell share(std::size_t row, const ColumnSpec& column) {
    MeasuredCell cell;
    const Mean measured = mean(row, column.metrics.front(), column);
    add(cell, measured);
    if (measured.figure.state != State::number || measured.count <= 0) return cell;
    cell.interval = wilson(measured.figure.value, static_cast<double>(measured.count));
    cell.n_items = static_cast<std::size_t>(measured.count);
    return cell;
  }

  /// A number only where every part is one.
  MeasuredCell mean_of_all(std::size_t row, const ColumnSpec& column) {
    MeasuredCell cell;
    Figure whole{State::number, 0};
    std::string unit;
    for (const MetricOf& metric : column.metrics) {
      const Mean part = mean(row, metric, column);
      if (part.figure.state != State::number) {
        // What can still be made is said before what will never be there.
        if (whole.state != State::missing) whole.state = part.figure.state;
        continue;
      }
      one_unit("mean", metric, part, unit);
      whole.value += part.figure.value / static_cast<double>(column.metrics.size());
      cell.metrics.insert(part.metric);
      cell.variants.push_back(part.variant);
    }
    cell.figures.push_back(whole);
    return cell;
  }

  void one_unit(const char* what, const MetricOf& metric, const Mean& part, std::string& unit) {
    if (!unit.empty() && !part.unit.empty() && unit != part.unit) {
      report_once(error("LB7027", std::string("a ") + what + " of " + unit + " and " + part.unit + " has no meaning")
                      .at(metric.metric.span, "in " + part.unit)
                      .fix("name metrics of one unit"));
    }
    unit = part.unit;
  }

  Figure sum(std::size_t row, const ColumnSpec& column) {
    Figure total;
    std::string unit;
    for (const MetricOf& metric : column.metrics) {
      const Mean part = mean(row, metric, column);
      if (part.figure.state == State::absent) continue;
      one_unit("sum", metric, part, unit);
      total.value += part.figure.value;
      // What is missing makes the whole missing, then what is not a number.
      if (total.state != State::missing && total.state != State::not_a_number) total.state = part.figure.state;
      if (part.figure.state == State::missing) total.state = State::missing;
    }
    return total;
  }

  /// Empty when one is missing.
  std::vector<SeedAnswers> seed_answers(const Variants& variants) const {
    static const std::vector<ItemAnswer> none;
    std::vector<SeedAnswers> out;
    if (!complete(variants)) return out;
    for (const StudyVariant* variant : variants) {
      const auto found = answers_.find(*variant->result_id);
      out.push_back({variant->label, variant->seed, found == answers_.end() ? &none : &found->second});
    }
    return out;
  }

  MeasuredCell accuracy(std::size_t row, const ColumnSpec& column) {
    MeasuredCell cell;
    cell.figures.resize(1);
    const Variants* of = variants(row, column.role);
    if (of == nullptr) return cell;
    cell.figures[0].state = State::missing;
    const std::vector<SeedAnswers> results = seed_answers(*of);
    if (results.empty()) return cell;
    const Result<Accuracy> measured = accuracy_of(results);
    if (!measured) {
      for (Diagnostic& d : placed(measured.error(), column.role.span, "in row " + table_.rows[row].id.value)) {
        report_once(std::move(d));
      }
      return cell;
    }
    cell.figures[0] = {State::number, measured->mean.mean};
    cell.deviation = measured->deviation;
    cell.interval = measured->interval;
    cell.n_items = measured->n_items;
    cell.variants.push_back(of->front());
    out_.n_items.insert(measured->n_items);
    out_.n_ungraded += measured->n_ungraded;
    return cell;
  }

  MeasuredCell difference(std::size_t a, std::size_t b, const Text& role, const SourceSpan& place) {
    return measured_difference(a, b, role, place).cell;
  }

  MeasuredComparison measured_difference(std::size_t a, std::size_t b, const Text& role, const SourceSpan& place) {
    MeasuredComparison out;
    MeasuredCell& cell = out.cell;
    cell.figures.resize(1);
    const Variants* of_a = variants(a, role);
    const Variants* of_b = variants(b, role);
    if (of_a == nullptr || of_b == nullptr) return out;
    cell.figures[0].state = State::missing;
    const std::vector<SeedAnswers> results_a = seed_answers(*of_a);
    const std::vector<SeedAnswers> results_b = seed_answers(*of_b);
    if (results_a.empty() || results_b.empty()) return out;
    const Result<Difference> measured = paired_difference(
        results_a, results_b, table_.bootstrap ? DifferenceInterval::bootstrap : DifferenceInterval::analytic);
    if (!measured) {
      for (Diagnostic& d : placed(measured.error(), place, "in row " + table_.rows[a].id.value)) {
        report_once(std::move(d));
      }
      return out;
    }
    cell.figures[0] = {State::number, measured->mean.mean};
    cell.interval = measured->interval;
    cell.std_error = measured->mean.std_error;
    cell.n_items = measured->n_items;
    out.p_value = measured->p_value;
    out.mcnemar = measured->mcnemar;
    return out;
  }

  void compare(const ComparisonSpec& comparison) {
    const std::size_t a = table_.row_index(comparison.a.value);
    const std::size_t b = table_.row_index(comparison.b.value);
    MeasuredComparison out = measured_difference(a, b, comparison.role, comparison.a.span);
    out.label =
        comparison.label.empty() ? table_.rows[a].label.value + " − " + table_.rows[b].label.value : comparison.label;
    if (out.cell.interval && out.cell.interval->low > 0) out.better = table_.rows[a].label.value;
    if (out.cell.interval && out.cell.interval->high < 0) out.better = table_.rows[b].label.value;
    out_.comparisons.push_back(std::move(out));
  }

  void adjust() {
    std::vector<double> p_values;
    for (const MeasuredComparison& comparison : out_.comparisons) {
      if (comparison.cell.interval) p_values.push_back(comparison.p_value);
    }
    const std::vector<double> adjusted = holm(p_values);
    auto next = adjusted.begin();
    for (MeasuredComparison& comparison : out_.comparisons) {
      if (comparison.cell.interval) comparison.p_adjusted = *next++;
    }
  }

  const TableSpec& table_;
  const std::vector<RowSources>& sources_;
  const Answers& answers_;
  MeasuredTable out_;
  Diagnostics problems_;
};

}  // namespace

Result<MeasuredTable> measure(const TableSpec& table, const std::vector<RowSources>& sources, const Answers& answers) {
  return Measuring(table, sources, answers).run();
}

}  // namespace lowbit::report
