// lowbit export, lowbit import: models in the formats of other tools. The work is done by the stages lowbit.export and
// lowbit.import in a process of their own, since this program knows no tensors. Results go out by cli/export_results.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <thread>

#include "base/words.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/export_results.h"
#include "cli/session.h"
#include "env/files.h"
#include "exec/artifact_check.h"
#include "exec/manifest.h"
#include "exec/single_job.h"
#include "graph/bind_params.h"
#include "store/project_facts.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

/// What a directory is, told by its files; empty: no model.
std::string model_type_of(const fs::path& directory) {
  if (env::exists(directory / "adapter_config.json")) return "adapter/1";
  if (env::exists(directory / "quantization.json")) return "quantized-model/1";
  return env::exists(directory / "config.json") ? "model/1" : "";
}

Result<exec::JobInput> directory_input(const fs::path& directory, const std::string& type) {
  LB_TRY_ASSIGN(const exec::Manifest manifest, exec::read_manifest(directory, true));
  exec::JobInput input;
  LB_TRY_ASSIGN(input.path, env::absolute(directory));
  input.type = type;
  input.digest = manifest.digest();
  return input;
}

std::vector<std::string> variants_of(const std::string& stage, const std::vector<std::string>& labels) {
  std::vector<std::string> variants;
  std::copy_if(labels.begin(), labels.end(), std::back_inserter(variants),
               [&](const std::string& label) { return label.starts_with(stage + "["); });
  return variants;
}

/// Models of the results of a project.
class Models {
 public:
  explicit Models(exec::ProjectPaths project) : project_(std::move(project)) {}

  /// A variant of a stage, a stage with one variant, or the digest of an artifact.
  [[nodiscard]] Result<exec::JobInput> find(const std::string& name) const {
    if (!env::exists(project_.database())) return unknown(name);
    LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project_.database()));
    LB_TRY_ASSIGN(std::optional<ArtifactPlace> model, facts.model(name));
    if (!model) {
      LB_TRY_ASSIGN(const std::vector<std::string> labels, facts.names(store::Named::models));
      const std::vector<std::string> variants = variants_of(name, labels);
      if (variants.size() != 1) return unknown(name, labels);
      LB_TRY_ASSIGN(model, facts.model(variants.front()));
      if (!model) return unknown(name);
    }
    exec::JobInput input;
    input.path = project_.state() / model->path;
    input.type = *model->type;
    input.digest = model->digest;
    return input;
  }

  /// Where a digest lies: a result, or an external input of some experiment; nothing when unknown.
  [[nodiscard]] Result<Json> locate(const std::string& digest) const {
    if (!env::exists(project_.database())) return Json();
    LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project_.database()));
    LB_TRY_ASSIGN(const std::optional<ArtifactPlace> place, facts.place_of(digest));
    if (!place) return Json();
    return Json{{"path", (project_.state() / place->path).string()}, {"type", place->type.value_or("model/1")}};
  }

 private:
  [[nodiscard]] Diagnostic unknown(const std::string& name, const std::vector<std::string>& labels = {}) const {
    Diagnostic problem = error("LB0016", "there is no model " + name)
                             .note(
                                 "it is neither a directory with config.json or adapter_config.json, nor a finished "
                                 "stage or a digest in " +
                                 project_.root.string());
    if (const std::vector<std::string> variants = variants_of(name, labels); !variants.empty()) {
      problem.note("its variants are " + joined(variants));
    } else if (const std::string near = nearest(name, labels); !near.empty()) {
      problem.note("a stage with a similar name exists: " + near);
    }
    return problem.fix("`lowbit status` lists the stages; give one variant, a directory or a digest");
  }

  exec::ProjectPaths project_;
};

/// What an adapter is based on, down to the full model.
Result<Json> closure_of(const exec::JobInput& adapter, const Models& models, const std::string& base_directory) {
  Json closure = Json::object();
  fs::path at = adapter.path;
  for (std::string type = adapter.type; type == "adapter/1";) {
    LB_TRY_ASSIGN(const std::string text, env::read_file(at / "base.json"));
    const Json json = Json::parse(text, nullptr, false);
    const std::string digest = json.is_object() ? json.value("base", "") : "";
    LB_TRY_ASSIGN(Json place, models.locate(digest));
    if (place.is_null() && !base_directory.empty()) {
      LB_TRY_ASSIGN(const exec::JobInput base, directory_input(base_directory, model_type_of(base_directory)));
      if (base.digest.hex() == digest) place = Json{{"path", base.path.string()}, {"type", base.type}};
    }
    if (place.is_null() || closure.contains(digest)) break;  // the stage says that it is not there
    closure[digest] = place;
    at = place["path"].get<std::string>();
    type = place["type"];
  }
  return closure;
}

/// Those that the stage lowbit.export writes.
const std::vector<std::string>& model_formats() {
  static const std::vector<std::string> all{"gptq",         "gptq-v2", "awq", "compressed-tensors",
                                            "bitsandbytes", "hf",      "peft"};
  return all;
}

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether there is such a format, and no option of the other kind of format.
Result<void> check_format(const CommandOptions& options) {
  const std::string format = options.get("format");
  const bool of_results = is_one_of(results_formats(), format);
  if (!of_results && !is_one_of(model_formats(), format)) {
    std::vector<std::string> all = model_formats();
    all.insert(all.end(), results_formats().begin(), results_formats().end());
    const std::string near = nearest(format, all);
    return error("LB0019", "there is no format " + ticked(format) + " to export")
        .note("of a model: " + joined(model_formats()))
        .note("of the results of an experiment: " + joined(results_formats()))
        .fix(near.empty() ? "use one of these" : "a format with a similar name exists: " + ticked(near));
  }
  if (format != "hf-card" && (options.has("into") || options.has("dataset"))) {
    return error("LB0001", "--into and --dataset belong to the format hf-card").fix("leave them out");
  }
  if (options.has("directory") == options.has("into")) {
    return error("LB0001",
                 options.has("into") ? "--into writes no directory" : "`lowbit export` needs a directory to write")
        .fix(options.has("into") ? "leave the directory out" : "name one that does not exist yet");
  }
  if (format != "ro-crate" && options.has("license")) {
    return error("LB0001", "--license belongs to the format ro-crate").fix("leave it out");
  }
  const std::vector<std::string> of_others = of_results
                                                 ? std::vector<std::string>{"dtype", "base-model", "base", "allow-loss"}
                                                 : std::vector<std::string>{"only"};
  for (const std::string& option : of_others) {
    if (!options.has(option)) continue;
    return error("LB0001", "--" + option + " says nothing of the format " + format)
        .note(of_results ? "it is about models" : "it is about the results of an experiment")
        .fix("leave it out, or see `lowbit export --help`");
  }
  return {};
}

struct Exchange {
  std::string stage;
  std::vector<std::pair<std::string, std::string>> params;  ///< as typed
  std::map<std::string, std::vector<exec::JobInput>> inputs;
  fs::path destination;
};

Result<int> exchange(const Exchange& order, const CommandOptions& options) {
  const plugin::PluginCatalog catalog = find_plugins(options.all("plugin-path"));
  const StageDescription* const stage = catalog.find(order.stage);
  if (stage == nullptr) {
    return with_plugin_problems(
        Diagnostics{error("LB0003", "no plugin offers the stage " + order.stage)
                        .fix("install lowbit with libtorch, or name the plugin's directory with --plugin-path")},
        catalog);
  }
  std::vector<Param> written;
  written.reserve(order.params.size());
  for (const auto& [name, value] : order.params) {
    const auto source = std::make_shared<const SourceText>(SourceText{"--" + name, value});
    const SourceSpan span{source, 1, 1, std::max<std::size_t>(value.size(), 1)};
    Json json = value;
    if (name == "allow_loss") json = true;
    written.push_back({{name, span}, {std::move(json), span}});
  }
  std::vector<graph::GivenParam> given;
  given.reserve(written.size());
  for (const Param& param : written) given.push_back({.written = &param, .value = param.value.value});
  exec::SingleJob job;
  LB_TRY_ASSIGN(job.params, graph::bind_params(*stage, given, {}));
  job.program = own_program();
  job.library = catalog.plugin_of(order.stage)->library;
  job.inputs = order.inputs;
  job.threads = std::max(1U, std::thread::hardware_concurrency());
  job.destination = order.destination;
  LB_TRY_ASSIGN(const exec::SingleResult result, exec::run_single_job(*stage, job));
  for (const std::string& warning : result.warnings) std::fprintf(stderr, "note: %s\n", warning.c_str());
  std::printf("%s: %s, %.1f MiB\n", order.destination.c_str(), result.type.c_str(),
              static_cast<double>(result.bytes) / (1024.0 * 1024.0));
  return 0;
}

}  // namespace

Result<int> export_command(const Words& words) {
  CommandOptions options("export");
  options
      .argument("source",
                "of a model: a variant of a stage (its name alone when there is one), the digest of an artifact, or a "
                "directory with a model; of results: an experiment by its name, its file or its directory",
                true)
      .argument("directory", "what is written; it must not exist yet, or be empty", false)
      .text(
          "format,f",
          "of a model: gptq, gptq-v2, awq, compressed-tensors, bitsandbytes, hf or peft (docs/formats.md); of results: "
          "csv, jsonl, lm-eval, tensorboard, hf-card or ro-crate (docs/interchange.md)")
      .many("only", "of results: only stages or variants of this name; * stands for any text; repeatable")
      .many("dataset", "of hf-card: TASK=ORG/NAME[:TASK_ID], the dataset of the Hub that a task is; repeatable")
      .text("into", "of hf-card: patch this model card between its markers, instead of writing a directory")
      .text("license", "of ro-crate: under which the crate may be used, a URL or words")
      .text("dtype", "of format hf: float32 (default), bfloat16 or float16")
      .text("base-model", "of format peft: name or path of the base, as transformers loads it")
      .text("base", "the directory of an adapter's base, when the project does not know it")
      .flag("allow-loss", "leave out rules for activations that the format has no field for")
      .many("plugin-path", "a directory to search for plugins first; repeatable")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  if (!options.has("format")) {
    return error("LB0001", "`lowbit export` needs --format").fix("see `lowbit export --help`");
  }
  LB_TRY(check_format(options));
  if (is_one_of(results_formats(), options.get("format"))) return export_results(options);
  Exchange order{.stage = "lowbit.export",
                 .params = {{"format", options.get("format")}},
                 .inputs = {},
                 .destination = options.get("directory")};
  for (const auto& [option, param] :
       {std::pair{"dtype", "dtype"}, std::pair{"base-model", "base_model"}, std::pair{"allow-loss", "allow_loss"}}) {
    if (options.has(option)) {
      order.params.emplace_back(param, std::string(option) == "allow-loss" ? "true" : options.get(option));
    }
  }
  const std::string source = options.get("source");
  LB_TRY_ASSIGN(const exec::ProjectPaths project, project_of(options));
  const Models models(project);
  const std::string type = env::is_directory(source) ? model_type_of(source) : "";
  LB_TRY_ASSIGN(exec::JobInput model, type.empty() ? models.find(source) : directory_input(source, type));
  if (!type.empty()) LB_TRY(exec::check_artifact(type, source));
  LB_TRY_ASSIGN(model.closure, closure_of(model, models, options.get("base")));
  order.inputs["model"].push_back(std::move(model));
  return exchange(order, options);
}

Result<int> import_command(const Words& words) {
  CommandOptions options("import");
  options.argument("directory", "a model that another tool wrote", true)
      .argument("out", "what is written; it must not exist yet, or be empty", true)
      .text("base", "of an adapter: the directory of the model that it is applied to")
      .many("plugin-path", "a directory to search for plugins first; repeatable");
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const std::string source = options.get("directory");
  if (!env::is_directory(source) || model_type_of(source).empty()) {
    return error("LB0016", "there is no model " + source)
        .note("it is not a directory with config.json or adapter_config.json")
        .fix("check the path");
  }
  Exchange order{.stage = "lowbit.import", .params = {}, .inputs = {}, .destination = options.get("out")};
  LB_TRY_ASSIGN(exec::JobInput input, directory_input(source, "file"));
  order.inputs["source"].push_back(std::move(input));
  if (options.has("base")) {
    const std::string type = env::is_directory(options.get("base")) ? model_type_of(options.get("base")) : "";
    if (type.empty()) {
      return error("LB0016", "there is no model " + options.get("base"))
          .note("--base is not a directory with config.json")
          .fix("name the directory of the model that the adapter was trained on");
    }
    LB_TRY_ASSIGN(exec::JobInput base, directory_input(options.get("base"), type));
    order.inputs["base"].push_back(std::move(base));
  }
  return exchange(order, options);
}

}  // namespace lowbit::cli
