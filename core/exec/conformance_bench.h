// One job outside any experiment: a shim, a job process, a journal and an exit record as in production, in an attempt
// directory, a working directory and a TMPDIR of its own. For exec/conformance*.cpp, their tests and
// exec/single_job.cpp.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/stage_description.h"
#include "exec/attempt_files.h"
#include "exec/journal.h"

namespace lowbit::exec {

/// A fresh directory, removed with the object.
class TemporaryDirectory {
 public:
  /// In `parent`; empty: where temporary files go.
  [[nodiscard]] static Result<std::unique_ptr<TemporaryDirectory>> make(std::filesystem::path parent = {});
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// What is run, and what is done to it meanwhile.
struct TestJob {
  Json params = Json::object();
  std::map<std::string, std::vector<JobInput>> inputs;
  std::uint64_t seed = 0;
  std::uint32_t threads = 1;
  std::filesystem::path resume_from;
  bool bare_environment = false;  ///< without kPersonalVariables, unless the stage declared them
  std::optional<std::chrono::milliseconds> cancel_after;  ///< counted from the job's first word
  std::size_t kill_after_checkpoints = 0;                 ///< 0: never
  std::chrono::milliseconds limit{600'000};
  std::chrono::milliseconds cancel_limit{2'000};
};

/// Variables of the host's user that every job sees, but that no result may depend on.
inline constexpr std::array<const char*, 6> kPersonalVariables{"HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ"};

/// What a job left behind. Its files live as long as this does.
struct EndedJob {
  std::unique_ptr<TemporaryDirectory> files;
  AttemptPaths attempt;
  std::optional<ExitRecord> exit;  ///< none: the shim was killed too
  JobReport report;
  std::map<std::string, std::string> outputs;  ///< of a job that ended well: digest by port, what events are left out
  bool out_of_time = false;                    ///< it was killed at `limit`
  bool outlived_cancel = false;                ///< it was killed at `cancel_limit`
  bool killed = false;                         ///< after its checkpoints, as asked
  std::chrono::milliseconds after_cancel{0};   ///< from asking it to stop until its end

  [[nodiscard]] std::filesystem::path working_directory() const { return files->path() / "cwd"; }
  [[nodiscard]] std::filesystem::path temporary_files() const { return files->path() / "tmp"; }
  [[nodiscard]] std::filesystem::path paid_calls() const { return files->path() / "paid-calls.jsonl"; }
  [[nodiscard]] bool ended_well() const;
  [[nodiscard]] int status() const;  ///< of plugin_abi.h, or the exit status
  /// The stage itself said what, where, why and what to do; else which of them is missing.
  [[nodiscard]] std::optional<std::string> silence() const;
  /// How it ended, for people: "signal 11 (Segmentation fault)", "LB_BAD_PARAM: ...".
  [[nodiscard]] std::string ending() const;
  [[nodiscard]] std::vector<MetricRow> final_metrics() const;
};

/// What is different between two jobs that ended well: outputs or final metrics; nothing when they agree.
[[nodiscard]] std::optional<std::string> difference(const EndedJob& expected, const EndedJob& found);

/// "LB_BAD_PARAM"
[[nodiscard]] std::string status_name(int status);

/// All calls from one thread.
class TestBench {
 public:
  /// `files_in`: where the directories of jobs are made; empty: where temporary files go.
  TestBench(std::filesystem::path program, std::filesystem::path library, std::filesystem::path files_in = {})
      : program_(std::move(program)), library_(std::move(library)), files_in_(std::move(files_in)) {}

  /// Blocks until no process of the job is left. An error is the machine's, never the stage's.
  [[nodiscard]] Result<EndedJob> run(const StageDescription& stage, const TestJob& job);

 private:
  std::filesystem::path program_;
  std::filesystem::path library_;
  std::filesystem::path files_in_;
  std::uint64_t jobs_ = 0;
};

}  // namespace lowbit::exec
