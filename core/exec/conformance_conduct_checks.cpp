#include <lowbit/plugin_abi.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <optional>
#include <set>

#include "env/files.h"
#include "exec/artifact_check.h"
#include "exec/conformance_checks.h"
#include "exec/conformance_values.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kLonger = ": give parameters that make it longer, --param NAME=VALUE";

std::chrono::milliseconds duration_of(const EndedJob& job) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(job.exit->seconds * 1000));
}

/// Why a job that was given `name` = `value` did not refuse it as it should, if so.
std::optional<std::string> acceptance(const EndedJob& ended, const std::string& name) {
  if (ended.ended_well() || ended.out_of_time) return "was not refused";
  if (ended.exit && ended.exit->kind == ExitKind::exited && ended.status() == LB_BAD_PARAM) {
    if (const auto missing = ended.silence()) return "was refused without saying why: " + *missing;
    for (const char* part : {"what", "where", "why", "fix"}) {
      if (ended.report.failure[part].get_ref<const std::string&>().find(name) != std::string::npos) return std::nullopt;
    }
    return "was refused without naming the parameter";
  }
  return "was not refused as LB_BAD_PARAM: " + ended.ending();
}

/// A copy of `from` without its content: every file empty, or cut in the middle (1 MiB at most).
Result<void> copy_damaged(const fs::path& from, const fs::path& to, bool cut) {
  constexpr std::uintmax_t kMost = 1U << 20U;
  const auto copy_file = [&](const fs::path& file, const fs::path& target) {
    std::string bytes(cut ? std::min(fs::file_size(file) / 2, kMost) : 0, '\0');
    std::ifstream(file, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    std::ofstream(target, std::ios::binary) << bytes;
  };
  try {
    if (!fs::is_directory(from)) {
      copy_file(from, to);
      return {};
    }
    fs::create_directories(to);
    if (!cut) return {};
    for (const auto& entry : fs::recursive_directory_iterator(from, fs::directory_options::follow_directory_symlink)) {
      const fs::path target = to / entry.path().lexically_relative(from);
      if (entry.is_directory()) fs::create_directories(target);
      if (entry.is_regular_file()) copy_file(entry.path(), target);
    }
    return {};
  } catch (const fs::filesystem_error& e) {
    return env::file_error("copying", e.path1(), e.code().value());
  }
}

/// What is wrong with how a stage took the damaged input, if anything is.
std::optional<std::string> gullibility(const Subject& s, const EndedJob& ended, const JobInput& damaged) {
  if (!ended.ended_well()) {
    if (!ended.exit || ended.exit->kind != ExitKind::exited || !ended.report.status) return ended.ending();
    if (const auto missing = ended.silence()) return "failed without a full report: " + *missing;
    return std::nullopt;
  }
  if (!difference(s.first, ended)) return std::nullopt;  // it does not read that much of it
  if (check_artifact(damaged.type, damaged.path).ok() || damaged.type == "file") return std::nullopt;
  return "it ended well, with another result: nobody would notice that this is no " + damaged.type;
}

/// A job killed after so many checkpoints; nothing when it ended first each time.
Result<std::optional<EndedJob>> killed_job(const Subject& s, std::size_t checkpoints) {
  constexpr int kTries = 3;
  TestJob job = s.job;
  job.kill_after_checkpoints = checkpoints;
  for (int i = 0; i < kTries; ++i) {
    LB_TRY_ASSIGN(EndedJob ended, s.bench.run(s.stage, job));
    if (ended.killed && newest_checkpoint(ended.attempt)) return std::optional(std::move(ended));
  }
  return std::optional<EndedJob>();
}

struct Moment {
  bool cancelled = false;  ///< else it had already ended
  std::chrono::milliseconds took{0};
  std::optional<std::string> problem;
};

Moment judge_cancel(const EndedJob& ended, std::chrono::milliseconds limit) {
  Moment m;
  if (ended.outlived_cancel || ended.out_of_time) {
    m.problem = "it was still running " + std::to_string(limit.count()) + " ms later";
  } else if (ended.exit && ended.exit->kind == ExitKind::exited && ended.report.status == LB_CANCELLED) {
    m.cancelled = true;
    m.took = ended.after_cancel;
  } else if (!ended.ended_well()) {
    m.problem = "it did not end as LB_CANCELLED: " + ended.ending();
  }
  return m;
}

}  // namespace

Result<Evidence> check_bad_params(const Subject& s) {
  std::size_t n_tried = 0;
  for (const auto& [name, schema] : s.stage.params_schema["properties"].items()) {
    for (const Json& value : values_outside(schema)) {
      TestJob job = s.job;
      job.params[name] = value;
      job.limit = std::min(job.limit, 2s + 3 * duration_of(s.first));  // one that takes it may be far too long
      LB_TRY_ASSIGN(const EndedJob ended, s.bench.run(s.stage, job));
      if (const auto problem = acceptance(ended, name)) return failed(name + " = " + canonical(value) + " " + *problem);
      ++n_tried;
    }
  }
  if (n_tried == 0) return passed("no parameter is bounded");
  return passed(std::to_string(n_tried) + (n_tried == 1 ? " value" : " values") +
                " outside the schema refused as LB_BAD_PARAM by name");
}

Result<Evidence> check_bad_inputs(const Subject& s) {
  if (s.stage.inputs.empty()) return passed("it has no inputs");
  if (s.job.inputs.empty()) {
    return skipped("no input is bound: give --input " + s.stage.inputs.front().name + "=PATH");
  }
  std::set<std::string> statuses;
  for (const auto& [port, members] : s.job.inputs) {
    const bool directory = fs::is_directory(members.front().path);
    for (const bool cut : {false, true}) {
      LB_TRY_ASSIGN(const auto files, TemporaryDirectory::make());
      TestJob job = s.job;
      JobInput& damaged = job.inputs[port].front();
      damaged.path = files->path() / "damaged";
      LB_TRY(copy_damaged(members.front().path, damaged.path, cut));
      LB_TRY_ASSIGN(const EndedJob ended, s.bench.run(s.stage, job));
      if (const auto problem = gullibility(s, ended, damaged)) {
        const std::string what = cut ? (directory ? "files cut in the middle" : "a file cut in the middle")
                                     : (directory ? "an empty directory" : "an empty file");
        return failed("`" + port + "` bound to " + what + ": " + *problem);
      }
      statuses.insert(ended.ended_well() ? "taken as they are" : status_name(ended.status()));
    }
  }
  std::string text = "empty and cut inputs: ";
  for (const std::string& status : statuses) text += (status == *statuses.begin() ? "" : ", ") + status;
  if (statuses.contains("LB_INTERNAL")) text += "; LB_BAD_INPUT would tell users that it is not a bug of the plugin";
  return passed(text);
}

Result<Evidence> check_optional_inputs(const Subject& s) {
  std::string optional;
  std::string unbound;
  for (const PortDescription& port : s.stage.inputs) {
    if (!port.optional) continue;
    optional += (optional.empty() ? "`" : ", `") + port.name + "`";
    TestJob job = s.job;
    if (job.inputs.erase(port.name) == 0) continue;  // the first run did without it
    LB_TRY_ASSIGN(const EndedJob ended, s.bench.run(s.stage, job));
    if (!ended.ended_well()) return failed("without `" + port.name + "` it failed: " + ended.ending());
  }
  return passed(optional.empty() ? "no input is optional" : "it runs without " + optional);
}

Result<Evidence> check_cancel(const Subject& s) {
  constexpr std::array kMoments{0.0, 0.2, 0.4, 0.6, 0.8};
  std::size_t n_cancelled = 0;
  std::chrono::milliseconds slowest{0};
  for (const double share : kMoments) {
    TestJob job = s.job;
    job.cancel_after = std::chrono::milliseconds(static_cast<std::int64_t>(share * s.first.exit->seconds * 1000));
    LB_TRY_ASSIGN(const EndedJob ended, s.bench.run(s.stage, job));
    const Moment moment = judge_cancel(ended, job.cancel_limit);
    if (moment.problem) {
      return failed("asked to stop " + std::to_string(job.cancel_after->count()) + " ms after its start, " +
                    *moment.problem);
    }
    n_cancelled += moment.cancelled ? 1 : 0;
    slowest = std::max(slowest, moment.took);
  }
  if (n_cancelled == 0) return skipped(std::string("every run had already ended") + kLonger);
  return passed("asked at " + std::to_string(kMoments.size()) + " moments: " + std::to_string(n_cancelled) +
                " cancelled, the slowest in " + std::to_string(slowest.count()) + " ms, " +
                std::to_string(kMoments.size() - n_cancelled) + " had already ended");
}

Result<Evidence> check_resume(const Subject& s) {
  const std::size_t n_checkpoints = s.first.report.checkpoints.size();
  if (!s.stage.resumable) {
    if (n_checkpoints == 0) return passed("not declared resumable");
    return failed("it commits checkpoints, but is not declared resumable: they are never used");
  }
  if (n_checkpoints == 0) return skipped(std::string("it committed no checkpoint") + kLonger);
  std::size_t n_resumed = 0;
  for (const std::size_t after : std::set<std::size_t>{1, (n_checkpoints + 1) / 2}) {
    LB_TRY_ASSIGN(const auto killed, killed_job(s, after));
    if (!killed) continue;
    const fs::path checkpoint = *newest_checkpoint(killed->attempt);
    TestJob job = s.job;
    job.resume_from = checkpoint;
    LB_TRY_ASSIGN(const auto found, deviation(s, job));
    if (found) return failed("killed and resumed at checkpoint " + checkpoint.filename().string() + ": " + *found);
    ++n_resumed;
  }
  if (n_resumed == 0)
    return skipped(std::string("every run ended before it could be killed after a checkpoint") + kLonger);
  return passed("killed after a checkpoint and resumed " + std::to_string(n_resumed) +
                (n_resumed == 1 ? " time" : " times") + ": the result is the same");
}

}  // namespace lowbit::exec
