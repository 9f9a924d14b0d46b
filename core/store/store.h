// What happened, durably. One writer (the host that holds the lease), any number of readers.
// Thread rule: one Store object belongs to one thread; open another for another thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/coordinates.h"
#include "domain/result.h"
#include "domain/stage_description.h"
#include "graph/plan.h"

namespace lowbit::store {

/// Values are written to disk.
enum class AttemptState { running = 1, done = 2, failed = 3, cancelled = 4, lost = 5 };

/// One execution of one content key. `directory` is relative to the project's state directory.
struct Attempt {
  std::int64_t id = 0;
  Digest content_key;
  std::int64_t number = 1;
  std::string nonce;
  std::string directory;
  std::string stage_label;
  std::optional<Digest> provenance_key =
      {};  ///< written only: of the variant, as the expansion has it; empty: looked up
  AttemptState state = AttemptState::running;
  std::string started_at;  ///< RFC 3339 UTC
  std::string ended_at;
  Json environment;  ///< numeric environment: device model, BLAS, threads, ...
  Json failure;      ///< {"status","what","where","why","fix"} when failed
  std::optional<double> seconds;
};

/// One line of an experiment's last expansion.
struct ExpansionRow {
  std::string stage;
  Coordinates coordinates;
  std::string plugin_id;
  Digest provenance_key;
  JsonText provenance_record;
};

struct PublishedOutput {
  std::string port;
  ArtifactRef artifact;
  std::string path;  ///< relative to the state directory
  std::uint64_t bytes = 0;
  std::vector<Digest> bases;  ///< artifacts this one is based on (adapter/1 names its base model)
  Json summary;               ///< small facts about the artifact for people, may be null
};

/// One item row of a predictions/1, verdicts/1 or grades/1 artifact, ready for ingestion.
struct ItemRow {
  std::string item_id;
  Json fields;
};

/// Everything one finished attempt hands over; stored in one transaction.
struct Publication {
  std::int64_t attempt_id = 0;
  Digest provenance_key;
  StageResult result;  ///< id is assigned by the store
  JsonText own_record;
  std::string stage_id;  ///< plugin id
  std::string stage_kind;
  std::string result_directory;  ///< relative to the state directory
  std::vector<PublishedOutput> outputs;
  std::vector<MetricRow> metrics;                     ///< final and curve points
  std::map<std::string, std::vector<ItemRow>> items;  ///< by output port
  std::string ended_at;
  double seconds = 0;
};

struct ArtifactLocation {
  std::string type;
  Digest digest;
  std::string path;  ///< relative to the state directory
  std::vector<Digest> bases;
};

/// A stored success as checking and clearing see it.
struct StoredResult {
  std::int64_t id = 0;
  Digest content_key;
  bool current = true;
  std::string label;      ///< of the attempt that made it
  std::string directory;  ///< relative to the state directory
  double seconds = 0;
  std::vector<PublishedOutput> outputs;  ///< without summaries
};

/// An attempt that was found on disk and is not recorded. A free `attempt.id` is kept, so that ids stay in the order in
/// which attempts began.
struct FoundAttempt {
  Attempt attempt;
  Digest provenance_key;
};

/// What the gates of an experiment say of a result; empty: it is not held back.
struct GateVerdict {
  Digest content_key;
  std::string problem;
};

/// Who holds the project.
struct Lease {
  std::int64_t epoch = 0;
  std::string host;
  std::string boot_id;
  std::int64_t pid = 0;
};

/// Cached digest of an external file or directory, valid while its stat fingerprint is unchanged.
struct ExternalDigest {
  std::string path;         ///< absolute
  std::string fingerprint;  ///< of (relative path, dev, inode, size, mtime_ns, ctime_ns) of every file
  Digest digest;
};

/// What a person gave to be expanded.
struct ExpandedFrom {
  std::string experiment;
  std::string file;     ///< relative to the project
  std::string options;  ///< of the command that change the experiment, as a shell takes them: --set 'seeds=[3]'
  std::string text;     ///< of the file; empty: not known
};

struct NewRun {
  std::string experiment;          ///< empty: of none
  std::string file;                ///< of the experiment, relative to the project
  std::string command;             ///< as typed
  Json versions = Json::object();  ///< of lowbit ("lowbit") and of plugins, by id
  Json builds = Json::object();    ///< what plugins say of how they were built, by id
  std::string host = {};
};

class Store : public graph::ResultLookup {
 public:
  /// Takes the next epoch; every later write of this object is refused once another lease was taken (LB6xxx).
  [[nodiscard]] virtual Result<Lease> take_lease(const std::string& host, const std::string& boot_id,
                                                 std::int64_t pid) = 0;
  [[nodiscard]] virtual Result<std::optional<Lease>> current_lease() const = 0;

  /// A row in `runs`; returns its id.
  [[nodiscard]] virtual Result<std::int64_t> begin_run(const NewRun& run) = 0;
  [[nodiscard]] virtual Result<void> end_run(std::int64_t run, const std::string& outcome) = 0;
  /// Replaces the experiment's expansion; results are untouched.
  [[nodiscard]] virtual Result<void> record_expansion(const ExpandedFrom& from,
                                                      const std::vector<ExpansionRow>& rows) = 0;

  [[nodiscard]] virtual Result<std::int64_t> begin_attempt(std::int64_t run, const Attempt& attempt) = 0;
  [[nodiscard]] virtual Result<void> end_attempt(std::int64_t attempt, AttemptState state, const Json& failure,
                                                 double seconds) = 0;
  [[nodiscard]] virtual Result<std::vector<Attempt>> running_attempts() const = 0;
  /// Newest first.
  [[nodiscard]] virtual Result<std::vector<Attempt>> attempts_of(const Digest& content_key) const = 0;

  /// One transaction for all of them. The first result of a content key wins unless `replace` names it: then
  /// the new one becomes current. Returns the results that are current afterwards, in the same order.
  [[nodiscard]] virtual Result<std::vector<StageResult>> publish(const std::vector<Publication>& publications,
                                                                 bool replace) = 0;
  /// A cut-off: this provenance key leads to an existing result.
  [[nodiscard]] virtual Result<void> link(const Digest& provenance_key, const Digest& content_key) = 0;
  /// The same for many, in one transaction; none where all of them stand already.
  [[nodiscard]] virtual Result<void> link(const std::vector<std::pair<Digest, Digest>>& links) = 0;
  /// Where the provenance keys of the experiment's last expansion lead; those without a current result are left out.
  [[nodiscard]] virtual Result<std::map<Digest, Digest>> links_of(const std::string& experiment) const = 0;

  /// Records attempts as running, in one transaction; returns their ids in the same order.
  [[nodiscard]] virtual Result<std::vector<std::int64_t>> restore_attempts(std::int64_t run,
                                                                           const std::vector<FoundAttempt>& found) = 0;
  /// In the order of their ids.
  [[nodiscard]] virtual Result<std::vector<StoredResult>> stored_results() const = 0;
  /// The results are as if they had never been; their attempts stay in the record.
  [[nodiscard]] virtual Result<void> forget(const std::vector<std::int64_t>& results) = 0;
  /// The same, in one transaction with these experiments and their expansions; their runs stay in the record.
  [[nodiscard]] virtual Result<void> forget(const std::vector<std::int64_t>& results,
                                            const std::vector<std::string>& experiments) = 0;

  /// Recorded as the failure of the attempts that made these results, {"cause":"gate","what":..}, or taken back: what
  /// the last run that judged them said.
  [[nodiscard]] virtual Result<void> record_gates(const std::vector<GateVerdict>& verdicts) = 0;

  [[nodiscard]] virtual Result<std::optional<ArtifactLocation>> locate(const Digest& artifact) const = 0;
  /// Directories of published results, relative to the state directory: whatever else lies there is an orphan.
  [[nodiscard]] virtual Result<std::vector<std::string>> result_directories() const = 0;
  [[nodiscard]] virtual Result<std::vector<ExpansionRow>> expansion(const std::string& experiment) const = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> experiments() const = 0;
  /// The file that the experiment was last run from, relative to the project's directory; empty: no such experiment.
  [[nodiscard]] virtual Result<std::string> experiment_file(const std::string& experiment) const = 0;

  /// The answers of graph::ResultLookup and external_digest() cannot say that the store failed; this does. Ask it after
  /// planning. Writes are refused from then on, so that nothing is stored that rests on a wrong answer.
  [[nodiscard]] virtual Result<void> lookup_state() const { return {}; }

  [[nodiscard]] virtual std::optional<ExternalDigest> external_digest(const std::string& path) const = 0;
  [[nodiscard]] virtual Result<void> remember_external(const ExternalDigest& digest) = 0;
};

}  // namespace lowbit::store
