#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/project_facts.h"
#include "cli/session.h"
#include "graph/keys.h"
#include "report/result_page.h"

namespace lowbit::cli {
namespace {

bool is_set(const Json& thing) { return thing.contains("experiment") || thing.contains("run"); }

/// {"record", "metrics", "equal_metrics"} of two results.
Json compare(const Json& a, const Json& b) {
  Json metrics = report::metric_differences(a["metrics"], b["metrics"]);
  std::size_t in_both = 0;
  for (const Json& metric : a["metrics"]) {
    for (const Json& other : b["metrics"]) in_both += metric["name"] == other["name"] ? 1U : 0U;
  }
  for (const Json& metric : metrics) in_both -= !metric["a"].is_null() && !metric["b"].is_null() ? 1U : 0U;
  return {{"record", graph::differences(a["record"], b["record"])},
          {"metrics", std::move(metrics)},
          {"equal_metrics", in_both}};
}

Json compare_sets(const Json& a, const Json& b) {
  Json out{{"only_a", Json::array()}, {"only_b", Json::array()}, {"changed", Json::array()}};
  std::size_t equal = 0;
  for (const auto& [label, result] : a.items()) {
    if (!b.contains(label)) {
      out["only_a"].push_back(label);
      continue;
    }
    Json difference = compare(result, b[label]);
    if (difference["record"].empty() && difference["metrics"].empty()) {
      ++equal;
      continue;
    }
    difference["label"] = label;
    out["changed"].push_back(std::move(difference));
  }
  for (const auto& [label, result] : b.items()) {
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
  LB_TRY_ASSIGN(const Json left, find_thing(project, a, options.get("experiment")));
  LB_TRY_ASSIGN(const Json right, find_thing(project, b, options.get("experiment")));
  if (is_set(left) != is_set(right) || left.contains("artifact") || right.contains("artifact")) {
    return error("LB0039", a + " and " + b + " cannot be compared")
        .note("one result is compared with another, or an experiment or run with another")
        .fix("`lowbit ls` lists experiments and runs; `lowbit show` tells what a name means");
  }
  Json difference;
  if (is_set(left)) {
    LB_TRY_ASSIGN(const Json results_a, results_of(project, left));
    LB_TRY_ASSIGN(const Json results_b, results_of(project, right));
    difference = compare_sets(results_a, results_b);
  } else {
    LB_TRY_ASSIGN(const Json facts_a, variant_facts(project, left));
    LB_TRY_ASSIGN(const Json facts_b, variant_facts(project, right));
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
