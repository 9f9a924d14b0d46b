#include "interchange/ro_crate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "domain/coordinates.h"
#include "interchange/crate_graph.h"
#include "interchange/json_text.h"
#include "interchange/tidy_tables.h"

namespace lowbit::interchange {
namespace {

constexpr const char* kRoot = "./";
constexpr const char* kWorkflowFile = "experiment.yaml";
constexpr const char* kResultsFile = "results.csv";
constexpr const char* kParamsFile = "params.csv";
constexpr const char* kRun = "#run";
constexpr const char* kEngine = "#lowbit";
constexpr const char* kOrchestration = "#orchestration";

struct Profile {
  const char* id;
  const char* name;
  const char* version;
};

constexpr std::array<Profile, 4> kProfiles{{
    {"https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"},
    {"https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"},
    {"https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate", "0.5"},
    {"https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"},
}};

/// As bioschemas names the types of parameters.
const char* type_of(const Json& value) {
  if (value.is_boolean()) return "Boolean";
  if (value.is_number_integer()) return "Integer";
  return value.is_number() ? "Float" : "Text";
}

/// A scalar as it is, anything else as JSON text.
Json scalar_of(const Json& value) { return value.is_structured() ? Json(canonical(value)) : value; }

/// "2026-11-23T10:00:40.250+00:00": the form of ISO 8601 that the profile recommends.
std::string with_offset(std::string rfc3339_utc) {
  if (rfc3339_utc.ends_with('Z')) rfc3339_utc.replace(rfc3339_utc.size() - 1, 1, "+00:00");
  return rfc3339_utc;
}

/// Times of RFC 3339 in UTC with as many digits compare as text.
struct Times {
  std::string start;
  std::string end;

  void include(const ExecutionFacts& execution) {
    if (start.empty() || execution.started_at < start) start = execution.started_at;
    end = std::max(end, execution.ended_at);
  }
};

class Crate {
 public:
  Crate(const ExportedStudy& study, const CrateSource& source) : study_(study), source_(source) {}

  [[nodiscard]] Json document() {
    add_descriptor();
    add_workflow();
    std::set<std::int64_t> seen;
    for (const std::size_t i : study_.chosen) {
      const ExportedVariant& variant = study_.variants[i];
      if (variant.result && seen.insert(*variant.variant.result_id).second) add_action(variant);
    }
    add_run();
    return graph_.document();
  }

 private:
  void add_descriptor() {
    graph_.entity("ro-crate-metadata.json", "CreativeWork")
        .update({{"about", crate_reference(kRoot)},
                 {"conformsTo", Json::array({crate_reference("https://w3id.org/ro/crate/1.1"),
                                             crate_reference(kProfiles.back().id)})}});
    Json& root = graph_.entity(kRoot, "Dataset");
    root["name"] = "Results of the experiment " + study_.experiment;
    root["description"] = "What lowbit measured in the experiment " + study_.experiment +
                          ": how each stage was run, on which inputs, with which parameters, and its metrics.";
    root["license"] = source_.license;
    root["mainEntity"] = crate_reference(kWorkflowFile);
    root["mentions"] = Json::array({crate_reference(kRun), crate_reference(kOrchestration)});
    for (const Profile& profile : kProfiles) {
      graph_.entity(profile.id, "CreativeWork").update({{"name", profile.name}, {"version", profile.version}});
      graph_.refer(kRoot, "conformsTo", profile.id);
    }
    for (const char* file : {kWorkflowFile, kResultsFile, kParamsFile}) graph_.refer(kRoot, "hasPart", file);
    for (const auto& [file, what] : {std::pair{kResultsFile, "Metrics of every variant, a row each"},
                                     std::pair{kParamsFile, "Parameters of every result, a row each"}}) {
      graph_.entity(file, "File").update({{"name", what}, {"encodingFormat", "text/csv"}});
    }
  }

  void add_workflow() {
    graph_.entity("#language", "ComputerLanguage").update({{"name", "lowbit experiment file"}});
    graph_.entity(kWorkflowFile, Json::array({"File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"}))
        .update({{"name", study_.experiment},
                 {"encodingFormat", "application/yaml"},
                 {"programmingLanguage", crate_reference("#language")}});
    graph_.entity(kEngine, "SoftwareApplication")
        .update({{"name", "lowbit"}, {"softwareVersion", source_.lowbit_version}});
    graph_.entity("#output-results", "FormalParameter")
        .update({{"name", "results"}, {"additionalType", "File"}, {"workExample", crate_reference(kResultsFile)}});
    graph_.refer(kWorkflowFile, "output", "#output-results");
    graph_.entity(kResultsFile, "File")["exampleOfWork"] = crate_reference("#output-results");
  }

  /// The plugin that ran, as the file it was: two builds of one version are two tools.
  std::string tool_of(const ExportedVariant& variant) {
    const Json& plugin = member(variant.recipe.record, "plugin");
    const std::string& digest = variant.result->execution.plugin_digest;
    std::string id = "#plugin-" + iri_part(scalar_text(member(plugin, "id"))) + "-" + digest.substr(0, 12);
    graph_.entity(id, "SoftwareApplication")
        .update({{"name", member(plugin, "id")},
                 {"softwareVersion", member(plugin, "version")},
                 {"identifier", "sha256:" + digest}});
    graph_.refer(kWorkflowFile, "hasPart", id);
    return id;
  }

  std::string step_of(const ExportedVariant& variant, const std::string& tool) {
    std::string id = "#step-" + iri_part(variant.variant.stage);
    if (!graph_.has(id)) {
      graph_.entity(id, "HowToStep")
          .update({{"name", variant.variant.stage}, {"position", std::to_string(++n_steps_)}});
      graph_.refer(kWorkflowFile, "step", id);
    }
    graph_.refer(id, "workExample", tool);
    return id;
  }

  /// A set of files that is not in the crate.
  std::string artifact(const std::string& digest, const std::string& type, const std::string& name) {
    std::string id = "#artifact-" + digest;
    if (graph_.has(id)) return id;
    graph_.entity(id, "Collection")
        .update({{"name", name}, {"additionalType", type}, {"identifier", "sha256:" + digest}});
    graph_.refer(kRoot, "mentions", id);
    return id;
  }

  void add_inputs(const ExportedVariant& variant, const std::string& action) {
    for (const RecipeInput& input : variant.recipe.inputs) {
      if (input.digest.empty()) continue;
      if (input.maker) {
        const std::string name = study_.variants[*input.maker].variant.label + "." + input.maker_port;
        graph_.refer(action, "object", artifact(input.digest, input.type, name));
        continue;
      }
      const std::string id = artifact(input.digest, input.type, input.port + " from outside");
      graph_.refer(action, "object", id);
      const std::string parameter = "#input-" + input.digest;
      graph_.entity(parameter, "FormalParameter")
          .update({{"name", input.port}, {"additionalType", "Collection"}, {"workExample", crate_reference(id)}});
      graph_.entity(id, "Collection")["exampleOfWork"] = crate_reference(parameter);
      graph_.refer(kWorkflowFile, "input", parameter);
      outside_.insert(id);
    }
  }

  void add_params(const ExportedVariant& variant, const std::string& action, const std::string& tool) {
    for (const auto& [name, value] : member(variant.recipe.record, "params").items()) {
      if (value.is_null()) continue;
      const std::string parameter = tool + "-param-" + iri_part(name);
      graph_.entity(parameter, "FormalParameter").update({{"name", name}, {"additionalType", type_of(value)}});
      graph_.refer(tool, "input", parameter);
      const std::string id = action + "-param-" + iri_part(name);
      graph_.entity(id, "PropertyValue")
          .update({{"name", name}, {"value", scalar_of(value)}, {"exampleOfWork", crate_reference(parameter)}});
      graph_.refer(parameter, "workExample", id);
      graph_.refer(action, "object", id);
    }
  }

  void add_outputs(const ExportedVariant& variant, const std::string& action) {
    for (const OutputFacts& output : variant.result->facts.outputs) {
      const std::string id = artifact(output.digest, output.type, variant.variant.label + "." + output.port);
      graph_.entity(id, "Collection")["contentSize"] = std::to_string(output.bytes);
      graph_.refer(action, "result", id);
    }
    for (const MetricRow& metric : variant.result->facts.metrics) {
      if (!std::isfinite(metric.value)) continue;
      const std::string id = action + "-metric-" + iri_part(metric.name);
      graph_.entity(id, "PropertyValue")
          .update({{"name", metric.name}, {"value", metric.value}, {"unitText", metric.unit}});
      graph_.refer(action, "result", id);
    }
  }

  void add_action(const ExportedVariant& variant) {
    const ExecutionFacts& execution = variant.result->execution;
    const std::string tool = tool_of(variant);
    const std::string step = step_of(variant, tool);
    const std::string action = "#action-" + variant.variant.content_key;
    Json& made = graph_.entity(action, "CreateAction");
    made["name"] = variant.variant.label;
    made["description"] = "Result of " + variant.variant.label + ", content key " + variant.variant.content_key;
    made["instrument"] = crate_reference(tool);
    made["startTime"] = with_offset(execution.started_at);
    made["endTime"] = with_offset(execution.ended_at);
    made["actionStatus"] = "http://schema.org/CompletedActionStatus";
    add_inputs(variant, action);
    if (variant.variant.seed) {
      const std::string id = action + "-seed";
      graph_.entity(id, "PropertyValue").update({{"name", "seed"}, {"value", *variant.variant.seed}});
      graph_.refer(action, "object", id);
    }
    add_params(variant, action, tool);
    add_outputs(variant, action);
    graph_.refer(kRoot, "mentions", action);
    const std::string control = "#control-" + variant.variant.content_key;
    graph_.entity(control, "ControlAction")
        .update({{"name", "lowbit runs " + variant.variant.label},
                 {"instrument", crate_reference(step)},
                 {"object", crate_reference(action)}});
    controls_.push_back(control);
    times_.include(execution);
  }

  void add_run() {
    graph_.entity(kRoot, "Dataset")["datePublished"] = with_offset(times_.end);
    graph_.entity(kRun, "CreateAction")
        .update({{"name", "Runs of the experiment " + study_.experiment},
                 {"description", "From the first stage that the results stand on to the last one"},
                 {"instrument", crate_reference(kWorkflowFile)},
                 {"startTime", with_offset(times_.start)},
                 {"endTime", with_offset(times_.end)},
                 {"actionStatus", "http://schema.org/CompletedActionStatus"},
                 {"result", Json::array({crate_reference(kResultsFile)})}});
    for (const std::string& input : outside_) graph_.refer(kRun, "object", input);
    graph_.entity(kOrchestration, "OrganizeAction")
        .update({{"name", "lowbit runs the experiment " + study_.experiment},
                 {"instrument", crate_reference(kEngine)},
                 {"result", crate_reference(kRun)},
                 {"startTime", with_offset(times_.start)},
                 {"endTime", with_offset(times_.end)}});
    for (const std::string& control : controls_) graph_.refer(kOrchestration, "object", control);
  }

  const ExportedStudy& study_;
  const CrateSource& source_;
  CrateGraph graph_;
  int n_steps_ = 0;
  Times times_;
  std::set<std::string> outside_;
  std::vector<std::string> controls_;
};

}  // namespace

std::vector<ExportFile> ro_crate(const ExportedStudy& study, const CrateSource& source) {
  const TidyTables tables(study, RowFormat::csv);
  return {{"ro-crate-metadata.json", indented_json(Crate(study, source).document()) + "\n"},
          {kWorkflowFile, source.experiment_file},
          {kResultsFile, tables.results()},
          {kParamsFile, tables.params()}};
}

}  // namespace lowbit::interchange
