// A comparison as people read it, and as programs do. Numbers are rounded here and nowhere else. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "base/json.h"
#include "domain/query_result.h"
#include "report/comparison.h"
#include "report/table_page.h"

namespace lowbit::report {

/// A table a section, columns numbered, and under it what its numbers rest on; ends in a newline. Columns that do not
/// fit `width` characters (0: all fit) are left out from the right, but never the second one; their number is said.
/// `rerun` is the command that makes what is missing.
[[nodiscard]] std::string comparison_page(const Comparison& comparison, PageFormat format, std::size_t width,
                                          const std::string& rerun);

/// {"experiment", "sections": [{"stages", "variants": [{"label", "axes", "seeds"}] (the baseline first),
///  "parameters": [{"name", "values"}], "equal_parameters", "metrics": [{"stage", "name", "unit", "better", "cells":
///  [{"state", "value", "std", "low", "high", "seeds", "items", "delta", "delta_std", "delta_low", "delta_high",
///  "not_comparable"}]}], "equal_metrics"}], "stages_with_one_variant", "missing"}; unrounded, null for what is not
///  there.
[[nodiscard]] Json comparison_document(const Comparison& comparison);

/// One row a metric and variant, with the members of a cell as columns; units of the store.
[[nodiscard]] QueryResult comparison_rows(const Comparison& comparison);

}  // namespace lowbit::report
