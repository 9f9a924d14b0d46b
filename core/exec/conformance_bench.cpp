#include "exec/conformance_bench.h"

#include <lowbit/plugin_abi.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "env/clock.h"
#include "env/files.h"
#include "env/process.h"
#include "exec/job_environment.h"
#include "exec/local/asio_loop.h"
#include "exec/local/job_socket.h"
#include "exec/local/local_executor.h"
#include "exec/manifest.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPoll = 1ms;

/// Watches one job from its start to its end and does to it what the order says.
class Supervision {
 public:
  Supervision(AsioLoop& loop, LocalExecutor& executor, const TestJob& job, const JobRequest& request, EndedJob& ended)
      : loop_(loop), executor_(executor), job_(job), request_(request), ended_(ended), tail_(ended.attempt.journal()) {}

  void begin(const std::vector<std::string>& environment) {
    started = executor_.start(request_, ended_.attempt, environment, [this] { finish(); });
    if (!started.ok()) return loop_.stop();
    loop_.after(job_.limit, [this] {
      ended_.out_of_time = true;
      kill();
    });
    if (job_.cancel_after || job_.kill_after_checkpoints > 0) watch();
  }

  /// The whole session, as when the machine goes down. A shim that has not said who it is yet is waited for.
  void kill() {
    const auto text = env::read_file(ended_.attempt.shim());
    const auto shim = text.ok() ? env::process_identity(Json::parse(*text, nullptr, false)) : std::nullopt;
    if (shim && env::kill_session(shim->pid, request_.attempt) > 0) return;
    loop_.after(kPoll, [this] { kill(); });
  }

  Result<void> started;

 private:
  void watch() {
    for (const Json& record : tail_.poll()) {
      const std::string kind = record.value("k", "");
      if (kind == "checkpoint") ++checkpoints_;
      if (kind == "hello" && job_.cancel_after) {
        loop_.after(*job_.cancel_after, [this] { cancel(); });
        return;
      }
    }
    if (job_.kill_after_checkpoints > 0 && checkpoints_ >= job_.kill_after_checkpoints) {
      ended_.killed = true;
      return kill();
    }
    loop_.after(kPoll, [this] { watch(); });
  }

  void cancel() {
    cancelled_at_ = Clock::now();
    executor_.cancel(request_.attempt);
    loop_.after(job_.cancel_limit, [this] {
      ended_.outlived_cancel = true;
      kill();
    });
  }

  void finish() {
    if (cancelled_at_) {
      ended_.after_cancel = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - *cancelled_at_);
    }
    loop_.stop();
  }

  AsioLoop& loop_;
  LocalExecutor& executor_;
  const TestJob& job_;
  const JobRequest& request_;
  EndedJob& ended_;
  JournalTail tail_;
  std::size_t checkpoints_ = 0;
  std::optional<Clock::time_point> cancelled_at_;
};

std::vector<std::string> environment_of(const StageDescription& stage, const TestJob& job, const EndedJob& ended,
                                        const std::string& attempt) {
  std::vector<std::string> entries = job_environment(stage.environment, job.threads, attempt);
  const auto drop = [&](std::string_view name) {
    entries.erase(std::remove_if(entries.begin(), entries.end(),
                                 [&](std::string_view entry) { return entry.substr(0, entry.find('=')) == name; }),
                  entries.end());
  };
  drop("TMPDIR");
  entries.push_back("TMPDIR=" + ended.temporary_files().string());
  if (!job.bare_environment) return entries;
  for (const char* name : kPersonalVariables) {
    if (std::find(stage.environment.begin(), stage.environment.end(), name) == stage.environment.end()) drop(name);
  }
  return entries;
}

JobRequest request_of(const StageDescription& stage, const TestJob& job) {
  JobRequest request;
  request.attempt = env::fresh_nonce();
  request.stage = stage.id;
  request.params = job.params;
  request.inputs = job.inputs;
  for (const PortDescription& port : stage.outputs) {
    request.outputs.push_back(port.name);
    if (!port.optional) request.required_outputs.push_back(port.name);
  }
  request.seed = job.seed;
  request.threads = job.threads;
  request.resume_from = job.resume_from;
  return request;
}

std::map<std::string, std::string> digests_of(const StageDescription& stage, const AttemptPaths& attempt) {
  std::map<std::string, std::string> digests;
  for (const PortDescription& port : stage.outputs) {
    if (port.types.front() == "api-calls/1" || !env::exists(attempt.output(port.name))) continue;
    const auto manifest = read_manifest(attempt.output(port.name), false);
    if (!manifest.ok()) {
      digests[port.name] = "unreadable";  // why: the check `outputs`
    } else if (!manifest->files.empty()) {
      digests[port.name] = manifest->digest().hex();
    }
  }
  return digests;
}

std::string last_words(const AttemptPaths& attempt) {
  const auto written = env::read_file(attempt.standard_error());
  const std::string text = written.ok() ? *written : std::string();
  const std::size_t end = text.find_last_not_of(" \r\n");
  if (end == std::string::npos) return {};
  const std::size_t newline = text.rfind('\n', end);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  return "; its last words: " + text.substr(begin, end + 1 - begin);
}

}  // namespace

Result<std::unique_ptr<TemporaryDirectory>> TemporaryDirectory::make(fs::path parent) {
  std::error_code code;
  if (parent.empty()) parent = fs::temp_directory_path(code);
  if (code) parent = "/tmp";
  std::string form = (parent / "lowbit-check-XXXXXX").string();
  if (::mkdtemp(form.data()) == nullptr) return env::file_error("creating", form, errno);
  return std::unique_ptr<TemporaryDirectory>(new TemporaryDirectory(form));
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

bool EndedJob::ended_well() const {
  return exit && exit->kind == ExitKind::exited && exit->code == 0 && report.status == LB_OK;
}

int EndedJob::status() const { return report.status.value_or(exit ? exit->code : -1); }

std::optional<std::string> EndedJob::silence() const {
  if (!report.failure.is_object() || report.failure.value("by", "") == "lowbit") return "it never called fail()";
  for (const char* part : {"what", "where", "why", "fix"}) {
    if (report.failure.value(part, "").empty()) return std::string("it did not say `") + part + "`";
  }
  return std::nullopt;
}

std::string EndedJob::ending() const {
  if (out_of_time) return "it was still running when its time was over";
  if (!exit) return "job and shim ended without a record";
  if (exit->kind == ExitKind::signalled) {
    const char* name = ::strsignal(exit->code);
    return "signal " + std::to_string(exit->code) + " (" + (name == nullptr ? "unknown" : name) + ")" +
           last_words(attempt);
  }
  if (!report.status) {
    return "it left with exit status " + std::to_string(exit->code) + " before its stage returned" +
           last_words(attempt);
  }
  std::string text = status_name(*report.status);
  if (!report.failure.is_object()) return text;
  text += ": " + report.failure.value("what", "");
  if (const std::string why = report.failure.value("why", ""); !why.empty()) text += " (" + why + ")";
  return text;
}

std::vector<MetricRow> EndedJob::final_metrics() const {
  std::vector<MetricRow> rows;
  std::copy_if(report.metrics.begin(), report.metrics.end(), std::back_inserter(rows),
               [](const MetricRow& row) { return row.step < 0; });
  std::sort(rows.begin(), rows.end(), [](const MetricRow& a, const MetricRow& b) { return a.name < b.name; });
  return rows;
}

std::optional<std::string> difference(const EndedJob& expected, const EndedJob& found) {
  std::vector<std::string> all;
  std::map<std::string, std::string> ports = expected.outputs;
  ports.insert(found.outputs.begin(), found.outputs.end());
  for (const auto& [port, ignored] : ports) {
    const bool here = expected.outputs.contains(port);
    const bool there = found.outputs.contains(port);
    if (here != there) {
      all.push_back("output `" + port + "` was " + (here ? "not written" : "written only now"));
    } else if (expected.outputs.at(port) != found.outputs.at(port)) {
      all.push_back("output `" + port + "` has other bytes");
    }
  }
  std::map<std::string, MetricRow> before;
  std::map<std::string, MetricRow> after;
  for (const MetricRow& row : expected.final_metrics()) before[row.name] = row;
  for (const MetricRow& row : found.final_metrics()) after[row.name] = row;
  for (const auto& [name, row] : before) {
    const auto other = after.find(name);
    if (other == after.end()) {
      all.push_back("metric " + name + " is missing");
    } else if (const Json was(row.value), is(other->second.value); was != is) {
      all.push_back("metric " + name + " is " + canonical(is) + ", was " + canonical(was));
    } else if (to_json(other->second) != to_json(row)) {
      all.push_back("metric " + name + " has another unit, count or std_error");
    }
  }
  for (const auto& [name, row] : after) {
    if (!before.contains(name)) all.push_back("metric " + name + " is new");
  }
  if (all.empty()) return std::nullopt;
  std::string text;
  for (const std::string& one : all) text += (text.empty() ? "" : "; ") + one;
  return text;
}

std::string status_name(int status) {
  constexpr std::array<const char*, 8> kNames{"LB_OK",       "LB_CANCELLED", "LB_BAD_PARAM", "LB_BAD_INPUT",
                                              "LB_INTERNAL", "LB_RESOURCE",  "LB_NUMERIC",   "LB_TRANSIENT"};
  if (status < 0 || status >= static_cast<int>(kNames.size())) return "status " + std::to_string(status);
  return kNames[static_cast<std::size_t>(status)];
}

Result<EndedJob> TestBench::run(const StageDescription& stage, const TestJob& job) {
  EndedJob ended;
  LB_TRY_ASSIGN(ended.files, TemporaryDirectory::make(files_in_));
  ended.attempt.directory = ended.files->path() / "attempt";
  for (const fs::path& directory :
       {ended.attempt.scratch(), ended.attempt.checkpoints(), ended.working_directory(), ended.temporary_files()}) {
    LB_TRY(env::make_directories(directory));
  }
  JobRequest request = request_of(stage, job);
  request.library = library_;
  request.paid_calls = ended.paid_calls();
  // Another name each time: names may not get into a result.
  request.stage_label = stage.id + "[check=" + std::to_string(++jobs_) + "]";
  request.socket = socket_path(request.attempt);
  LB_TRY(env::write_file_durably(ended.attempt.request(), canonical(to_json(request))));

  bool interrupted = false;
  {
    AsioLoop loop;
    LocalExecutor executor(loop, program_, ended.working_directory());
    Supervision supervision(loop, executor, job, request, ended);
    loop.on_interrupt([&] {
      if (!interrupted) supervision.kill();
      interrupted = true;
    });
    loop.post([&] { supervision.begin(environment_of(stage, job, ended, request.attempt)); });
    loop.run();
    LB_TRY(std::move(supervision.started));
  }
  std::error_code ignored;
  fs::remove(request.socket, ignored);  // a killed shim leaves it behind
  if (interrupted) {
    ended.files.reset();
    std::raise(SIGINT);
  }
  ended.exit = exit_record(ended.attempt.exit());
  ended.report = read_report(ended.attempt.journal());
  ended.killed = ended.killed && (!ended.exit || ended.exit->kind == ExitKind::signalled);
  if (ended.ended_well()) ended.outputs = digests_of(stage, ended.attempt);
  return ended;
}

}  // namespace lowbit::exec
