#include "openai/calls.h"

#include <time.h>

#include <array>
#include <lowbit/json_lines.hpp>

#include "lm/digest.h"

namespace lowbit::openai {
namespace {

using Json = nlohmann::json;

/// RFC 3339 with milliseconds.
std::string utc(std::chrono::system_clock::time_point time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole).count();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t n = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return std::string(text.data(), n) + "." + std::to_string(1000 + ms).substr(1) + "Z";
}

}  // namespace

std::optional<double> cost_of(const Completion& completion, const Prices& prices) {
  if (!prices.input || !prices.output || !completion.prompt_tokens || !completion.completion_tokens)
    return std::nullopt;
  return (*prices.input * static_cast<double>(*completion.prompt_tokens) +
          *prices.output * static_cast<double>(*completion.completion_tokens)) /
         1e6;
}

Asked asked(const Asker& asker, const std::string& item_id, const std::string& request, Form form) {
  const std::string request_sha = lm::sha256_of_text(request);
  const Json identity{{"endpoint", asker.endpoint},
                      {"generation", asker.generation},
                      {"item_id", item_id},
                      {"request_sha", request_sha},
                      {"seed", asker.seed}};
  const std::string key = lm::sha256_of_text(identity.dump());
  return {.item_id = item_id,
          .request_sha = request_sha,
          .key = key,
          .reask_key = lm::sha256_of_text(Json{{"reask_of", key}}.dump()),
          .form = form};
}

Json record_of(const Asker& asker, const Asked& question, const Call& call, const std::string& reask) {
  const Reply& reply = call.reply;
  const bool answered = call.meaning == Meaning::answered;
  Json record{{"format", 1},
              {"key", call.id},
              {"answered", answered},
              {"item_id", question.item_id},
              {"judge", asker.name},
              {"endpoint", asker.endpoint},
              {"model", asker.model},
              {"seed", asker.seed},
              {"generation", asker.generation},
              {"answer_format", name_of(question.form)},
              {"request_sha", question.request_sha},
              {"started_at", utc(call.started_at)},
              {"seconds", call.seconds},
              {"http_status", reply.status == 0 ? Json() : Json(reply.status)},
              {"failure", answered ? Json() : Json(describe(reply))},
              {"response_sha", reply.status == 0 ? Json() : Json(lm::sha256_of_text(reply.body))},
              {"response", reply.status == 0 ? Json() : Json(reply.body)}};
  if (call.id == question.reask_key) {
    record["reask_of"] = question.key;
    record["request_sha"] = lm::sha256_of_text(reask);
  }
  return record;
}

Completion completion_of(const Json& record) {
  return read_completion(record.at("http_status").get<unsigned>(), record.at("response").get<std::string>());
}

std::string call_id_of(const Json& record, std::size_t attempt) {
  const auto key = record.at("key").get<std::string>();
  return record.at("answered").get<bool>() ? key : key + "-failed-" + std::to_string(attempt);
}

Json api_call_row(const Asker& asker, const Json& record, std::size_t attempt, bool readable, const Prices& prices) {
  const bool answered = record.at("answered").get<bool>();
  const Completion completion = answered ? completion_of(record) : Completion();
  std::string outcome = answered ? name_of(completion.outcome) : "failed";
  if (outcome == "ok" && !readable) outcome = "invalid";
  Json row{{"call_id", call_id_of(record, attempt)},
           {"item_id", record.at("item_id")},
           {"judge", asker.name},
           {"endpoint", asker.endpoint},
           {"model", asker.model},
           {"model_served", or_null(completion.model)},
           {"fingerprint", or_null(completion.fingerprint)},
           {"request_sha", record.at("request_sha")},
           {"response_sha", record.at("response_sha")},
           {"attempt", attempt},
           {"generation", record.at("generation")},
           {"http_status", record.at("http_status")},
           {"outcome", outcome},
           {"started_at", record.at("started_at")},
           {"seconds", record.at("seconds")},
           {"prompt_tokens", or_null(completion.prompt_tokens)},
           {"completion_tokens", or_null(completion.completion_tokens)},
           {"reasoning_tokens", or_null(completion.reasoning_tokens)},
           {"cached_tokens", or_null(completion.cached_tokens)},
           {"cost_usd", or_null(cost_of(completion, prices))}};
  // Records from before there were forms are of texts.
  row["answer_format"] = record.value("answer_format", name_of(Form::text));
  if (record.contains("reask_of")) row["reask"] = true;
  return row;
}

}  // namespace lowbit::openai
