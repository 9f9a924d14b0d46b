#include "exec/variant_states.h"

#include <utility>

#include "base/check.h"
#include "graph/gates.h"

namespace lowbit::exec {
namespace {

/// The seeds of one point are shown together.
std::string point_of(const Coordinates& coordinates) {
  Coordinates without_seed;
  for (const auto& [axis, value] : coordinates.entries()) {
    if (axis != "seed") without_seed.set(axis, value);
  }
  return without_seed.text();
}

}  // namespace

VariantStates::VariantStates(const graph::ExpandedGraph& graph, const graph::Plan& plan,
                             const graph::ExternalDigests& externals, const std::optional<std::set<Index>>& only,
                             const DurationHistory& history)
    : graph_(graph),
      plan_(plan),
      externals_(externals),
      nodes_(graph.variants.size()),
      dependencies_(graph),
      unsettled_(graph.variants.size()) {
  std::vector<double> seconds = expected_seconds(graph, history);
  for (Index i = 0; i < nodes_.size(); ++i) {
    if (!take_decision(i, only)) continue;
    seconds[i] = 0;
    --unsettled_;
    static_cast<void>(dependencies_.settle(i));
  }
  priorities_ = critical_paths(dependencies_, seconds);
  for (Index i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].state == VariantState::waiting && dependencies_.waiting_for(i) == 0) unblocked_.push_back(i);
  }
}

/// Whether the plan settles it.
bool VariantStates::take_decision(Index index, const std::optional<std::set<Index>>& only) {
  const graph::PlannedVariant& planned = plan_.variants[index];
  const bool reuse = planned.decision == graph::Decision::reuse;
  Node& node = nodes_[index];
  node.provenance = planned.provenance;
  node.gate = planned.gate;
  if (only && !reuse && !only->contains(index)) {
    node.state = VariantState::left_out;
    return true;
  }
  if (!reuse && planned.decision != graph::Decision::gated) return false;
  node.text = planned.gate;
  if (!reuse) {
    node.state = VariantState::behind_gate;
    ++counts_.behind_gate;
    return true;
  }
  node.state = planned.gate.empty() ? VariantState::reused : VariantState::gated;
  node.outputs = planned.result->outputs;
  ++counts_.reused;
  if (!planned.gate.empty()) ++counts_.gated;
  return true;
}

bool VariantStates::is_open(Index index) const {
  return nodes_[index].state == VariantState::waiting || nodes_[index].state == VariantState::ready;
}

bool VariantStates::lets_through(Index index) const {
  const VariantState state = nodes_[index].state;
  return state == VariantState::done || state == VariantState::reused || state == VariantState::cut_off;
}

std::size_t& VariantStates::count_of(VariantState state) {
  switch (state) {
    case VariantState::done: return counts_.done;
    case VariantState::cut_off: return counts_.cut_off;
    case VariantState::failed: return counts_.failed;
    case VariantState::cancelled: return counts_.cancelled;
    case VariantState::blocked: return counts_.blocked;
    case VariantState::gated: return counts_.gated;
    default: LB_CHECK(state == VariantState::behind_gate); return counts_.behind_gate;
  }
}

std::vector<VariantNow> VariantStates::now() const {
  std::vector<VariantNow> variants;
  variants.reserve(nodes_.size());
  for (Index i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    const graph::Variant& variant = graph_.variants[i];
    variants.push_back({.label = variant.label(),
                        .stage = variant.stage,
                        .state = node.state,
                        .text = node.text,
                        .cause = node.cause,
                        .point = point_of(variant.coordinates),
                        .plugin = variant.plugin->id,
                        .cpus = variant.resources.cpus});
  }
  return variants;
}

std::optional<ArtifactRef> VariantStates::artifact_of(const graph::Member& member) const {
  if (const auto* external = std::get_if<graph::External>(&member.source)) {
    return ArtifactRef{.type = external->type, .digest = externals_.at(external->path)};
  }
  const auto& produced = std::get<graph::Produced>(member.source);
  const Node& producer = nodes_[produced.producer];
  const auto output = producer.outputs.find(produced.port);
  if (!lets_through(produced.producer) || output == producer.outputs.end() || unjudged_by(produced)) {
    return std::nullopt;
  }
  return output->second;
}

/// Whose gate should have let it through and did not.
std::optional<graph::VariantIndex> VariantStates::unjudged_by(const graph::Produced& produced) const {
  for (const Index keeper : produced.keepers) {
    if (!lets_through(keeper)) return keeper;
  }
  return std::nullopt;
}

std::optional<VariantStates::Obstacle> VariantStates::obstacle_of(Index index) const {
  for (const graph::BoundInput& input : graph_.variants[index].inputs) {
    std::uint64_t present = 0;
    const graph::Produced* missing = nullptr;
    for (const graph::Member& member : input.members) {
      if (artifact_of(member)) {
        ++present;
      } else if (missing == nullptr) {
        missing = &std::get<graph::Produced>(member.source);
      }
    }
    if (missing == nullptr || (input.min_members && present >= *input.min_members)) continue;
    const auto keeper = lets_through(missing->producer) ? unjudged_by(*missing) : std::nullopt;
    const Node& holder = nodes_[keeper.value_or(missing->producer)];
    const std::string label = graph_.variants[keeper.value_or(missing->producer)].label();
    if (holder.state == VariantState::gated || holder.state == VariantState::behind_gate) {
      const bool gated = holder.state == VariantState::gated;
      const std::string gate = gated ? graph::behind_gate(label, holder.gate) : holder.gate;
      return Obstacle{.reason = gate, .gate = gate};
    }
    return Obstacle{
        .reason = keeper ? "input " + input.port + " waits for the gate of " + label + ", which has no result"
                         : "input " + input.port + " needs " + label + "." + missing->port + ", which is not there",
        .gate = {}};
  }
  return std::nullopt;
}

// The plan's provenance key counts on every member; a result made without some of them must not be found under it.
graph::Key VariantStates::provenance_with_present_members(Index index) const {
  return graph::make_key(
      plan_.variants[index].own, graph_.variants[index], [&](const graph::Member& member) -> std::string {
        const auto artifact = artifact_of(member);
        if (!artifact) return {};
        if (const auto* produced = std::get_if<graph::Produced>(&member.source)) {
          return graph::produced_record(nodes_[produced->producer].provenance.digest, produced->port);
        }
        return graph::artifact_record(artifact->type, artifact->digest);
      });
}

std::optional<graph::VariantIndex> VariantStates::next_unblocked() {
  while (!unblocked_.empty()) {
    const Index index = unblocked_.front();
    unblocked_.pop_front();
    if (nodes_[index].state == VariantState::waiting) return index;  // not cancelled meanwhile
  }
  return std::nullopt;
}

std::optional<std::string> VariantStates::hold_back(Index index) {
  const auto obstacle = obstacle_of(index);
  if (!obstacle) return std::nullopt;
  nodes_[index].gate = obstacle->gate;
  settle(index, obstacle->gate.empty() ? VariantState::blocked : VariantState::behind_gate, obstacle->reason);
  return obstacle->reason;
}

graph::PlannedVariant VariantStates::know_inputs(Index index) {
  Node& node = nodes_[index];
  node.content = graph::content_key_for(plan_.variants[index].own, graph_.variants[index],
                                        [&](const graph::Member& member) { return artifact_of(member); });
  node.provenance = provenance_with_present_members(index);
  graph::PlannedVariant known = plan_.variants[index];
  known.provenance = node.provenance;
  known.content = node.content;
  return known;
}

void VariantStates::succeed(Index index, VariantState how, const std::map<std::string, ArtifactRef>& outputs,
                            std::string gate) {
  Node& node = nodes_[index];
  node.outputs = outputs;
  node.gate = std::move(gate);
  if (node.gate.empty()) {
    settle(index, how, {});
  } else {
    ++count_of(how);
    settle(index, VariantState::gated, node.gate);
  }
}

void VariantStates::fail(Index index, VariantState how, std::string text, std::string cause) {
  settle(index, how, std::move(text), std::move(cause));
}

void VariantStates::settle(Index index, VariantState state, std::string text, std::string cause) {
  Node& node = nodes_[index];
  node.state = state;
  node.text = std::move(text);
  node.cause = std::move(cause);
  --unsettled_;
  ++count_of(state);
  for (const Index consumer : dependencies_.settle(index)) {
    if (nodes_[consumer].state == VariantState::waiting) unblocked_.push_back(consumer);
  }
}

std::vector<graph::VariantIndex> VariantStates::reopen(const std::string& cause, const std::set<Index>& only) {
  std::vector<Index> again;
  std::vector<bool> reopened(nodes_.size(), false);
  for (Index i = 0; i < nodes_.size(); ++i) {  // producers stand before what they block
    Node& node = nodes_[i];
    const bool asked_for = (cause.empty() || node.cause == cause) && (only.empty() || only.contains(i));
    if (node.state == VariantState::failed || node.state == VariantState::cancelled) reopened[i] = asked_for;
    if (!reopened[i]) continue;
    again.push_back(i);
    for (const Index consumer : dependencies_.consumers_of(i)) {
      if (nodes_[consumer].state == VariantState::blocked) reopened[consumer] = true;
    }
    --count_of(node.state);
    ++unsettled_;
    node.state = VariantState::waiting;
    node.content.reset();
    node.text.clear();
    node.cause.clear();
  }
  dependencies_.recount([&](Index index) { return !is_open(index); });  // what waited already may wait for them again
  for (const Index index : again) {
    if (dependencies_.waiting_for(index) == 0) unblocked_.push_back(index);
  }
  return again;
}

}  // namespace lowbit::exec
