#include "cli/session.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "env/files.h"
#include "graph/expand.h"
#include "plugin/describe_in_child.h"
#include "plugin/digest_memory.h"
#include "spec/experiment_reader.h"
#include "store/sqlite/open.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

std::vector<spec::Override> overrides_of(const CommandOptions& options, const std::string& option) {
  std::vector<spec::Override> overrides;
  for (const std::string& text : options.all(option)) {
    const std::string name = "--" + option + " #" + std::to_string(overrides.size() + 1);
    overrides.push_back({std::make_shared<const SourceText>(SourceText{name, text})});
  }
  return overrides;
}

// Of a run: what changes nothing of what is done.
const std::set<std::string> kHowItIsShown{"help", "plain", "json", "wait", "dry-run"};

// Names of files are relative to the working directory, as the person's own name of the experiment is.
Result<std::shared_ptr<const SourceText>> load_source(const std::string& name) {
  LB_TRY_ASSIGN(std::string text, env::read_file(name));
  return std::make_shared<const SourceText>(SourceText{name, std::move(text)});
}

Result<std::shared_ptr<const SourceText>> load_experiment_text(const std::string& written) {
  const auto file = env::absolute(written);
  auto text = file.ok() ? env::read_file(*file) : Result<std::string>(file.error());
  if (text.ok()) return std::make_shared<const SourceText>(SourceText{written, *std::move(text)});
  return error("LB0005", "the experiment file " + written + " cannot be read")
      .note(text.error().front().notes.empty() ? text.error().front().what : text.error().front().notes.front())
      .fix("check the path; `lowbit init` makes a first one");
}

}  // namespace

fs::path own_program() {
  std::error_code code;
  return fs::read_symlink("/proc/self/exe", code);
}

plugin::PluginCatalog find_plugins(const std::vector<std::string>& extra) {
  const std::vector<fs::path> given(extra.begin(), extra.end());
  plugin::DigestMemory memory = plugin::DigestMemory::load(plugin::digest_memory_file());
  const auto now = std::chrono::system_clock::now();
  plugin::PluginCatalog catalog = plugin::PluginCatalog::scan(
      plugin::plugin_directories(given, std::getenv("LOWBIT_PLUGIN_PATH")), plugin::describe_in_child(),
      [&](const fs::path& library) { return memory.digest_of(library, now); });
  memory.save();
  return catalog;
}

Diagnostics with_plugin_problems(Diagnostics problems, const plugin::PluginCatalog& catalog) {
  for (Diagnostic problem : catalog.problems()) {
    problem.severity = Severity::warning;
    problems.push_back(std::move(problem));
  }
  return problems;
}

Result<Text> experiment_named_in(const fs::path& file) {
  LB_TRY_ASSIGN(const auto source, load_experiment_text(file.string()));
  LB_TRY_ASSIGN(ExperimentSpec spec, spec::read_experiment(source, {.load = load_source}));
  return Text{std::move(spec.name), spec.span};
}

void add_experiment_options(CommandOptions& options) {
  options.argument("file", "the experiment, a YAML file (docs/experiment-file.md)", true)
      .many("set,s", "path=value: replace a value of the file; repeatable")
      .many("sweep", "axis=a,b or path=a,b: give an axis other values, or make one of a value of the file; repeatable")
      .text("profile", "the settings of a machine that the file has under `profiles`")
      .many("plugin-path", "a directory to search for plugins first; repeatable")
      .flag("skip-missing", "leave out stages that no plugin offers, and what needs them; the plan names them")
      .project();
}

Result<Experiment> load_experiment(const CommandOptions& options) {
  Experiment experiment;
  experiment.written_file = options.get("file");
  LB_TRY_ASSIGN(const auto source, load_experiment_text(experiment.written_file));
  experiment.text = source->text;
  LB_TRY_ASSIGN(experiment.file, env::absolute(experiment.written_file));
  LB_TRY_ASSIGN(const ExperimentSpec spec, spec::read_experiment(source, {.overrides = overrides_of(options, "set"),
                                                                          .sweeps = overrides_of(options, "sweep"),
                                                                          .profile = options.get("profile"),
                                                                          .load = load_source}));
  experiment.catalog = find_plugins(options.all("plugin-path"));
  auto graph =
      graph::expand(spec, experiment.catalog,
                    options.has("skip-missing") ? graph::MissingPlugin::left_out : graph::MissingPlugin::refused);
  if (!graph.ok()) return with_plugin_problems(std::move(graph).error(), experiment.catalog);
  experiment.graph = *std::move(graph);
  if (options.has("skip-missing")) {
    for (const Diagnostic& problem : experiment.catalog.problems()) {
      experiment.graph.notes.push_back("a plugin could not be loaded, `lowbit doctor` says why: " + problem.what);
    }
  }
  return experiment;
}

namespace {

/// Where nobody else holds the project and it can be written; else the command that reads says what is wrong (LB6012).
void bring_up_to_date(const exec::ProjectPaths& project) {
  if (!store::is_of_older_schema(project.database())) return;
  if (exec::WritableProject::open(project).ok()) {
    std::fprintf(stderr, "note: %s was made by an older lowbit and is up to date now\n", project.database().c_str());
  }
}

}  // namespace

Result<exec::ProjectPaths> project_of(const CommandOptions& options) {
  if (options.has("project") && !env::is_directory(options.get("project"))) {
    return error("LB0042", "there is no directory " + options.get("project"))
        .note("--project names the directory of a project")
        .fix("check the path; `lowbit init DIRECTORY` starts a project");
  }
  LB_TRY_ASSIGN(exec::ProjectPaths project, exec::find_project(options.get("project", ".")));
  bring_up_to_date(project);
  return project;
}

Result<void> require_results(const exec::ProjectPaths& project) {
  LB_TRY(store::check_not_lost(project.database()));
  if (!env::exists(project.database())) {
    return error("LB7010", "there are no results in " + project.root.string())
        .note("results are kept in .lowbit beside the nearest lowbit.yaml upward, else in the working directory")
        .fix("`lowbit run FILE` first, or name the project with --project DIR");
  }
  return {};
}

Result<exec::ProjectPaths> existing_project(const CommandOptions& options) {
  LB_TRY_ASSIGN(const exec::ProjectPaths project, project_of(options));
  LB_TRY(require_results(project));
  return project;
}

Result<std::unique_ptr<store::Store>> open_for_reading(const exec::ProjectPaths& project) {
  LB_TRY(store::check_not_lost(project.database()));
  if (!env::exists(project.database())) return store::open_sqlite(":memory:", store::Access::read_write);
  return store::open_sqlite(project.database(), store::Access::read_only);
}

std::string continuing_command(const CommandOptions& options) {
  std::set<std::string> without = kHowItIsShown;
  without.insert({"force", "failed", "cause", "stage"});  // of the run that is continued, or of `lowbit retry`
  return "lowbit run " + options.shell_words(without);
}

std::string running_command(const exec::ProjectPaths& project, const StudyResults& study) {
  const fs::path whole = project.root / study.file;
  const auto here = env::absolute(".");
  return "lowbit run " + shell_word(here.ok() ? whole.lexically_proximate(*here).string() : whole.string()) +
         (study.options.empty() ? "" : " " + study.options);
}

std::string running_command(const StudyResults& study) {
  return "lowbit run " + shell_word(study.file) + (study.options.empty() ? "" : " " + study.options);
}

exec::RunRequest run_request(const Experiment& experiment, const CommandOptions& options) {
  exec::RunRequest request;
  request.program = own_program();
  request.experiment_file = experiment.file;
  request.version = LOWBIT_VERSION;
  request.command = "lowbit run " + options.shell_words(kHowItIsShown);
  request.options = options.shell_words_of({"set", "sweep", "skip-missing"});
  request.experiment_text = experiment.text;
  for (const std::string& stage : options.all("force")) request.plan.force.insert(stage);
  request.plan.strict = options.has("strict");
  for (const graph::Variant& variant : experiment.graph.variants) {
    const PluginDescription& plugin = *experiment.catalog.plugin_of(variant.plugin->id);
    request.plugins[variant.plugin->id] = plugin.library_digest;
    request.builds[variant.plugin->id] = plugin.build;
  }
  request.library_of = [&experiment](const std::string& id) { return experiment.catalog.plugin_of(id)->library; };
  return request;
}

}  // namespace lowbit::cli
