// dataset-effective-grades: the grade and the first error that count for each prediction, after a vote.
//
// The answer decides what is right, a vote what kind of error a wrong one has. That a vote finds no error in a wrong
// answer changes its grade only with `acquit`: it may be the judges' slip as well as the grader's.
#include <lowbit/sdk.hpp>

#include <cmath>
#include <map>
#include <unordered_map>

#include "verdicts/verdict.h"

using namespace lowbit;
using verdicts::Finding;
using verdicts::Status;

namespace {

struct Params {
  bool acquit = false;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::acquit, "acquit").doc("an answer graded wrong counts as right when the vote finds no error"));
  }
};

std::unordered_map<std::string, Finding> read_vote(const Job& job,
                                                   const std::vector<verdicts::Prediction>& predictions) {
  std::unordered_map<std::string, std::size_t> n_steps;
  for (const auto& prediction : predictions) n_steps[prediction.item_id] = prediction.steps.size();
  std::unordered_map<std::string, Finding> findings;
  for (verdicts::Verdict& verdict : verdicts::read_verdicts(job.input("vote").path)) {
    const auto misfit = [&](const std::string& why, const std::string& fix) {
      throw StageError(LB_BAD_INPUT, {.what = "the vote does not fit the predictions",
                                      .where = "verdict of " + verdict.judge + " on item " + verdict.item_id,
                                      .why = why,
                                      .fix = fix});
    };
    const auto item = n_steps.find(verdict.item_id);
    if (item == n_steps.end())
      misfit("there is no prediction of that item", "bind `vote` to a vote on these predictions");
    const auto step = verdict.finding.first_error_step.value_or(0);
    if (step > item->second) {
      misfit("it names step " + std::to_string(step) + " of " + std::to_string(item->second),
             "bind `vote` to a vote on these predictions");
    }
    if (!findings.emplace(verdict.item_id, std::move(verdict.finding)).second) {
      misfit("the item has a verdict already", "bind one judge, or run lowbit.majority-vote over several");
    }
  }
  return findings;
}

struct Grade {
  std::optional<bool> correct;
  Finding error;  ///< status error, or no error is named
  bool by_vote = false;
};

Grade grade_of(const verdicts::Prediction& prediction, const Finding* vote, bool acquit) {
  const Finding none{.status = Status::no_error, .first_error_step = {}, .category = {}, .type = {}};
  if (prediction.correct == true || vote == nullptr) return {prediction.correct, none, false};
  if (vote->status == Status::error) return {prediction.correct, *vote, true};
  if (vote->status == Status::no_error && acquit && prediction.correct == false) return {true, none, true};
  return {prediction.correct, none, false};
}

/// Shares of all items by their first error: right answers, unnamed errors and the categories add up to 1, but for
/// types without a category.
void report(const Job& job, std::map<std::string, std::size_t> counts, std::size_t n) {
  counts.insert({{"none", 0}, {"unnamed", 0}});
  for (const auto category : verdicts::kCategories) counts.emplace(category, 0);
  for (const auto& [type, category] : verdicts::kErrorTypes) counts.emplace(type, 0);
  for (const auto& [name, count] : counts) {
    const double p = static_cast<double>(count) / static_cast<double>(n);
    job.metric("first_errors/" + name, p, "fraction",
               {.count = n, .std_error = std::sqrt(p * (1 - p) / static_cast<double>(n))});
  }
}

void write_grades(const Job& job, const Params& params) {
  const auto predictions = verdicts::read_predictions(job.input("predictions").path);
  const auto vote = read_vote(job, predictions);
  std::map<std::string, std::size_t> counts;
  std::size_t changed = 0;
  JsonLinesWriter out(job.output("grades") / "grades.jsonl");
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    job.tick(i, predictions.size(), "items");
    const verdicts::Prediction& p = predictions[i];
    const auto found = vote.find(p.item_id);
    const Grade grade = grade_of(p, found == vote.end() ? nullptr : &found->second, params.acquit);
    const auto error = verdicts::json_of(grade.error, p.item_id, "-");
    const auto json = [](std::optional<bool> b) { return b ? nlohmann::json(*b) : nlohmann::json(); };
    out.write({{"item_id", p.item_id},
               {"problem_id", p.problem_id},
               {"correct", json(grade.correct)},
               {"graded", json(p.correct)},
               {"source", grade.by_vote ? "vote" : "prediction"},
               {"category", error["category"]},
               {"type", error["type"]},
               {"first_error_step", error["first_error_step"]},
               {"decision_id", nullptr}});
    changed += grade.correct != p.correct ? 1U : 0U;
    if (grade.correct == true) {
      ++counts["none"];
    } else if (grade.error.status != Status::error) {
      ++counts["unnamed"];
    } else {
      if (grade.error.category) ++counts[*grade.error.category];
      if (grade.error.type) ++counts[*grade.error.type];
    }
  }
  out.close();
  job.metric("data/n_items", static_cast<double>(predictions.size()), "items");
  job.metric("data/changed_grades", static_cast<double>(changed), "items");
  if (!predictions.empty()) report(job, counts, predictions.size());
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.effective-grades", LB_DATASET)
                  .version("1")
                  .summary("The grade and the first error that count, from predictions and a vote on them.")
                  .input("predictions", "predictions/1", "graded solutions")
                  .input("vote", "verdicts/1", "one verdict an item: a vote, or a single judge")
                  .output("grades", "grades/1", "one grade an item")
                  .run<write_grades>())
