#include "spec/experiment_reader.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "domain/coordinates.h"
#include "domain/text_template.h"
#include "spec/form.h"
#include "spec/stage_reader.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {
namespace {

constexpr std::uint64_t kMaxReplicates = 100'000;

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
    if (const Node* matrix = root.find("matrix")) read_matrix(*matrix, spec);
    if (const Node* inputs = root.find("inputs")) read_inputs(*inputs, spec);
    if (const Node* stages = root.find("stages")) read_stages(*stages, spec);
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
      const auto count = form_.whole_number(*replicates, "`replicates`", 1, kMaxReplicates);
      if (!count) return;
      spec.seeds.resize(static_cast<std::size_t>(*count));
      for (std::size_t i = 0; i < spec.seeds.size(); ++i) spec.seeds[i] = i;
    } else if (seeds != nullptr && seeds->kind == Node::Kind::scalar && !seeds->missing()) {
      form_.wrong_type(*seeds, "`seeds`", "a list of whole numbers",
                       "write [" + seeds->text + "] for one seed, or `replicates: " + seeds->text + "` for as many");
    } else if (seeds != nullptr && form_.list(*seeds, "`seeds`", "whole numbers")) {
      std::vector<Located<std::uint64_t>> read;
      for (const Node& item : seeds->items) {
        const auto seed = form_.whole_number(item, "a seed", 0, std::numeric_limits<std::int64_t>::max());
        if (!seed) continue;
        const auto same =
            std::find_if(read.begin(), read.end(), [&](const auto& before) { return before.value == *seed; });
        if (same != read.end()) {
          form_.duplicate("seed " + std::to_string(*seed), same->span, item.span);
        } else {
          read.push_back({*seed, item.span});
        }
      }
      spec.seeds.clear();
      for (const auto& seed : read) spec.seeds.push_back(seed.value);
    }
  }

  void read_matrix(const Node& node, ExperimentSpec& spec) {
    axes_.complete = false;  // until all of it has been read
    if (!form_.mapping(node, Place::matrix)) return;
    bool complete = true;
    for (const Node::Entry& entry : node.entries) {
      if (entry.key.value == "exclude") continue;
      if (is_not_yet_supported(Place::matrix, entry.key.value)) {
        complete = false;
      } else {
        complete = read_axis(entry) && complete;
      }
    }
    axes_.complete = complete;
    const Node* exclude = node.find("exclude");
    if (exclude == nullptr || (exclude->kind == Node::Kind::sequence && exclude->items.empty())) return;
    if (!form_.list(*exclude, "`exclude`", "mappings")) return;
    for (const Node& item : exclude->items) read_exclusion(item, spec);
  }

  bool read_axis(const Node::Entry& entry) {
    const Text& name = entry.key;
    if (name.value == "seed") {
      form_.report(error("LB1032", "`seed` cannot be the name of an axis")
                       .at(name.span, "reserved")
                       .note("every stage whose plugin is seeded already has the axis `seed`")
                       .fix("list the seeds at the top: `seeds: [0, 1, 2]`"));
      return false;
    }
    const bool named = form_.name(name, "the name of an axis");
    const std::string what = "axis " + ticked(name.value);
    if (!form_.list(entry.value, what, "values") || !named) return false;
    Axis axis{.name = name, .values = {}};
    for (const Node& item : entry.value.items) {
      auto value = form_.scalar(item, "a value of " + what, "a single value");
      if (!value || !form_.no_template({item.text, item.span}, "the values of an axis")) continue;
      // 4 and "4" would be one value in every text they are put into.
      const auto same = std::find_if(axis.values.begin(), axis.values.end(), [&](const Located<Json>& before) {
        return before.value == value->value || scalar_text(before.value) == scalar_text(value->value);
      });
      if (same != axis.values.end()) {
        const std::string now = canonical(value->value);
        const std::string before = canonical(same->value);
        form_.duplicate("value " + ticked(scalar_text(value->value)), same->span, value->span,
                        now == before ? "" : before + " and " + now + " are one value of an axis");
      } else {
        axis.values.push_back(std::move(*value));
      }
    }
    const bool complete = axis.values.size() == entry.value.items.size();
    axes_.axes.push_back(std::move(axis));
    return complete;
  }

  void read_exclusion(const Node& node, ExperimentSpec& spec) {
    if (!form_.mapping(node, Place::exclusion)) return;
    if (node.entries.empty()) {
      form_.report(error("LB1024", "an entry of `exclude` is empty")
                       .at(node.span, "this would exclude every point")
                       .fix("name axes and values: `{quantizer: awq, num_bits: 3}`"));
      return;
    }
    auto& exclusion = spec.excludes.emplace_back();
    for (const Node::Entry& entry : node.entries) {
      if (!form_.known_axis(entry.key, axes_, false)) continue;
      const std::string what = "the value of axis " + ticked(entry.key.value);
      std::vector<Located<Json>> values;
      const auto read_value = [&](const Node& item) {
        const auto value = form_.scalar(item, what, "a single value or a list of values");
        if (!value) return;
        if (replaced_by_override(entry.key, *value)) {
          values.push_back(*value);
        } else if (auto known = form_.axis_value(entry.key, *value, axes_)) {
          values.push_back(std::move(*known));
        }
      };
      if (entry.value.kind != Node::Kind::sequence) {
        read_value(entry.value);
      } else if (form_.list(entry.value, what, "values")) {
        for (const Node& item : entry.value.items) read_value(item);
      }
      exclusion.emplace_back(entry.key, std::move(values));
    }
  }

  // `--set matrix.num_bits=[4]` must not make an exclusion of 3 in the file a mistake.
  [[nodiscard]] bool replaced_by_override(const Text& axis, const Located<Json>& value) const {
    const Axis* known = axes_.find(axis.value);
    if (known == nullptr) return false;
    const auto& values = known->values;
    return std::any_of(values.begin(), values.end(),
                       [&](const Located<Json>& v) { return v.span.source != value.span.source; }) &&
           std::none_of(values.begin(), values.end(), [&](const Located<Json>& v) { return v.value == value.value; });
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

  Form form_;
  KnownAxes axes_;
};

}  // namespace

Result<ExperimentSpec> read_experiment(const std::shared_ptr<const SourceText>& source,
                                       const std::vector<Override>& overrides) {
  Diagnostics problems;
  std::optional<Node> root = parse_yaml(source, 0, problems);
  if (root) {
    apply_overrides(*root, overrides, problems);
    ExperimentSpec spec = ExperimentReader(problems).read(*root);
    if (problems.empty()) return spec;
  }
  return problems;
}

}  // namespace lowbit::spec
