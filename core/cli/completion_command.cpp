#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/completion.h"
#include "cli/error_codes.h"
#include "cli/session.h"
#include "env/files.h"
#include "graph/expand.h"
#include "store/sqlite/open.h"

namespace lowbit::cli {
namespace {

std::vector<std::string> first_column(const char* sql) {
  const auto project = exec::find_project(".");
  std::vector<std::string> values;
  if (!project.ok() || !env::exists(project->database())) return values;
  const auto result = store::query_sqlite(project->database(), sql);
  if (!result.ok()) return values;
  for (const auto& row : result->rows) values.push_back(scalar_text(*row[0]));
  return values;
}

std::vector<std::string> stages_of_file(const std::string& file) {
  std::vector<std::string> names;
  CommandOptions options("why");
  add_experiment_options(options);
  if (!options.read({file}).ok()) return names;
  const auto experiment = load_experiment(options);
  if (!experiment.ok()) return names;
  for (const graph::Variant& variant : experiment->graph.variants) {
    if (std::find(names.begin(), names.end(), variant.stage) == names.end()) names.push_back(variant.stage);
  }
  for (const graph::Variant& variant : experiment->graph.variants) {
    if (variant.label() != variant.stage) names.push_back(variant.label());
  }
  return names;
}

int print_candidates(const Words& words) {
  const CompletionSources sources{
      .stages_of_file = stages_of_file,
      .names_in_project =
          [] {
            return first_column(
                "SELECT DISTINCT label FROM expansions UNION ALL SELECT experiment FROM experiments UNION ALL "
                "SELECT 'run:' || run_id FROM runs");
          },
      .stages_in_project =
          [] { return first_column("SELECT DISTINCT stage FROM expansions UNION SELECT label FROM expansions"); },
      .experiments = [] { return first_column("SELECT experiment FROM experiments"); },
      .plugin_stages = [] { return find_plugins().ids(); },
      .error_codes = error_codes};
  const Completion completion = complete(words, sources);
  for (const Candidate& candidate : completion.candidates) {
    std::printf("%s\t%s\n", candidate.word.c_str(), candidate.help.c_str());
  }
  if (!completion.files.empty()) std::printf(":files %s\n", completion.files.c_str());
  if (completion.directories) std::printf(":directories\n");
  return 0;
}

}  // namespace

Result<int> completion_command(const Words& words) {
  if (!words.empty() && words.front() == "--words") return print_candidates(Words(words.begin() + 1, words.end()));
  CommandOptions options("completion");
  options.argument(
      "shell", "bash: source <(lowbit completion bash); zsh: the same; fish: lowbit completion fish | source", true);
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const std::string_view script = completion_script(options.get("shell"));
  if (script.empty()) {
    return error("LB0001", "there is no completion for the shell " + options.get("shell"))
        .fix("`lowbit completion bash`, `lowbit completion zsh` or `lowbit completion fish`");
  }
  std::printf("%.*s", static_cast<int>(script.size()), script.data());
  return 0;
}

}  // namespace lowbit::cli
