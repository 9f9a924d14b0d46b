#include <array>
#include <cstdio>
#include <optional>

#include "base/utf8.h"
#include "base/words.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "env/files.h"
#include "exec/attempt_files.h"
#include "exec/journal.h"
#include "store/project_facts.h"

namespace lowbit::cli {
namespace {

constexpr std::array<const char*, 4> kLevels{"debug", "info", "warn", "error"};

/// Of `names`, the variants that `label` leaves open: "judge[seed=0]" for "judge", "judge[task=a,seed=0]" for
/// "judge[task=a]". The first few, as one sentence; empty when there are none.
std::string variants_of(const std::string& label, const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 4;
  const std::string stem = label.back() == ']' ? label.substr(0, label.size() - 1) + "," : label + "[";
  std::vector<std::string> variants;
  for (const std::string& name : names) {
    if (name.starts_with(stem)) variants.push_back(printable(name));
  }
  return listed(variants, kShown);
}

void print_file(const char* title, const std::filesystem::path& file) {
  const auto text = env::read_file(file);
  if (!text.ok() || text->empty()) return;
  std::printf("--- %s\n%s%s", title, text->c_str(), text->back() == '\n' ? "" : "\n");
}

void print_journal(const std::filesystem::path& file) {
  const std::vector<Json> records = exec::JournalTail(file).poll();
  std::printf("--- journal\n");
  for (const Json& record : records) {
    const std::string kind = record.value("k", "");
    if (kind == "log") {
      const auto level = static_cast<std::size_t>(record.value("level", 1));
      std::printf("%-5s %s\n", level < kLevels.size() ? kLevels[level] : "?", record.value("text", "").c_str());
    } else if (kind == "metric" && record.value("step", -1) == -1) {
      std::printf("metric %s = %s %s\n", record.value("name", "").c_str(), canonical(record["value"]).c_str(),
                  record.value("unit", "").c_str());
    } else if (kind == "checkpoint") {
      std::printf("checkpoint %s\n", canonical(record["step"]).c_str());
    } else if (kind == "fail") {
      for (const char* key : {"what", "where", "why", "fix"})
        std::printf("%-5s %s\n", key, record.value(key, "").c_str());
    }
  }
  const exec::JobReport report = exec::summarize(records);
  if (report.last_progress) std::printf("last progress: %s\n", canonical(*report.last_progress).c_str());
}

}  // namespace

Result<int> logs_command(const Words& words) {
  CommandOptions options("logs");
  options.argument("stage", "one variant of a stage, as `lowbit status` prints it", true)
      .flag("path", "print only the directory that holds the logs")
      .flag("json", "one JSON object: directory, journal records, stdout, stderr, exit")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  const std::string label = options.get("stage");
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const std::optional<std::string> directory, facts.newest_attempt_directory(label));
  if (!directory) {
    LB_TRY_ASSIGN(const std::vector<std::string> names, facts.names(store::Named::attempts));
    Diagnostic problem = error("LB0004", "no attempt of " + label + " is recorded in " + project.root.string());
    if (const std::string variants = variants_of(label, names); !variants.empty()) {
      problem.note("its variants are " + variants);
    } else if (const std::string near = nearest(label, names); !near.empty()) {
      problem.note("an attempt with a similar name exists: " + near);
    }
    return problem.fix("`lowbit status --json` lists every variant");
  }
  const exec::AttemptPaths attempt{project.state() / *directory};
  if (options.has("json")) {
    const auto text = [](const std::filesystem::path& file) {
      auto read = env::read_file(file);
      return read.ok() ? Json(*std::move(read)) : Json(nullptr);
    };
    const Json all{
        {"directory", attempt.directory.string()},
        {"journal", exec::JournalTail(attempt.journal()).poll()},
        {"stdout", text(attempt.standard_output())},
        {"stderr", text(attempt.standard_error())},
        {"exit", Json::parse(text(attempt.exit()).is_null() ? "null" : text(attempt.exit()).get<std::string>(), nullptr,
                             false)}};
    print_json(all);
    return 0;
  }
  std::printf("%s\n", attempt.directory.c_str());
  if (options.has("path")) return 0;
  print_journal(attempt.journal());
  print_file("stdout", attempt.standard_output());
  print_file("stderr", attempt.standard_error());
  print_file("exit", attempt.exit());
  return 0;
}

}  // namespace lowbit::cli
