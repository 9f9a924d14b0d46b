#include "graph/expand.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <tuple>
#include <utility>

#include "base/words.h"
#include "graph/bind_stages.h"
#include "graph/walk.h"

namespace lowbit::graph {
namespace {

using Drafts = std::vector<Draft>;

std::string label_of(const ExperimentSpec& spec, const Matrix& matrix, const Draft& draft) {
  return stage_label(spec.stages[draft.stage].id.value, matrix.coordinates(draft.first_point, draft.axes));
}

/// Which drafts each draft feeds, and how many members each waits for.
struct Arrows {
  std::vector<std::vector<std::size_t>> consumers;
  std::vector<std::size_t> n_waiting;
};

Arrows arrows_of(const Drafts& drafts) {
  Arrows arrows{std::vector<std::vector<std::size_t>>(drafts.size()), std::vector<std::size_t>(drafts.size())};
  for (std::size_t consumer = 0; consumer < drafts.size(); ++consumer) {
    for (const DraftInput& input : drafts[consumer].inputs) {
      for (const DraftMember& member : input.members) {
        if (member.external != nullptr) continue;
        arrows.consumers[member.producer].push_back(consumer);
        ++arrows.n_waiting[consumer];
      }
    }
    for (const auto& [producer, keepers] : drafts[consumer].keepers) {
      for (const std::size_t keeper : keepers) arrows.consumers[keeper].push_back(consumer);
      arrows.n_waiting[consumer] += keepers.size();
    }
  }
  return arrows;
}

/// Some loop among the drafts that still wait. A walk that never visits a (stage, point) twice finds loops of points;
/// this one only appears when a gathered input of several points became one.
Diagnostic remaining_loop(const ExperimentSpec& spec, const Matrix& matrix, const Drafts& drafts,
                          const std::vector<std::size_t>& n_waiting) {
  const auto next = [&](std::size_t draft) {
    for (const DraftInput& input : drafts[draft].inputs) {
      for (const DraftMember& member : input.members) {
        if (member.external == nullptr && n_waiting[member.producer] > 0) return member.producer;
      }
    }
    for (const auto& [producer, keepers] : drafts[draft].keepers) {
      for (const std::size_t keeper : keepers) {
        if (n_waiting[keeper] > 0) return keeper;
      }
    }
    return draft;
  };
  std::size_t draft = 0;
  while (n_waiting[draft] == 0) ++draft;
  for (std::size_t i = 0; i < drafts.size(); ++i) draft = next(draft);  // now certainly within a loop

  std::vector<std::size_t> loop;
  for (; std::find(loop.begin(), loop.end(), draft) == loop.end(); draft = next(draft)) loop.push_back(draft);
  std::rotate(loop.begin(),
              std::min_element(loop.begin(), loop.end(),
                               [&](std::size_t a, std::size_t b) { return drafts[a].stage < drafts[b].stage; }),
              loop.end());
  std::vector<std::string> labels;
  std::vector<std::string> stages;
  for (const std::size_t member : loop) {
    labels.push_back(label_of(spec, matrix, drafts[member]));
    stages.push_back(spec.stages[drafts[member].stage].id.value);
  }
  Diagnostic problem = loop_problem(labels, stages, spec.stages[drafts[loop.front()].stage].id.span);
  const bool gates_hold =
      std::any_of(loop.begin(), loop.end(), [&](std::size_t member) { return !drafts[member].keepers.empty(); });
  return gates_hold ? problem.fix("take a stage out of `holds` of a gate: what it holds waits for it") : problem;
}

/// Producers before consumers, otherwise by stage and point: position -> draft.
std::vector<std::size_t> ordered(const ExperimentSpec& spec, const Matrix& matrix, const Drafts& drafts,
                                 Problems& problems) {
  Arrows arrows = arrows_of(drafts);
  using Rank = std::tuple<std::size_t, Point, std::size_t>;
  const auto rank = [&](std::size_t draft) { return Rank(drafts[draft].stage, drafts[draft].first_point, draft); };
  std::priority_queue<Rank, std::vector<Rank>, std::greater<>> ready;
  for (std::size_t draft = 0; draft < drafts.size(); ++draft) {
    if (arrows.n_waiting[draft] == 0) ready.push(rank(draft));
  }
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const std::size_t draft = std::get<2>(ready.top());
    ready.pop();
    order.push_back(draft);
    for (const std::size_t consumer : arrows.consumers[draft]) {
      if (--arrows.n_waiting[consumer] == 0) ready.push(rank(consumer));
    }
  }
  if (order.size() < drafts.size()) problems.add(remaining_loop(spec, matrix, drafts, arrows.n_waiting));
  return order;
}

/// Everything that a draft is made from.
std::set<std::size_t> ancestors_of(const Drafts& drafts, std::size_t draft) {
  std::set<std::size_t> found;
  std::vector<std::size_t> queue{draft};
  while (!queue.empty()) {
    const std::size_t next = queue.back();
    queue.pop_back();
    for (const DraftInput& input : drafts[next].inputs) {
      for (const DraftMember& member : input.members) {
        if (member.external == nullptr && found.insert(member.producer).second) queue.push_back(member.producer);
      }
    }
  }
  return found;
}

std::vector<std::string> stage_names(const ExperimentSpec& spec) {
  std::vector<std::string> names;
  for (const StageSpec& stage : spec.stages) names.push_back(stage.id.value);
  return names;
}

/// The stage that a gate names in `holds`; nothing where there is none (reported).
std::optional<std::size_t> held_stage(const ExperimentSpec& spec, const Text& name, Problems& problems) {
  const std::vector<std::string> names = stage_names(spec);
  const auto found = std::find(names.begin(), names.end(), name.value);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  const std::string near = nearest(name.value, names);
  problems.add(
      error("LB2010", "the experiment has no stage " + ticked(name.value))
          .at(name.span)
          .note("known stages: " + joined(names, ", "))
          .fix(near.empty() ? "hold a stage that this one is made from" : "a similar name exists: " + ticked(near)));
  return std::nullopt;
}

/// Sets Draft::keepers. What a keeper itself is made from does not wait for it, nor do two keepers of one producer for
/// each other.
void bind_gates(const ExperimentSpec& spec, const BoundExperiment& bound, Drafts& drafts, Problems& problems) {
  std::map<std::size_t, std::vector<std::size_t>> keepers;  // by producer
  std::map<std::size_t, std::set<std::size_t>> exempt;      // by producer
  for (std::size_t stage = 0; stage < spec.stages.size(); ++stage) {
    for (const Gate& gate : spec.stages[stage].gates) {
      for (const Text& name : gate.holds) {
        const auto held = held_stage(spec, name, problems);
        if (!held || bound.stages[*held].plugins.empty()) continue;  // reported, or left out
        bool judges = false;
        bool exists = false;
        for (std::size_t keeper = 0; keeper < drafts.size(); ++keeper) {
          if (drafts[keeper].stage != stage) continue;
          exists = true;
          const std::set<std::size_t> ancestors = ancestors_of(drafts, keeper);
          for (const std::size_t producer : ancestors) {
            if (drafts[producer].stage != *held) continue;
            judges = true;
            std::vector<std::size_t>& known = keepers[producer];
            if (std::find(known.begin(), known.end(), keeper) == known.end()) known.push_back(keeper);
            exempt[producer].insert(ancestors.begin(), ancestors.end());
            exempt[producer].insert(keeper);
          }
        }
        if (exists && !judges) {
          problems.add(error("LB3007", "the gate of " + ticked(spec.stages[stage].id.value) + " cannot hold " +
                                           ticked(name.value) + ": it is not made from it")
                           .at(name.span)
                           .fix("hold a stage whose outputs reach " + ticked(spec.stages[stage].id.value) +
                                ", or put the gate on a stage that measures " + ticked(name.value)));
        }
      }
    }
  }
  for (std::size_t consumer = 0; consumer < drafts.size() && !keepers.empty(); ++consumer) {
    for (const DraftInput& input : drafts[consumer].inputs) {
      for (const DraftMember& member : input.members) {
        if (member.external != nullptr) continue;
        const auto held = keepers.find(member.producer);
        if (held == keepers.end() || exempt.at(member.producer).contains(consumer)) continue;
        drafts[consumer].keepers[member.producer] = held->second;
      }
    }
  }
}

BoundInput input_of(const Draft& consumer, const DraftInput& draft, const Matrix& matrix,
                    const std::vector<VariantIndex>& positions) {
  BoundInput input;
  input.port = draft.input->port->name;
  input.gathered = draft.input->binding->gathered();
  input.min_members = draft.input->binding->written->binding.min_members;
  std::vector<std::pair<Json, Member>> members;
  for (const DraftMember& member : draft.members) {
    Member out{matrix.coordinates(member.at, member.at_axes), {}};
    if (member.external != nullptr) {
      out.source = *member.external;
    } else {
      Produced produced{positions[member.producer], *member.port};
      if (const auto held = consumer.keepers.find(member.producer); held != consumer.keepers.end()) {
        for (const std::size_t keeper : held->second) produced.keepers.push_back(positions[keeper]);
      }
      out.source = std::move(produced);
    }
    members.emplace_back(out.at.to_json(), std::move(out));
  }
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [at, member] : members) input.members.push_back(std::move(member));
  return input;
}

Variant variant_of(Draft& draft, const StageSpec& stage, const Matrix& matrix,
                   const std::vector<VariantIndex>& positions) {
  Variant variant;
  variant.stage = stage.id.value;
  variant.coordinates = matrix.coordinates(draft.first_point, draft.axes);
  variant.plugin = draft.plugin->description;
  variant.params = std::move(draft.params);
  for (const DraftInput& input : draft.inputs) variant.inputs.push_back(input_of(draft, input, matrix, positions));
  if (variant.plugin->seeded) {
    variant.seed = matrix.value(draft.first_point, matrix.seed_axis()).value.get<std::uint64_t>();
  }
  variant.resources = stage.resources;
  variant.retry = stage.retry;
  variant.gates = stage.gates;
  variant.span = stage.id.span;
  return variant;
}

}  // namespace

Result<ExpandedGraph> expand(const ExperimentSpec& spec, const StageCatalog& catalog, MissingPlugin missing) {
  ExpandedGraph graph;
  graph.experiment = spec.name;
  Problems problems;
  LB_TRY_ASSIGN(const Matrix matrix, Matrix::build(spec));
  const BoundExperiment bound = bind_stages(spec, catalog, matrix, missing, problems, graph.notes);
  Walk walked = walk(spec, bound, matrix, problems);
  Drafts& drafts = walked.drafts;
  bind_gates(spec, bound, drafts, problems);
  const std::vector<std::size_t> order = ordered(spec, matrix, drafts, problems);
  if (!problems.empty()) return problems.take();

  std::vector<VariantIndex> positions(drafts.size());
  for (std::size_t position = 0; position < order.size(); ++position) positions[order[position]] = position;
  std::vector<bool> has_variants(spec.stages.size());
  graph.variants.reserve(order.size());
  for (const std::size_t draft : order) {
    const std::size_t stage = drafts[draft].stage;
    graph.variants.push_back(variant_of(drafts[draft], spec.stages[stage], matrix, positions));
    has_variants[stage] = true;
  }
  for (std::size_t stage = 0; stage < spec.stages.size(); ++stage) {
    if (has_variants[stage] || bound.stages[stage].plugins.empty()) continue;  // the latter has a note of its own
    graph.notes.push_back("stage " + ticked(spec.stages[stage].id.value) +
                          " has no variants: its inputs exist together at no point of the matrix");
  }
  return graph;
}

}  // namespace lowbit::graph
