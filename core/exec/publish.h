// From a finished attempt to a result: judge how it ended, check and hash what it wrote, and move it to its place.
// After `prepare` succeeded one store transaction is left to do; a host that dies in between is repaired by the next
// one (exec/recover.h), because manifest.json holds all that the transaction needs.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include "base/result.h"
#include "exec/attempt_files.h"
#include "exec/project.h"
#include "graph/keys.h"
#include "store/store.h"

namespace lowbit::exec {

/// What the host must remember about an attempt to publish it, also after a restart: `host.json` in its directory.
struct PublishContext {
  std::int64_t attempt_id = 0;
  std::string stage_label;
  std::string plugin_id;
  std::string plugin_version;
  std::string plugin_kind;
  Digest plugin_digest;
  graph::Key content;
  Digest provenance_key;
  Json own_record;
  std::map<std::string, std::string> output_types;  ///< by port
  Json environment;                                 ///< the numeric environment
  std::string started_at;
  bool replace = false;  ///< a result of this key exists and gives way: it was forced, or its files are gone
};

[[nodiscard]] Json to_json(const PublishContext& context);
[[nodiscard]] Result<PublishContext> publish_context(const Json& json);
[[nodiscard]] std::filesystem::path context_file(const AttemptPaths& attempt);

/// Why a stage did not succeed. `cause` decides whether a retry can help.
enum class FailureCause { stage, resource, preempted, timeout, cancelled, transient, stalled };

struct Failure {
  FailureCause cause = FailureCause::stage;
  std::string what, where, why, fix;
};

[[nodiscard]] Json to_json(const Failure& failure);
[[nodiscard]] std::string_view name_of(FailureCause cause);

using Prepared = std::variant<store::Publication, Failure>;

/// Where the results of an attempt go.
[[nodiscard]] std::filesystem::path result_directory(const ProjectPaths& project, const Digest& content_key,
                                                     const std::string& nonce);

/// REQUIRES: the attempt has ended (its lock is free or its shim told so). A Failure is the stage's, an error is the
/// machine's (full disk, no permission): the attempt then stays as it is and can be prepared again.
/// Reads and writes only below the attempt and its result directory; safe on any thread.
[[nodiscard]] Result<Prepared> prepare(const ProjectPaths& project, const AttemptPaths& attempt,
                                       const PublishContext& context);

/// The publication of a result that was moved to its place but not recorded, and whether it replaces another.
[[nodiscard]] Result<std::pair<store::Publication, bool>> republish(const ProjectPaths& project,
                                                                    const std::filesystem::path& result_directory);

}  // namespace lowbit::exec
