// tests/cases/spec: an experiment file, perhaps --set arguments (one a line), and what reading it says.
//   expect: check  `ok`, or the diagnostics
//   expect: spec   what was read (spec_text.h)
#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

#include "spec/experiment_reader.h"
#include "support/case_file.h"
#include "unit/spec/spec_text.h"

namespace lowbit::test {
namespace {

constexpr const char* kFile = "experiment.yaml";

std::string read_case(const CaseFile& file, std::string_view expected) {
  REQUIRE(file.find(kFile) != nullptr);
  std::vector<spec::Override> overrides;
  for (const std::string& line : file.lines_of("set")) {
    const std::string name = "--set #" + std::to_string(overrides.size() + 1);
    overrides.push_back({std::make_shared<const SourceText>(SourceText{name, line})});
  }
  const auto source = std::make_shared<const SourceText>(SourceText{kFile, file.text_of(kFile)});
  const Result<ExperimentSpec> spec = spec::read_experiment(source, overrides);
  if (expected == "check") return spec ? "ok" : render(spec.error());
  REQUIRE(expected == "spec");
  return spec ? spec_text(*spec, kFile) : render(spec.error());
}

TEST_CASE("every case of tests/cases/spec reads as it expects", "[spec][cases]") {
  for (const auto& path : case_files(LOWBIT_SOURCE_DIR "/tests/cases/spec")) {
    DYNAMIC_SECTION(path.filename().string()) { check_case(path, read_case); }
  }
}

}  // namespace
}  // namespace lowbit::test
