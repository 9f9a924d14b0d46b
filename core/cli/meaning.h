// What a person means by a word.
#pragma once

#include <string>

#include "base/result.h"
#include "exec/project.h"
#include "store/project_facts.h"

namespace lowbit::cli {

/// The one thing that `word` stands for. LB0004 when there is nothing of that name, LB0037 when there are several.
/// `experiment` narrows variants; empty: any.
[[nodiscard]] Result<Meaning> meaning_of(const exec::ProjectPaths& project, store::ProjectFacts& facts,
                                         const std::string& word, const std::string& experiment);

}  // namespace lowbit::cli
