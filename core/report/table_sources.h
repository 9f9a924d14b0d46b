// Which results the rows of a table stand on: a row's stages at the points of the experiment that its `at` fixes. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/study_results.h"
#include "domain/table_spec.h"

namespace lowbit::report {

/// By role: the variants of the stage that plays it, which differ in their seed alone; at least one. Borrowed from the
/// StudyResults.
using RowSources = std::map<std::string, std::vector<const StudyVariant*>>;

/// One a row. LB7021 unknown stage, LB7022 `at` fixes what is not there, LB7023 more than the seed is left open.
[[nodiscard]] Result<std::vector<RowSources>> find_sources(const TableSpec& table, const StudyResults& study);

/// The results on which the rows stand.
[[nodiscard]] std::set<std::int64_t> results_of(const std::vector<RowSources>& sources);

/// The metrics that its columns name, in which * stands for any text; what they miss is named beside all metrics.
[[nodiscard]] std::set<std::string> metrics_of(const TableSpec& table);

/// The results whose predictions the table needs.
[[nodiscard]] std::vector<std::int64_t> results_with_answers(const TableSpec& table,
                                                             const std::vector<RowSources>& sources);

}  // namespace lowbit::report
