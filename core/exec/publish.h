// From a finished attempt to a result: judge how it ended, check and hash what it wrote, and move it to its place.
// After `move_into_place` succeeded one store transaction is left to do; a host that dies in between is repaired by the
// next one (exec/recover.h), because manifest.json holds all that the transaction needs.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "exec/attempt_files.h"
#include "exec/project.h"
#include "graph/keys.h"
#include "store/store.h"

namespace lowbit::exec {

/// What the host must remember about an attempt to publish it, also after a restart: `host.json` in its directory.
struct PublishContext {
  std::int64_t attempt_id = 0;
  std::int64_t number = 1;  ///< of the attempt at its content key
  std::string stage_label;
  std::string plugin_id;
  std::string plugin_version;
  std::string plugin_kind;
  Digest plugin_digest;
  graph::Key content;
  Digest provenance_key;
  JsonText own_record;
  std::map<std::string, std::string> output_types;  ///< by port
  Json environment;                                 ///< the numeric environment
  std::string started_at;
  bool replace = false;  ///< a result of this key exists and gives way: it was forced, or its files are gone
};

[[nodiscard]] Json to_json(const PublishContext& context);
/// LB5003, LB4108.
[[nodiscard]] Result<PublishContext> publish_context(const Json& json);

/// host.json, written before the attempt begins.
[[nodiscard]] Result<void> write_context(const AttemptPaths& attempt, const PublishContext& context);
/// Empty when there is none: the host ended before. LB5003 when it was left unfinished or is damaged, LB4108, LB61xx.
[[nodiscard]] Result<std::optional<PublishContext>> read_context(const AttemptPaths& attempt);

/// Why a stage did not succeed. `cause` decides whether a retry can help.
enum class FailureCause { stage, resource, preempted, timeout, cancelled, transient, stalled };

struct Failure {
  FailureCause cause = FailureCause::stage;
  std::string what, where, why, fix;
};

[[nodiscard]] Json to_json(const Failure& failure);
[[nodiscard]] std::string_view name_of(FailureCause cause);
[[nodiscard]] std::optional<FailureCause> failure_cause(std::string_view name);

using Prepared = std::variant<store::Publication, Failure>;

/// Where the results of an attempt go.
[[nodiscard]] std::filesystem::path result_directory(const ProjectPaths& project, const Digest& content_key,
                                                     const std::string& nonce);

/// A result that only has to be moved to its place.
struct CheckedResult {
  store::Publication publication;
  std::pair<std::filesystem::path, std::filesystem::path> move;  ///< directory of the attempt → of the result
  std::vector<std::string> warnings;                             ///< that the job told
};

/// REQUIRES: the attempt has ended (its lock is free or its shim told so). A Failure is the stage's, an error is the
/// machine's (full disk, no permission): the attempt then stays as it is and can be prepared again.
/// Reads and writes only below the attempt and its result directory; safe on any thread.
[[nodiscard]] Result<std::variant<CheckedResult, Failure>> check(const ProjectPaths& project,
                                                                 const AttemptPaths& attempt,
                                                                 const PublishContext& context,
                                                                 const ExitRecord& ended);

/// Makes results durable and moves them to their places, a group of them at the cost of one. Any thread.
[[nodiscard]] Result<void> move_into_place(const std::vector<CheckedResult>& results);

/// The last of a job's checkpoints, which lie beside its result until that is durable in its place.
[[nodiscard]] Result<void> drop_checkpoints(const std::filesystem::path& result_directory);

/// Both, for one attempt; how it ended stands in its exit.json.
[[nodiscard]] Result<Prepared> prepare(const ProjectPaths& project, const AttemptPaths& attempt,
                                       const PublishContext& context);

/// A result that lies in its place and is not recorded.
struct FoundResult {
  store::Publication publication;
  PublishContext context;
};

/// Reads the manifest of a published result and checks the bytes of its outputs against it: LB5004 when they are not
/// what was published, LB61xx when they cannot be read. Thread-safe.
[[nodiscard]] Result<FoundResult> republish(const ProjectPaths& project, const std::filesystem::path& result_directory);

/// The record of a result, `manifest.json` in its directory. LB5004 when it is not what was written, LB4108.
[[nodiscard]] Result<Json> read_result_record(const std::filesystem::path& result_directory);

/// What the name of a result's directory says; empty when it is no such name.
struct ResultName {
  Digest content_key;
  std::string nonce;
};
[[nodiscard]] std::optional<ResultName> result_name(const std::filesystem::path& result_directory);

/// The attempt that left `directory`, its own or the result's, as the database would have recorded it.
[[nodiscard]] store::FoundAttempt found_attempt(const PublishContext& context, const std::filesystem::path& directory);

/// Moves a damaged result out of the way, to ProjectPaths::damaged(): nothing uses it there and nothing is lost.
[[nodiscard]] Result<void> set_aside(const ProjectPaths& project, const std::filesystem::path& result_directory);

}  // namespace lowbit::exec
