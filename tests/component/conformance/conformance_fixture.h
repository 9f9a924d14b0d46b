// Plugins under check, and what was found, in the words of the tests.
#pragma once

#include <catch2/catch.hpp>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "exec/conformance.h"

namespace lowbit::test {

inline const std::filesystem::path kProgram = LOWBIT_PROGRAM;
inline const std::filesystem::path kTemplate = LOWBIT_TEMPLATE;
inline const std::filesystem::path kOdd = LOWBIT_ODD_PLUGINS;
inline const std::filesystem::path kToys = LOWBIT_BINARY_DIR "/lib/lowbit/toy-plugins";

/// A fresh directory that goes with the test. Jobs work in memory while it exists, where the machine allows it: what
/// these tests look at is not whether bytes reach a disk.
class Directory {
 public:
  Directory() {
    if (std::filesystem::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 1);
    std::string form = (std::filesystem::temp_directory_path() / "lowbit-test-XXXXXX").string();
    REQUIRE(::mkdtemp(form.data()) != nullptr);
    path_ = form;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  std::filesystem::path file(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// A parameter as the command line gives it.
inline Param param(const std::string& name, Json value) {
  const auto source = std::make_shared<const SourceText>(SourceText{"--param", name + "=" + canonical(value)});
  return {{name, {source, 1, 1, name.size()}}, {std::move(value), {source, 1, name.size() + 2, 1}}};
}

/// What was found out about one stage.
struct Findings {
  std::vector<exec::CheckResult> all;

  [[nodiscard]] std::set<std::string> named(exec::Finding finding) const {
    std::set<std::string> names;
    for (const exec::CheckResult& result : all) {
      if (result.finding == finding) names.insert(result.check);
    }
    return names;
  }
  [[nodiscard]] std::set<std::string> failed() const { return named(exec::Finding::fail); }
  [[nodiscard]] std::set<std::string> skipped() const { return named(exec::Finding::skip); }
  [[nodiscard]] std::string evidence(const std::string& check) const {
    for (const exec::CheckResult& result : all) {
      if (result.check == check) return result.evidence;
    }
    return "there is no check " + check;
  }
};

inline Findings check(exec::ConformanceRequest request) {
  const Directory in_memory;
  request.program = kProgram;
  auto results = exec::check_conformance(request);
  if (!results.ok()) FAIL(render(results.error()));
  return {*std::move(results)};
}

/// The problems of a request that is refused, as people read them.
inline std::string refusal(exec::ConformanceRequest request) {
  request.program = kProgram;
  const auto results = exec::check_conformance(request);
  return results.ok() ? "it was not refused" : render(results.error());
}

using Names = std::set<std::string>;

}  // namespace lowbit::test
