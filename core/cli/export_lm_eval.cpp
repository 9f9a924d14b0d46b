// Results and samples as lm-evaluation-harness writes them: a directory a model, a file an evaluator's result.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/export_order.h"
#include "interchange/lm_eval.h"
#include "store/project_facts.h"
#include "store/result_rows.h"
#include "store/task_questions.h"

namespace lowbit::cli {
namespace {

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
Result<std::optional<std::string>> write_samples(const ExportOrder& order, const interchange::Evaluation& evaluation,
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

}  // namespace

Result<void> write_lm_eval(const ExportOrder& order) {
  const std::vector<interchange::Evaluation> all = interchange::evaluations(order.study);
  if (all.empty()) {
    return nothing_to_export(order.options, order.study, "no evaluator has a result with a task's metric",
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

}  // namespace lowbit::cli
