// The trace of a figure as text for a person and as JSON for a program. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "report/figure_trace.h"

namespace lowbit::report {

/// Sections: the figure, the results it is computed from, how they are made, what they stand on, who judged, and the
/// commands that show more. `answers` lists every item with its grade by result; null: it does not.
[[nodiscard]] std::string trace_page(const FigureTrace& trace, const StudyResults& study, const StudyRecipes& recipes,
                                     const Answers* answers);
/// {"table", "row", "column", "formula", "figures": {NAME: value}, "results": [{"row", "role", "label", "seed",
/// "metrics":
///  {NAME: {"value", "unit", "count"}}, "execution": {"result_key", "attempt", "started_at", "ended_at", "seconds",
///  "directory", "environment", "run", "command", "plugin_file", "lowbit", "build", "host"} or null, "predictions":
///  {"label", "port", "digest", "items", "right", "wrong", "ungraded"} or null, "marks": [{"label", "type", "sources",
///  "lines", "by_people"}], "items": {ITEM: right or null} with `answers`}], "chain": [{"label", "plugin", "params",
///  "inputs": [{"port", "type", "digest", "from"}]}], "outside": [{"type", "digest", "path"}], "decisions": likewise,
///  "rerun"}
[[nodiscard]] Json trace_document(const FigureTrace& trace, const StudyResults& study, const StudyRecipes& recipes,
                                  const Answers* answers);

}  // namespace lowbit::report
