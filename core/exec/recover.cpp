#include "exec/recover.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>

#include "env/file_lock.h"
#include "env/files.h"
#include "env/process.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

/// Empty when there is no such file or when it was left unfinished.
Result<std::optional<Json>> read_json(const fs::path& file) {
  LB_TRY_ASSIGN(const std::optional<std::string> text, env::read_file_if_there(file));
  Json json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object()) return std::optional<Json>();
  return std::optional(std::move(json));
}

/// Of an attempt's files; not: the machine's fault, or a newer lowbit's.
bool is_damaged(const Diagnostics& problems) {
  const std::string& code = problems.front().code;
  return code == "LB5001" || code == "LB5003" || code == "LB5004";
}

/// A shim that was killed left it.
void remove_socket(const JobRequest& request) {
  std::error_code ignored;
  if (!request.socket.empty()) fs::remove(request.socket, ignored);
}

class Recoverer {
 public:
  explicit Recoverer(WritableProject& project) : project_(project), store_(project.store()) {}

  Result<Recovery> run() {
    LB_TRY_ASSIGN(const std::vector<store::Attempt> running, store_.running_attempts());
    for (const store::Attempt& attempt : running) LB_TRY(settle(attempt));
    LB_TRY(sweep_results());
    LB_TRY(sweep_work());
    return std::move(recovery_);
  }

 private:
  Result<void> settle(const store::Attempt& row) {
    const AttemptPaths attempt{project_.paths().state() / row.directory};
    const fs::path published = result_directory(project_.paths(), row.content_key, row.nonce);
    if (env::exists(AttemptPaths{published}.manifest())) {
      LB_TRY_ASSIGN(std::optional<FoundResult> found, whole_result(published));
      if (!found) return lose(row);
      found->publication.attempt_id = row.id;
      LB_TRY(store_.publish({found->publication}, found->context.replace));
      recovery_.harvested.push_back(row.stage_label);
      return {};
    }
    LB_TRY_ASSIGN(const auto request_json, read_json(attempt.request()));
    auto context = read_context(attempt);
    if (!context.ok() && !is_damaged(context.error())) return context.error();
    if (!request_json || (context.ok() && !*context)) return lose(row);  // the host died before it was complete
    auto request = job_request(*request_json);
    if (!request.ok() && !is_damaged(request.error())) return request.error();

    LB_TRY_ASSIGN(const std::optional<env::FileLock> lock, env::FileLock::try_take(attempt.lock()));
    if (!request.ok() || !context.ok()) {
      if (lock) return lose(row);
      return error("LB4107", "a job of another version of lowbit runs here: " + row.stage_label)
          .note("its attempt is " + attempt.directory.string())
          .fix("wait until it has ended, or end it with the lowbit that started it");
    }
    if (!lock) {
      recovery_.adopted.push_back({row, attempt, *std::move(request), **std::move(context)});
      return {};
    }
    remove_socket(*request);
    LB_TRY_ASSIGN(const std::optional<ExitRecord> ended, read_exit_record(attempt.exit()));
    if (!ended) {
      LB_TRY(bury(attempt, row.nonce));
      return lose(row);
    }
    if (!ended->unsynced_boot.empty() && ended->unsynced_boot != env::boot_id()) return lose(row);
    LB_TRY_ASSIGN(const Prepared prepared, prepare(project_.paths(), attempt, **context));
    if (const auto* failure = std::get_if<Failure>(&prepared)) {
      recovery_.failed.push_back(row.stage_label);
      const auto state =
          failure->cause == FailureCause::cancelled ? store::AttemptState::cancelled : store::AttemptState::failed;
      return store_.end_attempt(row.id, state, to_json(*failure), ended->seconds);
    }
    LB_TRY(store_.publish({std::get<store::Publication>(prepared)}, (*context)->replace));
    recovery_.harvested.push_back(row.stage_label);
    return {};
  }

  Result<void> lose(const store::Attempt& row) {
    recovery_.lost.push_back(row.stage_label);
    return store_.end_attempt(row.id, store::AttemptState::lost, Json(), 0);
  }

  /// Empty when the result is damaged: it is set aside then.
  Result<std::optional<FoundResult>> whole_result(const fs::path& directory) {
    auto found = republish(project_.paths(), directory);
    if (found.ok()) {
      LB_TRY(drop_checkpoints(directory));
      return std::optional(*std::move(found));
    }
    if (!is_damaged(found.error())) return std::move(found).error();
    LB_TRY(set_aside(project_.paths(), directory));
    return std::optional<FoundResult>();
  }

  // The database may be older than the results: restored from a copy, or cut by a machine that went down.
  Result<void> sweep_results() {
    LB_TRY_ASSIGN(const std::vector<std::string> known_list, store_.result_directories());
    const std::unordered_set<std::string> known(known_list.begin(), known_list.end());
    const std::string below = project_.paths().results().filename().string() + "/";
    LB_TRY_ASSIGN(const std::vector<fs::path> shelves, env::list_directory(project_.paths().results()));
    for (const fs::path& shelf : shelves) {
      LB_TRY_ASSIGN(const std::vector<fs::path> results, env::list_directory(shelf));
      for (const fs::path& result : results) {
        if (known.contains(below + shelf.filename().string() + "/" + result.filename().string())) continue;
        LB_TRY_ASSIGN(const bool is_unrecorded, unrecorded(result));
        LB_TRY(is_unrecorded ? take_in(result) : env::remove_tree(result));
      }
    }
    return {};
  }

  /// Whether a whole result lies there of whose attempt nothing is known.
  Result<bool> unrecorded(const fs::path& result) {
    const auto name = result_name(result);
    if (!name || !env::exists(AttemptPaths{result}.manifest())) return false;
    LB_TRY_ASSIGN(const std::vector<store::Attempt> attempts, store_.attempts_of(name->content_key));
    return std::none_of(attempts.begin(), attempts.end(),
                        [&](const store::Attempt& attempt) { return attempt.nonce == name->nonce; });
  }

  Result<void> take_in(const fs::path& result) {
    LB_TRY_ASSIGN(std::optional<FoundResult> found, whole_result(result));
    if (!found) return {};
    if (!run_) {
      LB_TRY_ASSIGN(run_, store_.begin_run({.command = "results that were not recorded"}));
      LB_TRY(store_.end_run(*run_, "done"));
    }
    LB_TRY_ASSIGN(const auto ids, store_.restore_attempts(*run_, {found_attempt(found->context, result)}));
    found->publication.attempt_id = ids.front();
    LB_TRY(store_.publish({found->publication}, found->context.replace));
    recovery_.harvested.push_back(found->context.stage_label);
    return {};
  }

  // What is kept: attempts that run, and those that did not end well: their logs and checkpoints.
  Result<void> sweep_work() {
    LB_TRY_ASSIGN(const std::vector<fs::path> keys, env::list_directory(project_.paths().work()));
    for (const fs::path& key : keys) {
      const auto digest = Digest::from_hex(key.filename().string());
      std::set<std::string> kept;
      if (digest) {
        LB_TRY_ASSIGN(const std::vector<store::Attempt> attempts, store_.attempts_of(*digest));
        for (const store::Attempt& attempt : attempts) {  // newest first: a success makes what came before it dead
          if (attempt.state == store::AttemptState::done) break;
          kept.insert(attempt.directory);
        }
      }
      bool empty = true;
      LB_TRY_ASSIGN(const std::vector<fs::path> attempts, env::list_directory(key));
      for (const fs::path& attempt : attempts) {
        if (kept.contains(attempt.lexically_relative(project_.paths().state()).string())) {
          empty = false;
        } else {
          LB_TRY(env::remove_tree(attempt));
        }
      }
      if (empty) LB_TRY(env::remove_tree(key));
    }
    return {};
  }

  WritableProject& project_;
  store::Store& store_;
  Recovery recovery_;
  std::optional<std::int64_t> run_;  ///< that attempts which are taken in are recorded under
};

}  // namespace

Result<ExitRecord> end_of(const AttemptPaths& attempt, const std::string& nonce) {
  LB_TRY_ASSIGN(const std::optional<ExitRecord> ended, read_exit_record(attempt.exit()));
  if (!ended) LB_TRY(bury(attempt, nonce));
  return ended.value_or(ExitRecord{.kind = ExitKind::lost});
}

// A shim that has not started yet will find exit.json and do nothing.
Result<void> bury(const AttemptPaths& attempt, const std::string& nonce) {
  LB_TRY_ASSIGN(const auto shim, read_json(attempt.shim()));
  if (shim) {
    const auto identity = env::process_identity(*shim);
    if (identity && identity->boot_id == env::boot_id()) env::kill_session(identity->pid, nonce);
  }
  return env::write_file_durably(attempt.exit(), canonical(to_json(ExitRecord{.kind = ExitKind::lost})));
}

Result<Recovery> recover(WritableProject& project) { return Recoverer(project).run(); }

}  // namespace lowbit::exec
