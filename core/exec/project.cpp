#include "exec/project.h"

#include <unistd.h>

#include "base/utf8.h"
#include "env/files.h"
#include "env/process.h"
#include "store/project_facts.h"
#include "store/sqlite/open.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

Diagnostic held_by_another(const ProjectPaths& paths) {
  Diagnostic problem = error("LB4101", "another lowbit is working on " + paths.root.string());
  // A host that has just started has not written itself into the lease yet: then nothing is said of it.
  auto facts = store::ProjectFacts::open(paths.database());
  const auto holder = facts.ok() ? facts->holder() : Result<std::optional<HolderFacts>>(facts.error());
  if (holder.ok() && *holder) {
    const HolderFacts& it = **holder;
    problem.note("it is process " + std::to_string(it.pid) + " on host " + it.host + ", since " + it.since);
    if (!it.experiment.empty()) problem.note("it runs " + it.experiment + ": " + it.command);
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
