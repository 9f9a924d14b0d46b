#include "spec/schema.h"

#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"

namespace lowbit::cli {

Result<int> schema_command(const Words& words) {
  CommandOptions options("schema");
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  std::fputs((spec::experiment_schema().dump(2) + "\n").c_str(), stdout);
  return 0;
}

}  // namespace lowbit::cli
