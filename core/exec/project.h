// Where a project keeps what it knows, and who may write there.
//   .lowbit/results.db   the store            .lowbit/work/<content key>/a<N>-<nonce>/   attempts
//   .lowbit/paid-calls.jsonl  answers that were paid for (lowbit/paid_calls.h): appended to, never rewritten or removed
//   .lowbit/lease.lock   flock of the writer  .lowbit/results/<hh>/<content key>-<nonce>/ published results
//   .lowbit/expansions/<experiment>.jsonl  what each experiment last expanded to (exec/expansion_file.h)
//   .lowbit/damaged/<content key>-<nonce>/  results whose bytes are not what they were: set aside, used by nothing
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/result.h"
#include "env/file_lock.h"
#include "store/store.h"

namespace lowbit::exec {

struct ProjectPaths {
  std::filesystem::path root;  ///< absolute

  [[nodiscard]] std::filesystem::path state() const { return root / ".lowbit"; }
  [[nodiscard]] std::filesystem::path database() const { return state() / "results.db"; }
  [[nodiscard]] std::filesystem::path paid_calls() const { return state() / "paid-calls.jsonl"; }
  [[nodiscard]] std::filesystem::path lease() const { return state() / "lease.lock"; }
  [[nodiscard]] std::filesystem::path work() const { return state() / "work"; }
  [[nodiscard]] std::filesystem::path results() const { return state() / "results"; }
  [[nodiscard]] std::filesystem::path expansions() const { return state() / "expansions"; }
  [[nodiscard]] std::filesystem::path damaged() const { return state() / "damaged"; }
};

/// The directory of the nearest lowbit.yaml upward from `start`, else `start` itself.
[[nodiscard]] Result<ProjectPaths> find_project(const std::filesystem::path& start);

/// The flock that makes a process the one writer of a project; its directories are made. LB4101 names another holder,
/// LB0043 refuses a path that jobs could not be told.
[[nodiscard]] Result<env::FileLock> lock_project(const ProjectPaths& paths);

/// A project opened for writing: at most one process at a time holds one (LB4101 names the other).
class WritableProject {
 public:
  [[nodiscard]] static Result<WritableProject> open(const ProjectPaths& paths);

  [[nodiscard]] const ProjectPaths& paths() const { return paths_; }
  [[nodiscard]] store::Store& store() { return *store_; }
  [[nodiscard]] const store::Store& store() const { return *store_; }

 private:
  WritableProject(ProjectPaths paths, env::FileLock lock, std::unique_ptr<store::Store> store)
      : paths_(std::move(paths)), lock_(std::move(lock)), store_(std::move(store)) {}

  ProjectPaths paths_;
  env::FileLock lock_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace lowbit::exec
