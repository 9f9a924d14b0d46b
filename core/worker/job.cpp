#include "worker/job.h"

#include <lowbit/plugin_abi.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "env/files.h"
#include "env/posix/descriptor.h"
#include "env/process.h"
#include "exec/journal.h"
#include "plugin/library.h"
#include "worker/host_table.h"

namespace lowbit::worker {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

const lb_stage* find_stage(const lb_plugin& plugin, const std::string& id) {
  for (const lb_stage* const* stage = plugin.stages; *stage != nullptr; ++stage) {
    if (id == (*stage)->id) return *stage;
  }
  return nullptr;
}

/// `by` tells it from what a stage says itself.
Json fail_record(const std::string& what, const std::string& where, const std::string& why, const std::string& fix) {
  return {{"k", "fail"}, {"by", "lowbit"}, {"what", what}, {"where", where}, {"why", why}, {"fix", fix}};
}

/// The stage's status, after holding the plugin to its contract.
lb_status run_stage(const lb_stage& stage, const exec::JobRequest& request, HostTable& host) {
  const lb_job job = host.job();
  if (stage.check != nullptr) {
    if (const lb_status status = stage.check(&job, host.table()); status != LB_OK) return status;
  }
  const lb_status status = stage.run(&job, host.table());
  if (status == LB_CANCELLED && !stop_requested && !host.journal_broken()) {
    host.report(fail_record("the stage says it was cancelled, but nobody asked it to stop", request.stage_label, "",
                            "this is a bug in the plugin: report it to its author"));
    return LB_INTERNAL;
  }
  if (status != LB_OK && status != LB_CANCELLED && !host.failure_reported()) {
    host.report(fail_record("the stage failed without saying why", request.stage_label,
                            "status " + std::to_string(status) + ", and fail() was never called",
                            "this is a bug in the plugin: report it to its author"));
  }
  if (status != LB_OK) return status;
  if (const auto port = host.missing_output()) {
    host.report(fail_record("the stage succeeded without writing its output `" + *port + "`", request.stage_label,
                            "a required output must hold at least one file",
                            "this is a bug in the plugin: report it to its author"));
    return LB_INTERNAL;
  }
  return LB_OK;
}

constexpr const char* kAttempt = "LOWBIT_ATTEMPT";

/// In place, for who looks at a process from outside (env::kill_session) sees the memory that it was started with.
void set_attempt(const std::string& nonce) {
  char* const value = std::getenv(kAttempt);
  if (value != nullptr && std::strlen(value) == nonce.size()) {
    std::copy(nonce.begin(), nonce.end(), value);
  } else {
    ::setenv(kAttempt, nonce.c_str(), 1);
  }
}

void open_as(int number, const std::filesystem::path& file) {
  const env::Descriptor opened(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (opened) ::dup2(opened.get(), number);
}

int cannot_report(const Diagnostics& problems) {
  std::fputs(render(problems).c_str(), stderr);
  return kJobCannotReport;
}

}  // namespace

void enter_attempt(const exec::AttemptPaths& attempt, const std::string& nonce) {
  set_attempt(nonce);
  open_as(STDOUT_FILENO, attempt.standard_output());
  open_as(STDERR_FILENO, attempt.standard_error());
}

void leave_attempt() {
  if (const char* const value = std::getenv(kAttempt)) set_attempt(std::string(std::strlen(value), '-'));
}

int run_attempt(const exec::AttemptPaths& attempt) {
  const auto text = env::read_file(attempt.request());
  if (!text.ok()) return cannot_report(text.error());
  const auto request = exec::job_request(Json::parse(*text, nullptr, false));
  return request.ok() ? run_job(*request, attempt) : cannot_report(request.error());
}

int run_job(const exec::JobRequest& request, const exec::AttemptPaths& attempt) {
  std::signal(SIGTERM, [](int) { stop_requested = true; });
  std::signal(SIGINT, SIG_IGN);  // a Ctrl-C at the terminal reaches the host, which decides
  std::signal(SIGPIPE, SIG_IGN);
  env::keep_freed_memory();

  auto journal = exec::JournalWriter::open(attempt.journal());
  if (!journal.ok()) return cannot_report(journal.error());
  HostTable host(request, attempt, *journal, stop_requested);
  host.report({{"k", "hello"}, {"pid", ::getpid()}, {"stage", request.stage}});

  const auto plugin = plugin::load_plugin(request.library);
  const lb_stage* stage = plugin.ok() ? find_stage(**plugin, request.stage) : nullptr;
  if (stage == nullptr) {
    if (plugin.ok()) {
      host.report(fail_record("the plugin no longer offers stage " + request.stage, request.library.string(),
                              "it did when it was described", "run the same command again"));
    } else {
      const Diagnostic& problem = plugin.error().front();
      host.report(fail_record(problem.what, request.library.string(),
                              problem.notes.empty() ? "" : problem.notes.front(), problem.help));
    }
    host.report({{"k", "done"}, {"status", LB_INTERNAL}});
    return kJobCannotLoad;
  }
  const lb_status status = run_stage(*stage, request, host);
  host.report({{"k", "done"}, {"status", status}});
  if (host.journal_broken()) {  // synced with the rest of the attempt, by the shim or the host
    std::fputs("lowbit: the journal could not be written: is the disk full?\n", stderr);
    return kJobCannotReport;
  }
  return status;
}

}  // namespace lowbit::worker
