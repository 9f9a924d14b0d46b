#include "tasks/predictions.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "answers/grade.h"
#include "answers/graders.h"

namespace lowbit::tasks {
namespace {

/// The answer of a response and whether it is right; by lowbit.v1 as long as the task names no other.
answers::Grade graded(const Task& task, const Item& item, const std::string& text, const answers::Response& response) {
  const answers::Grader* named = task.grader ? answers::grader_named(*task.grader) : nullptr;
  if (named != nullptr && item.answer) return named->grade(text, *item.answer);
  answers::Grade grade;
  grade.extracted = response.answer;
  grade.correct = response.answer && item.answer && answers::same_answer(*response.answer, *item.answer);
  return grade;
}

/// Ends the text before the first of the task's stop texts; whether there was one.
bool cut_at_stop(std::string& text, const std::vector<std::string>& stop) {
  std::size_t end = text.npos;
  for (const std::string& mark : stop) end = std::min(end, text.find(mark));
  if (end == text.npos) return false;
  text.resize(end);
  return true;
}

}  // namespace

void expect_known_grader(const Task& task) {
  expect_generation(task);
  if (!task.grader || *task.grader == answers::kGrader || answers::grader_named(*task.grader) != nullptr) return;
  std::string known(answers::kGrader);
  for (const answers::Grader& grader : answers::graders()) known.append(", ").append(grader.name);
  throw StageError(LB_BAD_INPUT, {.what = "the task's grader is not known",
                                  .where = "task.json of " + task.name,
                                  .why = "it is " + *task.grader + ", known are " + known,
                                  .fix = "use a task with one of these graders or without one"});
}

PredictionWriter::PredictionWriter(const std::filesystem::path& directory, const Task& task, answers::Format format)
    : task_(task), format_(format), out_(directory / "predictions.jsonl") {}

void PredictionWriter::add(const Item& item, Answered answered) {
  std::string text = std::move(answered.text);
  const bool truncated = !cut_at_stop(text, task_.stop) && answered.truncated;
  const answers::Response response = answers::read_response(text, format_);
  const answers::Grade grade = graded(task_, item, text, response);
  nlohmann::json correct;
  if (task_.grader) correct = grade.correct;
  const bool format_kept = response.format_kept && !truncated;
  out_.write({{"item_id", answered.item_id},
              {"problem_id", item.problem_id},
              {"prompt_sha", answered.prompt_sha},
              {"text", text},
              {"steps", response.steps},
              {"extracted", or_null(grade.extracted)},
              {"correct", correct},
              {"n_tokens", answered.n_tokens.value_or(0)},
              {"truncated", truncated},
              {"format_kept", format_kept}});
  ++n_;
  correct_ += correct == true ? 1U : 0U;
  extracted_ += grade.extracted ? 1U : 0U;
  format_kept_ += format_kept ? 1U : 0U;
  truncated_ += truncated ? 1U : 0U;
  tokens_ += answered.n_tokens.value_or(0);
  tokens_known_ = tokens_known_ && answered.n_tokens;
}

void PredictionWriter::report(const Job& job) const {
  if (task_.grader) {
    report_share(job, task_.name + "/accuracy", correct_, n_);
    job.metric(task_.name + "/n_correct", static_cast<double>(correct_), "items");
  }
  job.metric(task_.name + "/n_total", static_cast<double>(n_), "items");
  report_share(job, task_.name + "/extracted", extracted_, n_);
  report_share(job, task_.name + "/truncated", truncated_, n_);
  if (format_ == answers::Format::tagged) report_share(job, task_.name + "/format_kept", format_kept_, n_);
  if (!tokens_known_) return;
  job.metric(task_.name + "/tokens_per_item", static_cast<double>(tokens_) / static_cast<double>(n_), "tokens",
             {.count = n_});
}

void report_share(const Job& job, const std::string& name, std::size_t k, std::size_t n) {
  const double p = static_cast<double>(k) / static_cast<double>(n);
  job.metric(name, p, "fraction", {.count = n, .std_error = std::sqrt(p * (1 - p) / static_cast<double>(n))});
}

}  // namespace lowbit::tasks
