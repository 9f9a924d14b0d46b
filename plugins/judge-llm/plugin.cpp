// judge-llm: asks a language model behind an OpenAI-compatible interface for the first error of each solution.
//
// A finished call is in the project's paid-calls file before the next step is taken, and a question that is answered
// there is never asked. So the stage needs no checkpoint: run again after whatever ended it, it asks what is left.
#include <lowbit/sdk.hpp>

#include <cmath>
#include <map>
#include <set>

#include "answer.h"
#include "calls.h"
#include "cases.h"
#include "openai/paid_calls.h"

using namespace lowbit;
using namespace lowbit::judge_llm;
using Json = nlohmann::json;

namespace {

constexpr openai::Variables kVariables{.url = "LOWBIT_JUDGE_URL", .key = "LOWBIT_JUDGE_KEY"};

struct Params {
  std::string endpoint, model, judge;
  std::string items = "wrong";
  std::optional<double> temperature = 0.0;
  std::int64_t max_tokens = 2048;
  std::int64_t generation = 0;
  std::optional<double> usd_per_million_input, usd_per_million_output;
  std::int64_t max_concurrent = 4;
  double timeout_s = 120;
  std::int64_t max_attempts = 6;
  double backoff_s = 1;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::endpoint, "endpoint")
            .required()
            .not_empty()
            .doc("your name of the server; its address and key stand in LOWBIT_JUDGE_URL and LOWBIT_JUDGE_KEY"),
        field(&Params::model, "model").required().not_empty().doc("model as the server knows it; best a dated version"),
        field(&Params::judge, "judge").doc("name of the judge in its verdicts; empty: the model"),
        field(&Params::items, "items")
            .one_of("wrong", "all")
            .doc("what is judged: predictions that are not graded as right, or all"),
        field(&Params::temperature, "temperature")
            .range(0, 2)
            .doc("sampling temperature; null: not sent, for models that refuse it"),
        field(&Params::max_tokens, "max_tokens").at_least(1).unit("tokens").doc("most tokens of an answer"),
        field(&Params::generation, "generation")
            .at_least(0)
            .doc("raise it to ask again what was answered before; earlier answers stay in the paid-calls file"),
        field(&Params::usd_per_million_input, "usd_per_million_input")
            .at_least(0)
            .unit("USD")
            .doc("price of a million input tokens; null: costs are not known"),
        field(&Params::usd_per_million_output, "usd_per_million_output")
            .at_least(0)
            .unit("USD")
            .doc("price of a million output tokens; null: costs are not known"),
        field(&Params::max_concurrent, "max_concurrent")
            .range(1, 256)
            .unit("calls")
            .no_effect_on_result()
            .doc("most calls under way at a time"),
        field(&Params::timeout_s, "timeout_s")
            .above(0)
            .at_most(3600)
            .unit("s")
            .no_effect_on_result()
            .doc("longest time of one call, from connecting to the last byte"),
        field(&Params::max_attempts, "max_attempts")
            .range(1, 100)
            .unit("calls")
            .no_effect_on_result()
            .doc("tries of a question before the stage gives up; a later run goes on"),
        field(&Params::backoff_s, "backoff_s")
            .above(0)
            .at_most(60)
            .unit("s")
            .no_effect_on_result()
            .doc("upper bound of the random wait after a first failure; it doubles with each further one"));
  }
};

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(std::max<std::int64_t>(1, std::llround(seconds * 1000)));
}

openai::PaidCalls open_paid_calls(const Job& job, const std::vector<Asked>& questions) {
  const auto file = job.paid_calls();
  if (!file) {
    throw StageError(LB_INTERNAL, {.what = "there is nowhere to keep what is paid for",
                                   .where = std::string(job.stage_id()),
                                   .why = "this host does not offer " LB_PAID_CALLS,
                                   .fix = "run the stage with the lowbit that this plugin was built with"});
  }
  std::set<std::string> keys;
  for (const Asked& question : questions) keys.insert(question.key);
  return {*file, std::move(keys)};
}

/// Asks all that is not answered in `paid`, which then holds an answer to every question.
void ask_the_rest(const Job& job, const Params& params, const Asker& asker, const std::vector<Asked>& all,
                  openai::PaidCalls& paid) {
  std::vector<const Asked*> open;
  std::vector<openai::Question> questions;
  for (const Asked& question : all) {
    if (paid.answer(question.key) != nullptr) continue;
    open.push_back(&question);
    questions.push_back({.id = question.key, .body = question.request});
  }
  const std::size_t n_before = all.size() - open.size();
  if (n_before > 0) job.info(std::to_string(n_before) + " of " + std::to_string(all.size()) + " answers are paid for");
  if (open.empty()) return;

  const openai::Endpoint endpoint = openai::endpoint_named(params.endpoint, kVariables);
  const openai::Policy policy{.max_concurrent = static_cast<std::size_t>(params.max_concurrent),
                              .per_minute = job.requests_per_minute(params.endpoint).value_or(0),
                              .timeout = milliseconds(params.timeout_s),
                              .max_attempts = static_cast<int>(params.max_attempts),
                              .backoff = milliseconds(params.backoff_s),
                              .draw = [&job](const std::string& id, int attempt) {
                                const auto bits = job.seed_for("backoff/" + id + "/" + std::to_string(attempt));
                                return static_cast<double>(bits >> 11U) * 0x1p-53;
                              }};
  std::size_t n_done = n_before;
  const auto needed = [&](std::size_t i) {
    paid.refresh();  // another stage may ask the same
    if (paid.answer(open[i]->key) == nullptr) return true;
    job.tick(++n_done, all.size(), "items");
    return false;
  };
  const auto ended = [&](const openai::Call& call) {
    const Asked& question = *open[call.question];
    paid.append(record_of(asker, question, call));
    if (call.meaning == openai::Meaning::answered) {
      job.tick(++n_done, all.size(), "items");
    } else {
      job.info("item " + question.item_id + ": " + openai::describe(call.reply));
    }
  };
  job.tick(n_done, all.size(), "items");
  openai::ask(endpoint, questions, policy,
              {.needed = needed, .ended = ended, .poll = [&] { job.stop_if_cancelled(); }});
}

/// Counts over the judged items and over all calls about them.
struct Totals {
  std::map<std::string, std::size_t> by_status, by_error, by_outcome;  ///< by_error: types and categories
  std::set<std::string> served;
  std::string unreadable;  ///< the first one, for the log
  std::size_t calls = 0;
  double prompt_tokens = 0, completion_tokens = 0, cost = 0;
  bool priced = true;

  void add_call(const Json& row) {
    ++calls;
    const auto number = [&row](const char* name) { return row[name].is_null() ? 0.0 : row[name].get<double>(); };
    prompt_tokens += number("prompt_tokens");
    completion_tokens += number("completion_tokens");
    cost += number("cost_usd");
    priced = priced && (row["outcome"] == "failed" || !row["cost_usd"].is_null());
    if (!row["model_served"].is_null()) served.insert(row["model_served"].get<std::string>());
  }
};

Json verdict_row(const Asker& asker, const std::string& item_id, const Judgement& judgement, const Json& call_id) {
  return {{"item_id", item_id},
          {"judge", asker.judge},
          {"status", judgement.status},
          {"first_error_step", judgement.first_error_step},
          {"category", judgement.category},
          {"type", judgement.type},
          {"explanation", judgement.explanation},
          {"confidence", judgement.confidence},
          {"call_ids", Json::array({call_id})}};
}

Totals publish(const Job& job, const Params& params, const Asker& asker, const std::vector<JudgedItem>& items,
               const std::vector<Asked>& questions, const AnswerReader& reader, const openai::PaidCalls& paid) {
  const Prices prices{.input = params.usd_per_million_input, .output = params.usd_per_million_output};
  Totals totals;
  JsonLinesWriter verdicts(job.output("verdicts") / "verdicts.jsonl");
  JsonLinesWriter calls(job.output("calls") / "calls.jsonl");
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Json& answer = *paid.answer(questions[i].key);
    const openai::Completion completion = completion_of(answer);
    Judgement judgement;
    judgement.why = completion.why;
    if (completion.outcome == openai::Outcome::ok) {
      judgement = reader.read(completion.text, items[i].subject.steps.size());
    }
    const bool readable = judgement.status != "invalid";
    verdicts.write(verdict_row(asker, items[i].item_id, judgement, call_id_of(answer, 1)));
    const auto& records = paid.records(questions[i].key);
    for (std::size_t k = 0; k < records.size(); ++k) {
      // A second answer to the same question: two stages asked at the same moment. It was paid for by the other one.
      if (records[k].at("answered") == true && &records[k] != &answer) continue;
      const Json row = api_call_row(asker, records[k], k + 1, readable, prices);
      calls.write(row);
      totals.add_call(row);
    }
    ++totals.by_status[judgement.status];
    ++totals.by_outcome[openai::name_of(completion.outcome)];
    if (!judgement.type.is_null()) ++totals.by_error[judgement.type.get<std::string>()];
    if (!judgement.category.is_null()) ++totals.by_error[judgement.category.get<std::string>()];
    if (!readable && totals.unreadable.empty()) totals.unreadable = items[i].item_id + ": " + judgement.why;
  }
  verdicts.close();
  calls.close();
  return totals;
}

void report(const Job& job, std::size_t n_items, Totals& totals) {
  job.metric("judge/n_items", static_cast<double>(n_items), "items");
  job.metric("judge/calls", static_cast<double>(totals.calls), "calls");
  job.metric("judge/prompt_tokens", totals.prompt_tokens, "tokens");
  job.metric("judge/completion_tokens", totals.completion_tokens, "tokens");
  if (totals.priced) job.metric("judge/cost", totals.cost, "USD");
  job.metric("judge/served_models", static_cast<double>(totals.served.size()), "models");
  if (n_items == 0) return;
  const auto share = [&](const std::string& name, std::size_t k) {
    const double n = static_cast<double>(n_items);
    const double p = static_cast<double>(k) / n;
    job.metric(name, p, "fraction", {.count = n_items, .std_error = std::sqrt(p * (1 - p) / n)});
  };
  for (const char* status : {"error", "no_error", "undetermined", "invalid"}) {
    share(std::string("judge/") + status, totals.by_status[status]);
  }
  for (const char* outcome : {"refused", "truncated"})
    share(std::string("judge/") + outcome, totals.by_outcome[outcome]);
  for (const auto& [name, k] : totals.by_error) share("first_errors/" + name, k);

  if (totals.by_status["invalid"] > 0) {
    job.warn(std::to_string(totals.by_status["invalid"]) + " of " + std::to_string(n_items) +
             " answers are no verdict; the first is item " + totals.unreadable);
  }
  if (totals.served.size() > 1) {
    std::string names;
    for (const std::string& name : totals.served) names += (names.empty() ? "" : ", ") + name;
    job.warn("the server answered with more than one model: " + names + ". These verdicts are not of one judge");
  }
}

void judge(const Job& job, const Params& params) {
  const Rubric rubric = job.has_input("rubric") ? read_rubric(job.input("rubric").path) : built_in_rubric();
  const AnswerReader reader(rubric);
  const auto items = read_cases(job.input("task"), job.input("predictions"), params.items == "all");
  const Asker asker{.judge = params.judge.empty() ? params.model : params.judge,
                    .endpoint = params.endpoint,
                    .model = params.model,
                    .seed = job.seed(),
                    .generation = params.generation};
  const openai::ChatOptions options{
      .model = params.model, .temperature = params.temperature, .max_tokens = params.max_tokens};
  std::vector<Asked> questions;
  for (const JudgedItem& item : items) {
    const std::string request = openai::chat_request(options, rubric.system, render_prompt(rubric, item.subject));
    questions.push_back(asked(asker, item.item_id, request));
  }
  openai::PaidCalls paid = open_paid_calls(job, questions);
  ask_the_rest(job, params, asker, questions, paid);
  Totals totals = publish(job, params, asker, items, questions, reader, paid);
  report(job, items.size(), totals);
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.llm-judge", LB_JUDGE)
                  .version("1")
                  .summary("First errors as a language model behind an API sees them.")
                  .seeded()
                  .environment(kVariables.url)
                  .environment(kVariables.key)
                  .input("predictions", "predictions/1", "the solutions that are judged")
                  .input("task", "task/1", "what they answer, with reference answers")
                  .input("rubric", "rubric/1", "what is asked, and how it is to be answered", LB_PORT_OPTIONAL)
                  .output("verdicts", "verdicts/1", "one for each judged item")
                  .output("calls", "api-calls/1", "every call behind them, failed ones included")
                  .run<judge>())
