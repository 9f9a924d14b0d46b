#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "domain/quantity_text.h"
#include "exec/garbage.h"
#include "report/text_table.h"
#include "store/sqlite/open.h"

namespace lowbit::cli {
namespace {

struct Sums {
  std::uint64_t bytes = 0;
  double seconds = 0;
};

Sums sums_of(const exec::GarbageList& garbage) {
  Sums sums;
  for (const exec::Garbage& item : garbage.items) {
    sums.bytes += item.bytes;
    sums.seconds += item.seconds;
  }
  return sums;
}

Json garbage_json(const exec::GarbageList& garbage, bool removed) {
  Json items = Json::array();
  for (const exec::Garbage& item : garbage.items) {
    items.push_back({{"kind", exec::name_of(item.kind)},
                     {"label", item.label},
                     {"path", item.path.string()},
                     {"bytes", item.bytes},
                     {"seconds", item.seconds}});
  }
  Json gone = Json::array();
  for (const exec::GoneExperiment& experiment : garbage.gone) {
    gone.push_back({{"experiment", experiment.name},
                    {"file", experiment.file},
                    {"results", experiment.results},
                    {"bytes", experiment.bytes},
                    {"seconds", experiment.seconds}});
  }
  return {{"removed", removed},      {"items", items},
          {"kept", garbage.kept},    {"kept_bytes", garbage.kept_bytes},
          {"gone", std::move(gone)}, {"forgotten", garbage.forgotten}};
}

void print_garbage(const exec::GarbageList& garbage, bool dry_run) {
  std::size_t width = 0;
  for (const exec::Garbage& item : garbage.items) width = std::max(width, width_of(printable(item.label)));
  for (const exec::Garbage& item : garbage.items) {
    const std::string cost =
        item.kind == exec::Garbage::Kind::result ? "  " + duration_text(item.seconds) + " to make again" : "";
    std::printf("%-8s  %s  %10s%s\n", std::string(exec::name_of(item.kind)).c_str(),
                report::padded(printable(item.label), width, false).c_str(), bytes_text(item.bytes).c_str(),
                cost.c_str());
  }
  const Sums sums = sums_of(garbage);
  if (garbage.items.empty()) {
    std::printf("nothing to remove\n");
  } else {
    std::printf("%s %zu: %s, %s to make again\n", dry_run ? "would remove" : "removed", garbage.items.size(),
                bytes_text(sums.bytes).c_str(), duration_text(sums.seconds).c_str());
  }
  std::printf("kept: %zu results that an experiment needs, %s\n", garbage.kept, bytes_text(garbage.kept_bytes).c_str());
  for (const std::string& name : garbage.forgotten) {
    std::printf("%s experiment %s\n", dry_run ? "would forget" : "forgot", name.c_str());
  }
  for (const exec::GoneExperiment& gone : garbage.gone) {
    std::printf(
        "%s is not there any more, its results are: %zu that only %s needs, %s, %s to make again; "
        "`lowbit gc --forget %s` removes them\n",
        gone.file.c_str(), gone.results, gone.name.c_str(), bytes_text(gone.bytes).c_str(),
        duration_text(gone.seconds).c_str(), gone.name.c_str());
  }
}

}  // namespace

Result<int> gc_command(const Words& words) {
  CommandOptions options("gc");
  options.flag("dry-run,n", "say what would be removed and what it would cost to make it again; change nothing")
      .many("forget", "an experiment that counts no more: what only it needs goes as well; repeatable")
      .flag("json", "one JSON object")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  const bool dry_run = options.has("dry-run");
  const std::vector<std::string> forget = options.all("forget");
  exec::GarbageList garbage;
  if (dry_run) {
    LB_TRY_ASSIGN(const auto store, store::open_sqlite(project.database(), store::Access::read_only));
    LB_TRY_ASSIGN(garbage, exec::find_garbage(project, *store, forget));
  } else {
    LB_TRY_ASSIGN(exec::WritableProject writable, exec::WritableProject::open(project));
    LB_TRY_ASSIGN(garbage, exec::find_garbage(project, writable.store(), forget));
    LB_TRY(exec::remove_garbage(writable, garbage));
  }
  if (options.has("json")) {
    print_json(garbage_json(garbage, !dry_run));
  } else {
    print_garbage(garbage, dry_run);
  }
  return 0;
}

}  // namespace lowbit::cli
