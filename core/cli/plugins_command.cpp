// lowbit plugins: what can stand behind `use:`, all of it or one stage. `lowbit plugins check` is
// plugins_check_command.cpp's.
#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "report/stage_page.h"
#include "report/text_table.h"

namespace lowbit::cli {
namespace {

QueryResult stage_table(const plugin::PluginCatalog& catalog) {
  QueryResult table{.columns = {"stage", "version", "kind", "summary"}, .rows = {}};
  for (const std::string& id : catalog.ids()) {
    const StageDescription& stage = *catalog.find(id);
    table.rows.push_back({Json(id), Json(stage.version), Json(name_of(stage.kind)), Json(stage.summary)});
  }
  return table;
}

Json catalog_json(const plugin::PluginCatalog& catalog) {
  Json all{{"plugins", Json::array()}, {"problems", Json::array()}};
  for (const PluginDescription& plugin : catalog.plugins()) {
    Json json = to_json(plugin);
    json["library"] = plugin.library.string();
    all["plugins"].push_back(std::move(json));
  }
  for (const Diagnostic& problem : catalog.problems()) all["problems"].push_back(to_json(problem));
  return all;
}

/// Problems of plugins are said beside it: the stage may stand in one that could not be loaded.
Diagnostics no_stage(const std::string& id, const plugin::PluginCatalog& catalog) {
  Diagnostic problem = error("LB0003", "no plugin offers a stage " + id);
  if (const std::string near = nearest(id, catalog.ids()); !near.empty()) {
    problem.note("a stage with a similar name exists: " + near);
  }
  return with_plugin_problems({problem.fix("`lowbit plugins` lists them")}, catalog);
}

}  // namespace

Result<int> plugins_command(const Words& words) {
  if (!words.empty() && words.front() == "check") return plugins_check_command(Words(words.begin() + 1, words.end()));
  CommandOptions options("plugins");
  options.argument("stage", "its inputs, outputs and parameters; without it: all stages", false)
      .flag("json", "everything that is known about the stages, for programs")
      .many("plugin-path", "a directory to search first; LOWBIT_PLUGIN_PATH is a list of more");
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const plugin::PluginCatalog catalog = find_plugins(options.all("plugin-path"));
  if (options.has("stage")) {
    const StageDescription* stage = catalog.find(options.get("stage"));
    if (stage == nullptr) return no_stage(options.get("stage"), catalog);
    if (options.has("json")) {
      print_json(to_json(*stage));
    } else {
      std::fputs(report::stage_page(*stage).c_str(), stdout);
    }
    return 0;
  }
  if (options.has("json")) {
    print_json(catalog_json(catalog));
  } else {
    std::fputs(report::render(stage_table(catalog), report::TableFormat::text).c_str(), stdout);
    std::fputs(render(catalog.problems()).c_str(), stderr);
  }
  return exit_code(catalog.problems());
}

}  // namespace lowbit::cli
