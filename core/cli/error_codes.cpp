#include "cli/error_codes.h"

#include "program_texts.h"

namespace lowbit::cli {
namespace {

constexpr std::string_view kHeading = "\n## ";
constexpr std::size_t kCodeLength = 6;

}  // namespace

std::vector<std::string> error_codes() {
  const std::string_view page = embedded::program_texts::find_text("errors.md");
  std::vector<std::string> codes;
  for (std::size_t at = page.find("\n## LB"); at != std::string_view::npos; at = page.find("\n## LB", at + 1)) {
    codes.emplace_back(page.substr(at + kHeading.size(), kCodeLength));
  }
  return codes;
}

std::string_view error_entry(std::string_view code) {
  const std::string_view page = embedded::program_texts::find_text("errors.md");
  const std::size_t begin =
      code.size() == kCodeLength ? page.find(std::string(kHeading).append(code).append(" ")) : std::string_view::npos;
  if (begin == std::string_view::npos) return {};
  const std::size_t end = page.find(kHeading, begin + 1);
  return page.substr(begin + 1, end == std::string_view::npos ? end : end - begin);
}

}  // namespace lowbit::cli
