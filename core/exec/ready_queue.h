// What could run, by what it takes. Who has the longest way of work behind it goes first; equal ones in graph order.
// Asking for the next that fits costs as many looks as there are different demands among the ready (a handful: a stage
// has one), however many variants are ready, and O(log n) to take one.
//
// Smaller work may overtake what does not fit yet, and keeps the machine busy; but only so often: then what it needs is
// kept for it (it waits for jobs to end, not for luck).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "exec/resource_pool.h"
#include "graph/expanded_graph.h"

namespace lowbit::exec {

class ReadyQueue {
 public:
  /// After this many jobs that took of what it lacks, nothing overtakes a variant any more.
  static constexpr std::uint32_t kMostOvertaken = 16;

  void push(graph::VariantIndex variant, const Demand& demand, double priority);
  /// Takes out the first that the pool can serve now; nothing if there is none.
  [[nodiscard]] std::optional<graph::VariantIndex> pop(const ResourcePool& pool);
  /// False when it is not there with this demand and priority.
  bool remove(graph::VariantIndex variant, const Demand& demand, double priority);
  [[nodiscard]] bool empty() const { return heads_.empty(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// How often pop() looked at a demand, since the beginning.
  [[nodiscard]] std::uint64_t looks() const { return looks_; }

 private:
  struct Entry {
    double priority = 0;
    graph::VariantIndex variant = 0;

    bool operator<(const Entry& other) const {
      return priority != other.priority ? priority > other.priority : variant < other.variant;
    }
  };
  struct Bucket {
    std::set<Entry> entries;
    std::uint32_t overtaken = 0;  ///< the first entry
  };
  using Buckets = std::map<Demand, Bucket>;
  struct Head {
    Entry entry;
    Buckets::iterator bucket;

    bool operator<(const Head& other) const { return entry < other.entry; }
  };

  Buckets buckets_;       ///< none is empty
  std::set<Head> heads_;  ///< the first of each bucket
  std::size_t size_ = 0;
  std::uint64_t looks_ = 0;
};

}  // namespace lowbit::exec
