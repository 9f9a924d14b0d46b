// The Store on one SQLite connection. Private to store/sqlite; opened by open_sqlite().
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/sqlite/connection.h"
#include "store/store.h"

namespace lowbit::store {

class SqliteStore final : public Store {
 public:
  using Exists = std::function<bool(const std::filesystem::path&)>;

  /// `directory`: what artifact paths are relative to.
  SqliteStore(std::unique_ptr<Connection> db, std::filesystem::path directory, Exists exists)
      : db_(std::move(db)), directory_(std::move(directory)), exists_(std::move(exists)) {}

  Result<Lease> take_lease(const std::string& host, const std::string& boot_id, std::int64_t pid) override;
  Result<std::optional<Lease>> current_lease() const override;

  Result<std::int64_t> begin_run(const NewRun& run) override;
  Result<void> end_run(std::int64_t run, const std::string& outcome) override;
  Result<void> record_expansion(const ExpandedFrom& from, const std::vector<ExpansionRow>& rows) override;

  Result<std::int64_t> begin_attempt(std::int64_t run, const Attempt& attempt) override;
  Result<void> end_attempt(std::int64_t attempt, AttemptState state, const Json& failure, double seconds) override;
  Result<std::vector<Attempt>> running_attempts() const override;
  Result<std::vector<Attempt>> attempts_of(const Digest& content_key) const override;

  Result<std::vector<StageResult>> publish(const std::vector<Publication>& publications, bool replace) override;
  Result<void> link(const Digest& provenance_key, const Digest& content_key) override;
  Result<void> link(const std::vector<std::pair<Digest, Digest>>& links) override;
  Result<std::map<Digest, Digest>> links_of(const std::string& experiment) const override;

  Result<std::vector<std::int64_t>> restore_attempts(std::int64_t run, const std::vector<FoundAttempt>& found) override;
  Result<std::vector<StoredResult>> stored_results() const override;
  Result<void> forget(const std::vector<std::int64_t>& results) override;
  Result<void> forget(const std::vector<std::int64_t>& results, const std::vector<std::string>& experiments) override;
  Result<void> record_gates(const std::vector<GateVerdict>& verdicts) override;

  Result<std::optional<ArtifactLocation>> locate(const Digest& artifact) const override;
  Result<std::vector<std::string>> result_directories() const override;
  Result<std::vector<ExpansionRow>> expansion(const std::string& experiment) const override;
  Result<std::vector<std::string>> experiments() const override;
  Result<std::string> experiment_file(const std::string& experiment) const override;

  std::optional<ExternalDigest> external_digest(const std::string& path) const override;
  Result<void> remember_external(const ExternalDigest& digest) override;

  std::optional<StageResult> by_content_key(const Digest& key) const override;
  std::optional<StageResult> by_provenance_key(const Digest& key) const override;
  std::vector<MetricRow> metrics_of(const StageResult& result) const override;
  bool has_own_record(const Digest& own) const override;
  std::optional<JsonText> last_record(const std::string& experiment, const std::string& stage,
                                      const Coordinates& coordinates) const override;
  bool artifact_present(const Digest& digest) const override;
  void at_one_moment(const std::function<void()>& asking) const override;
  Result<void> lookup_state() const override;

 private:
  /// One writing transaction, refused (LB6010) when this object's lease is not the last one taken, and after a lookup
  /// failed: what is to be stored may rest on its answer.
  template <class Body>
  std::invoke_result_t<Body> write(std::string_view doing, Body&& body,
                                   Connection::Commit commit = Connection::Commit::synced) {
    if (lookup_problem_) return *lookup_problem_;
    const auto with_lease = [&]() -> std::invoke_result_t<Body> {
      LB_TRY(check_lease(doing));
      return body();
    };
    return db_->transaction(doing, with_lease, commit);
  }

  /// An optional answer; a failure is kept for lookup_state() and answered with `std::nullopt`.
  template <class T, class Body>
  std::optional<T> look_up(std::string_view doing, Body&& body) const {
    Result<std::optional<T>> found = db_->guarded(doing, std::forward<Body>(body));
    if (found) return *std::move(found);
    if (!lookup_problem_) lookup_problem_ = std::move(found).error();
    return std::nullopt;
  }

  Result<void> check_lease(std::string_view doing);
  Result<void> store_publication(const Publication& p, bool replace);
  Result<void> insert_result(const Publication& p);
  std::optional<Digest> link_of(const Digest& provenance_key) const;
  StageResult read_result(Rows& row) const;
  void add_output(StageResult& result, const Rows& row, int first) const;
  Result<std::optional<StageResult>> find_current(const Digest& content_key) const;

  std::unique_ptr<Connection> db_;
  std::filesystem::path directory_;
  Exists exists_;
  std::optional<std::int64_t> epoch_;  ///< of the lease this object took
  mutable std::optional<Diagnostics> lookup_problem_;
  mutable std::map<Digest, std::string> last_paths_;  ///< of the outputs of the result that was read last
};

}  // namespace lowbit::store
