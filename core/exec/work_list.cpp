#include "exec/work_list.h"

#include <algorithm>
#include <utility>

namespace lowbit::exec {

bool WorkList::adopt(const JobPtr& job) {
  return works_.try_emplace(job->content_key(), Work{.variants = {}, .attempts = 1, .job = job}).second;
}

JobPtr WorkList::add(Index index) {
  const auto [found, fresh] = works_.try_emplace(states_.content(index).digest);
  Work& work = found->second;
  const bool adopted = !fresh && work.variants.empty();
  work.variants.push_back(index);
  if (fresh) enqueue(index);
  if (!adopted) return nullptr;
  ++in_flight_;
  return work.job;
}

void WorkList::begin(Index index, const JobPtr& job) {
  Work& work = works_.at(states_.content(index).digest);
  ++work.attempts;
  work.job = job;
  ++in_flight_;
}

Work WorkList::take(const Digest& content_key) {
  const auto found = works_.find(content_key);
  Work work = std::move(found->second);
  works_.erase(found);
  if (!work.variants.empty()) --in_flight_;
  return work;
}

void WorkList::put_back(const Digest& content_key, Work work) {
  work.job.reset();
  works_.emplace(content_key, std::move(work));
}

bool WorkList::try_again(const Digest& content_key, Index index) {
  const Work* work = find(content_key);
  if (work == nullptr || work->job || work->variants.front() != index) return false;
  enqueue(index);
  return true;
}

void WorkList::withdraw(Index index) {
  const Digest key = states_.content(index).digest;
  Work& work = works_.at(key);
  const bool first = work.variants.front() == index;
  if (first && !work.job) static_cast<void>(ready_.remove(index, demand(index), states_.priority(index)));
  work.variants.erase(std::find(work.variants.begin(), work.variants.end(), index));
  if (work.variants.empty()) {
    works_.erase(key);
  } else if (work.job) {
    work.job->label = graph_.variants[work.variants.front()].label();
  } else if (first) {
    enqueue(work.variants.front());
  }
}

const Work* WorkList::find(const Digest& content_key) const {
  const auto found = works_.find(content_key);
  return found == works_.end() ? nullptr : &found->second;
}

}  // namespace lowbit::exec
