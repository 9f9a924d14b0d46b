#include "cli/review_queues.h"

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

}  // namespace lowbit::cli
