// A plan as people and programs read it.
//   reuse  quantize[num_bits=4]  up to date
//   run    quantize[num_bits=3]  parameter group_size 64 -> 128 and 1 more
//            parameter group_size 64 -> 128
//            input calibration changed
//   maybe  evaluate[num_bits=3]  waits for quantize[num_bits=3]
//   3 variants: 1 reuse, 1 run, 1 maybe
#pragma once

#include <string>

#include "base/json.h"
#include "graph/plan.h"

namespace lowbit::graph {

struct PlanTextOptions {
  bool details = false;  ///< every difference behind a reason that has several
};

/// One line per variant, then a summary, notes and notices; ends in a newline. REQUIRES: `plan` is of `graph`.
[[nodiscard]] std::string plan_text(const ExpandedGraph& graph, const Plan& plan, const PlanTextOptions& options = {});

/// {"experiment", "variants": [{"stage", "coordinates", "label", "plugin", "decision", "reason": {"kind", "text",
/// "details"}, "provenance_key", "content_key", "gate", "after_gates": [label...]}], "counts": {"reuse", "run",
/// "maybe", "gated"}, "notes", "notices"}; "content_key" is null while an input is not known, "gate" where none holds
/// the variant.
[[nodiscard]] Json plan_json(const ExpandedGraph& graph, const Plan& plan);

}  // namespace lowbit::graph
