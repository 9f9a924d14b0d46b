// evaluator-api-generate: what a model behind an OpenAI-compatible interface answers to a task, and how much of it is
// right. Reading, grading and counting answers is plugins/tasks/predictions.h; each call is in the project's paid-calls
// file before the next step is taken, so the stage needs no checkpoint.
#include <lowbit/sdk.hpp>

#include "generation.h"
#include "openai/account.h"
#include "tasks/predictions.h"

using namespace lowbit;
using namespace lowbit::api_generate;
using Json = nlohmann::json;

namespace {

tasks::Answered answered(const Generation::Question& question, const openai::Completion& completion) {
  tasks::Answered out{.item_id = question.asked.item_id,
                      .prompt_sha = question.prompt_sha,
                      .text = completion.text,
                      .n_tokens = {},
                      .truncated = completion.outcome == openai::Outcome::truncated};
  // An error instead of an answer has no tokens, and is known to have none.
  if (completion.completion_tokens) out.n_tokens = static_cast<std::size_t>(*completion.completion_tokens);
  if (!completion.has_choice) out.n_tokens = 0;
  return out;
}

void generate(const Job& job, const Params& params) {
  const tasks::Task task = tasks::read_task(job.input("task").path);
  tasks::expect_known_grader(task);
  expect_askable(params, task);
  Generation generation(job, params, task);
  generation.ask_the_rest();

  tasks::PredictionWriter predictions(job.output("predictions"), task, answers::format_named(params.response_format));
  JsonLinesWriter calls(job.output("calls") / "calls.jsonl");
  openai::Account account;
  std::size_t n_refused = 0;
  for (const Generation::Question& question : generation.questions()) {
    const openai::Completion completion = openai::completion_of(generation.answer(question));
    predictions.add(*question.item, answered(question, completion));
    n_refused += completion.outcome == openai::Outcome::refused ? 1U : 0U;
    std::size_t attempt = 0;
    for (const Json* const record : generation.records(question)) {
      Json row = openai::api_call_row(generation.asker(), *record, ++attempt, true, params.prices());
      if (row["outcome"] == "invalid") row["outcome"] = "ok";  // an empty text is an answer
      calls.write(row);
      account.add(row);
    }
  }
  predictions.close();
  calls.close();
  predictions.report(job);
  const std::size_t n = generation.questions().size();
  if (n > 0) tasks::report_share(job, task.name + "/refused", n_refused, n);
  account.report(job, "api", "answers", "model");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER, Stage("lowbit.api-generate", LB_EVALUATOR)
                                   .version("1")
                                   .summary("Answers of a model behind an API to a task, read, graded and counted.")
                                   .seeded()
                                   .environment("LOWBIT_API_URL")
                                   .environment("LOWBIT_API_KEY")
                                   .input("task", "task/1", "the items")
                                   .output("predictions", "predictions/1", "answer, steps and grade of each item")
                                   .output("calls", "api-calls/1", "every call behind them, failed ones included")
                                   .run<generate>())
