#include "exec/publish.h"

#include <csignal>
#include <cstring>

#include <lowbit/plugin_abi.h>

#include <array>
#include <cmath>
#include <optional>

#include "base/whole_number.h"
#include "domain/metric_registry.h"
#include "env/clock.h"
#include "env/files.h"
#include "exec/artifact_check.h"
#include "exec/journal.h"
#include "exec/manifest.h"
#include "exec/progress_watch.h"
#include "exec/wording.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<FailureCause, std::string_view>, 7> kCauses{{{FailureCause::stage, "stage"},
                                                                            {FailureCause::resource, "resource"},
                                                                            {FailureCause::preempted, "preempted"},
                                                                            {FailureCause::timeout, "timeout"},
                                                                            {FailureCause::cancelled, "cancelled"},
                                                                            {FailureCause::transient, "transient"},
                                                                            {FailureCause::stalled, "stalled"}}};

/// How far the job got, for messages about jobs that ended without a word.
std::string last_position(const JobReport& report, const ExitRecord& end) {
  const std::string text =
      "it ran " + seconds_text(end.seconds) + ", peak memory " + gibibytes_text(end.peak_memory_bytes);
  return text + (report.last_progress ? "; last progress: " + position_text(*report.last_progress)
                                      : std::string("; it reported no progress"));
}

std::optional<Failure> failure_of(const JobReport& report, bool journal_damaged, const ExitRecord& ended,
                                  const std::string& label) {
  const std::string logs = "see `lowbit logs '" + label + "'`";
  if (ended.kind == ExitKind::lost) {
    return Failure{FailureCause::preempted, "the job was lost", label,
                   "job and shim ended without a record: killed, or the machine went down",
                   "run the same command again: it continues"};
  }
  const bool ended_well = ended.kind == ExitKind::exited && ended.code == 0 && report.status == LB_OK;
  if (ended.cancelled && !ended_well) {
    return Failure{FailureCause::cancelled, "the job was cancelled", label, last_position(report, ended),
                   "run the same command again: it continues"};
  }
  if (ended.timed_out) {
    return Failure{FailureCause::timeout, "the job exceeded its time limit", label, last_position(report, ended),
                   "raise `resources.timeout` of the stage; " + logs};
  }
  if (ended.over_lease_bytes > 0) {
    return Failure{FailureCause::resource,
                   "the job held " + gibibytes_text(ended.over_lease_bytes) + " of memory, more than its lease of " +
                       gibibytes_text(ended.lease_bytes),
                   label, last_position(report, ended),
                   "raise `resources.memory` of the stage, or leave it out: then nothing is counted; " + logs};
  }
  if (ended.kind == ExitKind::signalled) {
    const bool killed = ended.code == SIGKILL;
    const char* name = ::strsignal(ended.code);
    return Failure{killed ? FailureCause::preempted : FailureCause::stage,
                   "the job ended without a result: signal " + std::to_string(ended.code) + " (" +
                       (name == nullptr ? "unknown" : name) + ")",
                   label, last_position(report, ended),
                   killed ? "someone or the out-of-memory killer ended it: give the stage more memory or run the same "
                            "command again; " +
                                logs
                          : "the plugin crashed: report this to its author; " + logs};
  }
  if (ended_well) return std::nullopt;
  if (journal_damaged && !report.status) {
    return Failure{FailureCause::preempted, "what the job told cannot be read: its journal is damaged", label,
                   last_position(report, ended),
                   "check the disk, then run the same command again: what the stage had saved is used; " + logs};
  }
  const int status = report.status.value_or(ended.code);
  if (ended.code == 0 && !report.status) {
    return Failure{FailureCause::stage, "the job ended without a result", label,
                   "the plugin ended its process with exit status 0 before the stage returned",
                   "a plugin must return from run(): report this to its author; " + logs};
  }
  Failure failure{FailureCause::stage, "the stage failed", label, "status " + std::to_string(status), logs};
  if (status == LB_RESOURCE) failure.cause = FailureCause::resource;
  if (status == LB_TRANSIENT) failure.cause = FailureCause::transient;
  if (status == LB_CANCELLED) failure.cause = FailureCause::cancelled;
  if (report.failure.is_object()) {
    const auto take = [&](const char* key, std::string& into) {
      const std::string text = report.failure.value(key, std::string());
      if (!text.empty()) into = text;
    };
    take("what", failure.what);
    take("where", failure.where);
    take("why", failure.why);
    take("fix", failure.fix);
  }
  return failure;
}

Failure misbehaved(const std::string& label, std::string what, std::string why) {
  return Failure{FailureCause::stage, std::move(what), label, std::move(why),
                 "this is a bug in the plugin: report it to its author"};
}

std::optional<Failure> metric_failure(const std::vector<MetricRow>& metrics, const std::string& label) {
  for (MetricRow metric : metrics) {
    if (metric.step >= 0) continue;
    if (!std::isfinite(metric.value)) metric.value = 0;  // a result like others, which a gate holds back
    if (const auto problem = metric_problem(metric)) {
      return misbehaved(label, "final metric " + metric.name + " is not as declared", *problem);
    }
  }
  return std::nullopt;
}

struct CheckedOutputs {
  std::vector<store::PublishedOutput> outputs;
  std::map<std::string, std::vector<store::ItemRow>> items;
  Json manifests = Json::object();
};

/// It is not of its type (LB51xx), or holds links, pipes or sockets. Anything else is the machine's failure.
bool is_the_artifacts_own(const std::string& code) {
  return code.compare(0, 4, "LB51") == 0 || code == "LB6105" || code == "LB6106";
}

Failure rejected(const PublishContext& context, const std::string& port, const std::string& type,
                 const Diagnostics& problems) {
  std::string why;
  for (const Diagnostic& d : problems) why += (why.empty() ? "" : "; ") + d.what;
  return misbehaved(context.stage_label, "output `" + port + "` is not a valid " + type, why);
}

/// A rejected artifact is the plugin's failure, so its diagnostics become the failure's text.
Result<std::variant<CheckedOutputs, Failure>> check_outputs(const AttemptPaths& attempt, const PublishContext& context,
                                                            const fs::path& target) {
  using Outcome = std::variant<CheckedOutputs, Failure>;
  CheckedOutputs checked;
  for (const auto& [port, type] : context.output_types) {
    const fs::path directory = attempt.output(port);
    if (!env::exists(directory)) continue;
    const auto manifest = read_manifest(directory, false);
    if (manifest.ok() && manifest->files.empty()) continue;
    auto artifact =
        manifest.ok() ? check_artifact(type, directory, manifest->bytes()) : Result<CheckedArtifact>(manifest.error());
    if (!artifact.ok()) {
      if (!is_the_artifacts_own(artifact.error().front().code)) return std::move(artifact).error();
      return Outcome(rejected(context, port, type, artifact.error()));
    }
    checked.outputs.push_back({.port = port,
                               .artifact = {.type = type, .digest = manifest->digest()},
                               .path = (target / "out" / port).string(),
                               .bytes = manifest->bytes(),
                               .bases = artifact->bases,
                               .summary = artifact->summary});
    if (!artifact->items.empty()) checked.items[port] = std::move(artifact->items);
    checked.manifests[port] = {{"type", type}, {"digest", manifest->digest().hex()}, {"files", manifest->to_json()}};
  }
  return Outcome(std::move(checked));
}

/// An empty scratch directory stays where the attempt lay, for the next attempt.
Result<void> clear_scratch(const AttemptPaths& attempt) {
  std::error_code code;
  if (fs::is_empty(attempt.scratch(), code) && !code) {
    fs::rename(attempt.scratch(), attempt.directory.parent_path() / attempt.scratch().filename(), code);
    if (!code) return {};
  }
  return env::remove_tree(attempt.scratch());
}

Json metrics_json(const std::vector<MetricRow>& metrics) {
  Json list = Json::array();
  for (const MetricRow& metric : metrics) list.push_back(to_json(metric));
  return list;
}

store::Publication publication_of(const PublishContext& context, CheckedOutputs checked, std::vector<MetricRow> metrics,
                                  const std::string& directory, double seconds, const std::string& ended_at) {
  store::Publication publication;
  publication.attempt_id = context.attempt_id;
  publication.provenance_key = context.provenance_key;
  publication.result.content_key = context.content.digest;
  publication.result.content_record = context.content.record;
  publication.result.plugin_digest = context.plugin_digest;
  for (const store::PublishedOutput& output : checked.outputs)
    publication.result.outputs[output.port] = output.artifact;
  publication.own_record = context.own_record;
  publication.stage_id = context.plugin_id;
  publication.stage_kind = context.plugin_kind;
  publication.result_directory = directory;
  publication.outputs = std::move(checked.outputs);
  publication.metrics = std::move(metrics);
  publication.items = std::move(checked.items);
  publication.ended_at = ended_at;
  publication.seconds = seconds;
  return publication;
}

/// Over everything else in the record: numbers in it have no other witness.
std::string record_digest(Json manifest) {
  manifest.erase("digest");
  return sha256(canonical(manifest)).hex();
}

Diagnostic damaged_result(const fs::path& directory, const std::string& what, const std::string& why) {
  Diagnostic problem = error("LB5004", "a published result is damaged: " + what);
  if (!why.empty()) problem.note(why);
  return problem.fix("remove " + directory.string() + " and run the same command again");
}

}  // namespace

Json to_json(const PublishContext& c) {
  return {{"format", kAttemptFormat},
          {"attempt_id", c.attempt_id},
          {"number", c.number},
          {"stage_label", c.stage_label},
          {"plugin",
           {{"id", c.plugin_id},
            {"version", c.plugin_version},
            {"kind", c.plugin_kind},
            {"sha256", c.plugin_digest.hex()}}},
          {"content_key", c.content.digest.hex()},
          {"content_record", c.content.record.json()},
          {"provenance_key", c.provenance_key.hex()},
          {"own_record", c.own_record.json()},
          {"output_types", c.output_types},
          {"environment", c.environment},
          {"started_at", c.started_at},
          {"replace", c.replace}};
}

Result<PublishContext> publish_context(const Json& json) {
  LB_TRY(check_attempt_format(json));
  try {
    const auto digest = [](const Json& text) { return Digest::from_hex(text.get<std::string>()).value_or(Digest()); };
    PublishContext c;
    c.attempt_id = whole_number<std::int64_t>(json.at("attempt_id"));
    c.number = whole_number(json, "number", std::int64_t{1});
    c.stage_label = json.at("stage_label");
    c.plugin_id = json.at("plugin").at("id");
    c.plugin_version = json.at("plugin").at("version");
    c.plugin_kind = json.at("plugin").at("kind");
    c.plugin_digest = digest(json.at("plugin").at("sha256"));
    c.content = {.record = json.at("content_record"), .digest = digest(json.at("content_key"))};
    c.provenance_key = digest(json.at("provenance_key"));
    c.own_record = json.at("own_record");
    c.output_types = json.at("output_types").get<std::map<std::string, std::string>>();
    c.environment = json.at("environment");
    c.started_at = json.at("started_at");
    c.replace = json.at("replace");
    return c;
  } catch (const Json::exception& e) {
    return error("LB5003", "the record of an attempt cannot be read").note(e.what()).fix("run the same command again");
  }
}

// Written in place: the attempt's shim starts when attempt.json is there too, and a host that is killed before leaves
// a lost attempt.
Result<void> write_context(const AttemptPaths& attempt, const PublishContext& context) {
  return env::write_file(attempt.host(), canonical(to_json(context)));
}

Result<std::optional<PublishContext>> read_context(const AttemptPaths& attempt) {
  LB_TRY_ASSIGN(const std::optional<std::string> text, env::read_file_if_there(attempt.host()));
  if (!text) return std::optional<PublishContext>();
  LB_TRY_ASSIGN(PublishContext context, publish_context(Json::parse(*text, nullptr, false)));
  return std::optional(std::move(context));
}

std::optional<FailureCause> failure_cause(std::string_view name) {
  for (const auto& [cause, known] : kCauses) {
    if (known == name) return cause;
  }
  return std::nullopt;
}

std::string_view name_of(FailureCause cause) {
  for (const auto& [c, name] : kCauses) {
    if (c == cause) return name;
  }
  return "stage";
}

Json to_json(const Failure& failure) {
  return {{"cause", name_of(failure.cause)},
          {"what", failure.what},
          {"where", failure.where},
          {"why", failure.why},
          {"fix", failure.fix}};
}

fs::path result_directory(const ProjectPaths& project, const Digest& content_key, const std::string& nonce) {
  const std::string hex = content_key.hex();
  return project.results() / hex.substr(0, 2) / (hex + "-" + nonce);
}

Result<std::variant<CheckedResult, Failure>> check(const ProjectPaths& project, const AttemptPaths& attempt,
                                                   const PublishContext& context, const ExitRecord& ended) {
  using Outcome = std::variant<CheckedResult, Failure>;
  LB_TRY_ASSIGN(const std::optional<std::string> journal, env::read_file_if_there(attempt.journal()));
  const JournalRecords told = parse_journal(journal.value_or(""));
  const JobReport report = summarize(told.records);
  if (auto failure = failure_of(report, told.damaged, ended, context.stage_label)) return Outcome(*std::move(failure));
  if (auto failure = metric_failure(report.metrics, context.stage_label)) return Outcome(*std::move(failure));

  const std::string name = attempt.directory.filename().string();
  const std::string nonce = name.substr(name.find('-') + 1);
  const fs::path target = result_directory(project, context.content.digest, nonce);
  const fs::path relative = target.lexically_relative(project.state());
  LB_TRY_ASSIGN(auto outputs, check_outputs(attempt, context, relative));
  if (auto* failure = std::get_if<Failure>(&outputs)) return Outcome(std::move(*failure));
  CheckedOutputs checked = std::get<CheckedOutputs>(std::move(outputs));

  const std::string ended_at = env::utc_now();
  Json manifest = to_json(context);
  manifest["outputs"] = checked.manifests;
  manifest["metrics"] = metrics_json(report.metrics);
  manifest["seconds"] = ended.seconds;
  manifest["ended_at"] = ended_at;
  LB_TRY(clear_scratch(attempt));
  manifest["digest"] = sha256(canonical(manifest)).hex();  // as record_digest() will find it
  // In place: what lies below results/ with a manifest is a result, and it gets there when all of it is durable.
  LB_TRY(env::write_file(attempt.manifest(), manifest.dump(1, ' ', false, Json::error_handler_t::replace)));
  LB_TRY(env::make_directories(target.parent_path()));
  return Outcome(CheckedResult{.publication = publication_of(context, std::move(checked), report.metrics,
                                                             relative.string(), ended.seconds, ended_at),
                               .move = {attempt.directory, target},
                               .warnings = report.warnings});
}

Result<void> move_into_place(const std::vector<CheckedResult>& results) {
  std::vector<std::pair<fs::path, fs::path>> moves;
  moves.reserve(results.size());
  for (const CheckedResult& result : results) moves.push_back(result.move);
  LB_TRY(env::rename_durably(moves));
  for (const auto& [from, to] : moves) LB_TRY(drop_checkpoints(to));
  return {};
}

Result<void> drop_checkpoints(const fs::path& result) { return env::remove_tree(AttemptPaths{result}.checkpoints()); }

Result<Prepared> prepare(const ProjectPaths& project, const AttemptPaths& attempt, const PublishContext& context) {
  LB_TRY_ASSIGN(const std::optional<ExitRecord> ended, read_exit_record(attempt.exit()));
  LB_TRY_ASSIGN(auto outcome, check(project, attempt, context, ended.value_or(ExitRecord{})));
  if (auto* failure = std::get_if<Failure>(&outcome)) return Prepared(std::move(*failure));
  std::vector<CheckedResult> one{std::get<CheckedResult>(std::move(outcome))};
  LB_TRY(move_into_place(one));
  return Prepared(std::move(one.front().publication));
}

Result<Json> read_result_record(const fs::path& directory) {
  LB_TRY_ASSIGN(const std::string text, env::read_file(AttemptPaths{directory}.manifest()));
  Json manifest = Json::parse(text, nullptr, false);
  if (!manifest.is_object()) return damaged_result(directory, "its manifest.json is not JSON", "");
  LB_TRY(check_attempt_format(manifest));
  if (manifest.contains("digest") && manifest["digest"] != record_digest(manifest)) {
    return damaged_result(directory, "its manifest.json is not what was written", "");
  }
  return manifest;
}

Result<FoundResult> republish(const ProjectPaths& project, const fs::path& directory) {
  const AttemptPaths attempt{directory};
  LB_TRY_ASSIGN(const Json manifest, read_result_record(directory));
  LB_TRY_ASSIGN(PublishContext context, publish_context(manifest));
  const fs::path relative = directory.lexically_relative(project.state());
  LB_TRY_ASSIGN(auto outputs, check_outputs(attempt, context, relative));
  if (const auto* failure = std::get_if<Failure>(&outputs))
    return damaged_result(directory, failure->what, failure->why);
  CheckedOutputs checked = std::get<CheckedOutputs>(std::move(outputs));
  if (checked.manifests != manifest.value("outputs", Json::object())) {
    return damaged_result(directory, "its outputs hold other bytes than were published",
                          "`lowbit doctor --verify` names the files");
  }
  std::vector<MetricRow> metrics;
  double seconds = 0;
  std::string ended_at;
  try {
    seconds = manifest.value("seconds", 0.0);
    ended_at = manifest.value("ended_at", std::string());
    for (const Json& metric : manifest.value("metrics", Json::array())) metrics.push_back(metric_row(metric));
  } catch (const Json::exception& e) {
    return damaged_result(directory, "its record cannot be read", e.what());
  }
  store::Publication publication =
      publication_of(context, std::move(checked), std::move(metrics), relative.string(), seconds, ended_at);
  return FoundResult{.publication = std::move(publication), .context = std::move(context)};
}

std::optional<ResultName> result_name(const fs::path& directory) {
  const std::string name = directory.filename().string();
  const auto dash = name.find('-');
  const auto key = Digest::from_hex(name.substr(0, dash));
  if (!key || dash == std::string::npos || dash + 1 == name.size()) return std::nullopt;
  return ResultName{.content_key = *key, .nonce = name.substr(dash + 1)};
}

store::FoundAttempt found_attempt(const PublishContext& context, const fs::path& directory) {
  const std::string name = directory.filename().string();
  const std::string nonce = name.substr(name.find('-') + 1);
  store::Attempt attempt;
  attempt.id = context.attempt_id;
  attempt.content_key = context.content.digest;
  attempt.number = context.number;
  attempt.nonce = nonce;
  attempt.directory = "work/" + context.content.digest.hex() + "/a" + std::to_string(context.number) + "-" + nonce;
  attempt.stage_label = context.stage_label;
  attempt.started_at = context.started_at;
  attempt.environment = context.environment;
  return {.attempt = std::move(attempt), .provenance_key = context.provenance_key};
}

Result<void> set_aside(const ProjectPaths& project, const fs::path& directory) {
  const fs::path target = project.damaged() / directory.filename();
  LB_TRY(env::make_directories(project.damaged()));
  LB_TRY(env::remove_tree(target));
  return env::rename_durably(directory, target);
}

}  // namespace lowbit::exec
