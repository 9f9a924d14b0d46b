// The tables file that a person names, and the results that one of its tables shows.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "domain/published.h"
#include "domain/study_results.h"
#include "domain/table_spec.h"

namespace lowbit::cli {

struct LoadedTables {
  std::filesystem::path file;
  TablesFile tables;
};

/// A directory and an experiment stand for the tables.yaml of the same place. LB0006 where it cannot be read.
[[nodiscard]] Result<LoadedTables> load_tables(const std::filesystem::path& written);
/// `published.csv` beside the tables, or what `table` names instead. LB0006 where it cannot be read, LB7028 where it is
/// wrong.
[[nodiscard]] Result<PublishedFigures> load_published(const LoadedTables& tables, const TableSpec& table);
/// Of this name, or the only one; else LB0007.
[[nodiscard]] Result<TableSpec> the_table(const TablesFile& file, const std::string& name);
/// Without metrics (store::read_metrics()). LB7020 where the experiment was never run.
[[nodiscard]] Result<StudyResults> load_study(const std::filesystem::path& database, const Text& experiment);

}  // namespace lowbit::cli
