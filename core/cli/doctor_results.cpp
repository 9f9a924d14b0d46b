#include "cli/doctor_results.h"

#include <cstdio>
#include <string>

#include "base/utf8.h"
#include "cli/output.h"
#include "cli/session.h"
#include "domain/quantity_text.h"
#include "env/files.h"
#include "exec/rebuild.h"
#include "exec/verify.h"
#include "store/sqlite/open.h"

namespace lowbit::cli {
namespace {

constexpr const char* kSetAside = ".lowbit/damaged";

Json verification_json(const exec::Verification& found) {
  Json damaged = Json::array();
  for (const exec::DamagedResult& result : found.damaged) {
    damaged.push_back({{"stage", result.label},
                       {"directory", result.directory.string()},
                       {"problems", result.problems},
                       {"current", result.current}});
  }
  return {{"results", found.results}, {"bytes", found.bytes}, {"damaged", damaged}};
}

void print_verification(const exec::Verification& found) {
  for (const exec::DamagedResult& result : found.damaged) {
    std::printf("damaged  %s%s\n         %s\n", printable(result.label).c_str(),
                result.current ? "" : " (replaced, in no table)", result.directory.string().c_str());
    for (const std::string& problem : result.problems) std::printf("           %s\n", problem.c_str());
  }
  std::printf("%s, %s read: %s\n", count_text(found.results, "result").c_str(), bytes_text(found.bytes).c_str(),
              found.damaged.empty() ? "every byte is as it was published"
                                    : (std::to_string(found.damaged.size()) + " damaged").c_str());
}

}  // namespace

Result<int> verify_results(const exec::ProjectPaths& project, bool repair, bool as_json) {
  LB_TRY(require_results(project));
  exec::Verification found;
  if (repair) {
    LB_TRY_ASSIGN(exec::WritableProject writable, exec::WritableProject::open(project));
    LB_TRY_ASSIGN(found, exec::verify(project, writable.store()));
    if (!found.damaged.empty()) LB_TRY(exec::repair(writable, found.damaged));
  } else {
    LB_TRY_ASSIGN(const auto store, store::open_sqlite(project.database(), store::Access::read_only));
    LB_TRY_ASSIGN(found, exec::verify(project, *store));
  }
  if (as_json) {
    print_json(verification_json(found));
  } else {
    print_verification(found);
  }
  if (found.damaged.empty()) return 0;
  if (repair) {
    if (!as_json) std::printf("set aside in %s; `lowbit run` of their experiments makes them again\n", kSetAside);
    return 0;
  }
  return error("LB6014", count_text(found.damaged.size(), "result") + " of " + std::to_string(found.results) +
                             (found.damaged.size() == 1 ? " is" : " are") + " damaged")
      .note("files of a result never change after it was published: a disk, or a hand, changed them")
      .fix("`lowbit doctor --verify --repair` sets them aside; then the same `lowbit run` makes them again");
}

Result<int> rebuild_results(const exec::ProjectPaths& project, bool as_json) {
  if (!env::exists(project.results())) {
    return error("LB7010", "there are no results in " + project.root.string())
        .note("results are kept in .lowbit beside the nearest lowbit.yaml upward, else in the working directory")
        .fix("`lowbit run FILE` first, or name the project with --project DIR");
  }
  LB_TRY_ASSIGN(const exec::Rebuilt rebuilt, exec::rebuild(project));
  if (as_json) {
    const Json json{{"results", rebuilt.results},
                    {"attempts", rebuilt.attempts},
                    {"experiments", rebuilt.experiments},
                    {"former", rebuilt.former.string()},
                    {"left_out", rebuilt.left_out}};
    print_json(json);
    return 0;
  }
  for (const std::string& line : rebuilt.left_out) std::printf("left out  %s\n", line.c_str());
  std::printf("rebuilt   %s: %s, %s, %s\n", project.database().lexically_relative(project.root).c_str(),
              count_text(rebuilt.experiments.size(), "experiment").c_str(),
              count_text(rebuilt.results, "result").c_str(),
              count_text(rebuilt.attempts, "unfinished attempt").c_str());
  if (!rebuilt.former.empty()) {
    std::printf("kept      the former one as %s\n", rebuilt.former.lexically_relative(project.root).c_str());
  }
  return 0;
}

}  // namespace lowbit::cli
