#include "generation.h"

#include <algorithm>
#include <set>

#include "lm/digest.h"

namespace lowbit::api_generate {
namespace {

using Json = nlohmann::json;

constexpr openai::Variables kVariables{.url = "LOWBIT_API_URL", .key = "LOWBIT_API_KEY"};
constexpr std::size_t kMostStops = 4;  // what the interface allows; all of them are looked for in the answer

bool asks_chat(const Params& params, const tasks::Task& task) {
  return params.api == "auto" ? task.chat : params.api == "chat";
}

bool is_sampled(const Params& params) {
  return params.supports_temperature && params.temperature && *params.temperature > 0;
}

std::vector<openai::Message> messages_of(const tasks::Task& task, const tasks::Item& item) {
  std::vector<openai::Message> messages;
  if (task.system) messages.push_back({"system", *task.system});
  messages.push_back({"user", tasks::prompt_of(task, item)});
  return messages;
}

std::string prompt_sha(const tasks::Task& task, const tasks::Item& item, bool chat) {
  if (!chat) return lm::sha256_of_text(tasks::prompt_of(task, item));
  Json rows = Json::array();
  for (const openai::Message& message : messages_of(task, item)) {
    rows.push_back({{"role", message.role}, {"content", message.content}});
  }
  return lm::sha256_of_text(rows.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::set<std::string> keys_of(const std::vector<Generation::Question>& questions) {
  std::set<std::string> keys;
  for (const auto& question : questions) keys.insert(question.asked.key);
  return keys;
}

/// 200 with a completion in it, or an error that is the model's answer.
bool is_answer(const openai::Call& call) {
  return call.meaning == openai::Meaning::answered &&
         (call.reply.status != 200 || openai::read_completion(200, call.reply.body).has_choice);
}

}  // namespace

void expect_askable(const Params& params, const tasks::Task& task) {
  openai::expect_prices(params.limits(), params.prices());
  if (task.chat && !asks_chat(params, task)) {
    throw StageError(
        LB_BAD_PARAM,
        {.what = "the prompts of this task are for a chat template",
         .where = "parameter api",
         .why = "behind /completions nobody applies one, and `prompt.chat` of task " + task.name + " is true",
         .fix = "leave `api` out, or set `prompt.chat` to false and write the markers into the template"});
  }
  if (params.samples > 1 && !is_sampled(params)) {
    throw StageError(LB_BAD_PARAM,
                     {.what = "several samples of one greedy answer are one answer",
                      .where = "parameter samples",
                      .why = "it is " + std::to_string(params.samples) + ", and no temperature above 0 is sent",
                      .fix = "set `temperature` above 0, or `samples` to 1"});
  }
}

Generation::Generation(const Job& job, const Params& params, const tasks::Task& task)
    : job_(job),
      params_(params),
      task_(task),
      chat_(asks_chat(params, task)),
      asker_{.name = params.model,
             .endpoint = params.endpoint,
             .model = params.model,
             .seed = job.seed(),
             .generation = params.generation},
      questions_([this] {
        std::vector<Question> all;
        for (const tasks::Item& item : task_.items) {
          const std::string sha = prompt_sha(task_, item, chat_);
          for (std::int64_t k = 1; k <= params_.samples; ++k) {
            const std::string id = params_.samples == 1 ? item.item_id : item.item_id + "#" + std::to_string(k);
            all.push_back({.item = &item, .asked = openai::asked(asker_, id, request(item, id)), .prompt_sha = sha});
          }
        }
        return all;
      }()),
      paid_(openai::open_paid_calls(job, keys_of(questions_))),
      budget_(params.limits(), params.prices()) {
  for (const Question& question : questions_) {
    for (const Json& record : paid_.records(question.asked.key)) budget_.count(record);
  }
}

std::string Generation::request(const tasks::Item& item, const std::string& prediction_id) const {
  openai::ChatOptions options = params_.chat_options();
  options.top_p = params_.top_p;
  options.stop.assign(task_.stop.begin(),
                      task_.stop.begin() + static_cast<std::ptrdiff_t>(std::min(task_.stop.size(), kMostStops)));
  if (is_sampled(params_) && params_.supports_seed) {  // 31 bits: what every server takes
    options.seed = static_cast<std::int64_t>(job_.seed_for("sample/" + prediction_id) >> 33U);
  }
  return chat_ ? openai::chat_request(options, messages_of(task_, item))
               : openai::completion_request(options, tasks::prompt_of(task_, item));
}

const Json& Generation::answer(const Question& question) const { return *paid_.answer(question.asked.key); }

std::vector<const Json*> Generation::records(const Question& question) const {
  return paid_.behind(question.asked.key);
}

openai::Turn Generation::turn(const Question& question) {
  paid_.refresh();  // another stage may ask the same
  if (paid_.answer(question.asked.key) != nullptr) {
    job_.tick(++n_done_, questions_.size(), "answers");
    return openai::Known{};
  }
  return budget_.turn({.id = question.asked.key, .body = request(*question.item, question.asked.item_id)},
                      params_.max_tokens);
}

openai::After Generation::ended(const Question& question, openai::Call call) {
  const bool answered = is_answer(call);
  const bool again = call.meaning == openai::Meaning::answered && !answered;
  if (again) call.meaning = openai::Meaning::retry;
  const Json record = openai::record_of(asker_, question.asked, call);
  paid_.append(record);
  budget_.ended(call.id, record);
  if (answered) {
    job_.tick(++n_done_, questions_.size(), "answers");
  } else {
    job_.info("item " + question.asked.item_id + ": " + openai::describe(call.reply));
  }
  return again ? openai::After::ask_again : openai::After::as_meant;
}

void Generation::ask_the_rest() {
  std::vector<const Question*> open;
  std::size_t n_bytes = 0;
  for (const Question& question : questions_) {
    if (paid_.answer(question.asked.key) != nullptr) continue;
    open.push_back(&question);
    n_bytes += request(*question.item, question.asked.item_id).size();
  }
  n_done_ = questions_.size() - open.size();
  if (n_done_ > 0) {
    job_.info(std::to_string(n_done_) + " of " + std::to_string(questions_.size()) + " answers are paid for");
  }
  if (open.empty()) return;
  job_.info("asking for " + std::to_string(open.size()) +
            " answers: " + openai::estimate(open.size(), n_bytes, params_.max_tokens, params_.prices()));
  const openai::Endpoint endpoint = openai::endpoint_named(params_.endpoint, kVariables);
  openai::Policy policy = openai::policy_of(job_, params_.endpoint, params_);
  if (!chat_) policy.path = "/completions";
  job_.tick(n_done_, questions_.size(), "answers");
  openai::ask(endpoint, open.size(), policy,
              {.turn = [&](std::size_t i) { return turn(*open[i]); },
               .ended = [&](const openai::Call& call) { return ended(*open[call.question], call); },
               .poll = [this] { job_.stop_if_cancelled(); }});
}

}  // namespace lowbit::api_generate
