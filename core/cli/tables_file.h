// The tables file that a person names, and the figures of the source paper beside it.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "domain/published.h"
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

}  // namespace lowbit::cli
