#include "cli/review_queues.h"

#include <cstdio>
#include <utility>

#include "store/review_queue.h"

namespace lowbit::cli {

Result<std::vector<ReviewQueue>> review_queues(const exec::ProjectPaths& project, store::ProjectFacts& facts,
                                               const std::string& experiment) {
  LB_TRY_ASSIGN(const std::vector<QueuePlace> places, facts.review_queues(experiment));
  std::vector<ReviewQueue> queues;
  for (const QueuePlace& place : places) {
    LB_TRY_ASSIGN(ReviewQueue queue, store::read_review_queue(project.state() / place.path));
    queue.experiment = place.experiment;
    queue.label = place.label;
    queue.predictions = place.predictions;
    queues.push_back(std::move(queue));
  }
  return queues;
}

void warn_of_lines(const store::ReviewLedger& ledger, const store::Decided& decided) {
  for (const std::size_t line : decided.cut) {
    std::fprintf(stderr, "note: line %zu of %s was cut off and counts for nothing\n", line, ledger.file().c_str());
  }
  if (!decided.invalid.empty()) std::fputs(render(decided.invalid).c_str(), stderr);
}

}  // namespace lowbit::cli
