#include <array>
#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/session.h"
#include "env/files.h"
#include "env/process.h"
#include "exec/project.h"
#include "store/sqlite/file_system.h"
#include "store/sqlite/open.h"

namespace lowbit::cli {
namespace {

enum class Mark { ok, warn, fail };

struct Check {
  Mark mark = Mark::ok;
  std::string name;
  std::string evidence;
  std::string fix;
};

std::string gibibytes(std::uint64_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f GiB", static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0));
  return text.data();
}

constexpr std::uint64_t kLittleRoom = 1ULL << 30U;

Check check_machine() {
  return {Mark::ok, "machine",
          env::processor_model() + ", " + std::to_string(env::processors()) + " processors, " +
              gibibytes(env::memory_bytes()) + " memory",
          ""};
}

Check check_disk(const exec::ProjectPaths& project) {
  const auto free = env::free_bytes(project.root);
  if (!free) return {Mark::warn, "disk", "free space of " + project.root.string() + " is unknown", ""};
  if (*free < kLittleRoom) {
    return {Mark::warn, "disk", gibibytes(*free) + " free at " + project.root.string(),
            "free some space before a long run"};
  }
  return {Mark::ok, "disk", gibibytes(*free) + " free at " + project.root.string(), ""};
}

Check check_writable(const exec::ProjectPaths& project) {
  const std::filesystem::path probe = project.root / ".lowbit-doctor";
  const auto written = env::write_file_durably(probe, "");
  static_cast<void>(env::remove_tree(probe));
  if (!written.ok()) {
    return {Mark::fail, "project", written.error().front().what, written.error().front().help};
  }
  return {Mark::ok, "project", project.root.string() + " is writable", ""};
}

Check check_database(const exec::ProjectPaths& project) {
  if (!env::exists(project.database())) return {Mark::ok, "database", "none yet: nothing was run here", ""};
  const auto problems = store::integrity_problems(project.database());
  if (!problems.ok()) return {Mark::fail, "database", problems.error().front().what, problems.error().front().help};
  if (!problems->empty()) {
    return {Mark::fail, "database", problems->front(),
            "keep a copy of .lowbit and report this; results lie in .lowbit/results"};
  }
  if (store::on_network_file_system(project.state())) {
    return {Mark::warn, "database", "on a network file system: a rollback journal is used, one writer at a time",
            "a local disk is faster"};
  }
  return {Mark::ok, "database", project.database().string() + " is sound", ""};
}

std::vector<Check> check_plugins() {
  const plugin::PluginCatalog catalog = find_plugins();
  std::vector<Check> checks{{Mark::ok, "plugins", std::to_string(catalog.ids().size()) + " stages found", ""}};
  for (const Diagnostic& problem : catalog.problems()) {
    checks.push_back({Mark::fail, "plugin", problem.what, problem.help});
  }
  return checks;
}

}  // namespace

Result<int> doctor_command(const Words& words) {
  CommandOptions options("doctor");
  options.flag("json", "one JSON array of checks").text("project,C", "the project's directory");
  LB_TRY(options.read(words));
  if (options.help_wanted()) {
    std::fputs(options.help().c_str(), stdout);
    return 0;
  }
  const exec::ProjectPaths project = exec::find_project(options.get("project", "."));
  std::vector<Check> checks{check_machine(), check_disk(project), check_writable(project), check_database(project)};
  for (Check& check : check_plugins()) checks.push_back(std::move(check));

  constexpr std::array<const char*, 3> kMarks{"ok", "warn", "fail"};
  int failures = 0;
  Json json = Json::array();
  for (const Check& check : checks) {
    const char* mark = kMarks.at(static_cast<std::size_t>(check.mark));
    if (check.mark == Mark::fail) ++failures;
    json.push_back({{"mark", mark}, {"check", check.name}, {"evidence", check.evidence}, {"fix", check.fix}});
    if (options.has("json")) continue;
    std::printf("%-5s %-9s %s\n", mark, check.name.c_str(), check.evidence.c_str());
    if (!check.fix.empty()) std::printf("%15s %s\n", "", check.fix.c_str());
  }
  if (options.has("json")) std::printf("%s\n", json.dump(1).c_str());
  return failures == 0 ? 0 : 3;
}

}  // namespace lowbit::cli
