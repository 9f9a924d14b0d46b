// The checks of exec/conformance.h on one stage, each a function of a stage that ran to its end once. Inside
// exec/conformance*.cpp only.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "exec/conformance.h"
#include "exec/conformance_bench.h"

namespace lowbit::exec {

struct Evidence {
  Finding finding = Finding::ok;
  std::string text;
};

[[nodiscard]] inline Evidence passed(std::string text) { return {Finding::ok, std::move(text)}; }
[[nodiscard]] inline Evidence failed(std::string text) { return {Finding::fail, std::move(text)}; }
[[nodiscard]] inline Evidence skipped(std::string text) { return {Finding::skip, std::move(text)}; }

/// A stage with everything it needs to run, and how it ran the first time.
struct Subject {
  TestBench& bench;
  const StageDescription& stage;
  TestJob job;                                       ///< seed 0, one thread; what the checks vary
  std::map<std::string, std::vector<Json>> further;  ///< by parameter: values the caller gave after the first
  EndedJob first;                                    ///< of `job`: it ended well
  bool inputs_changed = false;                       ///< between before and after `first`
};

/// Runs `job`; what it did otherwise than the first run, nothing when the results agree.
[[nodiscard]] Result<std::optional<std::string>> deviation(const Subject& subject, const TestJob& job);

using Check = Result<Evidence> (*)(const Subject& subject);

// conformance_result_checks.cpp: what the first run left, and what other runs leave that must or must not differ.
Result<Evidence> check_metrics(const Subject& subject);
Result<Evidence> check_outputs(const Subject& subject);
Result<Evidence> check_own_files(const Subject& subject);
Result<Evidence> check_repeats(const Subject& subject);
Result<Evidence> check_threads(const Subject& subject);
Result<Evidence> check_seed(const Subject& subject);
Result<Evidence> check_environment(const Subject& subject);
Result<Evidence> check_no_effect(const Subject& subject);

// conformance_conduct_checks.cpp: how the stage takes interruptions and what it must refuse.
Result<Evidence> check_bad_params(const Subject& subject);
Result<Evidence> check_bad_inputs(const Subject& subject);
Result<Evidence> check_optional_inputs(const Subject& subject);
Result<Evidence> check_cancel(const Subject& subject);
Result<Evidence> check_resume(const Subject& subject);

}  // namespace lowbit::exec
