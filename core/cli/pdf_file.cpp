#include "cli/pdf_file.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <vector>

#include "env/files.h"
#include "env/posix/exec_words.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConverter = "rsvg-convert";

Result<void> convert(const fs::path& svg, const fs::path& pdf) {
  std::vector<std::string> words{kConverter, "--format", "pdf", "--output", pdf.string(), svg.string()};
  const std::vector<char*> arguments = env::exec_words(words);
  pid_t child = -1;
  const int problem = ::posix_spawnp(&child, arguments.front(), nullptr, nullptr, arguments.data(), environ);
  if (problem != 0) {
    return error("LB6201", "a figure becomes a PDF by rsvg-convert, which cannot be started")
        .note(std::strerror(problem))
        .fix("install it (Debian: apt install librsvg2-bin), or take the SVG");
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return env::file_error("waiting for rsvg-convert to write", pdf, errno);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return error("LB6202", "rsvg-convert wrote no PDF")
      .note(WIFEXITED(status)
                ? "it ended with status " + std::to_string(WEXITSTATUS(status)) + "; its words stand above"
                : "signal " + std::to_string(WTERMSIG(status)) + " ended it")
      .fix("take the SVG, and convert it with another program");
}

}  // namespace

std::optional<fs::path> pdf_converter() {
  const char* const path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    const fs::path program = fs::path(directory) / kConverter;
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

Result<void> write_pdf(const fs::path& file, const std::string& svg) {
  const fs::path drawing = file.string() + ".svg.tmp";
  const fs::path unfinished = file.string() + ".tmp";
  LB_TRY(env::write_file(drawing, svg));
  Result<void> converted = convert(drawing, unfinished);
  LB_TRY(env::remove_tree(drawing));
  if (!converted.ok()) {
    LB_TRY(env::remove_tree(unfinished));
    return converted;
  }
  LB_TRY_ASSIGN(const std::string pdf, env::read_file(unfinished));
  LB_TRY(env::write_named_file(file, pdf));
  return env::remove_tree(unfinished);
}

}  // namespace lowbit::cli
