#include "cli/export_results.h"

#include <cstdio>
#include <functional>
#include <set>
#include <utility>

#include "cli/export_directory.h"
#include "cli/export_study.h"
#include "cli/session.h"
#include "env/fault.h"
#include "interchange/lm_eval.h"
#include "interchange/tensorboard.h"
#include "interchange/tidy_tables.h"
#include "store/project_facts.h"
#include "store/result_rows.h"
#include "store/task_questions.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

/// What every format is made from, and where it goes.
struct Order {
  const exec::ProjectPaths& project;
  const CommandOptions& options;
  const ExportedStudy& study;
  ExportDirectory& out;
};

Diagnostic nothing_for(const Order& order, const std::string& what, const std::string& fix) {
  return error("LB7070", "there is nothing to export as " + order.options.get("format"))
      .note(what + " of " + order.study.experiment + (order.options.has("only") ? " that --only names" : ""))
      .fix(fix);
}

/// A result that several variants share is visited once, as the first of them.
Result<void> each_result(const ExportedStudy& study, const std::function<Result<void>(const ExportedVariant&)>& visit) {
  std::set<std::int64_t> seen;
  for (const std::size_t i : study.chosen) {
    const ExportedVariant& variant = study.variants[i];
    if (variant.variant.result_id && variant.result && seen.insert(*variant.variant.result_id).second) {
      LB_TRY(visit(variant));
    }
  }
  return {};
}

Result<void> write_items(const Order& order, store::ResultRows& rows, const interchange::TidyTables& tables,
                         ItemKind kind, const std::string& path) {
  LB_TRY_ASSIGN(env::FileWriter file, order.out.open(path));
  LB_TRY(each_result(order.study, [&](const ExportedVariant& variant) -> Result<void> {
    return rows.each_item(*variant.variant.result_id, kind,
                          [&](const ItemLine& item) { return file.write(tables.item_line(variant, item)); });
  }));
  return file.close();
}

Result<void> write_tidy(const Order& order, interchange::RowFormat format) {
  const interchange::TidyTables tables(order.study, format);
  const std::string end = interchange::extension_of(format);
  LB_TRY(order.out.write({"results" + end, tables.results()}));
  LB_TRY(order.out.write({"params" + end, tables.params()}));
  LB_TRY_ASSIGN(store::ResultRows rows, store::ResultRows::open(order.project.database()));
  LB_TRY_ASSIGN(env::FileWriter curves, order.out.open("curves" + end));
  LB_TRY(curves.write(tables.curves_header()));
  LB_TRY(each_result(order.study, [&](const ExportedVariant& variant) -> Result<void> {
    return rows.each_point(*variant.variant.result_id,
                           [&](const CurveRow& point) { return curves.write(tables.curve_line(variant, point)); });
  }));
  LB_TRY(curves.close());
  LB_TRY(write_items(order, rows, tables, ItemKind::predictions, "predictions.jsonl"));
  LB_TRY(write_items(order, rows, tables, ItemKind::verdicts, "verdicts.jsonl"));
  return write_items(order, rows, tables, ItemKind::grades, "grades.jsonl");
}

Result<void> write_csv(const Order& order) { return write_tidy(order, interchange::RowFormat::csv); }
Result<void> write_jsonl(const Order& order) { return write_tidy(order, interchange::RowFormat::jsonl); }

/// Questions of one task at a time: evaluators of one task stand beside each other in an expansion.
class TaskTexts {
 public:
  explicit TaskTexts(const exec::ProjectPaths& project) : project_(project) {}

  /// Without questions where the task's files are gone.
  [[nodiscard]] Result<void> load(store::ProjectFacts& facts, const interchange::EvaluatedTask& task) {
    if (task.digest == digest_) return {};
    digest_ = task.digest;
    questions_.clear();
    if (!task.description->is_object()) return {};
    LB_TRY_ASSIGN(const std::optional<ArtifactPlace> place, facts.place_of(task.digest));
    if (!place) return {};
    LB_TRY_ASSIGN(questions_, store::read_questions(project_.state() / place->path));
    return {};
  }

  [[nodiscard]] std::optional<Question> find(const std::string& item_id) const {
    auto found = questions_.find(item_id);
    if (found == questions_.end()) found = questions_.find(store::item_of_sample(item_id));
    return found == questions_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  const exec::ProjectPaths& project_;
  std::string digest_;
  std::map<std::string, Question> questions_;
};

/// The hash of the evaluation's one task, or nothing where the result answered no items.
Result<std::optional<std::string>> write_samples(const Order& order, const interchange::Evaluation& evaluation,
                                                 const TaskTexts& texts, store::ResultRows& rows,
                                                 const std::string& path) {
  std::optional<env::FileWriter> file;
  interchange::LmEvalSamples samples(evaluation.tasks.front());
  LB_TRY(rows.each_item(*order.study.variants[evaluation.variant].variant.result_id, ItemKind::predictions,
                        [&](const ItemLine& item) -> Result<void> {
                          if (!file) {
                            LB_TRY_ASSIGN(file, order.out.open(path));
                          }
                          return file->write(samples.line(item, texts.find(item.item_id)));
                        }));
  if (!file) return std::optional<std::string>();
  LB_TRY(file->close());
  return std::optional(samples.task_hash());
}

Result<void> write_lm_eval(const Order& order) {
  const std::vector<interchange::Evaluation> all = interchange::evaluations(order.study);
  if (all.empty()) {
    return nothing_for(order, "no evaluator has a result with a task's metric",
                       "run an evaluator, or choose others with --only");
  }
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(order.project.database()));
  LB_TRY_ASSIGN(store::ResultRows rows, store::ResultRows::open(order.project.database()));
  TaskTexts texts(order.project);
  for (const interchange::Evaluation& evaluation : all) {
    std::size_t number = 0;
    while (order.out.has(interchange::lm_eval_results(order.study, evaluation, {}, number).path)) ++number;
    std::map<std::string, std::string> hashes;
    // Items name no task: only where there is one, they are its.
    if (evaluation.tasks.size() == 1) {
      const interchange::EvaluatedTask& task = evaluation.tasks.front();
      LB_TRY(texts.load(facts, task));
      LB_TRY_ASSIGN(const auto hash, write_samples(order, evaluation, texts, rows,
                                                   interchange::samples_path(order.study, evaluation, task, number)));
      if (hash) hashes[task.name] = *hash;
    }
    LB_TRY(order.out.write(interchange::lm_eval_results(order.study, evaluation, hashes, number)));
  }
  return {};
}

Result<void> write_tensorboard(const Order& order) {
  LB_TRY_ASSIGN(store::ResultRows rows, store::ResultRows::open(order.project.database()));
  for (const std::size_t i : order.study.chosen) {
    const ExportedVariant& variant = order.study.variants[i];
    if (!variant.result) continue;
    std::vector<CurveRow> points;
    LB_TRY(rows.each_point(*variant.variant.result_id, [&](const CurveRow& point) -> Result<void> {
      points.push_back(point);
      return {};
    }));
    if (points.empty() && variant.result->facts.metrics.empty()) continue;
    LB_TRY(order.out.write(interchange::tensorboard_run(variant, points)));
  }
  if (order.out.n_files() > 0) return {};
  return nothing_for(order, "no variant has a result with a curve or a metric", "run it first: `lowbit run FILE`");
}

using Writer = Result<void> (*)(const Order&);

const std::vector<std::pair<std::string, Writer>>& writers() {
  static const std::vector<std::pair<std::string, Writer>> all{
      {"csv", write_csv}, {"jsonl", write_jsonl}, {"lm-eval", write_lm_eval}, {"tensorboard", write_tensorboard}};
  return all;
}

}  // namespace

const std::vector<std::string>& results_formats() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& [name, writer] : writers()) out.push_back(name);
    return out;
  }();
  return names;
}

Result<int> export_results(const CommandOptions& options) {
  env::set_fault_role(env::ProcessRole::host);
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(const ExportedStudy study, load_exported_study(project, options.get("source"), options.all("only")));
  LB_TRY_ASSIGN(ExportDirectory out, ExportDirectory::begin(options.get("directory")));
  const Order order{project, options, study, out};
  for (const auto& [name, writer] : writers()) {
    if (name == options.get("format")) LB_TRY(writer(order));
  }
  LB_TRY(out.finish());
  std::printf("%s: %s, %zu %s\n", options.get("directory").c_str(), options.get("format").c_str(), out.n_files(),
              out.n_files() == 1 ? "file" : "files");
  return 0;
}

}  // namespace lowbit::cli
