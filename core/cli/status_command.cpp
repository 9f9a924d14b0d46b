#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>

#include "base/utf8.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/cost_history.h"
#include "cli/live_display.h"
#include "cli/output.h"
#include "cli/session.h"
#include "exec/local/control_socket.h"
#include "report/text_table.h"
#include "store/project_facts.h"

namespace lowbit::cli {
namespace {

constexpr std::size_t kLines = 60;
constexpr std::size_t kColumnsOfFile = 120;
constexpr std::array<const char*, 7> kStates{"done", "gated", "running", "failed", "cancelled", "lost", "never"};

bool went_wrong(const VariantLine& variant) {
  const std::string& state = variant.state;
  return state == "failed" || state == "gated" || state == "lost" || state == "cancelled";
}

/// Rows: one per stage with a count for each state.
QueryResult count_by_state(const std::vector<VariantLine>& variants) {
  QueryResult table{.columns = {"experiment", "stage"}, .rows = {}};
  table.columns.insert(table.columns.end(), kStates.begin(), kStates.end());
  std::vector<std::pair<std::string, std::string>> order;
  std::map<std::pair<std::string, std::string>, std::map<std::string, int>> counts;
  for (const VariantLine& variant : variants) {
    const std::pair key{variant.experiment, variant.stage};
    if (!counts.contains(key)) order.push_back(key);
    ++counts[key][variant.state];
  }
  for (const auto& key : order) {
    std::vector<std::optional<Json>> row{Json(key.first), Json(key.second)};
    for (const char* state : kStates) {
      const int count = counts[key][state];
      row.push_back(count == 0 ? std::optional<Json>(Json("")) : std::optional<Json>(Json(count)));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Json to_json(const VariantLine& variant) {
  return {{"experiment", variant.experiment},
          {"stage", variant.stage},
          {"label", variant.label},
          {"state", variant.state},
          {"seconds", variant.seconds ? Json(*variant.seconds) : Json()},
          {"failure", variant.failure ? Json(*variant.failure) : Json()}};
}

/// What the live host says of itself; nothing where there is none.
struct Live {
  std::int64_t pid = 0;
  exec::Snapshot now;
  Json raw;  ///< the snapshot as it was told
  TimeLeft left;
};

Result<std::vector<VariantLine>> states_of(const exec::ProjectPaths& project) {
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  return facts.variants();
}

std::optional<Live> ask_live_host(const exec::ProjectPaths& project) {
  auto answer = exec::ask_host(project, {{"request", "status"}});
  if (!answer.ok()) {
    // What the database says is true all the same.
    if (answer.error().front().code != "LB0030") std::fputs(render(answer.error()).c_str(), stderr);
    return std::nullopt;
  }
  Live live;
  live.pid = answer->value("pid", std::int64_t{0});
  live.raw = answer->value("status", Json::object());
  live.now = exec::snapshot_of(live.raw);
  live.left = time_left(live.now, cost_history(project));
  return live;
}

Json to_json(const Live& live) {
  Json json = live.raw;
  json["pid"] = live.pid;
  json["left_seconds"] = live.left.seconds ? Json(*live.left.seconds) : Json();
  json["left_unknown"] = live.left.unknown;
  for (Json& job : json["running"]) {
    const auto left = live.left.by_job.find(job.value("label", std::string()));
    job["left_seconds"] = left == live.left.by_job.end() ? Json() : Json(left->second);
  }
  return json;
}

/// The picture that the run itself shows on a terminal, once.
void print_live(const Live& live) {
  Paper paper = paper_of(STDOUT_FILENO);
  paper.height = kLines;  // it is scrolled back to, not redrawn
  if (::isatty(STDOUT_FILENO) != 1) {
    paper.width = kColumnsOfFile;
    paper.colour = false;
  }
  std::printf("process %lld runs this now; `lowbit cancel --all` stops it\n", static_cast<long long>(live.pid));
  for (const std::string& line : live_lines({.now = live.now, .seconds = live.now.seconds, .left = live.left}, paper)) {
    std::printf("%s\n", line.c_str());
  }
  std::printf("\n");
}

}  // namespace

Result<int> status_command(const Words& words) {
  CommandOptions options("status");
  options.flag("failed", "only what failed, with the reason")
      .flag("json", "what runs now, and one row per variant, as JSON")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(const std::vector<VariantLine> variants, states_of(project));
  const std::optional<Live> live = ask_live_host(project);
  if (options.has("json")) {
    Json rows = Json::array();
    for (const VariantLine& variant : variants) {
      if (!options.has("failed") || went_wrong(variant)) rows.push_back(to_json(variant));
    }
    print_json(Json{{"live", live ? to_json(*live) : Json()}, {"stages", std::move(rows)}});
    return 0;
  }
  if (live && !options.has("failed")) print_live(*live);
  if (!options.has("failed")) {
    std::fputs(report::render(count_by_state(variants), report::TableFormat::text).c_str(), stdout);
  }
  for (const VariantLine& variant : variants) {
    if (!went_wrong(variant)) continue;
    const std::string label = printable(variant.label);
    std::printf("%s: %s  %s   lowbit logs '%s'\n", variant.state.c_str(), label.c_str(),
                printable(variant.failure.value_or("")).c_str(), label.c_str());
  }
  return 0;
}

}  // namespace lowbit::cli
