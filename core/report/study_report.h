// All of a study in one HTML file that needs nothing else: tables, figures, graph, methods, where everything comes
// from. It has no script and asks nothing of any network. Pure: equal results give equal bytes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "domain/project_facts.h"
#include "domain/query_result.h"
#include "domain/study_results.h"
#include "report/printed_table.h"
#include "report/study_methods.h"

namespace lowbit::report {

struct ReportedTable {
  std::string name;
  PrintedTable table;
  std::string command;  ///< that prints it
};

struct ReportedFigure {
  std::string title;
  std::vector<std::string> pictures;  ///< whole SVG documents
  std::string summary;                ///< for those who do not see them
  QueryResult data;
  std::string command;  ///< that draws it
};

/// What a stage read from outside.
struct OutsideSource {
  std::string type;
  std::string digest;
  std::string path;  ///< empty: not known
};

struct StudyReport {
  const StudyResults* study = nullptr;     ///< borrowed
  std::vector<std::string> plugins;        ///< by variant: "lowbit.gptq 4"
  std::vector<ExecutionFacts> executions;  ///< of the variants that have a result, in their order
  std::vector<ReportedTable> tables;
  std::string comparison;  ///< in place of tables where the study has no file of them: a page of text
  std::vector<ReportedFigure> figures;
  std::string graph;          ///< an SVG document
  std::string graph_summary;  ///< for those who do not see it
  std::vector<StageMethod> methods;
  std::vector<OutsideSource> outside;
  std::vector<RunLine> runs;  ///< of the experiment, newest first
  bool file_changed = false;  ///< the experiment's file is not what it was
  std::string rerun;          ///< the command that makes what is missing, or everything again
  std::string version;        ///< of lowbit, which writes the report
};

struct WrittenReport {
  std::string html;
  std::vector<std::string> left_out;  ///< what did not fit, for people
};

/// At most `limit` bytes, where leaving out data of figures, lists of stages, the experiment's text and then figures is
/// enough for that; what is left out is named in its place. 0: everything.
[[nodiscard]] WrittenReport study_report(const StudyReport& report, std::size_t limit);

}  // namespace lowbit::report
