#include "command_stage.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>

#include "child_process.h"
#include "events.h"

namespace lowbit::command {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kProgramPlace = "{program}";
constexpr std::chrono::milliseconds kLook{50};  ///< how often the events file and the cancel flag are looked at
/// Two seconds less than the host gives the job: the program is ended by the one who knows its group.
constexpr std::chrono::seconds kGrace{8};

[[noreturn]] void bad_param(std::string what, std::string where, std::string why, std::string fix) {
  throw StageError(LB_BAD_PARAM, {std::move(what), std::move(where), std::move(why), std::move(fix)});
}

bool names_program(const std::string& argument) { return argument.find(kProgramPlace) != std::string::npos; }

std::vector<std::string> arguments(const Job& job, const Params& params) {
  std::vector<std::string> out = params.command;
  const bool named = std::any_of(out.begin(), out.end(), names_program);
  const bool bound = job.has_input("program");
  if (named != bound) {
    bad_param(named ? "`command` names {program}, but nothing is bound to it" : "`program` is bound, but not used",
              "params.command", named ? "the input `program` is not in `with`" : "no argument contains {program}",
              named ? "bind the input: `with: {program: inputs.NAME}`" : "write {program} where its path belongs");
  }
  if (!bound) return out;
  const std::string path = fs::absolute(job.input("program").file()).string();
  for (std::string& argument : out) {
    for (std::size_t at = argument.find(kProgramPlace); at != std::string::npos;
         at = argument.find(kProgramPlace, at + path.size())) {
      argument.replace(at, kProgramPlace.size(), path);
    }
  }
  return out;
}

/// schemas/command-job.schema.json.
json job_file(const Job& job, const Params& params, const Ports& ports, const fs::path& directory) {
  json inputs = json::object();
  for (const Port& port : ports.inputs) {
    json members = json::array();
    for (const Input& in : job.inputs(port.name)) {
      members.push_back({{"path", fs::absolute(in.path).string()},
                         {"type", in.type},
                         {"digest", in.digest},
                         {"coordinates", in.coordinates},
                         {"closure", in.closure}});
    }
    inputs[port.name] = std::move(members);
  }
  json outputs = json::object();
  for (const Port& port : ports.outputs) outputs[port.name] = fs::absolute(job.output(port.name)).string();
  const auto resume_from = job.resume_from();
  return {{"format", 1},
          {"stage", job.stage_id()},
          {"kind", ports.kind},
          {"args", params.args},
          {"seed", job.seed()},
          {"threads", job.threads()},
          {"device", job.device()},
          {"rates", job.rates()},
          {"inputs", std::move(inputs)},
          {"outputs", std::move(outputs)},
          {"scratch", (directory / "work").string()},
          {"resume_dir", (directory / "resume").string()},
          {"resume_from", resume_from ? json(fs::absolute(*resume_from).string()) : json(nullptr)},
          {"events", (directory / "events.jsonl").string()}};
}

bool ended_well(const Ending& end, const Params& params) {
  const auto& good = params.success_codes;
  return !end.signalled && std::find(good.begin(), good.end(), end.code) != good.end();
}

[[noreturn]] void ended_badly(const Ending& end, const Params& params, const std::string& last_words) {
  // Nobody here sends SIGKILL to a program that is not being stopped: that is the kernel, short of memory.
  const bool killed = end.signalled && end.code == SIGKILL;
  const char* const name = end.signalled ? ::strsignal(end.code) : nullptr;
  const std::string how =
      end.signalled ? "by signal " + std::to_string(end.code) + (name != nullptr ? " (" + std::string(name) + ")" : "")
                    : "with exit status " + std::to_string(end.code);
  throw StageError(killed ? LB_RESOURCE : LB_INTERNAL,
                   {.what = "the program ended " + how,
                    .where = params.command.front(),
                    .why = last_words.empty() ? "it wrote nothing to stderr" : "it wrote last:\n" + last_words,
                    .fix = killed ? "give the stage more memory, or let the program use less"
                                  : "repair the program; it can say what is wrong with an error event "
                                    "(docs/command-stage.md)"});
}

bool wrote_something(const Job& job, const Ports& ports) {
  return std::any_of(ports.outputs.begin(), ports.outputs.end(),
                     [&](const Port& port) { return !fs::is_empty(job.output(port.name)); });
}

}  // namespace

void check_command(const Job&, const Params& params) {
  if (params.command.front().empty()) {
    bad_param("the first member of `command` is empty", "params.command", "it names the program", "name a program");
  }
  for (const auto& [name, value] : params.env.items()) {
    if (!value.is_string()) {
      bad_param("`env." + name + "` is not text", "params.env", "found " + value.dump(), "write it in quotes");
    }
    if (name.empty() || name.find('=') != std::string::npos || name.starts_with("LOWBIT_")) {
      bad_param("`" + name + "` cannot be the name of a variable here", "params.env",
                "names are not empty, hold no = and do not start with LOWBIT_", "choose another name");
    }
  }
}

void run_command(const Job& job, const Params& params, const Ports& ports) {
  check_command(job, params);
  const fs::path directory = fs::absolute(job.scratch());
  fs::create_directories(directory / "work");
  fs::create_directories(directory / "resume");
  const json description = job_file(job, params, ports, directory);
  const fs::path file = directory / "job.json";
  std::ofstream out(file);
  out << description.dump(2) << '\n';
  out.close();
  if (!out) {
    throw StageError(LB_RESOURCE, {.what = "the job file could not be written",
                                   .where = file.string(),
                                   .why = std::strerror(errno),
                                   .fix = "check free space and permissions of the project's directory"});
  }

  Command command{.arguments = arguments(job, params),
                  .environment = params.env.get<std::map<std::string, std::string>>(),
                  .directory = directory / "work"};
  command.environment["LOWBIT_JOB"] = file.string();
  Events events(job, directory / "events.jsonl", directory / "resume");
  ChildProcess program(command);
  std::optional<Ending> end;
  try {
    while (!end) {
      end = program.watch(kLook);
      events.read();
      job.stop_if_cancelled();
    }
    // Of a program that was cut off, the last line may be too: then how it ended is the news.
    if (ended_well(*end, params)) events.read_to_end();
  } catch (...) {
    program.stop(kGrace);
    throw;
  }
  if (events.error()) throw StageError(*events.error());
  if (!ended_well(*end, params)) ended_badly(*end, params, program.last_words());
  if (events.final_metrics() == 0 && !wrote_something(job, ports)) {
    throw StageError(LB_INTERNAL, {.what = "the program ended well but left nothing behind",
                                   .where = params.command.front(),
                                   .why = "it wrote into no output directory and reported no final metric",
                                   .fix = "write to the directories under `outputs` of the job file"});
  }
}

}  // namespace lowbit::command
