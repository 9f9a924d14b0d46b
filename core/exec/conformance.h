// Whether a plugin keeps its promises: `lowbit plugins check`. Every stage is run many times, each time as a real job
// process in a directory that is removed afterwards, and what it left behind is compared. docs/write-a-plugin.md lists
// the checks and what each one cannot see.
//
//   const auto results = check_conformance({.library = "lib/gptq.so", .program = own_program()}, print);
//
// Blocks until the last job has ended; one call at a time in a process. At SIGINT or SIGTERM the running job is ended,
// its files are removed, and the process dies of SIGINT.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/experiment_spec.h"

namespace lowbit::exec {

/// skip: could not be tried; the evidence says what to give so that it can.
enum class Finding { ok, fail, skip };

struct CheckResult {
  Finding finding = Finding::ok;
  std::string subject;   ///< stage id, or the name of the plugin file
  std::string check;     ///< "repeats"
  std::string evidence;  ///< one line
};

struct GivenInput {
  std::string port;
  std::string type;  ///< empty: the most special type of the port that the files are valid for
  std::filesystem::path path;
};

struct ConformanceRequest {
  std::filesystem::path library;
  std::filesystem::path program;  ///< the lowbit binary
  std::string stage;              ///< empty: all of the plugin
  std::vector<GivenInput>
      inputs;  ///< bound in every stage that has such a port; repeats are members of a gathered port
  /// Applied to every stage that has the parameter. The first value of a name is used; more of them are tried where the
  /// schema says that the value does not affect the result. REQUIRES: spans, which is where problems point.
  std::vector<Param> params;
  std::chrono::milliseconds job_limit{600'000};   ///< a job that runs longer counts as hanging
  std::chrono::milliseconds cancel_limit{2'000};  ///< the contract's two seconds
};

/// Every check of the plugin and of each of its stages, also handed to `on_check` one by one as they are made.
/// LB4001 the file cannot be read, LB0003 no such stage, LB2002 an input that no stage takes, LB2101 and LB2102 an
/// input that is not there or not of its type, LB2004 and LB2005 a parameter that no stage has or takes; LB61xx the
/// machine.
[[nodiscard]] Result<std::vector<CheckResult>> check_conformance(
    const ConformanceRequest& request, const std::function<void(const CheckResult&)>& on_check = {});

[[nodiscard]] std::string_view name_of(Finding finding);
[[nodiscard]] Json to_json(const CheckResult& result);

}  // namespace lowbit::exec
