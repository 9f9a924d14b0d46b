// A project in a temporary directory, used through the program like a person would.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
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

/// Waits until `condition` holds; a test that would wait longer has failed. It is not asked again once it held: a run
/// that was to end is gone then.
template <class Condition>
void wait_until(const Condition& condition) {
  bool holds = condition();
  for (int i = 0; i < 1200 && !holds; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
    holds = condition();
  }
  REQUIRE(holds);
}

/// Drops the time of day and the count that begin each line of `lowbit run`, and how long things took.
[[nodiscard]] std::string without_times(const std::string& text);

}  // namespace lowbit::test
