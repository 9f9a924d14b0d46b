#include "spec/experiment_reader.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/problems.h"
#include "domain/coordinates.h"
#include "domain/text_template.h"
#include "spec/form.h"
#include "spec/matrix_reader.h"
#include "spec/settings_reader.h"
#include "spec/stage_reader.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {
namespace {

constexpr Range kSeeds{0, std::numeric_limits<std::int64_t>::max()};

class ExperimentReader {
 public:
  explicit ExperimentReader(Diagnostics& problems) : form_(problems) {}

  ExperimentSpec read(const Node& root) {
    ExperimentSpec spec;
    spec.span = root.span;
    if (!form_.mapping(root, Place::experiment)) return spec;
    if (const Node* name = root.find("experiment")) {
      if (auto text = form_.name(*name, "the name of an experiment")) spec.name = text->value;
    }
    read_seeds(root, spec);
    axes_.seeds = spec.seeds;
    if (const Node* matrix = root.find("matrix")) read_matrix(*matrix, spec, axes_, form_);
    if (const Node* inputs = root.find("inputs")) read_inputs(*inputs, spec);
    if (const Node* stages = root.find("stages")) read_stages(*stages, spec);
    if (const Node* profiles = root.find("profiles")) check_profiles(*profiles, spec);
    spec.axes = axes_.axes;
    return spec;
  }

 private:
  void read_seeds(const Node& root, ExperimentSpec& spec) {
    const Node* seeds = root.find("seeds");
    const Node* replicates = root.find("replicates");
    if (seeds != nullptr && replicates != nullptr) {
      form_.report(error("LB1035", "`seeds` and `replicates` exclude each other")
                       .at(replicates->span, "not beside `seeds`")
                       .note("`replicates: 3` is short for `seeds: [0, 1, 2]`")
                       .fix("keep one of them"));
    } else if (replicates != nullptr) {
      const auto count = form_.whole_number(*replicates, "`replicates`", kReplicates);
      if (!count) return;
      spec.seeds.resize(static_cast<std::size_t>(*count));
      for (std::size_t i = 0; i < spec.seeds.size(); ++i) spec.seeds[i] = i;
    } else if (seeds != nullptr && seeds->kind == Node::Kind::scalar && !seeds->missing()) {
      form_.wrong_type(*seeds, "`seeds`", "a list of whole numbers",
                       "write [" + seeds->text + "] for one seed, or `replicates: " + seeds->text + "` for as many");
    } else if (seeds != nullptr && form_.list(*seeds, "`seeds`", "whole numbers")) {
      std::unordered_map<std::uint64_t, const Node*> read;
      spec.seeds.clear();
      for (const Node& item : seeds->items) {
        const auto seed = form_.whole_number(item, "a seed", kSeeds);
        if (!seed) continue;
        const auto [before, fresh] = read.try_emplace(*seed, &item);
        if (fresh) {
          spec.seeds.push_back(*seed);
        } else {
          form_.duplicate("seed " + std::to_string(*seed), before->second->span, item.span);
        }
      }
    }
  }

  void read_inputs(const Node& node, ExperimentSpec& spec) {
    if (!form_.mapping(node, Place::inputs)) return;
    for (const Node::Entry& entry : node.entries) {
      form_.name(entry.key, "the name of an input");
      if (!form_.mapping(entry.value, Place::input)) continue;
      ExternalInput input{.name = entry.key, .type = {}, .path = {}};
      if (const Node* type = entry.value.find("type")) {
        if (auto text = form_.text(*type, "`type`", "the type of an artifact")) input.type = check_type(*text);
      }
      if (const Node* path = entry.value.find("path")) {
        if (auto text = form_.template_text(*path, "`path`", axes_)) input.path = std::move(*text);
      }
      spec.inputs.push_back(std::move(input));
    }
  }

  Text check_type(const Text& type) {
    const std::size_t slash = type.value.find('/');
    const std::string_view version = std::string_view(type.value).substr(std::min(slash, type.value.size() - 1) + 1);
    const bool versioned = slash != std::string::npos && is_identifier(type.value.substr(0, slash)) &&
                           !version.empty() && version.find_first_not_of("0123456789") == std::string_view::npos;
    if (form_.no_template(type, "the type of an input") && type.value != "file" && !versioned) {
      form_.report(error("LB1038", ticked(type.value) + " is not the type of an artifact")
                       .at(type.span, "expected `file`, or a name and a version like `model/1`")
                       .fix("docs/artifacts.md lists the types"));
    }
    return type;
  }

  void read_stages(const Node& node, ExperimentSpec& spec) {
    if (!form_.list(node, "`stages`", "stages")) return;
    for (const Node& item : node.items) {
      std::optional<StageSpec> stage = read_stage(item, axes_, form_);
      if (!stage) continue;
      const auto same = std::find_if(spec.stages.begin(), spec.stages.end(),
                                     [&](const StageSpec& before) { return before.id.value == stage->id.value; });
      if (same != spec.stages.end()) {
        form_.duplicate("stage " + ticked(stage->id.value), same->id.span, stage->id.span);
      } else {
        spec.stages.push_back(std::move(*stage));
      }
    }
  }

  // Those that were not chosen, too.
  void check_profiles(const Node& node, const ExperimentSpec& spec) {
    if (!form_.mapping(node, Place::profiles)) return;
    for (const Node::Entry& profile : node.entries) {
      form_.name(profile.key, "the name of a profile");
      if (!form_.mapping(profile.value, Place::profile)) continue;
      check_settings(profile.value);
      const Node* stages = profile.value.find("stages");
      if (stages == nullptr || !form_.mapping(*stages, Place::profile_stages)) continue;
      for (const Node::Entry& stage : stages->entries) {
        check_stage_name(stage.key, spec);
        if (form_.mapping(stage.value, Place::profile_stage)) check_settings(stage.value);
      }
    }
  }

  void check_settings(const Node& node) {
    if (const Node* resources = node.find("resources")) static_cast<void>(read_resources(*resources, form_));
    if (const Node* retry = node.find("retry")) static_cast<void>(read_retry(*retry, form_));
  }

  void check_stage_name(const Text& name, const ExperimentSpec& spec) {
    std::vector<std::string> ids;
    for (const StageSpec& stage : spec.stages) ids.push_back(stage.id.value);
    if (std::find(ids.begin(), ids.end(), name.value) != ids.end()) return;
    const std::string near = nearest(name.value, ids);
    form_.report(
        error("LB1045", "there is no stage " + ticked(name.value))
            .at(name.span, "not the id of a stage")
            .note("the stages: " + list_of(ids))
            .fix(near.empty() ? "name one of the stages" : "a stage with a similar id exists: " + ticked(near)));
  }

  Form form_;
  KnownAxes axes_;
};

}  // namespace

Result<ExperimentSpec> read_experiment(const std::shared_ptr<const SourceText>& source, const Invocation& invocation) {
  Diagnostics problems;
  std::optional<Node> root = compose(source, invocation.load, problems);
  if (root) {
    apply_overrides(*root, invocation.overrides, problems);
    apply_sweeps(*root, invocation.sweeps, problems);
    if (!invocation.profile.empty()) apply_profile(*root, invocation.profile, problems);
    ExperimentSpec spec = ExperimentReader(problems).read(*root);
    if (problems.empty()) return spec;
  }
  Problems once;  // what a profile gets wrong is met again in every stage that it is laid over
  once.add(std::move(problems));
  return once.take();
}

bool is_experiment(const std::shared_ptr<const SourceText>& source) {
  Diagnostics problems;
  const std::optional<Node> root = parse_yaml(source, 0, problems);
  return root &&
         (root->find("stages") != nullptr || root->find("extends") != nullptr || root->find("import") != nullptr);
}

}  // namespace lowbit::spec
