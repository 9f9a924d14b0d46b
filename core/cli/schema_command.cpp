#include "spec/schema.h"

#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"

namespace lowbit::cli {

Result<int> schema_command(const Words& words) {
  CommandOptions options("schema");
  LB_TRY(options.read(words));
  std::fputs(options.help_wanted() ? options.help().c_str() : (spec::experiment_schema().dump(2) + "\n").c_str(),
             stdout);
  return 0;
}

}  // namespace lowbit::cli
