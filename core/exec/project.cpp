#include "exec/project.h"

#include <unistd.h>

#include "base/utf8.h"
#include "env/files.h"
#include "env/process.h"
#include "store/sqlite/open.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

Diagnostic held_by_another(const ProjectPaths& paths) {
  Diagnostic problem = error("LB4101", "another lowbit is working on " + paths.root.string());
  // A host that has just started has not written itself into the lease yet: then nothing is said of it.
  const auto rows = store::query_sqlite(
      paths.database(),
      "SELECT l.pid, l.host, l.taken_at, r.experiment, r.started_at, r.command FROM lease l "
      "LEFT JOIN runs r ON r.epoch = l.epoch AND r.ended_at IS NULL ORDER BY r.run_id DESC LIMIT 1");
  if (rows.ok() && !rows->rows.empty()) {
    const auto& row = rows->rows.front();
    const auto text = [&](std::size_t column) { return scalar_text(*row[column]); };
    problem.note("it is process " + text(0) + " on host " + text(1) + ", since " + text(row[3] ? 4 : 2));
    if (row[3]) problem.note("it runs " + text(3) + ": " + text(5));
  }
  return problem.fix(
      "`lowbit status` shows how far it is, `lowbit run --wait` begins when it has ended, `lowbit cancel --all` stops "
      "it; its work is kept either way");
}

}  // namespace

Result<ProjectPaths> find_project(const fs::path& start) {
  LB_TRY_ASSIGN(const fs::path absolute, env::absolute(start));
  for (fs::path directory = absolute;; directory = directory.parent_path()) {
    if (env::exists(directory / "lowbit.yaml")) return ProjectPaths{directory};
    if (directory == directory.parent_path()) return ProjectPaths{absolute};
  }
}

Result<env::FileLock> lock_project(const ProjectPaths& paths) {
  if (!is_utf8(paths.root.string())) {
    return error("LB0043", "the path of the project is not UTF-8: " + paths.root.string())
        .note("jobs are told in JSON where their files are, and JSON holds no other bytes")
        .fix("rename the directory, or put the project elsewhere");
  }
  LB_TRY(env::make_directories(paths.work()));
  LB_TRY(env::make_directories(paths.results()));
  LB_TRY_ASSIGN(std::optional<env::FileLock> lock, env::FileLock::try_take(paths.lease()));
  if (!lock) return held_by_another(paths);
  return *std::move(lock);
}

Result<WritableProject> WritableProject::open(const ProjectPaths& paths) {
  LB_TRY_ASSIGN(env::FileLock lock, lock_project(paths));
  LB_TRY(store::check_not_lost(paths.database()));
  LB_TRY_ASSIGN(std::unique_ptr<store::Store> store, store::open_sqlite(paths.database(), store::Access::read_write));
  LB_TRY(store->take_lease(env::host_name(), env::boot_id(), ::getpid()));
  return WritableProject(paths, std::move(lock), std::move(store));
}

}  // namespace lowbit::exec
