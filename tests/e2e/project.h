// A project in a temporary directory, used through the program like a person would.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/program.h"

namespace lowbit::test {

class Project {
 public:
  /// `experiment` is the text of experiment.yaml.
  explicit Project(const std::string& experiment);

  void edit(const std::string& experiment) const;
  /// Waits for `lowbit COMMAND experiment.yaml WORDS...`; run and plan take the file, the others do not.
  [[nodiscard]] Ended lowbit(std::vector<std::string> words, const Environment& environment = {}) const;
  [[nodiscard]] Ended run(const Environment& environment = {}) const {
    return lowbit({"run", "experiment.yaml"}, environment);
  }
  [[nodiscard]] std::string plan() const { return lowbit({"plan", "experiment.yaml"}).out; }
  /// Waits for a bash script in the project's directory, with `lowbit` in PATH.
  [[nodiscard]] Ended shell(const std::string& script) const;
  [[nodiscard]] std::unique_ptr<Program> start(std::vector<std::string> words) const;
  /// CSV without the header line.
  [[nodiscard]] std::string query(const std::string& sql) const;
  /// The labels, ports and digests that the last expansion leads to: what must not depend on how the run went.
  [[nodiscard]] std::string results() const;
  [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
};

/// Drops the time of day and the count that begin each line of `lowbit run`, and how long things took.
[[nodiscard]] std::string without_times(const std::string& text);

}  // namespace lowbit::test
