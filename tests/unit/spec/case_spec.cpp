// tests/cases/spec: an experiment file, perhaps other files that it names, arguments of --set and --sweep (one a line)
// and of --profile, and what reading it says.
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
  const auto arguments = [&](const std::string& option) {
    std::vector<spec::Override> all;
    for (const std::string& line : file.lines_of(option)) {
      const std::string name = "--" + option + " #" + std::to_string(all.size() + 1);
      all.push_back({std::make_shared<const SourceText>(SourceText{name, line})});
    }
    return all;
  };
  const std::vector<std::string> profile = file.lines_of("profile");
  const auto source = std::make_shared<const SourceText>(SourceText{kFile, file.text_of(kFile)});
  const Result<ExperimentSpec> spec =
      spec::read_experiment(source, {.overrides = arguments("set"),
                                     .sweeps = arguments("sweep"),
                                     .profile = profile.empty() ? "" : profile.front(),
                                     .load = [&](const std::string& name) -> Result<std::shared_ptr<const SourceText>> {
                                       if (file.find(name) == nullptr)
                                         return error("LB4001", "no such file").note("No such file or directory");
                                       return std::make_shared<const SourceText>(SourceText{name, file.text_of(name)});
                                     }});
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
