// Agreement as text for a person and as JSON for a program. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "report/agreement.h"

namespace lowbit::report {

/// Tables of columns. What has no value is said in words.
[[nodiscard]] std::string agreement_page(const Agreement& agreement, const std::string& experiment);

/// {"experiment", "level", "baseline", "cases", "predictions",
///  "raters": [{"name", "kind", "judged", "valid", "undetermined", "invalid", "conflict", "insufficient"}],
///  "pairs": [{"rater", "with", "alike": SHARE, "kappa": ESTIMATE}],
///  "judges": [{"level", "alike": SHARE, "fleiss_kappa": ESTIMATE, "alpha": ESTIMATE}], "step_alpha": ESTIMATE,
///  "confusions": [{"rater", "human", "labels", "counts", "precision": [SHARE], "recall": [SHARE]}],
///  "audits": [{"vote", "human", "drawn", "errors": SHARE, "bound"}], "bootstrap": {"draws", "seed"}}
/// SHARE is {"count", "of", "value", "low", "high"}, ESTIMATE {"cases", "value", "low", "high", "draws", "why"}: null
/// where there is no value, and then `why` says why. `level` of the whole is that of pairs, confusions and audits.
[[nodiscard]] Json agreement_document(const Agreement& agreement, const std::string& experiment);

}  // namespace lowbit::report
