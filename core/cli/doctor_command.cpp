#include <array>
#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/doctor_results.h"
#include "cli/output.h"
#include "cli/pdf_file.h"
#include "cli/session.h"
#include "domain/quantity_text.h"
#include "env/files.h"
#include "env/process.h"
#include "exec/job_environment.h"
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

constexpr std::uint64_t kLittleRoom = 1ULL << 30U;

Check check_machine() {
  return {Mark::ok, "machine",
          env::processor_model() + ", " + std::to_string(env::processors()) + " processors, " +
              bytes_text(env::memory_bytes()) + " memory",
          ""};
}

/// Whose guess of the processor the products of jobs rest on: last bits depend on it, and often half of the speed.
Check check_blas() {
  const exec::BlasCoreType type = exec::blas_core_type();
  const std::string threads = "as many threads as each stage's `cpus`, idle ones asleep";
  if (type.by_person) {
    return {Mark::warn, "OpenBLAS", "jobs get OPENBLAS_CORETYPE=" + type.name + " from your environment, " + threads,
            "unset it unless you mean it: results are the same bytes only where it is the same"};
  }
  if (type.name.empty()) return {Mark::ok, "OpenBLAS", "jobs let it choose its kernels, " + threads, ""};
  return {Mark::ok, "OpenBLAS",
          "jobs get OPENBLAS_CORETYPE=" + type.name + ": by itself it does not use the AVX-512 of this processor; " +
              threads,
          ""};
}

Check check_disk(const exec::ProjectPaths& project) {
  const auto free = env::free_bytes(project.root);
  if (!free) return {Mark::warn, "disk", "free space of " + project.root.string() + " is unknown", ""};
  if (*free < kLittleRoom) {
    return {Mark::warn, "disk", bytes_text(*free) + " free at " + project.root.string(),
            "free some space before a long run"};
  }
  return {Mark::ok, "disk", bytes_text(*free) + " free at " + project.root.string(), ""};
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
  if (const auto lost = store::check_not_lost(project.database()); !lost.ok()) {
    return {Mark::fail, "database", lost.error().front().what, lost.error().front().help};
  }
  if (!env::exists(project.database())) return {Mark::ok, "database", "none yet: nothing was run here", ""};
  const auto problems = store::integrity_problems(project.database());
  if (!problems.ok()) return {Mark::fail, "database", problems.error().front().what, problems.error().front().help};
  if (!problems->empty()) {
    return {Mark::fail, "database", problems->front(),
            "`lowbit doctor --rebuild` makes it again from the published results"};
  }
  if (store::on_network_file_system(project.state())) {
    return {Mark::warn, "database", "on a network file system: a rollback journal is used, one writer at a time",
            "a local disk is faster"};
  }
  return {Mark::ok, "database", project.database().string() + " is sound", ""};
}

/// Nothing but PDFs wants it.
Check check_pdf() {
  if (const auto program = pdf_converter()) return {Mark::ok, "PDF", "figures by " + program->string(), ""};
  return {Mark::ok, "PDF", "no rsvg-convert: `lowbit figure` writes SVG, no PDF",
          "install it for PDFs (Debian: apt install librsvg2-bin)"};
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
  options.flag("verify", "read every published byte and compare it with its manifest")
      .flag("repair", "with --verify: set damaged results aside, so that the next run makes them again")
      .flag("rebuild", "make the database again from the published results; the former one is kept beside it")
      .flag("json", "one JSON array of checks, or one JSON object of what --verify or --rebuild found")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const exec::ProjectPaths project, project_of(options));
  if (options.has("rebuild") && options.has("verify")) {
    return error("LB0001", "`lowbit doctor` takes one of --verify and --rebuild")
        .fix("give --rebuild first: it leaves damaged results out; then --verify");
  }
  if (options.has("repair") && !options.has("verify")) {
    return error("LB0001", "`--repair` goes with --verify").fix("`lowbit doctor --verify --repair`");
  }
  if (options.has("rebuild")) return rebuild_results(project, options.has("json"));
  if (options.has("verify")) return verify_results(project, options.has("repair"), options.has("json"));
  std::vector<Check> checks{check_machine(),         check_blas(), check_disk(project), check_writable(project),
                            check_database(project), check_pdf()};
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
  if (options.has("json")) print_json(json);
  return failures == 0 ? 0 : 3;
}

}  // namespace lowbit::cli
