#include "cli/study_files.h"

#include <algorithm>
#include <utility>

#include "base/words.h"
#include "cli/session.h"
#include "env/files.h"
#include "spec/experiment_reader.h"
#include "store/project_facts.h"
#include "store/sqlite/open.h"
#include "store/study_results.h"

namespace lowbit::cli {

namespace fs = std::filesystem;

Result<std::shared_ptr<const SourceText>> load_spec_text(const std::string& what, const fs::path& file,
                                                         const std::string& page) {
  auto text = env::read_file(file);
  if (!text.ok()) {
    const Diagnostic& cause = text.error().front();
    return error("LB0006", what + " " + file.string() + " cannot be read")
        .note(cause.notes.empty() ? cause.what : cause.notes.front())
        .fix("check the path; docs/" + page + ".md says how to write one");
  }
  return std::make_shared<const SourceText>(SourceText{file.string(), *std::move(text)});
}

Result<NamedSpec> load_named_spec(const std::string& what, const fs::path& written) {
  const bool directory = env::is_directory(written);
  const std::string called = "the " + what + " file";
  NamedSpec named{.file = directory ? written / (what + ".yaml") : written, .source = nullptr};
  LB_TRY_ASSIGN(named.source, load_spec_text(called, named.file, what));
  if (!directory && spec::is_experiment(named.source)) {
    named.file = written.parent_path() / (what + ".yaml");
    LB_TRY_ASSIGN(named.source, load_spec_text(called, named.file, what));
  }
  return named;
}

Diagnostic no_such_spec(const std::string& what, const std::string& name, const std::vector<std::string>& names) {
  Diagnostic problem =
      error("LB0007", name.empty() ? "the file has several " + what + "s" : "there is no " + what + " " + ticked(name));
  problem.note("its " + what + "s: " + joined(names));
  const std::string near = nearest(name, names);
  return problem.fix(near.empty() ? "name one of them after the file"
                                  : "a " + what + " with a similar name exists: " + ticked(near));
}

Diagnostic no_such_experiment(const std::string& word, const std::vector<std::string>& experiments,
                              const std::string& command) {
  Diagnostic problem =
      error("LB7067", word.empty() ? "the project has several experiments" : "there is no experiment " + ticked(word));
  problem.note("its experiments: " + (experiments.empty() ? "none" : joined(experiments)));
  const std::string near = nearest(word, experiments);
  return problem.fix(near.empty() ? "name one of them: lowbit " + command + " EXPERIMENT"
                                  : "an experiment with a similar name exists: " + ticked(near));
}

std::optional<fs::path> experiment_file(const std::string& word) {
  if (word.empty()) return std::nullopt;
  const fs::path file = env::is_directory(word) ? fs::path(word) / "experiment.yaml" : fs::path(word);
  return env::exists(file) ? std::optional(file) : std::nullopt;
}

Result<Text> named_experiment(const exec::ProjectPaths& project, const std::string& word, const std::string& command) {
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const std::vector<std::string> known, facts.names(store::Named::experiments));
  if (word.empty() && known.size() == 1) return Text{known.front(), {}};
  if (std::find(known.begin(), known.end(), word) != known.end()) return Text{word, {}};
  if (const auto file = experiment_file(word)) return experiment_named_in(*file);
  return no_such_experiment(word, known, command);
}

std::string run_again(const exec::ProjectPaths& project, const StudyResults& study, const CommandOptions& options,
                      std::set<std::string> own) {
  own.insert("help");
  const std::string words = options.shell_words(own);
  return running_command(project, study) + (words.empty() ? "" : " " + words);
}

Result<StudyResults> load_study(const fs::path& database, const Text& experiment) {
  LB_TRY_ASSIGN(StudyResults study, store::study_variants(database, experiment.value));
  if (!study.variants.empty()) return study;
  LB_TRY_ASSIGN(const auto store, store::open_sqlite(database, store::Access::read_only));
  LB_TRY_ASSIGN(const std::vector<std::string> known, store->experiments());
  const std::string near = nearest(experiment.value, known);
  return error("LB7020", "experiment `" + experiment.value + "` was never run in this project")
      .at(experiment.span, "no results")
      .fix(near.empty() ? "`lowbit run` it first, or name its project with --project DIR"
                        : "an experiment with a similar name was: `" + near + "`");
}

}  // namespace lowbit::cli
