#include "exec/project.h"

#include <unistd.h>

#include "env/files.h"
#include "env/process.h"
#include "store/sqlite/open.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

Diagnostic held_by_another(const ProjectPaths& paths) {
  Diagnostic problem = error("LB4101", "another lowbit is working on " + paths.root.string());
  const auto reader = store::open_sqlite(paths.database(), store::Access::read_only);
  if (reader.ok()) {
    const auto lease = (*reader)->current_lease();
    if (lease.ok() && lease->has_value()) {
      problem.note("it is process " + std::to_string((*lease)->pid) + " on host " + (*lease)->host);
    }
  }
  return problem.fix("wait for it to finish (`lowbit run --wait`), or stop it; its work is kept either way");
}

}  // namespace

ProjectPaths find_project(const fs::path& start) {
  const fs::path absolute = fs::absolute(start).lexically_normal();
  for (fs::path directory = absolute;; directory = directory.parent_path()) {
    if (env::exists(directory / "lowbit.yaml")) return {directory};
    if (directory == directory.parent_path()) return {absolute};
  }
}

Result<env::FileLock> lock_project(const ProjectPaths& paths) {
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
