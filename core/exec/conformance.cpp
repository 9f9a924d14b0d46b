#include "exec/conformance.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/utf8.h"
#include "base/words.h"
#include "domain/artifact_type.h"
#include "env/files.h"
#include "exec/artifact_check.h"
#include "exec/conformance_checks.h"
#include "exec/manifest.h"
#include "graph/bind_params.h"
#include "plugin/describe_in_child.h"
#include "plugin/elf_file.h"
#include "plugin/library.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

struct StageCheck {
  const char* name = nullptr;
  Check check = nullptr;
  bool compares = false;  ///< says nothing about a stage whose results do not repeat
};

/// After `schema` and `runs`. check_repeats stands before all that compare.
constexpr std::array kStageChecks{StageCheck{"metrics", check_metrics},
                                  StageCheck{"outputs", check_outputs},
                                  StageCheck{"own-files", check_own_files},
                                  StageCheck{"bad-params", check_bad_params},
                                  StageCheck{"bad-inputs", check_bad_inputs},
                                  StageCheck{"optional-inputs", check_optional_inputs},
                                  StageCheck{"cancel", check_cancel},
                                  StageCheck{"repeats", check_repeats},
                                  StageCheck{"threads", check_threads, true},
                                  StageCheck{"seed", check_seed, true},
                                  StageCheck{"environment", check_environment, true},
                                  StageCheck{"no-effect", check_no_effect, true},
                                  StageCheck{"resume", check_resume, true}};

std::string one_line(std::string text) {
  constexpr std::size_t kMost = 400;  // bytes
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text.size() <= kMost ? text : std::string(utf8_prefix(text, kMost)) + "…";
}

/// What a person asked for, per stage.
struct StageSetup {
  const StageDescription* stage = nullptr;
  TestJob job;
  std::map<std::string, std::vector<Json>> further;
  std::vector<std::string> missing;  ///< "--input model=PATH"
  std::optional<std::string> illegal_default;
};

class Conformance {
 public:
  Conformance(const ConformanceRequest& request, const std::function<void(const CheckResult&)>& on_check)
      : request_(request), on_check_(on_check), bench_(request.program, fs::absolute(request.library)) {}

  Result<std::vector<CheckResult>> check() {
    LB_TRY(plugin::digest_of_file(request_.library));
    const std::string file = request_.library.filename().string();
    add(file, "exports", exports());
    LB_TRY(describe(file));
    LB_TRY_ASSIGN(std::vector<StageSetup> setups, set_up());
    for (StageSetup& setup : setups) LB_TRY(check_stage(setup));
    return std::move(results_);
  }

 private:
  void add(const std::string& subject, const std::string& check, const Evidence& evidence) {
    results_.push_back({evidence.finding, subject, check, one_line(evidence.text)});
    if (on_check_) on_check_(results_.back());
  }

  [[nodiscard]] Evidence exports() const {
    const auto elf = plugin::read_elf(request_.library);
    if (!elf || !elf->shared_object) return failed("it is not a shared library");
    if (elf->exports == std::vector<std::string>{"lowbit_plugin"}) return passed("lowbit_plugin and nothing else");
    std::string names;
    for (const std::string& name : elf->exports) names += (names.empty() ? "" : ", ") + name;
    return failed("expected lowbit_plugin alone, found " + (names.empty() ? "nothing" : names) +
                  ": build with lowbit_add_plugin()");
  }

  /// Fills plugin_; without a valid description there are no stages to check.
  Result<void> describe(const std::string& file) {
    const plugin::Describer ask = plugin::describe_in_child({.program = request_.program});
    auto first = ask(request_.library);
    if (!first.ok()) {
      std::string text;
      for (const Diagnostic& d : first.error()) {
        text += (text.empty() ? "" : "; ") + d.what;
        for (const std::string& note : d.notes) text += ", " + note;
      }
      const bool about_schemas = std::all_of(first.error().begin(), first.error().end(),
                                             [](const Diagnostic& d) { return d.code == "LB4011"; });
      add(file, about_schemas ? "schema" : "description", failed(text));
      return {};
    }
    const auto second = ask(request_.library);
    if (!second.ok() || to_json(*first) != to_json(*second)) {
      add(file, "description", failed("a second process was told something else"));
      return {};
    }
    plugin_ = *std::move(first);
    add(file, "description", passed("the same in two processes, stages: " + std::to_string(plugin_.stages.size())));
    return {};
  }

  Result<std::vector<StageSetup>> set_up() {
    std::vector<StageSetup> setups;
    for (const StageDescription& stage : plugin_.stages) {
      if (!request_.stage.empty() && stage.id != request_.stage) continue;
      StageSetup& setup = setups.emplace_back();
      setup.stage = &stage;
      setup.job.limit = request_.job_limit;
      setup.job.cancel_limit = request_.cancel_limit;
    }
    if (plugin_.stages.empty()) return setups;
    if (setups.empty()) return no_such_stage();
    for (const GivenInput& input : request_.inputs) LB_TRY(bind(input, setups));
    LB_TRY(know_params(setups));
    for (StageSetup& setup : setups) LB_TRY(complete(setup));
    return setups;
  }

  [[nodiscard]] Diagnostic no_such_stage() const {
    std::vector<std::string> ids;
    for (const StageDescription& stage : plugin_.stages) ids.push_back(stage.id);
    const std::string near = nearest(request_.stage, ids);
    return error("LB0003", "there is no stage " + request_.stage + " in " + request_.library.filename().string())
        .note("its stages are " + joined(ids))
        .fix(near.empty() ? "give one of them, or none for all" : "a stage with a similar name exists: " + near);
  }

  /// `input` in every stage that has a port for it.
  Result<void> bind(const GivenInput& input, std::vector<StageSetup>& setups) const {
    if (!env::exists(input.path)) {
      return error("LB2101", "input `" + input.port + "` does not exist: " + input.path.string()).fix("check the path");
    }
    LB_TRY_ASSIGN(const Manifest manifest, read_manifest(input.path, true));
    bool bound = false;
    std::vector<std::string> known;
    for (StageSetup& setup : setups) {
      for (const PortDescription& p : setup.stage->inputs) known.push_back(p.name + ": " + joined(p.types, " or "));
      const PortDescription* port = setup.stage->input(input.port);
      if (port == nullptr || (!input.type.empty() && !port->accepts(input.type))) continue;
      LB_TRY_ASSIGN(const std::string type, type_of(input, *port));
      std::vector<JobInput>& members = setup.job.inputs[port->name];
      if (!members.empty() && !port->many) {
        return error("LB2009", "input `" + port->name + "` of `" + setup.stage->id + "` takes one artifact, not a set")
            .fix("give --input " + port->name + "= once");
      }
      JobInput member{.path = fs::absolute(input.path), .type = type, .digest = manifest.digest()};
      if (port->many) member.coordinates = {{"member", members.size()}};
      members.push_back(std::move(member));
      bound = true;
    }
    if (bound) return {};
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    return error("LB2002",
                 "no stage has an input `" + input.port + "`" + (input.type.empty() ? "" : " that takes " + input.type))
        .note(known.empty() ? "there are no inputs" : "inputs: " + joined(known, "; "))
        .fix("give --input PORT=PATH or --input PORT=TYPE:PATH");
  }

  /// The type given, or the most special one of the port that the files are valid for.
  static Result<std::string> type_of(const GivenInput& input, const PortDescription& port) {
    const std::vector<std::string> wanted = input.type.empty() ? port.types : std::vector<std::string>{input.type};
    Diagnostic problem = error(
        "LB2102", "input `" + input.port + "` is not a valid " + joined(wanted, " or ") + ": " + input.path.string());
    // Later types of docs/artifacts.md are more special: every quantized model is also a directory of files.
    // NOLINTNEXTLINE(modernize-loop-convert): the views that would reverse it are beyond clang 14
    for (std::size_t i = artifact_types().size(); i-- > 0;) {
      const std::string name(artifact_types()[i].name);
      if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
      const auto artifact = check_artifact(name, input.path);
      if (artifact.ok()) return name;
      for (const Diagnostic& d : artifact.error()) problem.note(name + ": " + d.what);
    }
    return problem.fix("give an artifact as docs/artifacts.md describes it, or its type: --input " + input.port +
                       "=TYPE:PATH");
  }

  Result<void> know_params(const std::vector<StageSetup>& setups) const {
    Diagnostics problems;
    for (const Param& param : request_.params) {
      const std::string& name = param.name.value;
      const auto has = [&](const StageSetup& setup) { return graph::has_param(*setup.stage, name); };
      if (std::any_of(setups.begin(), setups.end(), has)) continue;
      std::vector<std::string> names;
      for (const StageSetup& setup : setups) {
        for (std::string& known : graph::param_names(*setup.stage)) names.push_back(std::move(known));
      }
      const std::string near = nearest(name, names);
      problems.push_back(error("LB2004", "no stage has a parameter `" + name + "`")
                             .at(param.name.span)
                             .fix(near.empty() ? "remove it" : "a similar name exists: `" + near + "`"));
    }
    if (!problems.empty()) return problems;
    return {};
  }

  /// Parameters with their defaults, and what is still missing.
  Result<void> complete(StageSetup& setup) const {
    const StageDescription& stage = *setup.stage;
    for (const PortDescription& port : stage.inputs) {
      if (!port.optional && !setup.job.inputs.contains(port.name)) {
        setup.missing.push_back("--input " + port.name + "=PATH");
      }
    }
    std::vector<graph::GivenParam> given;
    for (const Param& param : request_.params) {
      const std::string& name = param.name.value;
      if (!graph::has_param(stage, name)) continue;
      const auto first = std::find_if(given.begin(), given.end(),
                                      [&](const graph::GivenParam& g) { return g.written->name.value == name; });
      if (first == given.end()) {
        given.push_back({.written = &param, .value = param.value.value});
      } else {
        setup.further[name].push_back(param.value.value);
      }
    }
    for (const Json& name : stage.params_schema.value("required", Json::array())) {
      const auto is_it = [&](const graph::GivenParam& g) { return g.written->name.value == name; };
      if (std::any_of(given.begin(), given.end(), is_it)) continue;
      setup.missing.push_back("--param " + name.get<std::string>() + "=VALUE");
    }
    auto params = graph::bind_params(stage, given, {});
    if (params.ok()) {
      setup.job.params = *std::move(params);
      return {};
    }
    Diagnostics of_user;
    for (const Diagnostic& d : params.error()) {
      if (d.code == "LB2006") continue;  // in `missing`
      if (d.span) of_user.push_back(d);
      if (!d.span) setup.illegal_default = d.what;
    }
    if (!of_user.empty()) return of_user;
    return {};
  }

  Result<void> check_stage(StageSetup& setup) {
    const StageDescription& stage = *setup.stage;
    if (setup.illegal_default) {
      add(stage.id, "schema", failed("a default is outside the schema: " + *setup.illegal_default));
      return skip_all(stage.id, "`schema` has to be right first", true);
    }
    const std::size_t n_params = stage.params_schema["properties"].size();
    add(stage.id, "schema",
        passed(n_params == 0
                   ? "no parameters"
                   : "closed, all described, with type and default or required: " + joined(graph::param_names(stage))));
    if (!setup.missing.empty()) return skip_all(stage.id, "give " + joined(setup.missing, " "), true);

    LB_TRY_ASSIGN(const std::vector<std::string> before, fingerprints(setup.job));
    LB_TRY_ASSIGN(EndedJob first, bench_.run(stage, setup.job));
    LB_TRY_ASSIGN(const std::vector<std::string> after, fingerprints(setup.job));
    if (!first.ended_well()) {
      add(stage.id, "runs", failed(first.ending()));
      return skip_all(stage.id, "it has to run first; --param NAME=VALUE gives it other parameters", false);
    }
    add(stage.id, "runs", passed("with " + (n_params == 0 ? "no parameters" : canonical(setup.job.params))));
    const Subject subject{.bench = bench_,
                          .stage = stage,
                          .job = setup.job,
                          .further = setup.further,
                          .first = std::move(first),
                          .inputs_changed = before != after};
    bool repeats = true;
    for (const StageCheck& check : kStageChecks) {
      if (check.compares && !repeats) {
        add(stage.id, check.name, skipped("it compares results: `repeats` has to be ok first"));
        continue;
      }
      LB_TRY_ASSIGN(const Evidence evidence, check.check(subject));
      if (check.check == check_repeats) repeats = evidence.finding == Finding::ok;
      add(stage.id, check.name, evidence);
    }
    return {};
  }

  Result<void> skip_all(const std::string& stage, const std::string& why, bool runs_too) {
    if (runs_too) add(stage, "runs", skipped(why));
    for (const StageCheck& check : kStageChecks) add(stage, check.name, skipped(why));
    return {};
  }

  static Result<std::vector<std::string>> fingerprints(const TestJob& job) {
    std::vector<std::string> all;
    for (const auto& [port, members] : job.inputs) {
      for (const JobInput& member : members) {
        LB_TRY_ASSIGN(std::string fingerprint, stat_fingerprint(member.path));
        all.push_back(std::move(fingerprint));
      }
    }
    return all;
  }

  const ConformanceRequest& request_;
  const std::function<void(const CheckResult&)>& on_check_;
  TestBench bench_;
  PluginDescription plugin_;
  std::vector<CheckResult> results_;
};

}  // namespace

Result<std::vector<CheckResult>> check_conformance(const ConformanceRequest& request,
                                                   const std::function<void(const CheckResult&)>& on_check) {
  return Conformance(request, on_check).check();
}

std::string_view name_of(Finding finding) {
  switch (finding) {
    case Finding::ok: return "ok";
    case Finding::fail: return "fail";
    case Finding::skip: return "skip";
  }
  return "fail";
}

Json to_json(const CheckResult& result) {
  return {{"result", name_of(result.finding)},
          {"stage", result.subject},
          {"check", result.check},
          {"evidence", result.evidence}};
}

}  // namespace lowbit::exec
