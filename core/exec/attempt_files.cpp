#include "exec/attempt_files.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/whole_number.h"
#include "env/files.h"

namespace lowbit::exec {
namespace {

constexpr std::array<std::pair<ExitKind, std::string_view>, 3> kExitNames{
    {{ExitKind::exited, "exited"}, {ExitKind::signalled, "signalled"}, {ExitKind::lost, "lost"}}};

}  // namespace

Result<void> check_attempt_format(const Json& record) {
  const Json& format = member(record, "format");
  if (!format.is_number() || format.get<double>() <= kAttemptFormat) return {};
  const Json& label = member(record, "stage_label");
  return error("LB4108", "the record of an attempt was written by a newer lowbit")
      .note("its format is " + canonical(format) + ", and this lowbit reads " + std::to_string(kAttemptFormat) +
            (label.is_string() ? "; it is of " + label.get<std::string>() : ""))
      .fix("use the newer lowbit in this project; nothing was changed");
}

Json to_json(const JobRequest& request) {
  Json inputs = Json::object();
  for (const auto& [port, members] : request.inputs) {
    Json list = Json::array();
    for (const JobInput& input : members) {
      list.push_back({{"path", input.path.string()},
                      {"type", input.type},
                      {"digest", input.digest.hex()},
                      {"coordinates", input.coordinates},
                      {"closure", input.closure}});
    }
    inputs[port] = list;
  }
  return {{"format", kAttemptFormat},
          {"attempt", request.attempt},
          {"stage_label", request.stage_label},
          {"library", request.library.string()},
          {"stage", request.stage},
          {"preload", request.preload},
          {"brief", request.brief},
          {"params", request.params},
          {"inputs", inputs},
          {"outputs", request.outputs},
          {"required_outputs", request.required_outputs},
          {"seed", request.seed},
          {"threads", request.threads},
          {"device", request.device},
          {"lease", request.lease},
          {"resume_from", request.resume_from.string()},
          {"timeout_ms", request.timeout.count()},
          {"socket", request.socket.string()},
          {"paid_calls", request.paid_calls.string()}};
}

Result<JobRequest> job_request(const Json& json) {
  LB_TRY(check_attempt_format(json));
  try {
    JobRequest request;
    request.attempt = json.at("attempt");
    request.stage_label = json.at("stage_label");
    request.library = json.at("library").get<std::string>();
    request.stage = json.at("stage");
    request.preload = json.value("preload", false);
    request.brief = json.value("brief", false);
    request.params = json.at("params");
    for (const auto& [port, list] : json.at("inputs").items()) {
      std::vector<JobInput>& members = request.inputs[port];
      for (const Json& input : list) {
        members.push_back({.path = input.at("path").get<std::string>(),
                           .type = input.at("type"),
                           .digest = Digest::from_hex(input.at("digest").get<std::string>()).value_or(Digest()),
                           .coordinates = input.at("coordinates"),
                           .closure = input.at("closure")});
      }
    }
    request.outputs = json.at("outputs").get<std::vector<std::string>>();
    request.required_outputs = json.at("required_outputs").get<std::vector<std::string>>();
    request.seed = whole_number<std::uint64_t>(json.at("seed"));
    request.threads = whole_number<std::uint32_t>(json.at("threads"));
    request.device = json.at("device");
    request.lease = json.value("lease", Json());
    request.resume_from = json.at("resume_from").get<std::string>();
    request.timeout = std::chrono::milliseconds(whole_number<std::int64_t>(json.at("timeout_ms")));
    request.socket = json.at("socket").get<std::string>();
    request.paid_calls = json.value("paid_calls", "");
    return request;
  } catch (const Json::exception& e) {
    return error("LB5001", "the job request cannot be read").note(e.what()).fix("run the same command again");
  }
}

Json to_json(const ExitRecord& record) {
  std::string_view kind = "lost";
  for (const auto& [k, name] : kExitNames) {
    if (k == record.kind) kind = name;
  }
  return {{"kind", kind},
          {"code", record.code},
          {"timed_out", record.timed_out},
          {"cancelled", record.cancelled},
          {"seconds", record.seconds},
          {"peak_memory_bytes", record.peak_memory_bytes},
          {"over_lease_bytes", record.over_lease_bytes},
          {"lease_bytes", record.lease_bytes},
          {"unsynced_boot", record.unsynced_boot}};
}

std::optional<ExitRecord> exit_record(const std::filesystem::path& file) {
  const auto record = read_exit_record(file);
  return record.ok() ? *record : std::nullopt;
}

Result<std::optional<ExitRecord>> read_exit_record(const std::filesystem::path& file) {
  LB_TRY_ASSIGN(const std::optional<std::string> text, env::read_file_if_there(file));
  const Json json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object()) return std::optional<ExitRecord>();
  try {
    ExitRecord record;
    const std::string kind = json.value("kind", "lost");
    for (const auto& [k, name] : kExitNames) {
      if (name == kind) record.kind = k;
    }
    record.code = whole_number(json, "code", 0);
    record.timed_out = json.value("timed_out", false);
    record.cancelled = json.value("cancelled", false);
    record.seconds = json.value("seconds", 0.0);
    record.peak_memory_bytes = whole_number(json, "peak_memory_bytes", std::uint64_t{0});
    record.over_lease_bytes = whole_number(json, "over_lease_bytes", std::uint64_t{0});
    record.lease_bytes = whole_number(json, "lease_bytes", std::uint64_t{0});
    record.unsynced_boot = json.value("unsynced_boot", std::string());
    return std::optional(record);
  } catch (const Json::exception&) {
    return std::optional<ExitRecord>();  // no shim wrote that: its job is lost
  }
}

std::optional<std::filesystem::path> newest_checkpoint(const AttemptPaths& attempt) {
  std::optional<std::filesystem::path> newest;
  std::uint64_t newest_step = 0;
  std::error_code code;
  for (std::filesystem::directory_iterator it(attempt.checkpoints(), code), end; !code && it != end;
       it.increment(code)) {
    const std::string name = it->path().filename().string();
    std::uint64_t step = 0;
    const auto [stop, problem] = std::from_chars(name.data(), name.data() + name.size(), step);
    if (problem != std::errc() || stop != name.data() + name.size()) continue;  // an uncommitted one ends in .tmp
    if (!newest || step >= newest_step) {
      newest = it->path();
      newest_step = step;
    }
  }
  return newest;
}

}  // namespace lowbit::exec
