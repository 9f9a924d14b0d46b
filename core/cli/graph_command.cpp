#include <array>
#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/session.h"
#include "env/files.h"
#include "graph/draw.h"
#include "store/project_facts.h"

namespace lowbit::cli {
namespace {

using Draw = std::string (*)(const graph::Drawing&);

struct Format {
  const char* name;
  Draw draw;
};
constexpr std::array<Format, 4> kFormats{
    {{"text", graph::draw_text}, {"svg", graph::draw_svg}, {"dot", graph::draw_dot}, {"mermaid", graph::draw_mermaid}}};

// Beyond this a picture shows nothing any more.
constexpr std::size_t kMostBoxes = 400;

Result<std::set<std::string>> failed_variants(const exec::ProjectPaths& project, const std::string& experiment) {
  std::set<std::string> labels;
  if (!env::exists(project.database())) return labels;
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const std::vector<VariantLine> variants, facts.variants(experiment));
  for (const VariantLine& variant : variants) {
    if (variant.state == "failed" || variant.state == "lost") labels.insert(variant.label);
  }
  return labels;
}

}  // namespace

Result<int> graph_command(const Words& words) {
  CommandOptions options("graph");
  add_experiment_options(options);
  options.text("format", "text (default), svg, dot or mermaid")
      .flag("variants", "a box for each variant, not for each stage")
      .text("output,o", "write to this file instead of stdout");
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const std::string name = options.get("format", "text");
  const Format* format = nullptr;
  for (const Format& known : kFormats) {
    if (name == known.name) format = &known;
  }
  if (format == nullptr) {
    return error("LB0035", "there is no format " + name + " for a graph")
        .note("formats are text, svg, dot and mermaid")
        .fix("see `lowbit graph --help`");
  }
  LB_TRY_ASSIGN(const Experiment experiment, load_experiment(options));
  if (options.has("variants") && name != "text" && experiment.graph.variants.size() > kMostBoxes) {
    return error("LB0036", std::to_string(experiment.graph.variants.size()) + " variants are too many to draw")
        .note("at most " + std::to_string(kMostBoxes) + " are drawn")
        .fix("leave --variants out for a box a stage, or narrow an axis: --set 'matrix.num_bits=[4]'");
  }
  const exec::RunRequest request = run_request(experiment, options);
  LB_TRY_ASSIGN(const exec::ProjectPaths project, project_of(options));
  LB_TRY_ASSIGN(const std::unique_ptr<store::Store> store, open_for_reading(project));
  LB_TRY_ASSIGN(const graph::Plan plan, exec::plan(*store, experiment.graph, request));
  LB_TRY_ASSIGN(std::set<std::string> failed, failed_variants(project, experiment.graph.experiment));
  const std::string picture = format->draw(
      graph::drawing_of(experiment.graph, plan, {.variants = options.has("variants"), .failed = std::move(failed)}));
  if (options.has("output")) {
    LB_TRY(env::write_named_file(options.get("output"), picture));
  } else {
    std::fputs(picture.c_str(), stdout);
  }
  return 0;
}

}  // namespace lowbit::cli
