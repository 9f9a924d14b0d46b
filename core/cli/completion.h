// What could stand where a person's cursor is. The scripts for the shells (`lowbit completion bash`) ask this, so that
// all of them know the same, and know each option as soon as a command has it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace lowbit::cli {

struct Candidate {
  std::string word;
  std::string help;  ///< one line, may be empty
};

struct Completion {
  std::vector<Candidate> candidates;
  std::string files;         ///< files are candidates too: "*.yaml"; empty: they are not
  bool directories = false;  ///< directories are
};

/// What must be looked up. Each may throw nothing and return little: a completion is no place for errors.
struct CompletionSources {
  std::function<std::vector<std::string>(const std::string& file)> stages_of_file;  ///< ids and labels
  std::function<std::vector<std::string>()> names_in_project;                       ///< labels, experiments, run:N
  std::function<std::vector<std::string>()> stages_in_project;                      ///< labels and stages
  std::function<std::vector<std::string>()> experiments;
  std::function<std::vector<std::string>()> judges;
  std::function<std::vector<std::string>()> plugin_stages;
  std::function<std::vector<std::string>()> error_codes;
};

/// `words` are those after `lowbit`; the last one is being written, and may be empty.
[[nodiscard]] Completion complete(const Words& words, const CompletionSources& sources);

/// The script that a shell reads; empty for a shell that there is none for.
[[nodiscard]] std::string_view completion_script(std::string_view shell);

}  // namespace lowbit::cli
