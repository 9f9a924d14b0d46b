// The review queues that experiments' last expansions lead to, with their cases.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "domain/review.h"
#include "exec/project.h"
#include "store/project_facts.h"
#include "store/review_ledger.h"

namespace lowbit::cli {

/// In the order of experiments and expansions. `experiment`: empty for all of the project.
[[nodiscard]] Result<std::vector<ReviewQueue>> review_queues(const exec::ProjectPaths& project,
                                                             store::ProjectFacts& facts, const std::string& experiment);

/// Says on stderr which lines of the ledger count for nothing.
void warn_of_lines(const store::ReviewLedger& ledger, const store::Decided& decided);

}  // namespace lowbit::cli
