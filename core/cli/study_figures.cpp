#include "cli/study_figures.h"

#include "report/table_sources.h"
#include "store/study_results.h"

namespace lowbit::cli {

Result<report::MeasuredFigure> measured_figure(const FigureSpec& figure, const exec::ProjectPaths& project,
                                               StudyResults& study) {
  LB_TRY_ASSIGN(const report::FigurePoints points, report::points_of(figure, study));
  LB_TRY_ASSIGN(const auto sources, report::find_sources(points.table, study));
  LB_TRY(store::read_metrics(project.database(), report::results_of(sources), study));
  const report::FigureNeeds needs = report::needs_of(figure, points, sources);
  LB_TRY_ASSIGN(const Answers answers, store::answers_of(project.database(), needs.answers));
  LB_TRY_ASSIGN(const Curves curves, store::curves_of(project.database(), needs.curves));
  return report::measure_figure(figure, points, sources, answers, curves);
}

}  // namespace lowbit::cli
