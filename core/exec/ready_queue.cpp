#include "exec/ready_queue.h"

#include <iterator>
#include <vector>

namespace lowbit::exec {

void ReadyQueue::push(graph::VariantIndex variant, const Demand& demand, double priority) {
  const Entry entry{priority, variant};
  const auto bucket = buckets_.try_emplace(demand).first;
  std::set<Entry>& entries = bucket->second.entries;
  const bool first = entries.empty() || entry < *entries.begin();
  if (first && !entries.empty()) heads_.erase({*entries.begin(), bucket});
  if (!entries.insert(entry).second) return;
  if (first) heads_.insert({entry, bucket});
  ++size_;
}

std::optional<graph::VariantIndex> ReadyQueue::pop(const ResourcePool& pool) {
  struct Waiting {
    Buckets::iterator bucket;
    unsigned lacks;
  };
  std::vector<Waiting> waiting;
  unsigned kept = 0;
  for (auto head = heads_.begin(); head != heads_.end(); ++head) {
    ++looks_;
    const auto bucket = head->bucket;
    const unsigned takes = kinds_of(bucket->first);
    const unsigned lacks = pool.lacking(bucket->first);
    if (lacks != 0 || (takes & kept) != 0) {
      if (lacks != 0 && bucket->second.overtaken >= kMostOvertaken) kept |= lacks;
      waiting.push_back({bucket, lacks});
      continue;
    }
    for (const Waiting& before : waiting) {
      if ((before.lacks & takes) != 0) ++before.bucket->second.overtaken;
    }
    const graph::VariantIndex variant = head->entry.variant;
    heads_.erase(head);
    Bucket& taken = bucket->second;
    taken.entries.erase(taken.entries.begin());
    taken.overtaken = 0;
    --size_;
    if (taken.entries.empty()) {
      buckets_.erase(bucket);
    } else {
      heads_.insert({*taken.entries.begin(), bucket});
    }
    return variant;
  }
  return std::nullopt;
}

bool ReadyQueue::remove(graph::VariantIndex variant, const Demand& demand, double priority) {
  const auto bucket = buckets_.find(demand);
  if (bucket == buckets_.end()) return false;
  std::set<Entry>& entries = bucket->second.entries;
  const auto entry = entries.find({priority, variant});
  if (entry == entries.end()) return false;
  if (entry == entries.begin()) {
    heads_.erase({*entry, bucket});
    bucket->second.overtaken = 0;
    if (entries.size() > 1) heads_.insert({*std::next(entry), bucket});
  }
  entries.erase(entry);
  if (entries.empty()) buckets_.erase(bucket);
  --size_;
  return true;
}

}  // namespace lowbit::exec
