#include <algorithm>
#include <cstdio>
#include <set>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/completion.h"
#include "cli/error_codes.h"
#include "cli/session.h"
#include "env/files.h"
#include "graph/expand.h"
#include "store/project_facts.h"

namespace lowbit::cli {
namespace {

std::vector<std::string> names_of(std::initializer_list<store::Named> kinds) {
  const auto project = exec::find_project(".");
  std::vector<std::string> all;
  if (!project.ok() || !env::exists(project->database())) return all;
  auto facts = store::ProjectFacts::open(project->database());
  if (!facts.ok()) return all;
  for (const store::Named kind : kinds) {
    const auto names = facts->names(kind);
    if (names.ok()) all.insert(all.end(), names->begin(), names->end());
  }
  return all;
}

std::vector<std::string> stages_in_project() {
  const std::vector<std::string> names = names_of({store::Named::stages, store::Named::variants});
  const std::set<std::string> sorted(names.begin(), names.end());  // a stage without axes is its one variant
  return {sorted.begin(), sorted.end()};
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
            return names_of({store::Named::variants, store::Named::experiments, store::Named::runs});
          },
      .stages_in_project = stages_in_project,
      .experiments = [] { return names_of({store::Named::experiments}); },
      .judges = [] { return names_of({store::Named::judges}); },
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
