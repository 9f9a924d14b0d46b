// dataset-grades: stored answers graded once more, by a grader chosen by name; nothing is generated again.
#include <lowbit/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include "answers/grade.h"
#include "answers/graders.h"
#include "answers/samples.h"
#include "tasks/item_index.h"

using namespace lowbit;

namespace {

constexpr std::size_t kMostSamples = 256;  // of one item that votes are counted over

struct Params {
  std::string grader = std::string(answers::kGrader);
  std::int64_t samples = 0;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::grader, "grader")
            .one_of(std::string(answers::kGrader), "math-verify", "hendrycks-math", "prm800k", "lm-eval-minerva",
                    "opencompass-v1", "opencompass-v2", "gsm8k-strict", "gsm8k-flexible")
            .doc("whose rules decide: docs/answers.md"),
        field(&Params::samples, "samples")
            .range(0, kMostSamples)
            .unit("samples")
            .doc("k of pass@k and maj@k, which need at least k samples of every item; 0: neither"));
  }
};

/// What the rules of a grader say about one stored answer. lowbit.v1 takes the answer that was extracted before.
answers::Grade grade(const std::string& grader, const nlohmann::json& row, const std::string& reference) {
  if (const answers::Grader* named = answers::grader_named(grader))
    return named->grade(row.at("text").get_ref<const std::string&>(), reference);
  answers::Grade result;
  if (row.at("extracted").is_null()) return result;
  result.extracted = row.at("extracted").get<std::string>();
  result.correct = answers::same_answer(*result.extracted, reference);
  return result;
}

bool same(const std::string& grader, std::string_view a, std::string_view b) {
  const answers::Grader* named = answers::grader_named(grader);
  return named != nullptr ? named->same(a, b) : answers::same_answer(a, b);
}

[[noreturn]] void refuse(const std::filesystem::path& file, std::size_t line, const std::string& why,
                         const std::string& fix) {
  throw StageError(LB_BAD_INPUT, {.what = "a prediction cannot be graded",
                                  .where = file.string() + ":" + std::to_string(line),
                                  .why = why,
                                  .fix = fix});
}

/// Mean of values between 0 and 1 by item, with the standard error of the mean.
class Mean {
 public:
  void add(double value) {
    sum_ += value;
    squares_ += value * value;
    ++n_;
  }
  void report(const Job& job, const std::string& name) const {
    const double n = static_cast<double>(n_);
    const double mean = sum_ / n;
    job.metric(name, mean, "fraction",
               {.count = n_, .std_error = std::sqrt(std::max(0.0, squares_ / n - mean * mean) / n)});
  }

 private:
  double sum_ = 0, squares_ = 0;
  std::size_t n_ = 0;
};

/// The samples of one item, in the order of the file.
struct Samples {
  std::vector<std::optional<std::string>> answers;
  std::vector<bool> correct;
};

/// pass@k and maj@k of the items.
void report_samples(const Job& job, const Params& params, const std::string& task,
                    const std::map<std::string, Samples>& by_item) {
  const auto k = static_cast<std::size_t>(params.samples);
  Mean pass;
  Mean majority;
  for (const auto& [id, samples] : by_item) {
    const std::size_t n = samples.answers.size();
    if (n < k || n > kMostSamples) {
      throw StageError(LB_BAD_INPUT, {.what = "pass@k and maj@k cannot be computed",
                                      .where = "item " + id,
                                      .why = "it has " + std::to_string(n) + " samples, " + std::to_string(k) + " to " +
                                             std::to_string(kMostSamples) + " are needed",
                                      .fix = "set `samples` to 0, or use predictions with as many for every item"});
    }
    const auto classes = answers::answer_classes(
        samples.answers, [&](std::string_view a, std::string_view b) { return same(params.grader, a, b); });
    std::map<std::size_t, std::size_t> sizes;
    std::size_t n_correct = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (classes[i]) ++sizes[*classes[i]];
      n_correct += samples.correct[i] ? 1U : 0U;
    }
    std::vector<std::size_t> counts;
    std::vector<bool> is_correct;
    for (const auto& [first, count] : sizes) {
      counts.push_back(count);
      is_correct.push_back(samples.correct[first]);
    }
    pass.add(answers::pass_at_k(n, n_correct, k));
    majority.add(answers::majority_at_k(n, k, counts, is_correct));
  }
  pass.report(job, task + "/pass@" + std::to_string(k));
  majority.report(job, task + "/maj@" + std::to_string(k));
}

void grade_all(const Job& job, const Params& params) {
  const tasks::Task task = tasks::read_task(job.input("task").path);
  tasks::expect_generation(task);
  const tasks::ItemIndex items(task);
  const auto file = job.input("predictions").path / "predictions.jsonl";
  JsonLinesWriter out(job.output("predictions") / "predictions.jsonl");
  std::map<std::string, Samples> by_item;
  std::size_t n = 0;
  std::size_t n_correct = 0;
  std::size_t n_extracted = 0;
  std::size_t n_too_large = 0;
  for_each_json_line(file, [&](nlohmann::json row, std::size_t line) {
    const auto id = row.at("item_id").get<std::string>();
    const tasks::Item* const item = items.find(id);
    if (item == nullptr)
      refuse(file, line, "task " + task.name + " has no item " + id, "bind `task` to the task that was answered");
    if (!item->answer)
      refuse(file, line, "the task has no reference answer for it", "use a task whose items have answers");
    job.tick(n, task.items.size(), "items");
    const answers::Grade result = grade(params.grader, row, *item->answer);
    row["extracted"] = or_null(result.extracted);
    row["correct"] = result.correct;
    out.write(row);
    Samples& samples = by_item[item->item_id];
    samples.answers.push_back(result.extracted);
    samples.correct.push_back(result.correct);
    ++n;
    n_correct += result.correct ? 1U : 0U;
    n_extracted += result.extracted ? 1U : 0U;
    n_too_large += result.too_large ? 1U : 0U;
  });
  out.close();
  if (n_too_large > 0) {
    job.warn(std::to_string(n_too_large) +
             " answers are too large to compare and count as wrong: limits in docs/answers.md");
  }
  const auto share = [&](const std::string& name, std::size_t k) {
    const double p = static_cast<double>(k) / static_cast<double>(n);
    job.metric(task.name + name, p, "fraction",
               {.count = n, .std_error = std::sqrt(p * (1 - p) / static_cast<double>(n))});
  };
  share("/accuracy", n_correct);
  job.metric(task.name + "/n_correct", static_cast<double>(n_correct), "items");
  job.metric(task.name + "/n_total", static_cast<double>(n), "items");
  share("/extracted", n_extracted);
  if (params.samples > 0) report_samples(job, params, task.name, by_item);
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.grade", LB_DATASET)
                  .version("1")
                  .summary("Stored answers graded once more, by the rules of a named grader.")
                  .input("predictions", "predictions/1", "what was answered")
                  .input("task", "task/1", "the items with their reference answers")
                  .output("predictions", "predictions/1", "the same with answers and grades by these rules")
                  .run<grade_all>())
