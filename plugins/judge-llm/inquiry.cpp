#include "inquiry.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "objects.h"

namespace lowbit::judge_llm {
namespace {

using Json = nlohmann::json;

constexpr openai::Variables kVariables{.url = "LOWBIT_JUDGE_URL", .key = "LOWBIT_JUDGE_KEY"};

std::set<std::string> keys_of(const std::vector<std::vector<openai::Asked>>& asked) {
  std::set<std::string> keys;
  for (const auto& forms : asked) {
    for (const openai::Asked& one : forms) {
      keys.insert(one.key);
      keys.insert(one.reask_key);
    }
  }
  return keys;
}

}  // namespace

openai::Asker asker_of(const Job& job, const Params& params) {
  return {.name = params.judge.empty() ? params.model : params.judge,
          .endpoint = params.endpoint,
          .model = params.model,
          .seed = job.seed(),
          .generation = params.generation};
}

Inquiry::Inquiry(const Job& job, const Params& params, const Rubric& rubric, const AnswerReader& reader,
                 const std::vector<JudgedItem>& items)
    : job_(job),
      params_(params),
      rubric_(rubric),
      reader_(reader),
      items_(items),
      asker_(asker_of(job, params)),
      schema_(openai::answer_schema(rubric.name, rubric.written_schema)),
      forms_(openai::forms_named(params.answer_format)),
      asked_([this] {
        std::vector<std::vector<openai::Asked>> all(items_.size());
        for (std::size_t i = 0; i < items_.size(); ++i) {
          for (const openai::Form form : forms_) {
            all[i].push_back(openai::asked(asker_, items_[i].item_id, request(i, form), form));
          }
        }
        return all;
      }()),
      paid_(openai::open_paid_calls(job, keys_of(asked_))),
      budget_(params.limits(), params.prices()) {
  for (const std::string& key : keys_of(asked_)) {
    for (const Json& record : paid_.records(key)) budget_.count(record);
  }
}

std::vector<openai::Message> Inquiry::messages(std::size_t item) const {
  std::vector<openai::Message> messages;
  if (rubric_.system) messages.push_back({"system", *rubric_.system});
  messages.push_back({"user", render_prompt(rubric_, items_[item].subject)});
  return messages;
}

std::string Inquiry::request(std::size_t item, openai::Form form) const {
  return openai::chat_request(params_.chat_options(), messages(item), form, &schema_);
}

/// What was answered stands in it without reasoning, which servers refuse to get back.
std::string Inquiry::reask(std::size_t item, openai::Form form, const Json& first) const {
  const openai::Completion completion = openai::completion_of(first);
  const std::string_view said = without_reasoning(completion.text);
  const Judgement judgement = reader_.judge(completion, items_[item].subject.steps.size());
  auto all = messages(item);
  all.push_back({"assistant", said.empty() ? "(no answer)" : std::string(said)});
  all.push_back({"user", "This answer cannot be used: " + judgement.why +
                             ". Answer once more, with one JSON object as it was described and nothing else."});
  return openai::chat_request(params_.chat_options(), std::move(all), form, &schema_);
}

bool Inquiry::wants_reask(std::size_t item, const Json& first) const {
  if (!params_.reask) return false;
  const openai::Completion completion = openai::completion_of(first);
  return completion.outcome == openai::Outcome::ok &&
         reader_.judge(completion, items_[item].subject.steps.size()).status == "invalid";
}

bool Inquiry::is_settled(std::size_t item) const {
  const auto [asked, first] = find_answer(item);
  return first != nullptr && (!wants_reask(item, *first) || paid_.answer(asked->reask_key) != nullptr);
}

std::pair<const openai::Asked*, const Json*> Inquiry::find_answer(std::size_t item) const {
  for (const openai::Asked& asked : asked_[item]) {
    if (const Json* const record = paid_.answer(asked.key); record != nullptr) return {&asked, record};
  }
  return {nullptr, nullptr};
}

Inquiry::Answer Inquiry::answer(std::size_t item) const {
  Answer out;
  std::tie(out.asked, out.first) = find_answer(item);
  const auto add = [&](const std::string& key) {
    const auto behind = paid_.behind(key);
    out.records.insert(out.records.end(), behind.begin(), behind.end());
  };
  for (const openai::Asked& asked : asked_[item]) {
    add(asked.key);
    if (&asked == out.asked) break;
  }
  if (wants_reask(item, *out.first)) {
    out.second = paid_.answer(out.asked->reask_key);
    add(out.asked->reask_key);
  }
  return out;
}

openai::Turn Inquiry::turn(std::size_t item) {
  paid_.refresh();  // another stage may ask the same
  if (is_settled(item)) {
    job_.tick(++n_done_, items_.size(), "items");
    return openai::Known{};
  }
  if (const auto [asked, first] = find_answer(item); first != nullptr) {
    return budget_.turn({.id = asked->reask_key, .body = reask(item, asked->form, *first)}, params_.max_tokens);
  }
  return budget_.turn({.id = asked_[item][rung_].key, .body = request(item, forms_[rung_])}, params_.max_tokens);
}

openai::After Inquiry::ended(std::size_t item, const openai::Call& call) {
  const auto& forms = asked_[item];
  const auto asked = std::find_if(forms.begin(), forms.end(),
                                  [&](const auto& one) { return one.key == call.id || one.reask_key == call.id; });
  const bool is_reask = call.id == asked->reask_key;
  const Json record = openai::record_of(asker_, *asked, call,
                                        is_reask ? reask(item, asked->form, *paid_.answer(asked->key)) : std::string());
  paid_.append(record);
  budget_.ended(call.id, record);
  if (call.meaning == openai::Meaning::answered) {
    if (!is_settled(item)) return openai::After::ask_on;
    job_.tick(++n_done_, items_.size(), "items");
    return openai::After::as_meant;
  }
  job_.info("item " + asked->item_id + ": " + openai::describe(call.reply));
  const auto next = static_cast<std::size_t>(asked - forms.begin()) + 1;
  if (next == forms.size() || is_reask || !openai::refuses(asked->form, call.reply)) {
    return openai::After::as_meant;
  }
  if (next > rung_) {
    rung_ = next;
    job_.info(std::string("the server does not answer in the form ") + openai::name_of(asked->form) +
              "; from here on it is asked for " + openai::name_of(forms_[rung_]));
  }
  return openai::After::ask_on;
}

void Inquiry::ask_the_rest() {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (!is_settled(i)) open.push_back(i);
  }
  n_done_ = items_.size() - open.size();
  if (n_done_ > 0) {
    job_.info(std::to_string(n_done_) + " of " + std::to_string(items_.size()) + " answers are paid for");
  }
  if (open.empty()) return;
  std::size_t n_bytes = 0;
  for (const std::size_t item : open) n_bytes += request(item, forms_.front()).size();
  job_.info("asking about " + std::to_string(open.size()) +
            " items: " + openai::estimate(open.size(), n_bytes, params_.max_tokens, params_.prices()));
  const openai::Endpoint endpoint = openai::endpoint_named(params_.endpoint, kVariables);
  job_.tick(n_done_, items_.size(), "items");
  openai::ask(endpoint, open.size(), openai::policy_of(job_, params_.endpoint, params_),
              {.turn = [&](std::size_t question) { return turn(open[question]); },
               .ended = [&](const openai::Call& call) { return ended(open[call.question], call); },
               .poll = [this] { job_.stop_if_cancelled(); }});
}

}  // namespace lowbit::judge_llm
