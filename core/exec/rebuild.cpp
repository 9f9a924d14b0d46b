#include "exec/rebuild.h"

#include <tbb/parallel_for.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "env/files.h"
#include "env/process.h"
#include "exec/expansion_file.h"
#include "exec/publish.h"
#include "store/sqlite/open.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kGroup = 64;  ///< results in one transaction, and in memory with their items
constexpr const char* kBeside[] = {"-wal", "-shm", "-journal"};

class Rebuilder {
 public:
  Rebuilder(const ProjectPaths& project, std::unique_ptr<store::Store> store)
      : project_(project), store_(std::move(store)) {}

  Result<Rebuilt> run() {
    LB_TRY(store_->take_lease(env::host_name(), env::boot_id(), ::getpid()));
    LB_TRY_ASSIGN(run_, store_->begin_run({.command = "lowbit doctor --rebuild"}));
    LB_TRY(take_results());
    LB_TRY(take_attempts());
    LB_TRY(take_expansions());
    LB_TRY(store_->end_run(run_, "done"));
    return std::move(rebuilt_);
  }

 private:
  struct Candidate {
    std::int64_t attempt_id = 0;
    fs::path directory;
  };

  void leave_out(const fs::path& path, const Diagnostics& problems) {
    rebuilt_.left_out.push_back(path.lexically_relative(project_.root).string() + ": " + problems.front().what);
  }

  /// Whose problem it is: the result's, which is left out then, or the machine's.
  [[nodiscard]] static bool is_damage(const Diagnostics& problems) {
    const std::string& code = problems.front().code;
    return code == "LB5003" || code == "LB5004" || code == "LB6101";
  }

  Result<void> set_aside_damaged(const fs::path& result, const Diagnostics& problems) {
    leave_out(result, problems);
    return set_aside(project_, result);
  }

  // Of several results with one key the one whose attempt began last is current, as it was when they were published:
  // attempts at one key follow each other.
  Result<std::vector<Candidate>> candidates() {
    std::vector<Candidate> found;
    LB_TRY_ASSIGN(const std::vector<fs::path> shelves, env::list_directory(project_.results()));
    for (const fs::path& shelf : shelves) {
      LB_TRY_ASSIGN(const std::vector<fs::path> results, env::list_directory(shelf));
      for (const fs::path& result : results) {
        const auto record = read_result_record(result);
        if (record.ok()) {
          found.push_back({record->value("attempt_id", std::int64_t{0}), result});
        } else if (is_damage(record.error())) {
          LB_TRY(set_aside_damaged(result, record.error()));
        } else {
          return record.error();
        }
      }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Candidate& a, const Candidate& b) { return a.attempt_id < b.attempt_id; });
    return found;
  }

  Result<void> take_results() {
    LB_TRY_ASSIGN(const std::vector<Candidate> all, candidates());
    for (std::size_t first = 0; first < all.size(); first += kGroup) {
      const std::size_t n = std::min(kGroup, all.size() - first);
      std::vector<std::optional<Result<FoundResult>>> group(n);
      tbb::parallel_for(std::size_t{0}, n,
                        [&](std::size_t i) { group[i].emplace(republish(project_, all[first + i].directory)); });
      std::vector<store::FoundAttempt> attempts;
      std::vector<store::Publication> publications;
      for (std::size_t i = 0; i < n; ++i) {
        const fs::path& directory = all[first + i].directory;
        if (!group[i]->ok()) {
          if (!is_damage(group[i]->error())) return group[i]->error();
          LB_TRY(set_aside_damaged(directory, group[i]->error()));
          continue;
        }
        attempts.push_back(found_attempt((*group[i])->context, directory));
        publications.push_back(std::move((*group[i])->publication));
      }
      LB_TRY_ASSIGN(const auto ids, store_->restore_attempts(run_, attempts));
      for (std::size_t i = 0; i < ids.size(); ++i) publications[i].attempt_id = ids[i];
      LB_TRY(store_->publish(publications, true));
      rebuilt_.results += publications.size();
    }
    return {};
  }

  // What their lock, exit.json and checkpoints say is for the next run to find out.
  Result<void> take_attempts() {
    std::vector<store::FoundAttempt> found;
    LB_TRY_ASSIGN(const std::vector<fs::path> keys, env::list_directory(project_.work()));
    for (const fs::path& key : keys) {
      LB_TRY_ASSIGN(const std::vector<fs::path> attempts, env::list_directory(key));
      for (const fs::path& directory : attempts) {
        const auto context = read_context({directory});
        if (!context.ok()) {
          if (!is_damage(context.error())) return context.error();
          leave_out(directory, context.error());
          continue;
        }
        if (!*context) continue;  // a host ended before the attempt was complete
        store::FoundAttempt attempt = found_attempt(**context, directory);
        attempt.attempt.directory = directory.lexically_relative(project_.state()).string();
        found.push_back(std::move(attempt));
      }
    }
    std::sort(found.begin(), found.end(),
              [](const store::FoundAttempt& a, const store::FoundAttempt& b) { return a.attempt.id < b.attempt.id; });
    LB_TRY(store_->restore_attempts(run_, found));
    rebuilt_.attempts = found.size();
    return {};
  }

  Result<void> take_expansions() {
    LB_TRY_ASSIGN(const std::vector<fs::path> files, env::list_directory(project_.expansions()));
    for (const fs::path& file : files) {
      if (file.extension() != ".jsonl") continue;
      const auto expansion = read_expansion(file);
      if (!expansion.ok()) {
        leave_out(file, expansion.error());
        continue;
      }
      LB_TRY(store_->record_expansion(expansion->from, expansion->rows));
      LB_TRY_ASSIGN(const auto links, missing_links(*store_, expansion->from.experiment, expansion->rows));
      LB_TRY(store_->link(links));
      rebuilt_.experiments.push_back(expansion->from.experiment);
    }
    return {};
  }

  const ProjectPaths& project_;
  std::unique_ptr<store::Store> store_;
  std::int64_t run_ = 0;
  Rebuilt rebuilt_;
};

fs::path beside(const fs::path& file, const char* suffix) { return fs::path(file).concat(suffix); }

Result<void> remove_database(const fs::path& file) {
  for (const char* suffix : kBeside) LB_TRY(env::remove_tree(beside(file, suffix)));
  return env::remove_tree(file);
}

/// Under a name of its own, with what SQLite keeps beside it: a log that outlived its database would be read into the
/// next one.
Result<fs::path> move_away(const fs::path& database) {
  fs::path kept;
  for (int n = 1; kept.empty() || env::exists(kept); ++n) {
    kept = beside(database, (".before-rebuild-" + std::to_string(n)).c_str());
  }
  for (const char* suffix : kBeside) {
    if (env::exists(beside(database, suffix))) {
      LB_TRY(env::rename_durably(beside(database, suffix), beside(kept, suffix)));
    }
  }
  if (!env::exists(database)) return fs::path();
  LB_TRY(env::rename_durably(database, kept));
  return kept;
}

}  // namespace

Result<Rebuilt> rebuild(const ProjectPaths& project) {
  LB_TRY_ASSIGN(const env::FileLock lock, lock_project(project));
  const fs::path fresh = beside(project.database(), ".rebuilding");
  LB_TRY(remove_database(fresh));
  LB_TRY_ASSIGN(std::unique_ptr<store::Store> store, store::open_sqlite(fresh, store::Access::read_write));
  LB_TRY_ASSIGN(Rebuilt rebuilt, Rebuilder(project, std::move(store)).run());
  // Closed by now, and by its last user: nothing lies beside it.
  for (const char* suffix : kBeside) {
    if (env::exists(beside(fresh, suffix))) {
      return error("LB6009", "cannot go on with `" + fresh.string() + "`")
          .note("its log could not be folded in: another program has it open, or the disk fails")
          .fix("close that program, check the disk, then give the same command again");
    }
  }
  LB_TRY_ASSIGN(rebuilt.former, move_away(project.database()));
  LB_TRY(env::rename_durably(fresh, project.database()));
  return rebuilt;
}

}  // namespace lowbit::exec
