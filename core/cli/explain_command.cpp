#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "program_texts.h"

namespace lowbit::cli {
namespace {

/// The entry `## CODE ...` up to the next entry; empty when there is none.
std::string_view entry_of(std::string_view page, const std::string& code) {
  const std::size_t begin = page.find("\n## " + code);
  if (begin == std::string_view::npos) return {};
  const std::size_t end = page.find("\n## ", begin + 1);
  return page.substr(begin + 1, end == std::string_view::npos ? end : end - begin);
}

std::vector<std::string> codes_of(std::string_view page) {
  std::vector<std::string> codes;
  for (std::size_t at = page.find("\n## LB"); at != std::string_view::npos; at = page.find("\n## LB", at + 1)) {
    codes.emplace_back(page.substr(at + 4, 6));
  }
  return codes;
}

}  // namespace

Result<int> explain_command(const Words& words) {
  CommandOptions options("explain");
  options.argument("code", "an error code such as LB2004", true);
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const std::string code = options.get("code");
  const std::string_view entry = entry_of(embedded::program_texts::find_text("errors.md"), code);
  if (entry.empty()) {
    Diagnostic problem = error("LB0002", "there is no error code " + code);
    if (const std::string near = nearest(code, codes_of(embedded::program_texts::find_text("errors.md")));
        !near.empty()) {
      problem.note("a code with a similar name exists: " + near);
    }
    return problem.fix("codes are LB and four digits, as printed in brackets after `error`");
  }
  std::printf("%.*s", static_cast<int>(entry.size()), entry.data());
  return 0;
}

}  // namespace lowbit::cli
