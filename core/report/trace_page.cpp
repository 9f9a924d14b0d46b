#include "report/trace_page.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/utf8.h"
#include "base/words.h"
#include "domain/coordinates.h"
#include "domain/quantity_text.h"
#include "report/number_text.h"
#include "report/text_table.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kKeyShown = 12;
constexpr std::size_t kInputDigest = 8;

using TraceRows = std::vector<std::vector<std::optional<Json>>>;

std::string trace_section(const std::string& title, std::vector<std::string> columns, TraceRows rows) {
  if (rows.empty()) return {};
  return "\n" + title + "\n" + render({.columns = std::move(columns), .rows = std::move(rows)}, TableFormat::columns);
}

std::string metric_value(const MeasuredMetric& metric) {
  const std::string value = metric.value ? unrounded(*metric.value) : "nan";
  return value + (metric.unit.empty() ? "" : " " + metric.unit) +
         (metric.count > 0 ? " over " + std::to_string(metric.count) : "");
}

std::string answers_text(const PredictionsPlace& place) {
  return std::to_string(place.n_right) + " right of " + std::to_string(place.n) +
         (place.n_ungraded > 0 ? ", " + std::to_string(place.n_ungraded) + " not graded" : "");
}

/// What the column takes from a result, a line each.
std::vector<std::string> taken_from(const TracedResult& result) {
  std::vector<std::string> lines;
  if (result.reads_answers && result.predictions) lines.push_back(answers_text(*result.predictions));
  for (const auto& [name, metric] : result.metrics) lines.push_back(name + " " + metric_value(metric));
  return lines;
}

std::string results_section(const FigureTrace& trace, const StudyResults& study) {
  std::string out;
  for (const TracedResult& result : trace.results) {
    const StudyVariant& variant = study.variants[result.variant];
    out += printable(variant.label) + (result.row == trace.row ? "" : "  (row " + printable(result.row) + ")") + "\n";
    if (!result.execution) {
      out += "  no result: " + printable(variant.state) + "\n";
      continue;
    }
    const ExecutionFacts& made = *result.execution;
    for (const std::string& line : taken_from(result)) out += "  " + printable(line) + "\n";
    out += "  key " + made.content_key.substr(0, kKeyShown) + ", attempt " + std::to_string(made.attempt) + ", " +
           printable(made.ended_at) + ", took " + duration_text(made.seconds) + "\n";
  }
  return out.empty() ? out : "\ncomputed from\n" + out;
}

std::string flat(const Json& value) {
  if (!value.is_object()) return scalar_text(value);
  std::vector<std::string> parts;
  for (const auto& [name, part] : value.items()) {
    parts.push_back(name + " " + (part.is_object() ? "{" + flat(part) + "}" : scalar_text(part)));
  }
  return joined(parts);
}

/// "lowbit 0.1.0 (g++ 12.2.0, libtorch 1.13.0) on node7"
std::string program_text(const ExecutionFacts& made) {
  const std::string version = made.lowbit_version();
  return "lowbit" + (version.empty() ? " of a version that was not recorded" : " " + version) +
         (made.build.empty() ? "" : " (" + made.build + ")") + (made.host.empty() ? "" : " on " + made.host);
}

/// The distinct texts that `text_of` gives of what was executed, each with the number of results it holds for.
template <class TextOf>
std::vector<std::string> distinct_facts(const FigureTrace& trace, const TextOf& text_of) {
  std::vector<std::pair<std::string, std::size_t>> counted;
  for (const TracedResult& result : trace.results) {
    if (!result.execution) continue;
    const std::string text = text_of(*result.execution);
    auto found = std::find_if(counted.begin(), counted.end(), [&](const auto& one) { return one.first == text; });
    if (found == counted.end()) found = counted.insert(counted.end(), {text, 0});
    ++found->second;
  }
  std::vector<std::string> lines;
  lines.reserve(counted.size());
  for (const auto& [text, n] : counted) {
    lines.push_back(text + (counted.size() > 1 ? " (" + count_text(n, "result") + ")" : ""));
  }
  return lines;
}

std::string facts_lines(const std::string& name, const std::vector<std::string>& lines) {
  constexpr std::size_t kFactWidth = 13;
  std::string out;
  for (const std::string& line : lines) {
    out += padded(out.empty() ? name : "", kFactWidth, false) + printable(line) + "\n";
  }
  return out;
}

/// Stages whose seeds are traced, one variant each.
std::vector<std::size_t> first_of_stages(const FigureTrace& trace, const StudyResults& study) {
  std::vector<std::size_t> found;
  std::set<std::pair<std::string, std::string>> seen;
  for (const TracedResult& result : trace.results) {
    const StudyVariant& variant = study.variants[result.variant];
    if (seen.insert({variant.stage, canonical(variant.axes)}).second) found.push_back(result.variant);
  }
  return found;
}

std::string made_section(const FigureTrace& trace, const StudyResults& study, const StudyRecipes& recipes) {
  TraceRows rows;
  for (const std::size_t i : first_of_stages(trace, study)) {
    const Json& record = recipes[i].record;
    rows.push_back({Json(study.variants[i].stage), Json("plugin"), Json(plugin_text(record))});
    for (const auto& [name, value] : member(record, "params").items()) {
      rows.push_back({std::nullopt, Json(name), Json(scalar_text(value))});
      rows.back()[0] = Json("");
    }
  }
  std::string out = trace_section("made by", {"stage", "parameter", "value"}, std::move(rows));
  std::string facts =
      facts_lines("environment", distinct_facts(trace, [](const ExecutionFacts& e) {
                    return e.environment.is_object() ? flat(e.environment) : std::string("not recorded");
                  }));
  facts += facts_lines("computed by", distinct_facts(trace, program_text));
  facts += facts_lines("plugin file", distinct_facts(trace, [](const ExecutionFacts& e) { return e.plugin_digest; }));
  facts += facts_lines("run", distinct_facts(trace, [](const ExecutionFacts& e) {
                         return e.command.empty() ? std::string("not recorded")
                                                  : "run:" + std::to_string(e.run) + " " + e.command;
                       }));
  return out + (facts.empty() ? "" : "\n" + facts);
}

std::string path_text(const TracedSource& source) {
  return source.path.empty() ? "(path not known)" : printable(source.path);
}

std::string chain_section(const FigureTrace& trace, const StudyResults& study, const StudyRecipes& recipes) {
  std::string out;
  for (const std::size_t i : trace.chain) {
    out += printable(study.variants[i].label) + "  " + printable(plugin_text(recipes[i].record)) + "\n";
    for (const RecipeInput& input : recipes[i].inputs) {
      out += "  " + printable(input.port) + " " + input.digest.substr(0, kInputDigest) + " ← " +
             (input.maker ? printable(study.variants[*input.maker].label + "." + input.maker_port) : "outside") + "\n";
    }
  }
  for (const TracedSource& source : trace.outside) {
    out += "outside: " + printable(source.type) + " " + source.digest.substr(0, kInputDigest) + " " +
           path_text(source) + "\n";
  }
  return out.empty() ? out : "\nstands on (of the first seed)\n" + out;
}

std::string judged_section(const FigureTrace& trace) {
  std::string out;
  std::set<std::string> seen;
  for (const TracedResult& result : trace.results) {
    for (const MarksPlace& place : result.marks) {
      if (!seen.insert(place.label).second) continue;
      out += printable(place.label) + "\n  " + place.type + " of " + count_text(place.n, "item") + " by " +
             printable(joined(place.sources)) +
             (place.n_human > 0 ? ", " + std::to_string(place.n_human) + " by people" : "") + "\n";
    }
  }
  for (const TracedSource& source : trace.decisions) {
    out += "people's decisions: snapshot " + source.digest.substr(0, kInputDigest) + " " + path_text(source) + "\n";
  }
  return out.empty() ? out : "\njudged by\n" + out;
}

std::string grade_mark(const std::optional<bool>& correct) {
  if (!correct) return "?";
  return *correct ? "1" : "0";
}

/// The distinct predictions that the figure stands on, by result.
std::vector<const PredictionsPlace*> places_of(const FigureTrace& trace) {
  std::vector<const PredictionsPlace*> places;
  std::set<std::int64_t> seen;
  for (const TracedResult& result : trace.results) {
    if (result.predictions && seen.insert(result.predictions->result_id).second) places.push_back(&*result.predictions);
  }
  return places;
}

std::string items_section(const FigureTrace& trace, const Answers& answers) {
  const std::vector<const PredictionsPlace*> places = places_of(trace);
  std::vector<std::string> columns{"item"};
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> grades;
  for (std::size_t p = 0; p < places.size(); ++p) {
    columns.push_back(places[p]->label);
    const auto found = answers.find(places[p]->result_id);
    if (found == answers.end()) continue;
    for (const ItemAnswer& answer : found->second) {
      const auto [entry, is_new] = grades.try_emplace(answer.item_id, places.size(), "");
      if (is_new) order.push_back(answer.item_id);
      entry->second[p] = grade_mark(answer.correct);
    }
  }
  TraceRows rows;
  for (const std::string& item : order) {
    auto& row = rows.emplace_back();
    row.emplace_back(item);
    for (const std::string& grade : grades[item])
      row.push_back(grade.empty() ? std::nullopt : std::optional<Json>(grade));
  }
  return trace_section("items: 1 right, 0 wrong, ? not graded", std::move(columns), std::move(rows));
}

std::string commands_section(const FigureTrace& trace, const StudyResults& study) {
  std::string out = "\nmake it again  " + trace.rerun + "\n";
  if (trace.results.empty()) return out;
  const std::string& label = study.variants[trace.results.front().variant].label;
  out += "one result     lowbit show '" + printable(label) + "'\n";
  if (const auto places = places_of(trace); !places.empty()) {
    out += "its answers    lowbit samples '" + printable(places.front()->label) + "'\n";
  }
  return out;
}

Json figure_value(const std::optional<Json>& value) { return value ? *value : Json(); }

Json execution_document(const ExecutionFacts& e) {
  return {{"result_key", e.content_key},
          {"attempt", e.attempt},
          {"started_at", e.started_at},
          {"ended_at", e.ended_at},
          {"seconds", e.seconds},
          {"directory", e.directory},
          {"environment", e.environment},
          {"run", e.run},
          {"command", e.command},
          {"plugin_file", e.plugin_digest},
          {"lowbit", e.lowbit_version().empty() ? Json() : Json(e.lowbit_version())},
          {"build", e.build.empty() ? Json() : Json(e.build)},
          {"host", e.host.empty() ? Json() : Json(e.host)}};
}

Json result_of_trace(const TracedResult& result, const StudyResults& study, const Answers* answers) {
  const StudyVariant& variant = study.variants[result.variant];
  Json document{
      {"row", result.row},         {"role", result.role},
      {"label", variant.label},    {"seed", variant.seed ? Json(*variant.seed) : Json()},
      {"metrics", Json::object()}, {"execution", result.execution ? execution_document(*result.execution) : Json()},
      {"predictions", nullptr},    {"marks", Json::array()}};
  for (const auto& [name, metric] : result.metrics) {
    document["metrics"][name] = {
        {"value", metric.value ? Json(*metric.value) : Json()}, {"unit", metric.unit}, {"count", metric.count}};
  }
  for (const MarksPlace& place : result.marks) {
    document["marks"].push_back({{"label", place.label},
                                 {"type", place.type},
                                 {"sources", place.sources},
                                 {"lines", place.n},
                                 {"by_people", place.n_human}});
  }
  if (!result.predictions) return document;
  const PredictionsPlace& place = *result.predictions;
  document["predictions"] = {
      {"label", place.label},   {"port", place.port},       {"digest", place.digest},      {"items", place.n},
      {"right", place.n_right}, {"wrong", place.n_wrong()}, {"ungraded", place.n_ungraded}};
  if (answers == nullptr) return document;
  document["items"] = Json::object();
  if (const auto found = answers->find(place.result_id); found != answers->end()) {
    for (const ItemAnswer& answer : found->second) {
      document["items"][answer.item_id] = answer.correct ? Json(*answer.correct) : Json();
    }
  }
  return document;
}

}  // namespace

std::string trace_page(const FigureTrace& trace, const StudyResults& study, const StudyRecipes& recipes,
                       const Answers* answers) {
  std::string out = printable("table " + trace.table + ", row " + trace.row + ", column " + trace.column) + "\n\n";
  for (const std::string& line : trace.printed) out += "  " + line + "\n";
  out += "\n";
  std::size_t width = 0;
  for (const auto& [name, value] : trace.figures) {
    if (value) width = std::max(width, width_of(printable(name)));
  }
  for (const auto& [name, value] : trace.figures) {
    if (value) out += padded(printable(name), width, false) + "  " + printable(scalar_text(*value)) + "\n";
  }
  out += "= " + printable(trace.formula) + "\n";
  out += results_section(trace, study) + made_section(trace, study, recipes) + chain_section(trace, study, recipes) +
         judged_section(trace);
  if (answers != nullptr) out += items_section(trace, *answers);
  return out + commands_section(trace, study);
}

Json trace_document(const FigureTrace& trace, const StudyResults& study, const StudyRecipes& recipes,
                    const Answers* answers) {
  Json document{{"table", trace.table},     {"row", trace.row},          {"column", trace.column},
                {"formula", trace.formula}, {"figures", Json::object()}, {"results", Json::array()},
                {"chain", Json::array()},   {"outside", Json::array()},  {"rerun", trace.rerun}};
  for (const auto& [name, value] : trace.figures) document["figures"][name] = figure_value(value);
  for (const TracedResult& result : trace.results) {
    document["results"].push_back(result_of_trace(result, study, answers));
  }
  for (const std::size_t i : trace.chain) {
    Json inputs = Json::array();
    for (const RecipeInput& input : recipes[i].inputs) {
      inputs.push_back(
          {{"port", input.port},
           {"type", input.type},
           {"digest", input.digest},
           {"from", input.maker ? Json(study.variants[*input.maker].label + "." + input.maker_port) : Json()}});
    }
    document["chain"].push_back({{"label", study.variants[i].label},
                                 {"plugin", plugin_text(recipes[i].record)},
                                 {"params", member(recipes[i].record, "params")},
                                 {"inputs", std::move(inputs)}});
  }
  for (const auto& [name, sources] : {std::pair{"outside", &trace.outside}, std::pair{"decisions", &trace.decisions}}) {
    document[name] = Json::array();
    for (const TracedSource& source : *sources) {
      document[name].push_back({{"type", source.type},
                                {"digest", source.digest},
                                {"path", source.path.empty() ? Json() : Json(source.path)}});
    }
  }
  return document;
}

}  // namespace lowbit::report
