#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/error_codes.h"

namespace lowbit::cli {

Result<int> explain_command(const Words& words) {
  CommandOptions options("explain");
  options.argument("code", "an error code such as LB2004", true);
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const std::string code = options.get("code");
  const std::string_view entry = error_entry(code);
  if (entry.empty()) {
    Diagnostic problem = error("LB0002", "there is no error code " + code);
    if (const std::string near = nearest(code, error_codes()); !near.empty()) {
      problem.note("a code with a similar name exists: " + near);
    }
    return problem.fix("codes are LB and four digits, as printed in brackets after `error`");
  }
  std::printf("%.*s", static_cast<int>(entry.size()), entry.data());
  return 0;
}

}  // namespace lowbit::cli
