// dataset-effective-grades: the grade and the first error that count for each prediction, after a vote and people.
//
// The answer decides what is right, a vote what kind of error a wrong one has. That a vote finds no error in a wrong
// answer changes its grade only with `acquit`: it may be the judges' slip as well as the grader's. What a person
// decided of a wrong answer counts more than the vote: an error is named, or its grade is changed, or it stays unnamed.
#include <lowbit/sdk.hpp>

#include <algorithm>
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
  const char* source = "prediction";
  nlohmann::json decision_id;
};

/// `vote`, `decision`: null where there is none.
Grade grade_of(const verdicts::Prediction& prediction, const Finding* vote, const verdicts::Decision* decision,
               bool acquit) {
  const Finding none{.status = Status::no_error, .first_error_step = {}, .category = {}, .type = {}};
  const bool wrong = prediction.correct == false;
  if (decision != nullptr && wrong) {
    Grade grade{.correct = false, .error = none, .source = "human", .decision_id = decision->decision_id};
    if (decision->finding.status == Status::error) grade.error = decision->finding;
    if (decision->finding.status == Status::no_error) grade.correct = true;
    return grade;
  }
  if (prediction.correct == true || vote == nullptr) return {.correct = prediction.correct, .error = none};
  if (vote->status == Status::error) return {.correct = prediction.correct, .error = *vote, .source = "vote"};
  if (vote->status == Status::no_error && acquit && wrong) return {.correct = true, .error = none, .source = "vote"};
  return {.correct = prediction.correct, .error = none};
}

/// A decision names a step of the very text it was made on; one that does not was edited.
void expect_step(const Grade& grade, const verdicts::Prediction& prediction) {
  const auto step = grade.error.first_error_step.value_or(0);
  if (step <= prediction.steps.size()) return;
  throw StageError(LB_BAD_INPUT,
                   {.what = "a decision does not fit its prediction",
                    .where = "item " + prediction.item_id,
                    .why = "it names step " + std::to_string(step) + " of " + std::to_string(prediction.steps.size()),
                    .fix = "freeze the decisions again: lowbit review --freeze NAME"});
}

/// Shares of all items by their first error, of the taxonomy that the errors are of: right answers, unnamed errors and
/// the categories of v2, or the types of v1, add up to 1.
void report(const Job& job, std::map<std::string, std::size_t> counts, std::size_t n) {
  const auto occurs = [&](std::string_view name) { return counts.count(std::string(name)) > 0; };
  const auto& flat = verdicts::kFlatErrorTypes;
  const bool is_flat = std::any_of(flat.begin(), flat.end(), [&](const auto& known) { return occurs(known.type); });
  const auto& categories = verdicts::kCategories;
  if (is_flat && std::any_of(categories.begin(), categories.end(), occurs)) {
    throw StageError(LB_BAD_INPUT, {.what = "errors of two taxonomies",
                                    .where = "vote, decisions",
                                    .why = "their shares would not add up to 1",
                                    .fix = "let judges and people choose from one: `taxonomy` of judge and queue"});
  }
  counts.insert({{"none", 0}, {"unnamed", 0}});
  if (!is_flat) {
    for (const auto category : categories) counts.emplace(category, 0);
  }
  for (const auto& [type, category] : verdicts::types_of(is_flat ? "v1" : "v2")) counts.emplace(type, 0);
  for (const auto& [name, count] : counts) {
    const double p = static_cast<double>(count) / static_cast<double>(n);
    job.metric("first_errors/" + name, p, "fraction",
               {.count = n, .std_error = std::sqrt(p * (1 - p) / static_cast<double>(n))});
  }
}

void write_grades(const Job& job, const Params& params) {
  const auto predictions = verdicts::read_predictions(job.input("predictions").path);
  const auto vote = read_vote(job, predictions);
  std::unordered_map<std::string, verdicts::Decision> decisions;
  if (job.has_input("decisions")) decisions = verdicts::read_decisions(job.input("decisions").path);
  std::map<std::string, std::size_t> counts;
  std::size_t changed = 0;
  std::size_t n_decided = 0;
  JsonLinesWriter out(job.output("grades") / "grades.jsonl");
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    job.tick(i, predictions.size(), "items");
    const verdicts::Prediction& p = predictions[i];
    const auto found = vote.find(p.item_id);
    const auto decided = decisions.empty() ? decisions.end() : decisions.find(verdicts::case_of(p));
    const Grade grade = grade_of(p, found == vote.end() ? nullptr : &found->second,
                                 decided == decisions.end() ? nullptr : &decided->second, params.acquit);
    expect_step(grade, p);
    const auto error = verdicts::json_of(grade.error, p.item_id, "-");
    out.write({{"item_id", p.item_id},
               {"problem_id", p.problem_id},
               {"correct", or_null(grade.correct)},
               {"graded", or_null(p.correct)},
               {"source", grade.source},
               {"category", error["category"]},
               {"type", error["type"]},
               {"first_error_step", error["first_error_step"]},
               {"decision_id", grade.decision_id}});
    n_decided += grade.decision_id.is_null() ? 0U : 1U;
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
  job.metric("data/human_decisions", static_cast<double>(n_decided), "items");
  if (!predictions.empty()) report(job, counts, predictions.size());
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.effective-grades", LB_DATASET)
                  .version("2")
                  .summary("The grade and the first error that count, from predictions, a vote on them, and people.")
                  .input("predictions", "predictions/1", "graded solutions")
                  .input("vote", "verdicts/1", "one verdict an item: a vote, or a single judge")
                  .input("decisions", "decisions/1", "what people decided, frozen by `lowbit review --freeze`",
                         LB_PORT_OPTIONAL)
                  .output("grades", "grades/1", "one grade an item")
                  .run<write_grades>())
