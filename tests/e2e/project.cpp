#include "e2e/project.h"

#include <cstdlib>
#include <regex>
#include <utility>

namespace lowbit::test {
namespace {

std::string program() { return std::string(LOWBIT_BINARY_DIR) + "/bin/lowbit"; }

Environment with_toys(Environment environment) {
  environment.try_emplace("LOWBIT_PLUGIN_PATH", std::string(LOWBIT_BINARY_DIR) + "/lib/lowbit/toy-plugins");
  return environment;
}

}  // namespace

Project::Project(const std::string& experiment) {
  write_text(path() / "lowbit.yaml", "");
  edit(experiment);
}

void Project::edit(const std::string& experiment) const { write_text(path() / "experiment.yaml", experiment); }

Ended Project::lowbit(std::vector<std::string> words, const Environment& environment) const {
  words.insert(words.begin(), program());
  return Program(std::move(words), path(), with_toys(environment)).wait();
}

Ended Project::shell(const std::string& script) const {
  const char* path = std::getenv("PATH");
  Environment environment{{"PATH", std::string(LOWBIT_BINARY_DIR) + "/bin:" + (path == nullptr ? "" : path)}};
  return Program({"/bin/bash", "-c", script}, this->path(), with_toys(std::move(environment))).wait();
}

std::unique_ptr<Program> Project::start(std::vector<std::string> words) const {
  words.insert(words.begin(), program());
  return std::make_unique<Program>(std::move(words), path(), with_toys({}));
}

std::string Project::query(const std::string& sql) const {
  const std::string csv = lowbit({"query", sql, "--csv"}).out;
  const auto newline = csv.find('\n');
  return newline == std::string::npos ? "" : csv.substr(newline + 1);
}

std::string Project::results() const {
  return query(
      "SELECT e.label, a.port, a.digest FROM expansions e "
      "JOIN provenance p ON p.provenance_key = e.provenance_key "
      "JOIN results r ON r.content_key = p.content_key AND r.is_current = 1 "
      "JOIN artifacts a ON a.result_id = r.result_id ORDER BY 1, 2");
}

std::string without_times(const std::string& text) {
  std::string out = std::regex_replace(text, std::regex("(^|\n)\\d\\d:\\d\\d:\\d\\d +(\\d+/\\d+ +)?"), "$1");
  out = std::regex_replace(out, std::regex("\\d+\\.\\d s"), "T s");
  return std::regex_replace(out, std::regex("\\d+\\.\\d\\d GiB"), "M GiB");
}

}  // namespace lowbit::test
