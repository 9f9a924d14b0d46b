// lowbit export of results: an experiment in the formats of other tools (docs/interchange.md).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command_options.h"

namespace lowbit::cli {

/// "csv", "jsonl", ...
[[nodiscard]] const std::vector<std::string>& results_formats();

/// `options`: those of `lowbit export`, with a format of results_formats().
[[nodiscard]] Result<int> export_results(const CommandOptions& options);

}  // namespace lowbit::cli
