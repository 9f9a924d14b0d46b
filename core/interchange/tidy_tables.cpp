#include "interchange/tidy_tables.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

namespace lowbit::interchange {
namespace {

const std::vector<std::string> kVariantColumns{"experiment", "stage", "label"};
const std::vector<std::string> kMadeColumns{"seed", "plugin", "version", "kind", "status", "result_id", "content_key"};
const std::vector<std::string> kMetricColumns{"metric", "unit", "value", "std_error", "count", "ended_at", "seconds"};
const std::vector<std::string> kParamColumns{"param", "value"};
const std::vector<std::string> kPointColumns{"curve", "step", "unit", "value", "std_error", "count"};

std::vector<std::string> axes_of(const ExportedStudy& study) {
  std::set<std::string> axes;
  for (const std::size_t i : study.chosen) {
    for (const auto& [axis, value] : study.variants[i].variant.axes.items()) axes.insert(axis);
  }
  return {axes.begin(), axes.end()};
}

bool is_column(const std::string& name) {
  for (const auto* names : {&kVariantColumns, &kMadeColumns, &kMetricColumns, &kParamColumns, &kPointColumns}) {
    if (std::find(names->begin(), names->end(), name) != names->end()) return true;
  }
  return false;
}

/// An axis that is called like a column of any of the tables has `axis_` before it.
std::vector<std::string> columns_of(const std::vector<std::string>& axes, const std::vector<std::string>& own) {
  std::vector<std::string> columns = kVariantColumns;
  for (const std::string& axis : axes) columns.push_back((is_column(axis) ? "axis_" : "") + axis);
  columns.insert(columns.end(), kMadeColumns.begin(), kMadeColumns.end());
  columns.insert(columns.end(), own.begin(), own.end());
  return columns;
}

Json value_cell(double value) { return std::isnan(value) ? Json() : Json(value); }

void append(std::vector<Json>& cells, std::vector<Json> more) {
  cells.insert(cells.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

TidyTables::TidyTables(const ExportedStudy& study, RowFormat format)
    : study_(study),
      axes_(axes_of(study)),
      results_(columns_of(axes_, kMetricColumns), format),
      params_(columns_of(axes_, kParamColumns), format),
      curves_(columns_of(axes_, kPointColumns), format) {}

std::vector<Json> TidyTables::variant_cells(const ExportedVariant& variant) const {
  const StudyVariant& at = variant.variant;
  std::vector<Json> cells{study_.experiment, at.stage, at.label};
  for (const std::string& axis : axes_) cells.push_back(member(at.axes, axis.c_str()));
  const Json& plugin = member(variant.recipe.record, "plugin");
  append(cells, {value_or_null(at.seed), member(plugin, "id"), member(plugin, "version"),
                 variant.recipe.kind.empty() ? Json() : Json(variant.recipe.kind), at.state,
                 value_or_null(at.result_id), at.content_key.empty() ? Json() : Json(at.content_key)});
  return cells;
}

std::string TidyTables::results() const {
  std::string text = results_.header();
  for (const std::size_t i : study_.chosen) {
    const ExportedVariant& variant = study_.variants[i];
    const auto add = [&](std::vector<Json> own) {
      std::vector<Json> cells = variant_cells(variant);
      append(cells, std::move(own));
      text += results_.line(cells);
    };
    if (!variant.result) {
      add(std::vector<Json>(kMetricColumns.size()));
      continue;
    }
    const ExecutionFacts& execution = variant.result->execution;
    const std::vector<MetricRow>& metrics = variant.result->facts.metrics;
    if (metrics.empty()) add({nullptr, nullptr, nullptr, nullptr, nullptr, execution.ended_at, execution.seconds});
    for (const MetricRow& metric : metrics) {
      add({metric.name, metric.unit, value_cell(metric.value), value_or_null(metric.std_error), metric.count,
           execution.ended_at, execution.seconds});
    }
  }
  return text;
}

std::string TidyTables::params() const {
  std::string text = params_.header();
  for (const std::size_t i : study_.chosen) {
    const ExportedVariant& variant = study_.variants[i];
    if (!variant.result) continue;
    for (const auto& [name, value] : member(variant.recipe.record, "params").items()) {
      std::vector<Json> cells = variant_cells(variant);
      append(cells, {name, value});
      text += params_.line(cells);
    }
  }
  return text;
}

std::string TidyTables::curve_line(const ExportedVariant& variant, const CurveRow& point) const {
  std::vector<Json> cells = variant_cells(variant);
  append(cells,
         {point.name, point.step, point.unit, value_or_null(point.value), value_or_null(point.std_error), point.count});
  return curves_.line(cells);
}

std::string TidyTables::item_line(const ExportedVariant& variant, const ItemLine& item) const {
  const StudyVariant& at = variant.variant;
  Json line = item.fields;
  line["experiment"] = study_.experiment;
  line["stage"] = at.stage;
  line["label"] = at.label;
  line["axes"] = at.axes;
  line["seed"] = value_or_null(at.seed);
  line["result_id"] = value_or_null(at.result_id);
  line["port"] = item.port;
  line["item_id"] = item.item_id;
  return canonical(line) + "\n";
}

}  // namespace lowbit::interchange
