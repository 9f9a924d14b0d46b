#include "report/figure_trace.h"

#include <algorithm>
#include <set>

#include "base/glob.h"
#include "base/words.h"
#include "domain/quantity_text.h"
#include "report/printed_table.h"
#include "report/table_figures.h"
#include "report/table_page.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kIdsListed = 20;

using ColumnKind = ColumnSpec::Kind;

/// As tables print it, for people who copy what they see: "ppl ↓" is also "ppl".
bool is_label(const std::string& written, const std::string& label) {
  return written == label || (label.starts_with(written) && (label == written + " ↑" || label == written + " ↓"));
}

template <class Names>
Diagnostic no_such(const std::string& table, const char* what, const std::string& written, const Names& names) {
  const std::vector<std::string> known(names.begin(), names.end());
  Diagnostic problem = error("LB7068", "table " + ticked(table) + " has no " + what + " " + ticked(written));
  problem.note(std::string("its ") + what + "s: " + listed(known, kIdsListed));
  const std::string near = nearest(written, known);
  return problem.fix(near.empty() ? "use one of these" : "a similar one is there: " + ticked(near));
}

std::string metrics_text(const ColumnSpec& column) {
  std::vector<std::string> names;
  for (const MetricOf& metric : column.metrics)
    names.push_back(ticked(metric.metric.value) + " of " + ticked(metric.role.value));
  return joined(names, column.kind == ColumnKind::sum ? " + " : ", ");
}

std::string formula_of(const TableSpec& table, const ColumnSpec& column, const MeasuredCell& cell) {
  if (cell.content == MeasuredCell::Content::given) return "written by the table's author, not measured";
  if (cell.content == MeasuredCell::Content::baseline) return "the row that the column's differences are taken to";
  switch (column.kind) {
    case ColumnKind::value:
    case ColumnKind::list:
    case ColumnKind::sum: return "mean over seeds of " + metrics_text(column);
    case ColumnKind::mean: return "mean of these, each a mean over seeds: " + metrics_text(column);
    case ColumnKind::share:
      return "mean over seeds of " + metrics_text(column) + "; [ ] Wilson interval of that share of its items";
    case ColumnKind::accuracy:
      return "share of right answers in " + ticked(column.role.value) +
             ", seeds together, an answer without a grade is wrong; ± over seeds, divisor n − 1; [ ] Wilson interval "
             "with the standard error over problems";
    case ColumnKind::delta: break;
  }
  return "accuracy of " + ticked(column.role.value) + " minus that of row " +
         table.rows[table.row_index(column.baseline.value)].id.value +
         ", paired by item and seed; [ ] mean ± 1.96 standard errors over problems";
}

class Tracing {
 public:
  Tracing(const StudyResults& study, const StudyRecipes& recipes) : study_(study), recipes_(recipes) {}

  void add(FigureTrace& trace, const std::string& row, const RowSources& sources, const std::string& role,
           const std::vector<std::string>& metrics) {
    const auto found = sources.find(role);
    if (found == sources.end()) return;
    bool first = true;
    for (const StudyVariant* variant : found->second) {
      const auto index = static_cast<std::size_t>(variant - study_.variants.data());
      TracedResult* result = nullptr;
      for (TracedResult& one : trace.results) {
        if (one.row == row && one.variant == index) result = &one;
      }
      if (result == nullptr) {
        trace.results.push_back({.row = row,
                                 .role = role,
                                 .variant = index,
                                 .metrics = {},
                                 .execution = {},
                                 .predictions = {},
                                 .marks = {}});
        result = &trace.results.back();
      }
      if (metrics.empty()) result->reads_answers = true;
      for (const std::string& pattern : metrics) {
        for (const auto& [name, metric] : variant->metrics) {
          if (matches_glob(pattern, name)) result->metrics.emplace_back(name, metric);
        }
      }
      if (first) walk(trace, index);
      first = false;
    }
  }

 private:
  void walk(FigureTrace& trace, std::size_t variant) {
    if (!seen_.insert(variant).second) return;
    trace.chain.push_back(variant);
    for (const RecipeInput& input : recipes_[variant].inputs) {
      if (input.maker) {
        walk(trace, *input.maker);
      } else if (!input.digest.empty() && outside_.insert(input.digest).second) {
        trace.outside.push_back({input.type, input.digest, {}});
      }
    }
  }

  const StudyResults& study_;
  const StudyRecipes& recipes_;
  std::set<std::size_t> seen_;
  std::set<std::string> outside_;
};

}  // namespace

Result<FigureTrace> trace_figure(const TableSpec& table, const std::string& row, const std::string& column,
                                 const MeasuredTable& measured, const std::vector<RowSources>& sources,
                                 const StudyResults& study, const StudyRecipes& recipes) {
  const auto the_row = std::find_if(table.rows.begin(), table.rows.end(),
                                    [&](const RowSpec& one) { return one.id.value == row || one.label.value == row; });
  const auto the_column = std::find_if(table.columns.begin(), table.columns.end(),
                                       [&](const ColumnSpec& one) { return is_label(column, one.label.value); });
  Diagnostics problems;
  std::vector<std::string> names;
  if (the_row == table.rows.end()) {
    for (const RowSpec& one : table.rows) names.push_back(one.id.value);
    problems.push_back(no_such(table.name.value, "row", row, names));
  }
  if (the_column == table.columns.end()) {
    names.clear();
    for (const ColumnSpec& one : table.columns) names.push_back(one.label.value);
    problems.push_back(no_such(table.name.value, "column", column, names));
  }
  if (!problems.empty()) return problems;

  const auto r = static_cast<std::size_t>(the_row - table.rows.begin());
  const auto c = static_cast<std::size_t>(the_column - table.columns.begin());
  const MeasuredCell& cell = measured.rows[r][c];
  FigureTrace trace{.table = table.name.value,
                    .row = the_row->id.value,
                    .column = the_column->label.value,
                    .formula = formula_of(table, *the_column, cell),
                    .printed = {},
                    .figures = {},
                    .results = {},
                    .chain = {},
                    .outside = {},
                    .decisions = {},
                    .rerun = {}};
  // The table of this cell alone, printed by the same code.
  TableSpec alone;
  alone.columns = {*the_column};
  alone.rows = {*the_row};
  alone.columns[0].group = {};  // the header is to be the first line, the row the second
  alone.rows[0].group = {};
  MeasuredTable only;
  only.rows = {{cell}};
  const std::string page = render(print(alone, only, {}), PageFormat::text);
  const std::size_t line = page.find('\n');
  trace.printed = {page.substr(0, line), page.substr(line + 1, page.find('\n', line + 1) - line - 1)};
  const QueryResult unrounded_row = figures(alone, only);
  for (std::size_t i = 2; i < unrounded_row.columns.size(); ++i) {  // after the row's id and label
    trace.figures.emplace_back(unrounded_row.columns[i], unrounded_row.rows[0][i]);
  }

  Tracing tracing(study, recipes);
  if (cell.content == MeasuredCell::Content::given) return trace;
  for (const MetricOf& metric : the_column->metrics) {
    tracing.add(trace, trace.row, sources[r], metric.role.value, {metric.metric.value});
  }
  if (!the_column->metrics.empty()) return trace;
  tracing.add(trace, trace.row, sources[r], the_column->role.value, {});
  if (the_column->kind != ColumnKind::delta || cell.content == MeasuredCell::Content::baseline) return trace;
  const std::size_t baseline = table.row_index(the_column->baseline.value);
  tracing.add(trace, table.rows[baseline].id.value, sources[baseline], the_column->role.value, {});
  return trace;
}

void add_decisions(FigureTrace& trace, const StudyResults& study, const StudyRecipes& recipes) {
  std::set<std::size_t> readers(trace.chain.begin(), trace.chain.end());
  for (const TracedResult& result : trace.results) {
    for (const MarksPlace& place : result.marks) {
      const auto judging = std::find_if(study.variants.begin(), study.variants.end(),
                                        [&](const StudyVariant& one) { return one.label == place.label; });
      if (judging != study.variants.end()) readers.insert(static_cast<std::size_t>(judging - study.variants.begin()));
    }
  }
  std::set<std::string> seen;
  for (const std::size_t reader : readers) {
    for (const RecipeInput& input : recipes[reader].inputs) {
      if (input.type == "decisions/1" && seen.insert(input.digest).second) {
        trace.decisions.push_back({input.type, input.digest, {}});
      }
    }
  }
}

}  // namespace lowbit::report
