#include "cli/tables_file.h"

#include <memory>

#include "base/words.h"
#include "env/files.h"
#include "spec/experiment_reader.h"
#include "spec/published_reader.h"
#include "spec/table_reader.h"
#include "store/sqlite/open.h"
#include "store/study_results.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

Result<std::shared_ptr<const SourceText>> load_text(const fs::path& file, const char* what = "the tables file") {
  auto text = env::read_file(file);
  if (!text.ok()) {
    const Diagnostic& cause = text.error().front();
    return error("LB0006", std::string(what) + " " + file.string() + " cannot be read")
        .note(cause.notes.empty() ? cause.what : cause.notes.front())
        .fix("check the path; docs/tables.md says how to write one");
  }
  return std::make_shared<const SourceText>(SourceText{file.string(), *std::move(text)});
}

}  // namespace

Result<LoadedTables> load_tables(const fs::path& written) {
  const bool directory = env::is_directory(written);
  LoadedTables loaded{.file = directory ? written / "tables.yaml" : written, .tables = {}};
  LB_TRY_ASSIGN(std::shared_ptr<const SourceText> source, load_text(loaded.file));
  if (!directory && spec::is_experiment(source)) {
    loaded.file = written.parent_path() / "tables.yaml";
    LB_TRY_ASSIGN(source, load_text(loaded.file));
  }
  LB_TRY_ASSIGN(loaded.tables, spec::read_tables(source));
  return loaded;
}

Result<PublishedFigures> load_published(const LoadedTables& tables, const TableSpec& table) {
  const std::string& named = table.published_file.value;
  const fs::path file = tables.file.parent_path() / (named.empty() ? "published.csv" : named);
  LB_TRY_ASSIGN(const auto source, load_text(file, "the file of published figures"));
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

Result<StudyResults> load_study(const fs::path& database, const Text& experiment) {
  LB_TRY_ASSIGN(StudyResults study, store::study_variants(database, experiment.value));
  if (!study.variants.empty()) return study;
  LB_TRY_ASSIGN(const auto store, store::open_sqlite(database, store::Access::read_only));
  LB_TRY_ASSIGN(const std::vector<std::string> known, store->experiments());
  const std::string near = nearest(experiment.value, known);
  return error("LB7020", "experiment `" + experiment.value + "` was never run in this project")
      .at(experiment.span, "no results")
      .fix(near.empty() ? "`lowbit run` it first, or name its project with --project DIR"
                        : "an experiment with a similar name was: `" + near + "`");
}

}  // namespace lowbit::cli
