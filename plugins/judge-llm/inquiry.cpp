#include "inquiry.h"

#include <algorithm>
#include <set>

namespace lowbit::judge_llm {
namespace {

using Json = nlohmann::json;

constexpr openai::Variables kVariables{.url = "LOWBIT_JUDGE_URL", .key = "LOWBIT_JUDGE_KEY"};

std::set<std::string> keys_of(const std::vector<std::vector<openai::Asked>>& asked) {
  std::set<std::string> keys;
  for (const auto& forms : asked) {
    for (const openai::Asked& one : forms) keys.insert(one.key);
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

Inquiry::Inquiry(const Job& job, const Params& params, const Rubric& rubric, const std::vector<JudgedItem>& items)
    : job_(job),
      params_(params),
      rubric_(rubric),
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
      paid_(openai::open_paid_calls(job, keys_of(asked_))) {}

std::string Inquiry::request(std::size_t item, openai::Form form) const {
  std::vector<openai::Message> messages;
  if (rubric_.system) messages.push_back({"system", *rubric_.system});
  messages.push_back({"user", render_prompt(rubric_, items_[item].subject)});
  return openai::chat_request(params_.chat_options(), std::move(messages), form, &schema_);
}

std::pair<const openai::Asked*, const Json*> Inquiry::find_answer(std::size_t item) const {
  for (const openai::Asked& asked : asked_[item]) {
    if (const Json* const record = paid_.answer(asked.key); record != nullptr) return {&asked, record};
  }
  return {nullptr, nullptr};
}

Inquiry::Answer Inquiry::answer(std::size_t item) const {
  Answer out;
  std::tie(out.asked, out.record) = find_answer(item);
  for (const openai::Asked& asked : asked_[item]) {
    for (const Json& record : paid_.records(asked.key)) {
      // A second answer to the same question: two stages asked at the same moment. It was paid for by the other one.
      if (record.at("answered") == false || &record == out.record) out.records.push_back(&record);
    }
    if (&asked == out.asked) break;
  }
  return out;
}

openai::Turn Inquiry::turn(std::size_t item) {
  paid_.refresh();  // another stage may ask the same
  if (find_answer(item).second != nullptr) {
    job_.tick(++n_done_, items_.size(), "items");
    return openai::Known{};
  }
  return openai::Request{.id = asked_[item][rung_].key, .body = request(item, forms_[rung_])};
}

openai::After Inquiry::ended(std::size_t item, const openai::Call& call) {
  const auto& forms = asked_[item];
  const auto asked = std::find_if(forms.begin(), forms.end(), [&](const auto& one) { return one.key == call.id; });
  paid_.append(openai::record_of(asker_, *asked, call));
  if (call.meaning == openai::Meaning::answered) {
    job_.tick(++n_done_, items_.size(), "items");
    return openai::After::as_meant;
  }
  job_.info("item " + asked->item_id + ": " + openai::describe(call.reply));
  const auto next = static_cast<std::size_t>(asked - forms.begin()) + 1;
  if (next == forms.size() || !openai::refuses(asked->form, call.reply)) return openai::After::as_meant;
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
    if (find_answer(i).second == nullptr) open.push_back(i);
  }
  n_done_ = items_.size() - open.size();
  if (n_done_ > 0) {
    job_.info(std::to_string(n_done_) + " of " + std::to_string(items_.size()) + " answers are paid for");
  }
  if (open.empty()) return;
  const openai::Endpoint endpoint = openai::endpoint_named(params_.endpoint, kVariables);
  job_.tick(n_done_, items_.size(), "items");
  openai::ask(endpoint, open.size(), openai::policy_of(job_, params_.endpoint, params_),
              {.turn = [&](std::size_t question) { return turn(open[question]); },
               .ended = [&](const openai::Call& call) { return ended(open[call.question], call); },
               .poll = [this] { job_.stop_if_cancelled(); }});
}

}  // namespace lowbit::judge_llm
