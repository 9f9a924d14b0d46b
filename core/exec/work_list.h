// The content keys of a run that have no result yet, each with every variant that needs exactly its result: one job
// makes it for all of them. What could start stands in the ready queue. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "exec/ready_queue.h"
#include "exec/resource_pool.h"
#include "exec/running_job.h"
#include "exec/variant_states.h"

namespace lowbit::exec {

using JobPtr = std::shared_ptr<RunningJob>;

struct Work {
  std::vector<graph::VariantIndex> variants;  ///< the first is the one it is run as; empty: a job of another experiment
  std::uint32_t attempts = 0;                 ///< in this run
  JobPtr job;                                 ///< from its start until it is published or has failed
};

class WorkList {
 public:
  using Index = graph::VariantIndex;

  /// Everything referred to outlives this.
  WorkList(const graph::ExpandedGraph& graph, const VariantStates& states, const Capacity& capacity)
      : graph_(graph), states_(states), capacity_(capacity) {}

  /// A job that another host started. False: there is one for the same result already.
  [[nodiscard]] bool adopt(const JobPtr& job);
  /// Takes in a variant whose content key is known. Returns the adopted job that it turns out to wait for, if it is the
  /// first.
  [[nodiscard]] JobPtr add(Index index);
  /// Takes out the variant to start next, for which the pool has room.
  [[nodiscard]] std::optional<Index> next(const ResourcePool& pool) { return ready_.pop(pool); }
  void begin(Index index, const JobPtr& job);
  /// What a job that has ended was for. REQUIRES: find(content_key).
  [[nodiscard]] Work take(const Digest& content_key);
  /// It will be tried again, by try_again().
  void put_back(const Digest& content_key, Work work);
  /// Ready as `index`; false when that was cancelled meanwhile.
  [[nodiscard]] bool try_again(const Digest& content_key, Index index);
  /// Takes a variant out of the work that is to be done for it and for others, or that no job does yet.
  void withdraw(Index index);

  [[nodiscard]] const Work* find(const Digest& content_key) const;
  [[nodiscard]] Demand demand(Index index) const { return demand_of(graph_.variants[index].resources, capacity_); }
  /// Jobs that variants of this graph wait for.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  void enqueue(Index index) { ready_.push(index, demand(index), states_.priority(index)); }

  const graph::ExpandedGraph& graph_;
  const VariantStates& states_;
  const Capacity& capacity_;
  ReadyQueue ready_;
  std::unordered_map<Digest, Work> works_;
  std::size_t in_flight_ = 0;
};

}  // namespace lowbit::exec
