#include "cli/decisions_note.h"

#include <cstdio>
#include <set>
#include <variant>

#include "base/utf8.h"
#include "store/review_ledger.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

/// Snapshots that stages read, by their paths.
std::set<fs::path> snapshots_of(const Experiment& experiment) {
  std::set<fs::path> snapshots;
  for (const graph::Variant& variant : experiment.graph.variants) {
    for (const graph::BoundInput& input : variant.inputs) {
      for (const graph::Member& member : input.members) {
        const auto* external = std::get_if<graph::External>(&member.source);
        if (external == nullptr || external->type != "decisions/1") continue;
        fs::path path = (experiment.file.parent_path() / external->path).lexically_normal();
        if (path.filename().empty()) path = path.parent_path();  // written with a slash at its end
        snapshots.insert(std::move(path));
      }
    }
  }
  return snapshots;
}

}  // namespace

void note_newer_decisions(const Experiment& experiment, const exec::ProjectPaths& project) {
  const store::ReviewLedger ledger(project.root / "reviews");
  for (const fs::path& snapshot : snapshots_of(experiment)) {
    // A snapshot of another project has another ledger.
    std::error_code unknown;
    if (fs::weakly_canonical(snapshot.parent_path(), unknown) !=
        fs::weakly_canonical(project.root / "reviews", unknown)) {
      continue;
    }
    const auto newer = ledger.newer_than(snapshot);
    if (!newer.ok() || *newer == 0) continue;
    const std::string name = printable(snapshot.filename().string());
    std::fprintf(stderr, "note: reviews/%s lacks %zu newer decision%s; `lowbit review --freeze %s` takes %s in\n",
                 name.c_str(), *newer, *newer == 1 ? "" : "s", name.c_str(), *newer == 1 ? "it" : "them");
  }
}

}  // namespace lowbit::cli
