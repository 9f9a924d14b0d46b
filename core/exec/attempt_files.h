// The directory of one attempt: what the host writes for the job, and what shim and job leave for the host.
//   host.json      what the host needs to publish the attempt (exec/publish.h), written first
//   attempt.json   JobRequest, written before the shim starts
//   lock           flock held by the shim as long as it watches the job, and by the job
//   shim.json      identity of the shim: {"pid","start_ticks","boot_id"}; the job is of its session
//   journal        what the job reports (exec/journal.h)
//   stdout.log stderr.log
//   out/<port>/    outputs   scratch/   private   ckpt/<step>/   committed checkpoints
//   exit.json      ExitRecord, written last: by the shim, or by a host that found the shim dead
//   manifest.json  after publishing: the whole result (exec/publish.h)
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "base/result.h"

namespace lowbit::exec {

struct JobInput {
  std::filesystem::path path;
  std::string type;
  Digest digest;
  Json coordinates = Json::object();
  Json closure = Json::object();
};

/// Everything a job needs to know; the host alone decides it.
struct JobRequest {
  std::string attempt;  ///< nonce: names the attempt for people and in LOWBIT_ATTEMPT
  std::string stage_label;
  std::filesystem::path library;
  std::string stage;     ///< plugin's stage id
  bool preload = false;  ///< slow to load: forked from a process that has loaded it
  bool brief = false;    ///< jobs of its stage end within moments: it has no shim of its own
  Json params = Json::object();
  std::map<std::string, std::vector<JobInput>> inputs;
  std::vector<std::string> outputs;           ///< ports
  std::vector<std::string> required_outputs;  ///< those that must be written
  std::uint64_t seed = 0;
  std::uint32_t threads = 1;
  std::string device = "cpu";
  Json lease;  ///< what of the machine it has (exec/resource_pool.h); null: nobody counted
  std::filesystem::path resume_from;
  std::chrono::milliseconds timeout{0};  ///< 0: none
  std::filesystem::path socket;          ///< where its shim listens for a cancel; of a brief one: without a host
  std::filesystem::path paid_calls;      ///< the project's file, lowbit/paid_calls.h; empty: none
};

/// Of attempt.json, host.json and manifest.json. Goes up when a lowbit that knows only the former would misread one.
inline constexpr int kAttemptFormat = 1;

/// LB4108 when `record`, one of these files, was written by a newer lowbit than this.
[[nodiscard]] Result<void> check_attempt_format(const Json& record);

[[nodiscard]] Json to_json(const JobRequest& request);
/// LB5001, LB4108.
[[nodiscard]] Result<JobRequest> job_request(const Json& json);

enum class ExitKind { exited, signalled, lost };

/// How an attempt ended, as far as the operating system can tell.
struct ExitRecord {
  ExitKind kind = ExitKind::lost;
  int code = 0;  ///< exit status, or the signal's number
  bool timed_out = false;
  bool cancelled = false;
  double seconds = 0;
  std::uint64_t peak_memory_bytes = 0;
  std::uint64_t over_lease_bytes = 0;  ///< the memory for which it was ended: more than its lease; 0: it was not
  std::uint64_t lease_bytes = 0;       ///< the memory that it could have held; 0: its lease is of none
  /// Nothing of the attempt was synced when it ended, because a host was there to publish it: after another boot its
  /// files need not be whole. Empty: it was synced.
  std::string unsynced_boot;
};

[[nodiscard]] Json to_json(const ExitRecord& record);
[[nodiscard]] std::optional<ExitRecord> exit_record(const std::filesystem::path& file);
/// Empty when there is none; a file that cannot be read is an error, not a job that was lost.
[[nodiscard]] Result<std::optional<ExitRecord>> read_exit_record(const std::filesystem::path& file);

/// Names inside an attempt directory.
struct AttemptPaths {
  std::filesystem::path directory;

  [[nodiscard]] std::filesystem::path request() const { return directory / "attempt.json"; }
  [[nodiscard]] std::filesystem::path host() const { return directory / "host.json"; }
  [[nodiscard]] std::filesystem::path lock() const { return directory / "lock"; }
  [[nodiscard]] std::filesystem::path shim() const { return directory / "shim.json"; }
  [[nodiscard]] std::filesystem::path journal() const { return directory / "journal"; }
  [[nodiscard]] std::filesystem::path standard_output() const { return directory / "stdout.log"; }
  [[nodiscard]] std::filesystem::path standard_error() const { return directory / "stderr.log"; }
  [[nodiscard]] std::filesystem::path output(const std::string& port) const { return directory / "out" / port; }
  [[nodiscard]] std::filesystem::path scratch() const { return directory / "scratch"; }
  [[nodiscard]] std::filesystem::path checkpoints() const { return directory / "ckpt"; }
  [[nodiscard]] std::filesystem::path exit() const { return directory / "exit.json"; }
  [[nodiscard]] std::filesystem::path manifest() const { return directory / "manifest.json"; }
};

/// The newest committed checkpoint of an attempt, if it has one.
[[nodiscard]] std::optional<std::filesystem::path> newest_checkpoint(const AttemptPaths& attempt);

}  // namespace lowbit::exec
