// The figures of a file, filled with the results of its experiment.
#pragma once

#include "base/result.h"
#include "domain/curve.h"
#include "domain/figure_spec.h"
#include "domain/study_results.h"
#include "exec/project.h"
#include "report/figure_points.h"
#include "report/measured_figure.h"

namespace lowbit::cli {

/// Adds to `study` the metrics that it reads. The result borrows nothing.
[[nodiscard]] Result<report::MeasuredFigure> measured_figure(const FigureSpec& figure,
                                                             const exec::ProjectPaths& project, StudyResults& study);

}  // namespace lowbit::cli
