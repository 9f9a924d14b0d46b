#include "report/measured_figure.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/glob.h"
#include "base/words.h"
#include "report/statistics.h"
#include "report/ticks.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kCurvesListed = 12;

using Variants = std::vector<const StudyVariant*>;

bool has_result(const StudyVariant* variant) { return variant->result_id.has_value(); }

/// The role whose results a column counts, in the tables' words.
std::vector<std::string> roles_of(const ColumnSpec& column) {
  std::vector<std::string> roles;
  for (const MetricOf& metric : column.metrics) roles.push_back(metric.role.value);
  if (roles.empty()) roles.push_back(column.role.value);
  return roles;
}

class FigureMeasuring {
 public:
  FigureMeasuring(const FigureSpec& figure, const FigurePoints& points, const std::vector<RowSources>& sources,
                  const Answers& answers, const Curves& curves)
      : figure_(figure), points_(points), sources_(sources), answers_(answers), curves_(curves) {}

  Result<MeasuredFigure> run() {
    LB_TRY_ASSIGN(MeasuredTable table, measure(points_.table, sources_, answers_));
    LB_TRY_ASSIGN(const auto deviations, deviations_of_values());
    out_.n_items = std::move(table.n_items);
    out_.seeds = std::move(table.seeds);
    out_.n_ungraded = table.n_ungraded;
    out_.missing = std::move(table.missing);
    for (const PointsOfRow& row : points_.rows) {
      MeasuredRow& to = out_.rows.emplace_back();
      to.id = row.id;
      to.label = row.label;
      to.baseline = row.baseline;
      for (std::size_t i = 0; i < row.points.size(); ++i) {
        const std::size_t position = row.first + i;
        to.points.push_back(point(row.points[i], position, table.rows[position], deviations[position]));
      }
      for (const CurveSpec& curve : figure_.curves) to.curves.push_back(measure_curve(curve, sources_[row.first]));
    }
    for (const QuantitySpec& quantity : figure_.quantities) out_.better.push_back(direction(quantity));
    if (problems_.empty()) return std::move(out_);
    return std::move(problems_);
  }

 private:
  MeasuredPoint point(const std::vector<std::pair<std::string, Json>>& at, std::size_t position,
                      const std::vector<MeasuredCell>& cells, const std::vector<std::optional<double>>& deviations) {
    MeasuredPoint out;
    out.at = at;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      MeasuredValue value;
      value.figure = cells[i].figures.front();
      value.interval = cells[i].interval;
      value.deviation = cells[i].deviation ? cells[i].deviation : deviations[i];
      value.n_seeds = seeds_of(position, points_.table.columns[i]).size();
      out.values.push_back(value);
    }
    for (const auto& [axis, value] : points_.table.rows[position].at) {
      if (axis.value == figure_.x_axis.value) out.place = value.value;
    }
    if (figure_.kind != FigureSpec::Kind::line) return out;
    if (out.place.is_number()) out.x = out.place.get<double>();
    if (figure_.x_axis.value.empty() && out.values.front().is_number()) out.x = out.values.front().figure.value;
    return out;
  }

  /// Of the results that the column counts.
  [[nodiscard]] std::set<std::int64_t> seeds_of(std::size_t position, const ColumnSpec& column) const {
    std::set<std::int64_t> seeds;
    for (const std::string& role : roles_of(column)) {
      const auto found = sources_[position].find(role);
      if (found == sources_[position].end()) continue;
      for (const StudyVariant* variant : found->second) {
        if (variant->seed) seeds.insert(*variant->seed);
      }
    }
    return seeds;
  }

  /// By point and quantity. Tables show no deviation of a metric: each seed is measured as a row of its own.
  Result<std::vector<std::vector<std::optional<double>>>> deviations_of_values() {
    const std::size_t n_columns = points_.table.columns.size();
    std::vector<std::vector<std::optional<double>>> out(points_.table.rows.size(),
                                                        std::vector<std::optional<double>>(n_columns));
    for (std::size_t column = 0; column < n_columns; ++column) {
      const ColumnSpec& spec = points_.table.columns[column];
      if (spec.kind == ColumnSpec::Kind::accuracy) continue;
      TableSpec table;
      table.columns.push_back(spec);
      std::vector<RowSources> sources;
      std::vector<std::size_t> positions;
      for (std::size_t position = 0; position < out.size(); ++position) {
        const std::set<std::int64_t> seeds = seeds_of(position, spec);
        if (seeds.size() < 2) continue;
        for (const std::int64_t seed : seeds) {
          table.rows.push_back(points_.table.rows[position]);
          sources.push_back(of_seed(sources_[position], seed));
          positions.push_back(position);
        }
      }
      LB_TRY_ASSIGN(const MeasuredTable measured, measure(table, sources, answers_));
      std::map<std::size_t, std::vector<double>> values;
      for (std::size_t i = 0; i < positions.size(); ++i) {
        const Figure& figure = measured.rows[i].front().figures.front();
        if (figure.state == Figure::State::number) values[positions[i]].push_back(figure.value);
      }
      for (const auto& [position, of_seeds] : values) {
        if (of_seeds.size() == seeds_of(position, spec).size()) out[position][column] = sample_deviation(of_seeds);
      }
    }
    return out;
  }

  /// What has no seed stands beside every seed.
  static RowSources of_seed(const RowSources& sources, std::int64_t seed) {
    RowSources out;
    for (const auto& [role, variants] : sources) {
      for (const StudyVariant* variant : variants) {
        if (!variant->seed || *variant->seed == seed) out[role].push_back(variant);
      }
    }
    return out;
  }

  MeasuredCurve measure_curve(const CurveSpec& wanted, const RowSources& sources) {
    MeasuredCurve out;
    const auto found = sources.find(wanted.metric.role.value);
    if (found == sources.end()) return out;
    out.state = Figure::State::missing;
    if (!note_missing(found->second)) return out;
    std::map<std::int64_t, std::vector<std::optional<double>>> by_step;
    std::string name;
    for (const StudyVariant* variant : found->second) {
      const std::vector<CurvePoint>* points = the_curve(*variant, wanted, name);
      if (points == nullptr) return out;
      for (const CurvePoint& point : *points) by_step[point.step].push_back(point.value);
    }
    out.state = Figure::State::number;
    out.n_seeds = found->second.size();
    for (const auto& [step, values] : by_step) {
      if (values.size() < out.n_seeds) {
        ++out.n_steps_left_out;
        continue;
      }
      CurvePoint mean{step, 0.0};
      for (const std::optional<double>& value : values) {
        if (mean.value && value) *mean.value += *value / static_cast<double>(values.size());
        if (!value) mean.value.reset();
      }
      if (!mean.value) ++out.n_not_numbers;
      out.points.push_back(mean);
    }
    return out;
  }

  /// Whether every result is there.
  bool note_missing(const Variants& variants) {
    for (const StudyVariant* variant : variants) {
      if (variant->seed) out_.seeds.insert(*variant->seed);
      if (has_result(variant)) continue;
      const std::string text = variant->label + " (" + variant->state + ")";
      if (std::find(out_.missing.begin(), out_.missing.end(), text) == out_.missing.end()) out_.missing.push_back(text);
    }
    return std::all_of(variants.begin(), variants.end(), has_result);
  }

  /// Null, with a report, unless one name fits, the same for all variants.
  const std::vector<CurvePoint>* the_curve(const StudyVariant& variant, const CurveSpec& wanted, std::string& name) {
    const std::vector<CurvePoint>* points = nullptr;
    std::vector<std::string> fitting;
    std::vector<std::string> all;
    if (const auto of_result = curves_.find(*variant.result_id); of_result != curves_.end()) {
      for (const auto& [known, curve] : of_result->second) {
        all.push_back(known);
        if (!matches_glob(wanted.metric.metric.value, known)) continue;
        fitting.push_back(known);
        points = &curve;
      }
    }
    if (fitting.size() == 1 && !name.empty() && name != fitting.front()) fitting.push_back(name);
    if (fitting.size() == 1) {
      name = fitting.front();
      return points;
    }
    const SourceSpan& place = wanted.metric.metric.span;
    const auto same = [&](const Diagnostic& d) { return d.span.line == place.line && d.span.column == place.column; };
    if (std::any_of(problems_.begin(), problems_.end(), same)) return nullptr;
    Diagnostic problem =
        error("LB7042", ticked(wanted.metric.metric.value) + " is " +
                            (fitting.empty() ? "no curve" : "more than one curve") + " of " + ticked(variant.label));
    problem.at(place, fitting.empty() ? "unknown curve" : "matches " + listed(fitting, kCurvesListed));
    if (fitting.empty()) problem.note("its curves: " + (all.empty() ? "none" : listed(all, kCurvesListed)));
    const std::string near = fitting.empty() ? nearest(wanted.metric.metric.value, all) : std::string();
    problems_.push_back(problem.fix(near.empty() ? "write the name of one curve; * stands for any text"
                                                 : "a curve with a similar name exists: " + ticked(near)));
    return nullptr;
  }

  /// Only a radar asks.
  Better direction(const QuantitySpec& quantity) {
    if (quantity.better != Better::none) return quantity.better;
    const ColumnSpec& column = quantity.column;
    if (column.kind == ColumnSpec::Kind::accuracy) return Better::up;
    const MetricOf& wanted = column.metrics.front();
    bool measured = false;
    for (const RowSources& sources : sources_) {
      const auto found = sources.find(wanted.role.value);
      if (found == sources.end()) continue;
      for (const auto& [name, metric] : found->second.front()->metrics) {
        if (!matches_glob(wanted.metric.value, name)) continue;
        measured = true;
        const MetricDefinition* const known = find_metric(name);
        if (known != nullptr && known->better != Better::none) return known->better;
      }
    }
    if (measured && figure_.kind == FigureSpec::Kind::radar) {
      problems_.push_back(error("LB7043", "nothing says which way " + ticked(wanted.metric.value) + " is better")
                              .at(wanted.metric.span, "on an axis of a radar")
                              .note("schemas/metrics.yaml has no direction for it")
                              .fix("add `better: up` or `better: down` to the axis"));
    }
    return Better::none;
  }

  const FigureSpec& figure_;
  const FigurePoints& points_;
  const std::vector<RowSources>& sources_;
  const Answers& answers_;
  const Curves& curves_;
  MeasuredFigure out_;
  Diagnostics problems_;
};

}  // namespace

bool MeasuredValue::is_number() const {
  return figure.state == Figure::State::number && std::abs(figure.value) <= kMostDrawn;
}

FigureNeeds needs_of(const FigureSpec& figure, const FigurePoints& points, const std::vector<RowSources>& sources) {
  FigureNeeds needs;
  needs.answers = results_with_answers(points.table, sources);
  std::set<std::int64_t> results;
  for (const CurveSpec& curve : figure.curves) {
    for (const RowSources& row : sources) {
      const auto found = row.find(curve.metric.role.value);
      if (found == row.end()) continue;
      for (const StudyVariant* variant : found->second) {
        if (variant->result_id) results.insert(*variant->result_id);
      }
    }
  }
  needs.curves.assign(results.begin(), results.end());
  return needs;
}

Result<MeasuredFigure> measure_figure(const FigureSpec& figure, const FigurePoints& points,
                                      const std::vector<RowSources>& sources, const Answers& answers,
                                      const Curves& curves) {
  return FigureMeasuring(figure, points, sources, answers, curves).run();
}

}  // namespace lowbit::report
