#include "exec/new_attempt.h"

#include <lowbit/plugin_abi.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "domain/stage_description.h"
#include "env/clock.h"
#include "env/files.h"
#include "exec/job_environment.h"
#include "exec/journal.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

// Stands beside the numeric environment in an attempt's row, and is no part of it: another GPU of the same machine
// continues from a checkpoint.
constexpr const char* kLease = "lease";

fs::path external_path(const RunFiles& files, const std::string& written) {
  return fs::absolute(files.input_root / written).lexically_normal();
}

/// Everything `bases` rest on, recursively: {"<digest>": {"path", "type"}}.
Result<Json> closure_of(const WritableProject& project, const RunFiles& files, std::vector<Digest> open) {
  Json closure = Json::object();
  while (!open.empty()) {
    const Digest digest = open.back();
    open.pop_back();
    if (closure.contains(digest.hex())) continue;
    LB_TRY_ASSIGN(const auto location, project.store().locate(digest));
    if (location) {
      closure[digest.hex()] = {{"path", (project.paths().state() / location->path).string()}, {"type", location->type}};
      open.insert(open.end(), location->bases.begin(), location->bases.end());
      continue;
    }
    const auto external = std::find_if(files.externals.begin(), files.externals.end(),
                                       [&](const auto& entry) { return entry.second == digest; });
    if (external == files.externals.end()) {
      return error("LB5006", "the base " + digest.brief() + " of an adapter is not in this project")
          .note("an adapter is a model only together with the model it was trained on")
          .fix("bind that model as an input of the experiment, or run the stage that makes it");
    }
    closure[digest.hex()] = {{"path", external_path(files, external->first).string()}, {"type", "model/1"}};
  }
  return closure;
}

Result<std::vector<JobInput>> job_inputs(const WritableProject& project, const RunFiles& files,
                                         const AttemptOrder& order, const graph::BoundInput& input) {
  std::vector<JobInput> members;
  for (const graph::Member& member : input.members) {
    const auto artifact = order.artifact_of(member);
    if (!artifact) continue;  // allowed by `require: {min: n}`
    JobInput job_input;
    job_input.type = artifact->type;
    job_input.digest = artifact->digest;
    job_input.coordinates = member.at.to_json();
    if (const auto* external = std::get_if<graph::External>(&member.source)) {
      job_input.path = external_path(files, external->path);
    } else {
      LB_TRY_ASSIGN(const auto location, project.store().locate(artifact->digest));
      if (!location) {
        return error("LB5005", "an input of " + order.variant.label() + " has no files: " + artifact->digest.hex())
            .fix("run the same command again: what made it will run");
      }
      job_input.path = project.paths().state() / location->path;
      LB_TRY_ASSIGN(job_input.closure, closure_of(project, files, location->bases));
    }
    members.push_back(std::move(job_input));
  }
  return members;
}

/// The newest checkpoint of an attempt that did not end well, if it was made under the same conditions.
void find_resume_point(const WritableProject& project, const std::vector<store::Attempt>& earlier,
                       const Json& environment, NewAttempt& attempt) {
  for (const store::Attempt& old : earlier) {
    if (old.state == store::AttemptState::done) return;
    const auto checkpoint = newest_checkpoint(AttemptPaths{project.paths().state() / old.directory});
    if (!checkpoint) continue;
    Json numeric = old.environment;
    if (numeric.is_object()) numeric.erase(kLease);
    if (numeric == environment) {
      attempt.request.resume_from = *checkpoint;
    } else {
      attempt.checkpoint_refused = true;
    }
    return;
  }
}

/// Puts what the job will not tell again at the front of its journal: so it is published with what the job tells, also
/// after the attempt resumed from is gone, and carried on when this attempt is resumed in its turn.
Result<void> carry_over(NewAttempt& attempt) {
  const fs::path& checkpoint = attempt.request.resume_from;
  const AttemptPaths earlier{checkpoint.parent_path().parent_path()};
  CarriedRecords carried = carried_records(earlier.journal(), std::stoull(checkpoint.filename().string()));
  if (!carried.gap.empty()) {
    attempt.carry_gap = "curve points and warnings from before checkpoint " + checkpoint.filename().string() +
                        " may be missing: " + carried.gap;
    carried.records.push_back({{"k", "log"}, {"level", LB_LOG_WARN}, {"text", attempt.carry_gap}});
  }
  std::string journal;
  for (const Json& record : carried.records) journal += journal_record(record);
  return env::write_file_durably(attempt.paths.journal(), journal);
}

/// Its directories. `used`: what an attempt left that was published, ProjectPaths::work()/KEY with an empty `scratch`:
/// moved instead of made, because ext4 gives out inodes slowly for minutes after many were freed.
Result<void> make_attempt_directory(const AttemptPaths& paths, const fs::path& used) {
  const fs::path key = paths.directory.parent_path();
  std::error_code code;
  if (!used.empty()) {
    fs::rename(used, key, code);
    if (code) LB_TRY(env::remove_tree(used));  // earlier attempts lie at `key`
  }
  LB_TRY(env::make_directories(paths.directory));
  if (!used.empty() && !code) {
    fs::rename(key / paths.scratch().filename(), paths.scratch(), code);
    if (!code) return {};
  }
  return env::make_directories(paths.scratch());
}

}  // namespace

Result<NewAttempt> new_attempt(WritableProject& project, const RunFiles& files, const AttemptOrder& order,
                               const std::function<Result<fs::path>(const std::string& nonce)>& socket_path) {
  const graph::Variant& variant = order.variant;
  const StageDescription& plugin = *variant.plugin;
  NewAttempt attempt;
  JobRequest& request = attempt.request;
  if (!order.lease.gpus.empty()) request.device = "cuda:0";  // the first of those that it sees
  request.lease = to_json(order.lease);
  const Json environment = numeric_environment(order.threads, request.device);

  request.attempt = env::fresh_nonce();
  request.stage_label = variant.label();
  request.library = files.library_of(plugin.id);
  request.stage = plugin.id;
  request.preload = plugin.preload;
  request.brief = order.brief;
  request.params = variant.params;
  for (const graph::BoundInput& input : variant.inputs) {
    LB_TRY_ASSIGN(request.inputs[input.port], job_inputs(project, files, order, input));
  }
  for (const PortDescription& port : plugin.outputs) {
    request.outputs.push_back(port.name);
    if (!port.optional) request.required_outputs.push_back(port.name);
    attempt.context.output_types[port.name] = port.types.front();
  }
  request.seed = variant.seed.value_or(0);
  request.threads = order.threads;
  request.timeout = variant.resources.timeout;
  request.paid_calls = project.paths().paid_calls();
  LB_TRY_ASSIGN(request.socket, socket_path(request.attempt));

  LB_TRY_ASSIGN(const std::vector<store::Attempt> earlier, project.store().attempts_of(order.content.digest));
  if (plugin.resumable) find_resume_point(project, earlier, environment, attempt);
  store::Attempt row;
  row.content_key = order.content.digest;
  row.number = earlier.empty() ? 1 : earlier.front().number + 1;
  row.nonce = request.attempt;
  attempt.paths.directory =
      project.paths().work() / row.content_key.hex() / ("a" + std::to_string(row.number) + "-" + row.nonce);
  row.directory = attempt.paths.directory.lexically_relative(project.paths().state()).string();
  row.stage_label = request.stage_label;
  row.provenance_key = order.planned_key;
  row.started_at = env::utc_now();
  row.environment = environment;
  row.environment[kLease] = request.lease;
  LB_TRY_ASSIGN(attempt.context.attempt_id, project.store().begin_attempt(order.run, row));

  attempt.context.number = row.number;
  attempt.context.stage_label = request.stage_label;
  attempt.context.plugin_id = plugin.id;
  attempt.context.plugin_version = plugin.version;
  attempt.context.plugin_kind = std::string(name_of(plugin.kind));
  attempt.context.plugin_digest = files.plugins.at(plugin.id);
  attempt.context.content = order.content;
  attempt.context.provenance_key = order.provenance_key;
  attempt.context.own_record = order.own_record;
  attempt.context.environment = environment;
  attempt.context.started_at = row.started_at;
  attempt.context.replace = project.store().by_content_key(order.content.digest).has_value();
  LB_TRY(make_attempt_directory(attempt.paths, order.used_directory));
  if (!request.resume_from.empty()) LB_TRY(carry_over(attempt));
  // Not synced: a job does not outlive its machine, and a result's directory is synced whole before it counts.
  LB_TRY(write_context(attempt.paths, attempt.context));
  LB_TRY(env::write_file(attempt.paths.request(), canonical(to_json(request))));
  return attempt;
}

}  // namespace lowbit::exec
