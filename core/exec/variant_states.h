// How each variant of a run stands, and why: what waits for what, what is in the way of whom, what gates hold back, and
// the keys that variants have once their inputs are known. Pure: who runs them and where results are kept is
// exec/scheduler.h.
//
//   VariantStates states(graph, plan, externals, {}, {});
//   while (const auto next = states.next_unblocked()) {
//     if (states.hold_back(*next)) continue;  // it will never run: an input failed
//     ... graph::decide(states.know_inputs(*next), ...), then settle it by succeed(), or schedule() it ...
//   }
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "domain/duration_history.h"
#include "exec/dependencies.h"
#include "exec/snapshot.h"
#include "graph/plan.h"

namespace lowbit::exec {

/// Variants by how they settled.
struct SettledCounts {
  std::size_t reused = 0;
  std::size_t done = 0;     ///< ran and succeeded in this run
  std::size_t cut_off = 0;  ///< an input came out as it was before
  std::size_t failed = 0;
  std::size_t blocked = 0;  ///< not run because an input failed
  std::size_t cancelled = 0;
  std::size_t gated = 0;        ///< of those with a result: a gate holds it back
  std::size_t behind_gate = 0;  ///< not run because a gate holds an input back
};

class VariantStates {
 public:
  using Index = graph::VariantIndex;

  /// What the plan decides has settled. `only`: of what it does not reuse the others are left out; none: all may run.
  /// Everything referred to outlives this.
  VariantStates(const graph::ExpandedGraph& graph, const graph::Plan& plan, const graph::ExternalDigests& externals,
                const std::optional<std::set<Index>>& only, const DurationHistory& history);

  /// `ready` from schedule() until it settles, never `running`: jobs are not known here.
  [[nodiscard]] VariantState state(Index index) const { return nodes_[index].state; }
  /// It has not settled, so others may wait for it.
  [[nodiscard]] bool is_open(Index index) const;
  [[nodiscard]] std::size_t unsettled() const { return unsettled_; }
  [[nodiscard]] const SettledCounts& counts() const { return counts_; }
  /// In the plan's order, as state() has them.
  [[nodiscard]] std::vector<VariantNow> now() const;

  /// Seconds of work on the longest way from its start to an end of the graph.
  [[nodiscard]] double priority(Index index) const { return priorities_[index]; }
  /// REQUIRES: know_inputs() of it.
  [[nodiscard]] const graph::Key& content(Index index) const { return *nodes_[index].content; }
  /// The plan's, and from know_inputs() on that of what is there.
  [[nodiscard]] const graph::Key& provenance(Index index) const { return nodes_[index].provenance; }
  /// Nothing while its producer has no result, left it out, or a gate has not let it through.
  [[nodiscard]] std::optional<ArtifactRef> artifact_of(const graph::Member& member) const;

  /// Takes out the next that waits and whose producers have all settled.
  [[nodiscard]] std::optional<Index> next_unblocked();
  /// Settles a variant as blocked or behind a gate if an input that it needs will never come; says which.
  /// REQUIRES: all of its producers have settled, here and below.
  [[nodiscard]] std::optional<std::string> hold_back(Index index);
  /// The planned variant with the keys that it has now, as graph::decide() takes it.
  [[nodiscard]] graph::PlannedVariant know_inputs(Index index);

  // REQUIRES: is_open(index), of all below.
  void schedule(Index index) { nodes_[index].state = VariantState::ready; }
  /// `how`: done or cut_off. `gate`: what of its gates does not hold; empty: all do.
  void succeed(Index index, VariantState how, const std::map<std::string, ArtifactRef>& outputs, std::string gate);
  /// `how`: failed or cancelled.
  void fail(Index index, VariantState how, std::string text, std::string cause);

  /// What failed or was cancelled, of `cause` only if it is not empty, of `only` if that is not empty, and what that
  /// blocked, waits anew. Returns all of it, in the plan's order.
  std::vector<Index> reopen(const std::string& cause, const std::set<Index>& only);

 private:
  struct Node {
    VariantState state = VariantState::waiting;
    std::optional<graph::Key> content;
    graph::Key provenance;
    std::map<std::string, ArtifactRef> outputs;
    std::string gate;   ///< gated: what does not hold; behind_gate: whose gate, and what
    std::string text;   ///< how it settled, for people
    std::string cause;  ///< of a failure
  };
  struct Obstacle {
    std::string reason;
    std::string gate;  ///< empty: it is no gate
  };

  [[nodiscard]] bool take_decision(Index index, const std::optional<std::set<Index>>& only);
  void settle(Index index, VariantState state, std::string text, std::string cause = {});
  [[nodiscard]] std::size_t& count_of(VariantState state);
  [[nodiscard]] bool lets_through(Index index) const;
  [[nodiscard]] std::optional<Index> unjudged_by(const graph::Produced& produced) const;
  [[nodiscard]] std::optional<Obstacle> obstacle_of(Index index) const;
  [[nodiscard]] graph::Key provenance_with_present_members(Index index) const;

  const graph::ExpandedGraph& graph_;
  const graph::Plan& plan_;
  const graph::ExternalDigests& externals_;
  std::vector<Node> nodes_;
  Dependencies dependencies_;
  std::vector<double> priorities_;
  std::deque<Index> unblocked_;  ///< every producer has settled; not looked at yet
  std::size_t unsettled_;
  SettledCounts counts_;
};

}  // namespace lowbit::exec
