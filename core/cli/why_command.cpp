#include <algorithm>
#include <cstdio>

#include "base/utf8.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "env/files.h"
#include "graph/plan_text.h"

namespace lowbit::cli {
namespace {

/// Labels that are `wanted`, or whose stage is.
std::vector<graph::VariantIndex> matching(const graph::ExpandedGraph& graph, const std::string& wanted) {
  std::vector<graph::VariantIndex> found;
  for (graph::VariantIndex i = 0; i < graph.variants.size(); ++i) {
    const graph::Variant& variant = graph.variants[i];
    if (variant.label() == wanted || variant.stage == wanted) found.push_back(i);
  }
  return found;
}

std::string_view decision_text(graph::Decision decision) {
  switch (decision) {
    case graph::Decision::reuse: return "is reused";
    case graph::Decision::run: return "will run";
    case graph::Decision::gated: return "will not run";
    case graph::Decision::maybe: return "may run: if its inputs come out as they were, it is cut off";
  }
  return "";
}

void print_why(const graph::Variant& variant, const graph::PlannedVariant& planned) {
  std::printf("%s %s\n", printable(variant.label()).c_str(), std::string(decision_text(planned.decision)).c_str());
  std::printf("  reason          %s\n", printable(planned.reason.text).c_str());
  for (const std::string& detail : planned.reason.details)
    std::printf("                  %s\n", printable(detail).c_str());
  std::printf("  plugin          %s %s\n", variant.plugin->id.c_str(), variant.plugin->version.c_str());
  std::printf("  provenance key  %s\n", planned.provenance.digest.hex().c_str());
  std::printf("  content key     %s\n",
              planned.content ? planned.content->digest.hex().c_str() : "known once its inputs are");
  std::printf("  record          %s\n", planned.provenance.record.text().c_str());
}

}  // namespace

Result<int> why_command(const Words& words) {
  CommandOptions options("why");
  options.argument("stage", "a stage, or one variant of it: quantize, 'quantize[num_bits=3]'", true);
  add_experiment_options(options);
  options.many("force,f", "explain as if this stage were forced")
      .flag("strict", "results of a plugin file that changed without a new version are stale")
      .flag("json", "one JSON array of variants");
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const std::string wanted = options.get("stage");
  if (const std::string file = options.get("file"); !env::exists(file) && env::exists(wanted)) {
    return error("LB0001", "`lowbit why` is given the stage first, then the file")
        .fix("lowbit why " + shell_word(file) + " " + shell_word(wanted));
  }
  LB_TRY_ASSIGN(const Experiment experiment, load_experiment(options));
  const exec::RunRequest request = run_request(experiment, options);
  LB_TRY_ASSIGN(const exec::ProjectPaths project, project_of(options));
  LB_TRY_ASSIGN(const std::unique_ptr<store::Store> store, open_for_reading(project));
  LB_TRY_ASSIGN(const graph::Plan plan, exec::plan(*store, experiment.graph, request));
  const std::vector<graph::VariantIndex> found = matching(experiment.graph, wanted);
  if (found.empty()) {
    Diagnostic problem = error("LB0003", "there is no stage " + wanted + " in " + experiment.written_file);
    std::vector<std::string> labels;
    for (const graph::Variant& variant : experiment.graph.variants) {
      labels.push_back(variant.stage);
      labels.push_back(variant.label());
    }
    if (const std::string near = nearest(wanted, labels); !near.empty()) {
      problem.note("a stage with a similar name exists: " + near);
    }
    return problem.fix("`lowbit plan` lists them");
  }
  if (options.has("json")) {
    Json all = Json::array();
    const Json whole = graph::plan_json(experiment.graph, plan);
    for (const graph::VariantIndex index : found) {
      Json one = whole.at("variants").at(index);
      one["provenance_record"] = plan.variants[index].provenance.record.json();
      all.push_back(std::move(one));
    }
    print_json(all);
    return 0;
  }
  for (const graph::VariantIndex index : found) print_why(experiment.graph.variants[index], plan.variants[index]);
  return 0;
}

}  // namespace lowbit::cli
