// evaluator-api-generate: what a model behind an OpenAI-compatible interface answers to a task, and how much of it is
// right. Reading, grading and counting answers is plugins/tasks/predictions.h; each call is in the project's paid-calls
// file before the next step is taken, so the stage needs no checkpoint.
#include <lowbit/sdk.hpp>

#include <set>

#include "generation.h"
#include "tasks/predictions.h"

using namespace lowbit;
using namespace lowbit::api_generate;
using Json = nlohmann::json;

namespace {

/// Sums over all calls of the stage.
struct Account {
  std::set<std::string> served;
  std::size_t calls = 0, refused = 0;
  double prompt_tokens = 0, completion_tokens = 0, cost = 0;
  bool priced = true;

  void add(const Json& row) {
    ++calls;
    const auto number = [&row](const char* name) { return row[name].is_null() ? 0.0 : row[name].get<double>(); };
    prompt_tokens += number("prompt_tokens");
    completion_tokens += number("completion_tokens");
    cost += number("cost_usd");
    priced = priced && (row["outcome"] == "failed" || !row["cost_usd"].is_null());
    if (!row["model_served"].is_null()) served.insert(row["model_served"].get<std::string>());
  }

  void report(const Job& job, const std::string& task, std::size_t n) const {
    if (n > 0) tasks::report_share(job, task + "/refused", refused, n);
    job.metric("api/calls", static_cast<double>(calls), "calls");
    job.metric("api/prompt_tokens", prompt_tokens, "tokens");
    job.metric("api/completion_tokens", completion_tokens, "tokens");
    if (priced) job.metric("api/cost", cost, "USD");
    job.metric("api/served_models", static_cast<double>(served.size()), "models");
    if (served.size() < 2) return;
    std::string names;
    for (const std::string& name : served) names += (names.empty() ? "" : ", ") + name;
    job.warn("the server answered with more than one model: " + names + ". These answers are not of one model");
  }
};

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
  Account account;
  for (const Generation::Question& question : generation.questions()) {
    const openai::Completion completion = openai::completion_of(generation.answer(question));
    predictions.add(*question.item, answered(question, completion));
    account.refused += completion.outcome == openai::Outcome::refused ? 1U : 0U;
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
  account.report(job, task.name, generation.questions().size());
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
