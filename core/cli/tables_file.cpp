#include "cli/tables_file.h"

#include <memory>

#include "base/words.h"
#include "cli/study_files.h"
#include "env/files.h"
#include "spec/experiment_reader.h"
#include "spec/published_reader.h"
#include "spec/table_reader.h"

namespace lowbit::cli {
namespace fs = std::filesystem;

Result<LoadedTables> load_tables(const fs::path& written) {
  const bool directory = env::is_directory(written);
  LoadedTables loaded{.file = directory ? written / "tables.yaml" : written, .tables = {}};
  LB_TRY_ASSIGN(std::shared_ptr<const SourceText> source, load_spec_text("the tables file", loaded.file, "tables"));
  if (!directory && spec::is_experiment(source)) {
    loaded.file = written.parent_path() / "tables.yaml";
    LB_TRY_ASSIGN(source, load_spec_text("the tables file", loaded.file, "tables"));
  }
  LB_TRY_ASSIGN(loaded.tables, spec::read_tables(source));
  return loaded;
}

Result<PublishedFigures> load_published(const LoadedTables& tables, const TableSpec& table) {
  const std::string& named = table.published_file.value;
  const fs::path file = tables.file.parent_path() / (named.empty() ? "published.csv" : named);
  LB_TRY_ASSIGN(const auto source, load_spec_text("the file of published figures", file, "tables"));
  return spec::read_published(source);
}

Result<TableSpec> the_table(const TablesFile& file, const std::string& name) {
  if (name.empty() && file.tables.size() == 1) return file.tables.front();
  std::vector<std::string> names;
  for (const TableSpec& table : file.tables) {
    if (table.name.value == name) return table;
    names.push_back(table.name.value);
  }
  Diagnostic problem =
      error("LB0007", name.empty() ? "the file has several tables" : "there is no table `" + name + "`");
  problem.note("its tables: " + joined(names));
  const std::string near = nearest(name, names);
  return problem.fix(near.empty() ? "name one of them after the file"
                                  : "a table with a similar name exists: `" + near + "`");
}

}  // namespace lowbit::cli
