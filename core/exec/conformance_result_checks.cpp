#include <algorithm>
#include <array>
#include <set>

#include "domain/metric_registry.h"
#include "domain/quantity_text.h"
#include "exec/artifact_check.h"
#include "exec/conformance_checks.h"
#include "exec/conformance_values.h"
#include "exec/manifest.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostNamed = 3;

/// "a; b; c; and 4 more"
std::string listed(const std::vector<std::string>& problems) {
  std::string text;
  for (std::size_t i = 0; i < std::min(problems.size(), kMostNamed); ++i) text += (i == 0 ? "" : "; ") + problems[i];
  if (problems.size() > kMostNamed) text += "; and " + std::to_string(problems.size() - kMostNamed) + " more";
  return text;
}

void report_strangers(const fs::path& directory, const std::set<std::string>& known, const std::string& called,
                      std::vector<std::string>& problems) {
  std::error_code code;
  for (fs::directory_iterator it(directory, code), end; !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename().string();
    if (!known.contains(name)) problems.push_back("it left `" + name + "` in " + called);
  }
}

Result<Evidence> same_result(const Subject& s, const TestJob& job, const std::string& when) {
  LB_TRY_ASSIGN(const auto found, deviation(s, job));
  return found ? failed(when + ": " + *found) : passed(when + " the result is the same");
}

}  // namespace

Result<std::optional<std::string>> deviation(const Subject& s, const TestJob& job) {
  LB_TRY_ASSIGN(const EndedJob ended, s.bench.run(s.stage, job));
  if (!ended.ended_well()) return std::optional("it failed: " + ended.ending());
  return difference(s.first, ended);
}

Result<Evidence> check_metrics(const Subject& s) {
  std::vector<std::string> problems;
  for (const MetricRow& metric : s.first.report.metrics) {
    if (const auto problem = metric_problem(metric)) problems.push_back(*problem);
  }
  if (!problems.empty()) return failed(listed(problems));
  const std::size_t n_final = s.first.final_metrics().size();
  return passed(n_final == 0 ? "none is reported"
                             : count_text(n_final, "final metric") + " as in schemas/metrics.yaml");
}

Result<Evidence> check_outputs(const Subject& s) {
  std::vector<std::string> problems;
  std::size_t n_written = 0;
  for (const PortDescription& port : s.stage.outputs) {
    const fs::path directory = s.first.attempt.output(port.name);
    if (!fs::exists(directory) || (port.optional && fs::is_empty(directory))) continue;
    ++n_written;
    const auto manifest = read_manifest(directory, false);
    if (!manifest.ok()) {
      problems.push_back("output `" + port.name + "`: " + manifest.error().front().what);
      continue;
    }
    const auto artifact = check_artifact(port.types.front(), directory);
    if (artifact.ok()) continue;
    for (const Diagnostic& d : artifact.error()) problems.push_back("output `" + port.name + "`: " + d.what);
  }
  if (!problems.empty()) return failed(listed(problems));
  return passed(count_text(n_written, "artifact") + " as in docs/artifacts.md");
}

Result<Evidence> check_own_files(const Subject& s) {
  static const std::set<std::string> known_names{"attempt.json", "lock",      "shim.json", "journal", "stdout.log",
                                                 "stderr.log",   "exit.json", "out",       "scratch", "ckpt"};
  std::set<std::string> ports;
  for (const PortDescription& port : s.stage.outputs) ports.insert(port.name);
  std::vector<std::string> problems;
  report_strangers(s.first.attempt.directory, known_names, "the attempt directory", problems);
  report_strangers(s.first.attempt.directory / "out", ports, "the directory of all outputs", problems);
  const std::string paid_calls = s.first.paid_calls().filename().string();
  report_strangers(s.first.files->path(), {"attempt", "cwd", "tmp", paid_calls}, "the directory above the attempt",
                   problems);
  report_strangers(s.first.working_directory(), {}, "the working directory", problems);
  report_strangers(s.first.temporary_files(), {}, "TMPDIR: temporary files go to the scratch directory", problems);
  if (s.inputs_changed) problems.emplace_back("it changed files of its inputs");
  if (!problems.empty()) return failed(listed(problems));
  return passed("nothing new in the attempt, the working directory or TMPDIR; inputs untouched");
}

Result<Evidence> check_repeats(const Subject& s) { return same_result(s, s.job, "in a second run"); }

Result<Evidence> check_threads(const Subject& s) {
  TestJob job = s.job;
  job.threads = 2;
  return same_result(s, job, "with 2 threads instead of 1");
}

Result<Evidence> check_seed(const Subject& s) {
  constexpr std::array<std::uint64_t, 3> kOthers{1, 2, 3};
  TestJob job = s.job;
  if (!s.stage.seeded) {
    job.seed = kOthers.front();
    LB_TRY_ASSIGN(const auto found, deviation(s, job));
    if (!found) return passed("not seeded: with another seed the result is the same");
    return failed("it is not declared seeded, but with another seed: " + *found);
  }
  // A small result may agree by chance for one seed.
  for (const std::uint64_t seed : kOthers) {
    job.seed = seed;
    LB_TRY_ASSIGN(const EndedJob ended, s.bench.run(s.stage, job));
    if (!ended.ended_well()) return failed("with seed " + std::to_string(seed) + " it failed: " + ended.ending());
    if (difference(s.first, ended)) return passed("seeded: with another seed the result is another");
  }
  return failed("it is declared seeded, but seeds 0, 1, 2 and 3 give the same result");
}

Result<Evidence> check_environment(const Subject& s) {
  TestJob job = s.job;
  job.bare_environment = true;
  std::string names;
  for (const char* name : kPersonalVariables) names += (names.empty() ? "" : ", ") + std::string(name);
  return same_result(s, job, "without " + names);
}

Result<Evidence> check_no_effect(const Subject& s) {
  std::vector<std::string> problems;
  std::vector<std::string> untried;
  std::string tried;
  for (const auto& [name, schema] : s.stage.params_schema["properties"].items()) {
    if (schema.value("affects_result", true)) continue;
    const auto given = s.further.find(name);
    const Json now = s.job.params.value(name, Json());
    const std::vector<Json> others = given != s.further.end() ? given->second : values_beside(schema, now);
    if (others.empty()) untried.push_back("`" + name + "`");
    for (const Json& other : others) {
      TestJob job = s.job;
      job.params[name] = other;
      LB_TRY_ASSIGN(const auto found, deviation(s, job));
      if (found) problems.push_back("with " + name + " = " + canonical(other) + ": " + *found);
      tried += (tried.empty() ? "" : ", ") + name + " = " + canonical(other);
    }
  }
  if (!problems.empty()) return failed(listed(problems));
  if (!untried.empty()) {
    return skipped("nothing tells which other value of " + listed(untried) +
                   " is sensible: give two, --param NAME=VALUE --param NAME=OTHER");
  }
  return passed(tried.empty() ? "every parameter affects the result" : "the result is the same with " + tried);
}

}  // namespace lowbit::exec
