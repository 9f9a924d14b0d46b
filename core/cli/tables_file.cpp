#include "cli/tables_file.h"

#include <string>
#include <utility>
#include <vector>

#include "cli/study_files.h"
#include "spec/published_reader.h"
#include "spec/table_reader.h"

namespace lowbit::cli {
namespace fs = std::filesystem;

Result<LoadedTables> load_tables(const fs::path& written) {
  LB_TRY_ASSIGN(const NamedSpec named, load_named_spec("tables", written));
  LB_TRY_ASSIGN(TablesFile tables, spec::read_tables(named.source));
  return LoadedTables{.file = named.file, .tables = std::move(tables)};
}

Result<PublishedFigures> load_published(const LoadedTables& tables, const TableSpec& table) {
  const std::string& named = table.published_file.value;
  const fs::path file = tables.file.parent_path() / (named.empty() ? "published.csv" : named);
  LB_TRY_ASSIGN(const auto source, load_spec_text("the file of published figures", file, "tables"));
  return spec::read_published_for(source, table);
}

Result<TableSpec> the_table(const TablesFile& file, const std::string& name) {
  if (name.empty() && file.tables.size() == 1) return file.tables.front();
  std::vector<std::string> names;
  for (const TableSpec& table : file.tables) {
    if (table.name.value == name) return table;
    names.push_back(table.name.value);
  }
  return no_such_spec("table", name, names);
}

}  // namespace lowbit::cli
