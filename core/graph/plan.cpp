#include "graph/plan.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "graph/gates.h"

namespace lowbit::graph {
namespace {

constexpr std::array<std::string_view, 11> kReasonNames{"",
                                                        "up_to_date",
                                                        "never_ran",
                                                        "record_changed",
                                                        "input_recreated",
                                                        "input_pending",
                                                        "artifact_missing",
                                                        "forced",
                                                        "plugin_file_changed",
                                                        "late_member",
                                                        "behind_gate"};

Reason because(ReasonKind kind, std::string text, std::vector<std::string> details = {}) {
  return {kind, std::move(text), std::move(details)};
}

// One line for several: the first, which is the most telling, and how many more there are.
std::string headline(const std::vector<std::string>& lines) {
  if (lines.empty()) return "the key record changed";
  return lines.size() == 1 ? lines.front() : lines.front() + " and " + std::to_string(lines.size() - 1) + " more";
}

Reason changed(const JsonText& before_text, const JsonText& now_text) {
  const Json before = before_text.json();
  const Json now = now_text.json();
  std::vector<std::string> lines = differences(before, now);
  const ReasonKind kind = only_gained_members(before, now) ? ReasonKind::late_member : ReasonKind::record_changed;
  std::string text = headline(lines);
  return because(kind, std::move(text), std::move(lines));
}

JsonText own_part(const JsonText& text) {
  Json record = text.json();
  record.erase("inputs");
  return record;
}

/// Why there is no result for these inputs.
Reason why_no_result(const PlannedVariant& known, const std::string& experiment, const Variant& variant,
                     const ResultLookup& results) {
  if (const auto earlier = results.by_provenance_key(known.provenance.digest)) {
    Reason reason = changed(earlier->content_record, known.content->record);
    if (reason.kind == ReasonKind::record_changed) {
      reason.kind = ReasonKind::input_recreated;
      reason.text += ": made again, with other bytes";
    }
    return reason;
  }
  const std::optional<JsonText> last = results.last_record(experiment, variant.stage, variant.coordinates);
  if (!last || *last == known.provenance.record) return because(ReasonKind::never_ran, "never ran");
  return changed(*last, known.provenance.record);
}

/// The first output port whose artifact is gone, or empty.
std::string missing_output(const StageResult& result, const ResultLookup& results) {
  for (const auto& [port, artifact] : result.outputs) {
    if (!results.artifact_present(artifact.digest)) return port;
  }
  return {};
}

/// Whether another plugin file than the present one made it.
bool other_file(const StageResult& result, const Variant& variant, const PluginDigests& plugins) {
  const auto present = plugins.find(variant.plugin->id);
  return present != plugins.end() && present->second != result.plugin_digest;
}

class Planner {
 public:
  Planner(const ExpandedGraph& graph, const ExternalDigests& externals, const PluginDigests& plugins,
          const ResultLookup& results, const PlanOptions& options)
      : graph_(graph), externals_(externals), plugins_(plugins), results_(results), options_(options) {}

  Plan plan() {
    plan_.variants.reserve(graph_.variants.size());
    for (VariantIndex i = 0; i < graph_.variants.size(); ++i) plan_.variants.push_back(plan_variant(i));
    return std::move(plan_);
  }

 private:
  PlannedVariant plan_variant(VariantIndex index) {
    const Variant& variant = graph_.variants[index];
    PlannedVariant planned;
    planned.variant = index;
    planned.own = own_record(variant, options_.device_class);
    std::string gate = gate_before(variant);
    planned.provenance = make_key(planned.own, variant, [&](const Member& member) {
      if (!held_back_by(member)) return provenance_of(member);
      // What runs without a member that is held back is known without it, as the executor knows it. What does not run
      // is known by being held back: what was made from that member before it was is no result of the experiment now.
      return gate.empty() ? std::string() : "{\"behind_gate\":" + provenance_of(member) + "}";
    });
    if (!gate.empty()) {
      planned.decision = Decision::gated;
      planned.reason = because(ReasonKind::behind_gate, gate);
      planned.gate = std::move(gate);
      return planned;
    }
    if (const PlannedVariant* pending = first_pending(variant)) {
      decide_pending(planned, variant, *pending);
      return planned;
    }
    planned.content = content_key_for(planned.own, variant, [&](const Member& member) { return artifact_of(member); });
    planned = decide(std::move(planned), graph_.experiment, variant, plugins_, results_, options_);
    if (planned.result && other_file(*planned.result, variant, plugins_)) notice_rebuilt(*variant.plugin);
    if (planned.decision == Decision::reuse) planned.own = planned.content->record = JsonText();  // of many, of no use
    return planned;
  }

  [[nodiscard]] const Digest& external(const External& input) const {
    const auto it = externals_.find(input.path);
    LB_CHECK(it != externals_.end());
    return it->second;
  }

  [[nodiscard]] std::string provenance_of(const Member& member) const {
    if (const auto* input = std::get_if<External>(&member.source)) {
      return artifact_record(input->type, external(*input));
    }
    const auto& produced = std::get<Produced>(member.source);
    return produced_record(plan_.variants[produced.producer].provenance.digest, produced.port);
  }

  /// Whose gate holds it back: its producer, or who judges that.
  [[nodiscard]] std::optional<VariantIndex> held_back_by(const Member& member) const {
    const auto* produced = std::get_if<Produced>(&member.source);
    if (produced == nullptr) return std::nullopt;
    const auto holds = [&](VariantIndex index) { return !plan_.variants[index].gate.empty(); };
    if (holds(produced->producer)) return produced->producer;
    const auto keeper = std::find_if(produced->keepers.begin(), produced->keepers.end(), holds);
    return keeper == produced->keepers.end() ? std::nullopt : std::optional(*keeper);
  }

  // REQUIRES: the producer is reused or held back.
  [[nodiscard]] std::optional<ArtifactRef> artifact_of(const Member& member) const {
    if (const auto* input = std::get_if<External>(&member.source)) return ArtifactRef{input->type, external(*input)};
    const auto& produced = std::get<Produced>(member.source);
    if (held_back_by(member)) return std::nullopt;
    const auto& outputs = plan_.variants[produced.producer].result->outputs;
    const auto it = outputs.find(produced.port);
    return it == outputs.end() ? std::nullopt : std::optional(it->second);
  }

  /// Whose gate leaves an input of it without members that it needs; empty: none.
  [[nodiscard]] std::string gate_before(const Variant& variant) const {
    for (const BoundInput& input : variant.inputs) {
      std::uint64_t held_back = 0;
      std::string first;
      for (const Member& member : input.members) {
        const auto index = held_back_by(member);
        if (!index || ++held_back > 1) continue;
        const PlannedVariant& holder = plan_.variants[*index];
        first = holder.decision == Decision::gated ? holder.gate
                                                   : behind_gate(graph_.variants[*index].label(), holder.gate);
      }
      const std::uint64_t left = input.members.size() - held_back;
      if (held_back > 0 && !(input.min_members && left >= *input.min_members)) return first;
    }
    return {};
  }

  [[nodiscard]] const PlannedVariant* first_pending(const Variant& variant) const {
    const PlannedVariant* pending = nullptr;
    for_each_awaited(variant, [&](VariantIndex awaited) {
      if (pending == nullptr && may_run(plan_.variants[awaited].decision)) pending = &plan_.variants[awaited];
    });
    return pending;
  }

  // It can only be cut off if something with this own record was made before.
  void decide_pending(PlannedVariant& planned, const Variant& variant, const PlannedVariant& pending) const {
    if (options_.force.contains(variant.stage)) {
      planned.reason = because(ReasonKind::forced, "forced");
    } else if (results_.has_own_record(digest_of(planned.own))) {
      planned.decision = Decision::maybe;
      planned.reason = because(ReasonKind::input_pending, "waits for " + graph_.variants[pending.variant].label());
    } else {
      const std::optional<JsonText> last = results_.last_record(graph_.experiment, variant.stage, variant.coordinates);
      planned.reason = !last || own_part(*last) == planned.own ? because(ReasonKind::never_ran, "never ran")
                                                               : changed(*last, planned.provenance.record);
    }
  }

  void notice_rebuilt(const StageDescription& plugin) {
    if (!noticed_.insert(plugin.id).second) return;
    plan_.notices.push_back("the file of plugin " + plugin.id + " changed since its results were made, its version " +
                            plugin.version + " did not: they are reused; --strict makes them stale");
  }

  const ExpandedGraph& graph_;
  const ExternalDigests& externals_;
  const PluginDigests& plugins_;
  const ResultLookup& results_;
  const PlanOptions& options_;
  Plan plan_;
  std::set<std::string> noticed_;
};

}  // namespace

std::string_view name_of(Decision decision) {
  switch (decision) {
    case Decision::reuse: return "reuse";
    case Decision::run: return "run";
    case Decision::maybe: return "maybe";
    case Decision::gated: return "gated";
  }
  return {};
}

std::string_view name_of(ReasonKind kind) { return kReasonNames.at(static_cast<std::size_t>(kind)); }

std::size_t Plan::count(Decision decision) const {
  return static_cast<std::size_t>(std::count_if(
      variants.begin(), variants.end(), [&](const PlannedVariant& planned) { return planned.decision == decision; }));
}

Plan make_plan(const ExpandedGraph& graph, const ExternalDigests& externals, const PluginDigests& plugins,
               const ResultLookup& results, const PlanOptions& options) {
  Plan plan;
  results.at_one_moment([&] { plan = Planner(graph, externals, plugins, results, options).plan(); });
  return plan;
}

PlannedVariant decide(PlannedVariant known, const std::string& experiment, const Variant& variant,
                      const PluginDigests& plugins, const ResultLookup& results, const PlanOptions& options) {
  LB_CHECK(known.content.has_value());
  known.decision = Decision::run;
  known.result.reset();
  known.gate.clear();
  std::optional<StageResult> result = results.by_content_key(known.content->digest);
  if (options.force.contains(variant.stage)) {
    known.reason = because(ReasonKind::forced, "forced");
  } else if (!result) {
    known.reason = why_no_result(known, experiment, variant, results);
  } else if (const std::string port = missing_output(*result, results); !port.empty()) {
    known.reason = because(ReasonKind::artifact_missing, "the files of output " + port + " are gone");
  } else if (options.strict && other_file(*result, variant, plugins)) {
    known.reason =
        because(ReasonKind::plugin_file_changed, "the file of plugin " + variant.plugin->id + " changed, its version " +
                                                     variant.plugin->version + " did not");
  } else {
    known.decision = Decision::reuse;
    known.reason = because(ReasonKind::up_to_date, "up to date");
    result->metrics = results.metrics_of(*result);
    known.gate = gate_problem(variant.gates, result->metrics);
    known.result = std::move(result);
  }
  return known;
}

}  // namespace lowbit::graph
