#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/meaning.h"
#include "cli/output.h"
#include "cli/session.h"
#include "graph/keys.h"
#include "report/result_page.h"

namespace lowbit::cli {
namespace {

bool is_set(const Meaning& meaning) {
  return meaning.kind == Meaning::Kind::experiment || meaning.kind == Meaning::Kind::run;
}

/// {"record", "metrics", "equal_metrics"} of two results: ResultFacts, or VariantFacts, which have these too.
template <class Facts>
Json compare(const Facts& a, const Facts& b) {
  Json metrics = report::metric_differences(a.metrics, b.metrics);
  std::size_t equal = 0;
  for (const MetricRow& metric : a.metrics) {
    for (const MetricRow& other : b.metrics) equal += metric.name == other.name ? 1U : 0U;
  }
  for (const Json& metric : metrics) equal -= !metric["a"].is_null() && !metric["b"].is_null() ? 1U : 0U;
  return {
      {"record", graph::differences(a.record, b.record)}, {"metrics", std::move(metrics)}, {"equal_metrics", equal}};
}

using Results = std::map<std::string, ResultFacts>;

Json compare_sets(const Results& a, const Results& b) {
  Json out{{"only_a", Json::array()}, {"only_b", Json::array()}, {"changed", Json::array()}};
  std::size_t equal = 0;
  for (const auto& [label, result] : a) {
    const auto other = b.find(label);
    if (other == b.end()) {
      out["only_a"].push_back(label);
      continue;
    }
    Json difference = compare(result, other->second);
    if (difference["record"].empty() && difference["metrics"].empty()) {
      ++equal;
      continue;
    }
    difference["label"] = label;
    out["changed"].push_back(std::move(difference));
  }
  for (const auto& [label, result] : b) {
    if (!a.contains(label)) out["only_b"].push_back(label);
  }
  out["equal"] = equal;
  return out;
}

}  // namespace

Result<int> diff_command(const Words& words) {
  CommandOptions options("diff");
  options
      .argument("a", "a variant, the beginning of a result's key, an experiment, or run:N as `lowbit ls` prints it",
                true)
      .argument("b", "another one", true)
      .text("experiment", "the experiment that the variants are of, where several have them")
      .flag("json", "one JSON object")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  const std::string a = options.get("a");
  const std::string b = options.get("b");
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const Meaning left, meaning_of(project, facts, a, options.get("experiment")));
  LB_TRY_ASSIGN(const Meaning right, meaning_of(project, facts, b, options.get("experiment")));
  const bool artifacts = left.kind == Meaning::Kind::artifact || right.kind == Meaning::Kind::artifact;
  if (is_set(left) != is_set(right) || artifacts) {
    return error("LB0039", a + " and " + b + " cannot be compared")
        .note("one result is compared with another, or an experiment or run with another")
        .fix("`lowbit ls` lists experiments and runs; `lowbit show` tells what a name means");
  }
  Json difference;
  if (is_set(left)) {
    LB_TRY_ASSIGN(const Results results_a, facts.results(left));
    LB_TRY_ASSIGN(const Results results_b, facts.results(right));
    difference = compare_sets(results_a, results_b);
  } else {
    LB_TRY_ASSIGN(const VariantFacts facts_a, facts.variant(left));
    LB_TRY_ASSIGN(const VariantFacts facts_b, facts.variant(right));
    difference = compare(facts_a, facts_b);
  }
  difference["a"] = a;
  difference["b"] = b;
  if (options.has("json")) {
    print_json(difference);
  } else {
    std::fputs((is_set(left) ? report::differences_page(difference) : report::difference_page(difference)).c_str(),
               stdout);
  }
  return 0;
}

}  // namespace lowbit::cli
