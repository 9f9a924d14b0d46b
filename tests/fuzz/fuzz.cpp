#include "fuzz/fuzz.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace lowbit::test {
namespace {

struct Scratch {
  Scratch() : path((std::filesystem::temp_directory_path() / "lowbit-fuzz-XXXXXX").string()) {
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

}  // namespace

void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

void require_explained(const Diagnostics& problems) {
  require(!problems.empty(), "a refusal says why");
  for (const Diagnostic& problem : problems) {
    require(problem.code.size() == 6 && !problem.what.empty(), "a problem has a code and a text");
    if (!problem.span) continue;
    const std::string& text = problem.span.source->text;
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    require(problem.span.line >= 1 && problem.span.line <= lines, "a problem stands on a line of its text");
  }
  require(!render(problems).empty(), "problems can be shown");
}

const std::string& scratch_directory() {
  static const Scratch scratch;
  return scratch.path;
}

}  // namespace lowbit::test
