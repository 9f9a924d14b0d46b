// The parts every command on an experiment needs, put together once: where the project is, which plugins there are,
// what the experiment expands to.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command_options.h"
#include "domain/experiment_spec.h"
#include "domain/study_results.h"
#include "exec/project.h"
#include "exec/run.h"
#include "graph/expanded_graph.h"
#include "plugin/catalog.h"
#include "store/store.h"

namespace lowbit::cli {

/// The running program's own file.
[[nodiscard]] std::filesystem::path own_program();

/// Every plugin this program can find: `extra` directories first. What is wrong with the others: problems().
[[nodiscard]] plugin::PluginCatalog find_plugins(const std::vector<std::string>& extra = {});

/// A stage that no plugin offers may stand in a plugin that could not be loaded: says so beside the problems.
[[nodiscard]] Diagnostics with_plugin_problems(Diagnostics problems, const plugin::PluginCatalog& catalog);

/// An experiment bound to plugins. Pointers in `graph` go into `catalog`.
struct Experiment {
  std::filesystem::path file;  ///< absolute
  std::string written_file;    ///< as the person typed it
  std::string text;            ///< of the file
  plugin::PluginCatalog catalog;
  graph::ExpandedGraph graph;
};

/// The name that an experiment's file gives it; it is read, not bound to plugins. LB0005 on one that cannot be read,
/// LB1xxx on one that is none.
[[nodiscard]] Result<Text> experiment_named_in(const std::filesystem::path& file);

/// FILE, --set, --sweep, --profile, --project, --plugin-path.
void add_experiment_options(CommandOptions& options);
[[nodiscard]] Result<Experiment> load_experiment(const CommandOptions& options);

/// The project of the working directory, or of --project; LB0042 where that is no directory. A database of an earlier
/// lowbit is brought up to date on the way.
[[nodiscard]] Result<exec::ProjectPaths> project_of(const CommandOptions& options);
/// LB7010 where it holds none, LB6013 where its database is lost.
[[nodiscard]] Result<void> require_results(const exec::ProjectPaths& project);
/// project_of(), with require_results().
[[nodiscard]] Result<exec::ProjectPaths> existing_project(const CommandOptions& options);
/// The project's store for reading; an empty one in memory when nothing was ever run.
[[nodiscard]] Result<std::unique_ptr<store::Store>> open_for_reading(const exec::ProjectPaths& project);

/// The `lowbit run` that does what a run or a retry with these options left, as a shell takes it.
[[nodiscard]] std::string continuing_command(const CommandOptions& options);

/// The `lowbit run` that expands to what `study` shows, from where the person is.
[[nodiscard]] std::string running_command(const exec::ProjectPaths& project, const StudyResults& study);
/// From the project's directory.
[[nodiscard]] std::string running_command(const StudyResults& study);

/// What exec::run and exec::plan need beside the graph. Refers to `experiment`, which must outlive it.
[[nodiscard]] exec::RunRequest run_request(const Experiment& experiment, const CommandOptions& options);

}  // namespace lowbit::cli
