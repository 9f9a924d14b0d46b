#include <cstdio>
#include <filesystem>

#include "base/words.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/pdf_file.h"
#include "cli/session.h"
#include "cli/study_figures.h"
#include "cli/study_files.h"
#include "env/files.h"
#include "report/draw_figure.h"
#include "report/figure_data.h"
#include "report/text_table.h"
#include "spec/figure_reader.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

/// All of them without a name; with --output one is wanted.
Result<std::vector<FigureSpec>> the_figures(FiguresFile file, const std::string& name, bool one) {
  if (name.empty() && (!one || file.figures.size() == 1)) return std::move(file.figures);
  std::vector<std::string> names;
  for (FigureSpec& figure : file.figures) {
    if (figure.name.value == name) return std::vector<FigureSpec>{std::move(figure)};
    names.push_back(figure.name.value);
  }
  return no_such_spec("figure", name, names);
}

/// Where a figure goes: a path without what follows the last point, and what is written there.
struct Target {
  fs::path stem;
  bool svg = true;
  bool pdf = false;
  bool csv = true;
};

Result<Target> target_of(const CommandOptions& options, const std::string& name) {
  if (!options.has("output")) return Target{.stem = fs::path(options.get("to")) / name, .pdf = options.has("pdf")};
  if (options.has("to") || options.has("pdf")) {
    return error("LB0001", "--output names one file, which leaves nothing to --to and --pdf")
        .fix("leave --output out, or take `--output FILE.pdf`");
  }
  const fs::path file = options.get("output");
  const std::string kind = file.extension();
  if (kind != ".svg" && kind != ".pdf" && kind != ".csv") {
    return error("LB0001", "`lowbit figure` writes no file `" + file.string() + "`")
        .note("what it writes is named by the end of the name")
        .fix("end it in .svg, .pdf or .csv");
  }
  fs::path stem = file;
  stem.replace_extension();
  return Target{.stem = stem, .svg = kind == ".svg", .pdf = kind == ".pdf", .csv = true};
}

Result<void> write(const fs::path& file, const std::string& text) {
  LB_TRY(env::write_named_file(file, text));
  std::printf("%s\n", file.c_str());
  return {};
}

Result<void> write_files(const Target& target, const FigureSpec& figure, const report::MeasuredFigure& measured,
                         const std::string& rerun) {
  const std::vector<report::DrawnFigure> pictures = report::draw_figure(figure, measured, rerun);
  for (const report::DrawnFigure& drawn : pictures) {
    if (target.svg) LB_TRY(write(target.stem.string() + drawn.suffix + ".svg", drawn.svg));
  }
  if (target.csv) {
    LB_TRY(write(target.stem.string() + ".csv",
                 report::render(report::figure_data(figure, measured), report::TableFormat::csv)));
  }
  if (!target.pdf) return {};
  for (const report::DrawnFigure& drawn : pictures) {
    const std::string file = target.stem.string() + drawn.suffix + ".pdf";
    LB_TRY(write_pdf(file, drawn.svg));
    std::printf("%s\n", file.c_str());
  }
  return {};
}

}  // namespace

Result<int> figure_command(const Words& words) {
  CommandOptions options("figure");
  options.argument("file", "a figures file, or the experiment or directory it stands beside (docs/figures.md)", true)
      .argument("name", "which of its figures; without it all of them", false)
      .text("output,o", "write this file instead of NAME.svg: .svg, .pdf or .csv; the data stands beside a picture")
      .text("to", "write into this directory instead of the current one")
      .flag("pdf", "write a PDF beside each SVG, by rsvg-convert")
      .flag("strict", "exit with 1 when a result is missing")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const NamedSpec named, load_named_spec("figures", options.get("file")));
  LB_TRY_ASSIGN(FiguresFile file, spec::read_figures(named.source));
  const Text experiment = file.experiment;
  LB_TRY_ASSIGN(const std::vector<FigureSpec> figures,
                the_figures(std::move(file), options.get("name"), options.has("output")));
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(StudyResults study, load_study(project.database(), experiment));
  const std::string rerun = run_again(project, study, options, {"file", "name", "output", "to", "pdf", "strict"});
  if (options.has("to")) LB_TRY(env::make_directories(options.get("to")));

  bool missing = false;
  Diagnostics problems;
  for (const FigureSpec& figure : figures) {
    LB_TRY_ASSIGN(const Target target, target_of(options, figure.name.value));
    LB_TRY_ASSIGN(const report::MeasuredFigure measured, measured_figure(figure, project, study));
    // What PDFs need may be missing; nothing else needs it.
    if (auto written = write_files(target, figure, measured, rerun); !written && problems.empty()) {
      problems = std::move(written).error();
    }
    missing = missing || !measured.missing.empty();
  }
  if (!problems.empty()) return problems;
  if (missing) std::fputs(("results are missing; make them with: " + rerun + "\n").c_str(), stderr);
  return options.has("strict") && missing ? 1 : 0;
}

}  // namespace lowbit::cli
