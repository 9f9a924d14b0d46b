#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "env/files.h"
#include "program_texts.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kProjectFile =
    "# Marks the project: lowbit keeps results, artifacts and logs in .lowbit/ beside this file.\n";

Result<void> write_new(const fs::path& file, std::string_view text) {
  if (env::exists(file)) {
    std::printf("kept     %s\n", file.c_str());
    return {};
  }
  LB_TRY(env::write_file_durably(file, text));
  std::printf("created  %s\n", file.c_str());
  return {};
}

/// Adds `.lowbit/` to the .gitignore of `directory` unless a line says so already.
Result<void> ignore_state(const fs::path& directory) {
  const fs::path file = directory / ".gitignore";
  std::string text;
  if (env::exists(file)) {
    LB_TRY_ASSIGN(text, env::read_file(file));
    if (("\n" + text).find("\n.lowbit/") != std::string::npos) return {};
    if (!text.empty() && text.back() != '\n') text += "\n";
  }
  return env::write_file_durably(file, text + ".lowbit/\n");
}

}  // namespace

Result<int> init_command(const Words& words) {
  CommandOptions options("init");
  options.argument("directory", "where the project starts (default: here)", false);
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const fs::path directory = options.get("directory", ".");
  LB_TRY(env::make_directories(directory));
  LB_TRY(write_new(directory / "lowbit.yaml", kProjectFile));
  LB_TRY(write_new(directory / "experiment.yaml", embedded::program_texts::find_text("experiment.yaml")));
  LB_TRY(ignore_state(directory));
  std::printf("next     lowbit plan %s\n", (directory / "experiment.yaml").lexically_normal().c_str());
  return 0;
}

}  // namespace lowbit::cli
