// How the columns of a section are made: axes, and the parameters of their stages and of all that feeds these. Pure.
#pragma once

#include <vector>

#include "report/comparison.h"

namespace lowbit::report {

/// Whether it tells columns apart: two of them have it and differ. What some columns have not at all differs too where
/// it is an axis or the plugin of a stage; the parameters of a stage or plugin that others lack come with it.
[[nodiscard]] bool differs(const ComparedParameter& parameter);

/// Axes in the order in which the columns name them, then parameters by name. A parameter that repeats an axis is left
/// out. One that several feeding variants of a column disagree on is "several".
[[nodiscard]] std::vector<ComparedParameter> parameters_of(const SectionVariants& section, const StudyRecipes& recipes,
                                                           const StudyResults& study);

}  // namespace lowbit::report
