// judge-llm: asks a language model behind an OpenAI-compatible interface for the first error of each solution.
//
// A finished call is in the project's paid-calls file before the next step is taken, and a question that is answered
// there is never asked. So the stage needs no checkpoint: run again after whatever ended it, it asks what is left.
#include <lowbit/sdk.hpp>

#include <cmath>
#include <map>

#include "answer.h"
#include "cases.h"
#include "inquiry.h"
#include "openai/account.h"
#include "params.h"

using namespace lowbit;
using namespace lowbit::judge_llm;
using Json = nlohmann::json;

namespace {

/// Counts over the judged items, and all calls about them.
struct Totals {
  std::map<std::string, std::size_t> by_status, by_error, by_outcome, by_form,
      by_repair;           ///< by_error: types and categories; by_outcome: of invalid items
  std::string unreadable;  ///< the first one, for the log
  std::size_t reasked = 0, repaired = 0;
  openai::Account account;
};

Json verdict_row(const openai::Asker& asker, const std::string& item_id, const Judgement& judgement,
                 const Json& call_ids) {
  Json row{{"item_id", item_id},
           {"judge", asker.name},
           {"status", judgement.status},
           {"first_error_step", judgement.first_error_step},
           {"category", judgement.category},
           {"type", judgement.type},
           {"explanation", judgement.explanation},
           {"confidence", judgement.confidence},
           {"call_ids", call_ids}};
  if (!judgement.repairs.empty()) row["repairs"] = judgement.repairs;
  return row;
}

Totals publish(const Job& job, const Params& params, const std::vector<JudgedItem>& items, const Inquiry& inquiry,
               const AnswerReader& reader) {
  const openai::Asker asker = asker_of(job, params);
  Totals totals;
  JsonLinesWriter verdicts(job.output("verdicts") / "verdicts.jsonl");
  JsonLinesWriter calls(job.output("calls") / "calls.jsonl");
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Inquiry::Answer answer = inquiry.answer(i);
    const std::size_t n_steps = items[i].subject.steps.size();
    const openai::Completion first = openai::completion_of(*answer.first);
    openai::Completion last = first;
    Judgement judgement = reader.judge(first, n_steps);
    const bool first_is_readable = judgement.status != "invalid";
    Json call_ids = Json::array({openai::call_id_of(*answer.first, 1)});
    if (answer.second != nullptr) {
      last = openai::completion_of(*answer.second);
      judgement = reader.judge(last, n_steps);
      call_ids.push_back(openai::call_id_of(*answer.second, 1));
    }
    const bool readable = judgement.status != "invalid";
    verdicts.write(verdict_row(asker, items[i].item_id, judgement, call_ids));
    std::map<std::string, std::size_t> tries;  // of each question
    for (const Json* const record : answer.records) {
      const std::size_t attempt = ++tries[record->at("key").get<std::string>()];
      const bool was_read = record == answer.second ? readable : first_is_readable;
      const Json row = openai::api_call_row(asker, *record, attempt, was_read, params.prices());
      calls.write(row);
      totals.account.add(row);
    }
    ++totals.by_status[judgement.status];
    if (!readable) ++totals.by_outcome[openai::name_of(last.outcome)];
    ++totals.by_form[openai::name_of(answer.asked->form)];
    totals.reasked += answer.second != nullptr ? 1U : 0U;
    totals.repaired += judgement.repairs.empty() ? 0U : 1U;
    for (const std::string& repair : judgement.repairs) ++totals.by_repair[repair];
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
  totals.account.report(job, "judge", "verdicts", "judge");
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
  share("judge/reasked", totals.reasked);
  share("judge/repaired", totals.repaired);
  for (const auto& [form, k] : totals.by_form) share("judge/form/" + form, k);

  std::string repairs;
  for (const auto& [name, k] : totals.by_repair)
    repairs += (repairs.empty() ? "" : ", ") + name + " " + std::to_string(k);
  if (!repairs.empty()) job.info("answers were repaired before they could be read: " + repairs);
  if (totals.by_status["invalid"] > 0) {
    job.warn(std::to_string(totals.by_status["invalid"]) + " of " + std::to_string(n_items) +
             " answers are no verdict; the first is item " + totals.unreadable);
  }
}

Rubric rubric_of(const Job& job, const Params& params) {
  if (!job.has_input("rubric")) return built_in_rubric(params.taxonomy.value_or("v2"));
  Rubric rubric = read_rubric(job.input("rubric").path);
  if (params.taxonomy && *params.taxonomy != rubric.taxonomy) {
    throw StageError(LB_BAD_PARAM, {.what = "the rubric is of another taxonomy",
                                    .where = "parameter taxonomy",
                                    .why = "it is " + *params.taxonomy + ", that of the rubric is " + rubric.taxonomy,
                                    .fix = "leave `taxonomy` out, or bind another rubric or none"});
  }
  return rubric;
}

void judge(const Job& job, const Params& params) {
  openai::expect_prices(params.limits(), params.prices());
  const Rubric rubric = rubric_of(job, params);
  const AnswerReader reader(rubric);
  const auto items = read_cases(job.input("task"), job.input("predictions"), params.items == "all");
  Inquiry inquiry(job, params, rubric, reader, items);
  inquiry.ask_the_rest();
  Totals totals = publish(job, params, items, inquiry, reader);
  report(job, items.size(), totals);
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.llm-judge", LB_JUDGE)
                  .version("2")
                  .summary("First errors as a language model behind an API sees them.")
                  .seeded()
                  .environment("LOWBIT_JUDGE_URL")
                  .environment("LOWBIT_JUDGE_KEY")
                  .input("predictions", "predictions/1", "the solutions that are judged")
                  .input("task", "task/1", "what they answer, with reference answers")
                  .input("rubric", "rubric/1", "what is asked, and how it is to be answered", LB_PORT_OPTIONAL)
                  .output("verdicts", "verdicts/1", "one for each judged item")
                  .output("calls", "api-calls/1", "every call behind them, failed ones included")
                  .run<judge>())
