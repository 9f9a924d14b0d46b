#include "unit/graph/study.h"

#include <catch2/catch.hpp>
#include <memory>
#include <stdexcept>

#include "graph/expand.h"
#include "graph/plan_text.h"
#include "spec/experiment_reader.h"

namespace lowbit::test {

graph::ExpandedGraph Study::expand(const std::string& yaml) const {
  const auto source = std::make_shared<const SourceText>(SourceText{"experiment.yaml", yaml});
  const Result<ExperimentSpec> spec = spec::read_experiment(source, {});
  if (!spec) throw std::runtime_error(render(spec.error()));
  Result<graph::ExpandedGraph> graph = graph::expand(*spec, catalog_);
  if (!graph) throw std::runtime_error(render(graph.error()));
  return *std::move(graph);
}

graph::ExternalDigests Study::externals(const graph::ExpandedGraph& graph) const {
  graph::ExternalDigests digests;
  for (const graph::Variant& variant : graph.variants) {
    for (const graph::BoundInput& input : variant.inputs) {
      for (const graph::Member& member : input.members) {
        const auto* external = std::get_if<graph::External>(&member.source);
        if (external == nullptr) continue;
        const auto file = files.find(external->path);
        digests[external->path] = sha256(file == files.end() ? external->path : file->second);
      }
    }
  }
  return digests;
}

graph::Plan Study::plan(const graph::ExpandedGraph& graph, const graph::PlanOptions& options) const {
  return graph::make_plan(graph, externals(graph), plugins, results, options);
}

std::string Study::plan_text(const std::string& yaml, const graph::PlanOptions& options) const {
  const graph::ExpandedGraph graph = expand(yaml);
  return graph::plan_text(graph, plan(graph, options), {.details = true});
}

StageResult Study::made(const graph::Variant& variant, const graph::Key& content) const {
  Json bytes = content.record.json();
  bytes["params"].erase("comment");
  StageResult result;
  result.content_key = content.digest;
  result.content_record = content.record;
  if (const auto file = plugins.find(variant.plugin->id); file != plugins.end()) result.plugin_digest = file->second;
  for (const PortDescription& port : variant.plugin->outputs) {
    result.outputs[port.name] = {port.types.front(), sha256(canonical(bytes) + port.name + salt)};
  }
  return result;
}

std::vector<std::string> Study::run(const std::string& yaml, const RunOptions& options) {
  const graph::ExpandedGraph graph = expand(yaml);
  graph::Plan plan = this->plan(graph, options.plan);
  for (const graph::PlannedVariant& planned : plan.variants) {
    results.record(graph.experiment, graph.variants[planned.variant], planned.provenance.record);
  }
  const graph::ExternalDigests digests = externals(graph);
  const auto artifact_of = [&](const graph::Member& member) -> std::optional<ArtifactRef> {
    if (const auto* external = std::get_if<graph::External>(&member.source)) {
      return ArtifactRef{external->type, digests.at(external->path)};
    }
    const auto& produced = std::get<graph::Produced>(member.source);
    const auto& result = plan.variants[produced.producer].result;
    return result ? std::optional(result->outputs.at(produced.port)) : std::nullopt;
  };

  std::vector<std::string> ran;
  for (graph::PlannedVariant& planned : plan.variants) {
    const graph::Variant& variant = graph.variants[planned.variant];
    if (variant.label() == options.killed_before) break;
    if (planned.decision == graph::Decision::reuse) continue;
    planned.content = graph::content_key_for(planned.own, variant, artifact_of);
    planned = graph::decide(std::move(planned), graph.experiment, variant, plugins, results, options.plan);
    if (planned.decision == graph::Decision::reuse) {
      results.link(planned.provenance.digest, planned.content->digest);
      continue;
    }
    ran.push_back(variant.label());
    if (options.fails.count(variant.label()) > 0) continue;
    planned.result = made(variant, *planned.content);
    results.publish(planned.provenance.digest, planned.own, *planned.result);
  }
  return ran;
}

}  // namespace lowbit::test
