#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "base/words.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/session.h"
#include "cli/study_figures.h"
#include "cli/study_files.h"
#include "cli/study_tables.h"
#include "domain/quantity_text.h"
#include "env/files.h"
#include "graph/draw.h"
#include "report/comparison_page.h"
#include "report/draw_figure.h"
#include "report/figure_data.h"
#include "report/study_report.h"
#include "spec/figure_reader.h"
#include "store/project_facts.h"
#include "store/study_results.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = 2'000'000;
constexpr std::size_t kComparisonWidth = 110;  // characters

/// Puts a study's report together from its database and the files beside its experiment.
class Reporting {
 public:
  Reporting(const CommandOptions& options, exec::ProjectPaths project, StudyResults study)
      : options_(options),
        project_(std::move(project)),
        study_(std::move(study)),
        directory_((project_.root / study_.file).parent_path()) {
    report_.rerun = running_command(study_);
    report_.version = LOWBIT_VERSION;
  }

  Result<report::WrittenReport> write() {
    LB_TRY_ASSIGN(recipes_, store::study_recipes(project_.database(), study_));
    LB_TRY(tables());
    LB_TRY(figures());
    LB_TRY(facts());
    methods();
    const auto now = env::read_file(project_.root / study_.file);
    report_.file_changed = !study_.text.empty() && now.ok() && *now != study_.text;
    report_.study = &study_;
    return report::study_report(report_, options_.has("full") ? 0 : kMostBytes);
  }

 private:
  /// The spec beside the experiment if there is one that speaks of it.
  [[nodiscard]] bool stands_beside(const char* name) const { return env::exists(directory_ / name); }

  Result<void> tables() {
    if (!stands_beside("tables.yaml")) return comparison();
    LB_TRY_ASSIGN(LoadedTables loaded, load_tables(directory_ / "tables.yaml"));
    if (loaded.tables.experiment.value != study_.experiment) {
      left_aside(loaded.file, loaded.tables.experiment.value);
      return comparison();
    }
    StudyTables tables(std::move(loaded), project_, study_, options_.has("published"));
    for (const TableSpec& table : tables.all()) {
      LB_TRY_ASSIGN(report::PrintedTable printed, tables.print(table, report_.rerun));
      report_.tables.push_back(
          {.name = table.name.value, .table = std::move(printed), .command = tables.command(table)});
    }
    return {};
  }

  void left_aside(const fs::path& file, const std::string& experiment) const {
    std::fprintf(stderr, "note: left out: %s is of the experiment `%s`, not of `%s`\n", file.c_str(),
                 experiment.c_str(), study_.experiment.c_str());
  }

  /// What `lowbit compare` prints.
  Result<void> comparison() {
    const report::CompareRequest request;
    LB_TRY_ASSIGN(const StudyResults study, store::study_results(project_.database(), study_.experiment));
    const auto variants = report::compared_variants(study, request);
    if (!variants) {
      report_.comparison = variants.error().front().what + "\n";
      return {};
    }
    LB_TRY_ASSIGN(const Answers answers,
                  store::answers_of(project_.database(), report::results_to_read(*variants, study, recipes_, request)));
    LB_TRY_ASSIGN(const report::Comparison compared, report::compare(*variants, study, recipes_, answers, request));
    report_.comparison = report::comparison_page(compared, report::PageFormat::text, kComparisonWidth, report_.rerun);
    return {};
  }

  Result<void> figures() {
    if (!stands_beside("figures.yaml")) return {};
    const fs::path file = directory_ / "figures.yaml";
    LB_TRY_ASSIGN(const NamedSpec named, load_named_spec("figures", file));
    LB_TRY_ASSIGN(const FiguresFile spec, spec::read_figures(named.source));
    if (spec.experiment.value != study_.experiment) {
      left_aside(file, spec.experiment.value);
      return {};
    }
    const std::string written = shell_word(file.lexically_proximate(project_.root).string());
    for (const FigureSpec& figure : spec.figures) {
      LB_TRY_ASSIGN(const report::MeasuredFigure measured, measured_figure(figure, project_, study_));
      report::ReportedFigure reported{.title = figure.name.value,
                                      .pictures = {},
                                      .summary = report::summary_of(figure, measured),
                                      .data = report::figure_data(figure, measured),
                                      .command = "lowbit figure " + written + " " + figure.name.value};
      for (report::DrawnFigure& drawn : report::draw_figure(figure, measured, report_.rerun)) {
        reported.pictures.push_back(std::move(drawn.svg));
      }
      report_.figures.push_back(std::move(reported));
    }
    return {};
  }

  Result<void> facts() {
    LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project_.database()));
    for (std::size_t i = 0; i < study_.variants.size(); ++i) {
      report_.plugins.push_back(plugin_text(recipes_[i].record));
      if (!study_.variants[i].result_id) continue;
      LB_TRY_ASSIGN(ExecutionFacts execution, facts.execution(*study_.variants[i].result_id));
      report_.executions.push_back(std::move(execution));
    }
    LB_TRY(outside(facts));
    LB_TRY_ASSIGN(std::vector<RunLine> runs, facts.runs({}));
    for (RunLine& run : runs) {
      if (run.experiment == study_.experiment) report_.runs.push_back(std::move(run));
    }
    return {};
  }

  Result<void> outside(store::ProjectFacts& facts) {
    for (const StudyRecipe& recipe : recipes_) {
      for (const RecipeInput& input : recipe.inputs) {
        if (input.maker || input.digest.empty() || !paths_.try_emplace(input.digest).second) continue;
        LB_TRY_ASSIGN(const std::optional<ArtifactPlace> place, facts.place_of(input.digest));
        if (place) paths_[input.digest] = fs::path(place->path).lexically_proximate(project_.root).string();
        report_.outside.push_back({input.type, input.digest, paths_[input.digest]});
      }
    }
    std::erase_if(paths_, [](const auto& entry) { return entry.second.empty(); });
    return {};
  }

  void methods() {
    report::MethodFacts facts{.summaries = {}, .paths = paths_};
    const plugin::PluginCatalog catalog = find_plugins(options_.all("plugin-path"));
    for (const std::string& id : catalog.ids()) facts.summaries[id] = catalog.find(id)->summary;
    report_.methods = report::methods_of(study_, recipes_, facts);
    const graph::Drawing drawing = graph::drawing_of(study_, recipes_, paths_);
    report_.graph = graph::draw_svg(drawing);
    report_.graph_summary = graph::draw_text(drawing);
  }

  const CommandOptions& options_;
  exec::ProjectPaths project_;
  StudyResults study_;
  fs::path directory_;
  StudyRecipes recipes_;
  std::map<std::string, std::string> paths_;  ///< of files from outside, by digest
  report::StudyReport report_;
};

}  // namespace

Result<int> report_command(const Words& words) {
  CommandOptions options("report");
  options
      .argument("experiment", "its name, its file, or the directory of that (default: the only one of the project)",
                false)
      .text("output,o", "the file that is written (default: EXPERIMENT.html)")
      .flag("published", "in tables beside our figures those that the source paper prints (published.csv)")
      .flag("full", "everything, also where the file becomes larger than 2 MB")
      .flag("strict", "exit with 1 when a result is missing")
      .many("plugin-path", "a directory to search for plugins first; repeatable")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(const Text experiment, named_experiment(project, options.get("experiment"), "report"));
  LB_TRY_ASSIGN(StudyResults study, load_study(project.database(), experiment));
  const bool missing = std::any_of(study.variants.begin(), study.variants.end(),
                                   [](const StudyVariant& variant) { return !variant.result_id; });
  LB_TRY_ASSIGN(const report::WrittenReport written, Reporting(options, project, std::move(study)).write());
  const fs::path file = options.get("output", experiment.value + ".html");
  LB_TRY(env::write_named_file(file, written.html));
  std::printf("%s: %s\n", file.c_str(), bytes_text(written.html.size()).c_str());
  for (const std::string& what : written.left_out) {
    std::fprintf(stderr, "note: left out to stay under 2 MB: %s; --full has it\n", what.c_str());
  }
  return options.has("strict") && missing ? 1 : 0;
}

}  // namespace lowbit::cli
