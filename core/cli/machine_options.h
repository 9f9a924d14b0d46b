// --memory, --gpus and --rate: what of the machine the jobs of a run may use.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/command_options.h"
#include "exec/machine.h"

namespace lowbit::cli {

void add_machine_options(CommandOptions& options);
/// LOWBIT_GPUS stands where there is no --gpus. LB0018: one of them is not in its form.
[[nodiscard]] Result<exec::MachineLimits> machine_limits(const CommandOptions& options);

/// `0,1`, `0:24GiB,1:80GiB`, or `none`. `from`: where the text stands, for messages.
[[nodiscard]] Result<std::vector<exec::Gpu>> gpu_list(std::string_view text, const std::string& from);

}  // namespace lowbit::cli
