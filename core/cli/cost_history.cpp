#include "cli/cost_history.h"

#include "env/files.h"
#include "store/project_facts.h"

namespace lowbit::cli {

graph::CostHistory cost_history(const exec::ProjectPaths& project) {
  if (!env::exists(project.database())) return {};
  auto facts = store::ProjectFacts::open(project.database());
  const auto samples = facts.ok() ? facts->costs() : Result<std::vector<graph::CostSample>>(facts.error());
  return samples.ok() ? graph::CostHistory(*samples) : graph::CostHistory();
}

}  // namespace lowbit::cli
