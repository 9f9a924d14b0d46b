// tests/cases/tables: a tables file, what a study measured, and what becomes of it.
//   study           one variant a line, as JSON: {"stage", "axes"?, "seed"?, "state"? ("done"), "metrics"?: {name:
//                   [unit, value, count? (0)]}, "answers"?: "101?" (item by item: right, wrong, not graded),
//                   "prompt"?, "task"? (its digest)}; without `study` the file is only read
//   expect: check   `ok`, or the diagnostics
//   published.csv   figures of a source paper, shown beside
//   expect: text, markdown, latex, html, csv, comparisons   the first table of the file
//   expect: against, against.csv   its figures one by one beside those of published.csv
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "domain/coordinates.h"
#include "report/published_cells.h"
#include "report/published_page.h"
#include "report/table_figures.h"
#include "report/table_page.h"
#include "report/text_table.h"
#include "spec/language.h"
#include "spec/published_reader.h"
#include "spec/table_reader.h"
#include "support/case_file.h"

namespace lowbit::test {
namespace {

constexpr const char* kFile = "tables.yaml";
constexpr const char* kPublished = "published.csv";

struct Study {
  StudyResults results;
  StudyRecipes recipes;
  Answers answers;
};

std::vector<ItemAnswer> answers_of(const std::string& grades, const std::string& prompt) {
  std::vector<ItemAnswer> answers;
  for (std::size_t i = 0; i < grades.size(); ++i) {
    const std::string id = "item-" + std::to_string(i);
    answers.push_back({id, id, prompt, grades[i] == '?' ? std::nullopt : std::optional(grades[i] == '1')});
  }
  return answers;
}

Study read_study(const CaseFile& file) {
  Study study;
  study.results.experiment = "study";
  std::int64_t id = 0;
  for (const std::string& line : file.lines_of("study")) {
    const Json json = Json::parse(line);
    StudyVariant variant;
    variant.stage = json.at("stage");
    variant.axes = json.value("axes", Json::object());
    variant.state = json.value("state", "done");
    study.recipes.push_back({.kind = "evaluator", .record = {}, .inputs = {}});
    if (json.contains("task")) {
      study.recipes.back().inputs.push_back({"task", "task/1", json.at("task"), {}, {}});
    }
    Coordinates coordinates;
    for (const auto& [axis, value] : variant.axes.items()) coordinates.set(axis, value);
    if (json.contains("seed")) {
      variant.seed = json.at("seed").get<std::int64_t>();
      coordinates.set("seed", json.at("seed"));
    }
    variant.label = stage_label(variant.stage, coordinates);
    if (variant.state == "done") {
      variant.result_id = ++id;
      variant.content_key = std::to_string(id);
    }
    const Json metrics = json.value("metrics", Json::object());
    for (const auto& [name, metric] : metrics.items()) {
      const Json& value = metric.at(1);
      variant.metrics[name] = {metric.at(0), value.is_null() ? std::nullopt : std::optional(value.get<double>()),
                               metric.size() > 2 ? metric.at(2).get<std::int64_t>() : 0};
    }
    if (json.contains("answers")) study.answers[id] = answers_of(json.at("answers"), json.value("prompt", "p"));
    study.results.variants.push_back(std::move(variant));
  }
  return study;
}

template <class Read>
auto read_source(const std::filesystem::path& file, Read read) {
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  auto result = read(std::make_shared<const SourceText>(SourceText{file.string(), text}));
  INFO((result ? std::string() : render(result.error())));
  REQUIRE(result.ok());
  return *std::move(result);
}

Result<report::MeasuredTable> measured(const TableSpec& table, const Study& study) {
  LB_TRY_ASSIGN(const auto sources, report::find_sources(table, study.results));
  return report::measure(table, sources, study.answers);
}

std::string read_case(const CaseFile& file, std::string_view expected) {
  const auto source = std::make_shared<const SourceText>(SourceText{kFile, file.text_of(kFile)});
  const Result<TablesFile> tables = spec::read_tables(source);
  if (!tables) return render(tables.error());
  if (file.find("study") == nullptr) return "ok";
  const TableSpec& table = tables->tables.front();
  const Study study = read_study(file);
  const auto result = measured(table, study);
  if (!result) return render(result.error());
  std::optional<PublishedFigures> published;
  if (file.find(kPublished) != nullptr) {
    const auto text = std::make_shared<const SourceText>(SourceText{kPublished, file.text_of(kPublished)});
    auto read = spec::read_published_for(text, table);
    if (!read) return render(read.error());
    published = *std::move(read);
  }
  const PublishedFigures* const beside = published ? &*published : nullptr;
  if (expected == "check") return "ok";
  if (expected == "csv") return report::render(report::figures(table, *result, beside), report::TableFormat::csv);
  if (expected == "comparisons") return report::render(report::comparisons(table, *result), report::TableFormat::csv);
  if (expected.starts_with("against")) {
    REQUIRE(beside != nullptr);
    const auto comparisons = report::compare_published(table, *result, *beside);
    return expected == "against" ? report::published_page(comparisons, report::PageFormat::text)
                                 : report::render(report::published_rows(comparisons), report::TableFormat::csv);
  }
  const std::map<std::string_view, report::PageFormat> pages{{"text", report::PageFormat::text},
                                                             {"markdown", report::PageFormat::markdown},
                                                             {"latex", report::PageFormat::latex},
                                                             {"html", report::PageFormat::html}};
  const auto page = pages.find(expected);
  REQUIRE(page != pages.end());
  report::Identity identity(study.results, study.recipes, study.answers);
  return report::render(report::print(table, *result,
                                      {.rerun = "lowbit run experiment.yaml",
                                       .command = "lowbit table tables.yaml main",
                                       .published = beside,
                                       .identity = &identity}),
                        page->second);
}

TEST_CASE("every case of tests/cases/tables becomes what it expects", "[report][cases]") {
  for (const auto& path : case_files(LOWBIT_SOURCE_DIR "/tests/cases/tables")) {
    DYNAMIC_SECTION(path.filename().string()) { check_case(path, read_case); }
  }
}

TEST_CASE("every column of an experiment's tables that the paper has as well finds its figures",
          "[report][published]") {
  std::size_t n = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(LOWBIT_SOURCE_DIR "/experiments")) {
    if (entry.path().filename() != "published.csv") continue;
    const auto tables = read_source(entry.path().parent_path() / "tables.yaml", spec::read_tables);
    const auto published = read_source(entry.path(), spec::read_published);
    for (const TableSpec& table : tables.tables) {
      read_source(entry.path(), [&](const auto& source) { return spec::read_published_for(source, table); });
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        std::size_t found = 0;
        for (std::size_t r = 0; r < table.rows.size(); ++r) {
          found += report::published_at(table, r, c, published) != nullptr ? 1U : 0U;
        }
        const PublishedPlace& place = table.columns[c].published;
        const bool wanted = !place.table.value.empty() || !place.row.value.empty() || !place.column.value.empty();
        INFO(entry.path() << " " << table.name.value << " " << table.columns[c].label.value);
        CHECK((found > 0) == wanted);
        n += found;
      }
    }
  }
  CHECK(n > 400);
}

TEST_CASE("the page on tables reads its own example and describes every key", "[report][docs]") {
  std::ifstream in(LOWBIT_SOURCE_DIR "/docs/tables.md");
  const std::string page{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::string open = "```yaml\n";
  const std::size_t begin = page.find(open);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = page.find("```\n", begin + open.size());
  const std::string example = page.substr(begin + open.size(), end - begin - open.size());
  const auto tables = spec::read_tables(std::make_shared<const SourceText>(SourceText{"example", example}));
  INFO((tables ? std::string() : render(tables.error())));
  REQUIRE(tables.ok());
  CHECK(tables->tables.front().columns.size() == 7);
  using spec::Place;
  for (const Place place : {Place::tables_file, Place::table, Place::column, Place::metric_of, Place::accuracy,
                            Place::delta, Place::row, Place::comparison, Place::table_published, Place::published}) {
    for (const std::string& key : spec::key_names(place)) {
      INFO(key);
      CHECK(page.find("`" + key + "`") != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace lowbit::test
