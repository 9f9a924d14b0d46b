// The tables of a file, filled with the results of its experiment.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/tables_file.h"
#include "domain/query_result.h"
#include "domain/study_recipes.h"
#include "domain/study_results.h"
#include "exec/project.h"
#include "report/measured_table.h"
#include "report/printed_table.h"
#include "report/table_sources.h"

namespace lowbit::cli {

/// What a table is computed from, and its figures. Borrows from the study of its StudyTables.
struct FilledTable {
  std::vector<report::RowSources> sources;
  report::MeasuredTable measured;
  Answers answers;
  std::optional<PublishedFigures> published;
};

class StudyTables {
 public:
  /// `published`: beside our figures those of the source paper.
  StudyTables(LoadedTables tables, exec::ProjectPaths project, StudyResults study, bool published)
      : tables_(std::move(tables)),
        project_(std::move(project)),
        study_(std::move(study)),
        published_wanted_(published) {}

  [[nodiscard]] const std::vector<TableSpec>& all() const { return tables_.tables.tables; }
  [[nodiscard]] std::filesystem::path beside(const Text& file) const { return tables_.file.parent_path() / file.value; }
  /// A table that was filled lacks a result.
  [[nodiscard]] bool missing() const { return missing_; }
  /// With the metrics that the tables filled so far name.
  [[nodiscard]] const StudyResults& study() const { return study_; }
  [[nodiscard]] const exec::ProjectPaths& project() const { return project_; }

  /// The `lowbit table` that prints it.
  [[nodiscard]] std::string command(const TableSpec& table) const;
  [[nodiscard]] Result<FilledTable> fill(const TableSpec& table);
  /// `rerun`: the command that makes what is missing.
  [[nodiscard]] Result<report::PrintedTable> print(const TableSpec& table, const std::string& rerun);
  /// Not rounded. `comparisons`: between rows, instead of the figures.
  [[nodiscard]] Result<QueryResult> figures(const TableSpec& table, bool comparisons);

 private:
  LoadedTables tables_;
  exec::ProjectPaths project_;
  StudyResults study_;
  bool published_wanted_;
  bool missing_ = false;
};

}  // namespace lowbit::cli
