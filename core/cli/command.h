// What a command of the program is: a name, a line of help, and a function of its words. Commands put parts of the
// other rooms together and hold no logic of their own.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace lowbit::cli {

using Words = std::vector<std::string>;

/// Returns the process's exit status (0 done, 1 a stage failed, 2 the user's input, 3 the machine, 130 interrupted).
using CommandFunction = Result<int> (*)(const Words& words);

struct Command {
  std::string_view name;
  std::string_view usage;    ///< "FILE [--set path=value]... [-n]"
  std::string_view summary;  ///< one line
  CommandFunction function;
};

/// Every command a person can type, in the order of `lowbit help`.
[[nodiscard]] const std::vector<Command>& commands();
[[nodiscard]] const Command* find_command(std::string_view name);

Result<int> run_command(const Words& words);
Result<int> plan_command(const Words& words);
Result<int> why_command(const Words& words);
Result<int> status_command(const Words& words);
Result<int> logs_command(const Words& words);
Result<int> ls_command(const Words& words);
Result<int> show_command(const Words& words);
Result<int> diff_command(const Words& words);
Result<int> graph_command(const Words& words);
Result<int> cancel_command(const Words& words);
Result<int> retry_command(const Words& words);
Result<int> completion_command(const Words& words);
Result<int> agreement_command(const Words& words);
Result<int> table_command(const Words& words);
Result<int> compare_command(const Words& words);
Result<int> samples_command(const Words& words);
Result<int> trace_command(const Words& words);
Result<int> figure_command(const Words& words);
Result<int> report_command(const Words& words);
Result<int> query_command(const Words& words);
Result<int> review_command(const Words& words);
Result<int> export_command(const Words& words);
Result<int> import_command(const Words& words);
Result<int> plugins_command(const Words& words);
Result<int> plugins_check_command(const Words& words);  ///< the words after `lowbit plugins check`
Result<int> doctor_command(const Words& words);
Result<int> gc_command(const Words& words);
Result<int> init_command(const Words& words);
Result<int> schema_command(const Words& words);
Result<int> explain_command(const Words& words);
Result<int> worker_command(const Words& words);

}  // namespace lowbit::cli
