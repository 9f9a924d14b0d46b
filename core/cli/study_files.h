// What the commands that show a study have in common: the YAML file beside its experiment, what it measured, and the
// run that makes what is missing.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/source_span.h"
#include "cli/command_options.h"
#include "domain/experiment_spec.h"
#include "domain/study_results.h"
#include "exec/project.h"

namespace lowbit::cli {

/// `what`: "the tables file", described on `page` of the documentation: "tables". LB0006 on one that cannot be read.
[[nodiscard]] Result<std::shared_ptr<const SourceText>> load_spec_text(const std::string& what,
                                                                       const std::filesystem::path& file,
                                                                       const std::string& page);

struct NamedSpec {
  std::filesystem::path file;
  std::shared_ptr<const SourceText> source;
};

/// `what`: "tables". A directory and an experiment stand for the tables.yaml of the same place. LB0006.
[[nodiscard]] Result<NamedSpec> load_named_spec(const std::string& what, const std::filesystem::path& written);

/// LB0007: `name` is none of `names`, or empty where there are several. `what`: "table".
[[nodiscard]] Diagnostic no_such_spec(const std::string& what, const std::string& name,
                                      const std::vector<std::string>& names);

/// The file of an experiment that `word` names, or the experiment.yaml of the directory; empty where there is none.
[[nodiscard]] std::optional<std::filesystem::path> experiment_file(const std::string& word);

/// The experiment of the project that `word` is the name of; or that its file names, or the experiment.yaml of a
/// directory, whether or not it was run; the only one where it is empty. LB7067. `command`: "compare", for the message.
[[nodiscard]] Result<Text> named_experiment(const exec::ProjectPaths& project, const std::string& word,
                                            const std::string& command);
/// LB7067: `word` names none of `experiments`, or is empty and there are several.
[[nodiscard]] Diagnostic no_such_experiment(const std::string& word, const std::vector<std::string>& experiments,
                                            const std::string& command);

/// Without metrics: store::read_metrics() adds those that are needed. LB7020 where the experiment was never run.
[[nodiscard]] Result<StudyResults> load_study(const std::filesystem::path& database, const Text& experiment);

/// The run that makes what is missing, from where the person is; with the options of the command, but for those of its
/// `own`.
[[nodiscard]] std::string run_again(const exec::ProjectPaths& project, const StudyResults& study,
                                    const CommandOptions& options, std::set<std::string> own);

}  // namespace lowbit::cli
