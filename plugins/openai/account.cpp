#include "openai/account.h"

namespace lowbit::openai {

void Account::add(const nlohmann::json& row) {
  const auto number = [&row](const char* name) { return optional_of<double>(row.at(name)).value_or(0); };
  ++calls_;
  prompt_tokens_ += number("prompt_tokens");
  completion_tokens_ += number("completion_tokens");
  cost_ += number("cost_usd");
  priced_ = priced_ && (row.at("outcome") == "failed" || !row.at("cost_usd").is_null());
  if (const auto served = optional_of<std::string>(row.at("model_served"))) served_.insert(*served);
}

void Account::report(const Job& job, const std::string& prefix, const std::string& answers,
                     const std::string& asked) const {
  job.metric(prefix + "/calls", static_cast<double>(calls_), "calls");
  job.metric(prefix + "/prompt_tokens", prompt_tokens_, "tokens");
  job.metric(prefix + "/completion_tokens", completion_tokens_, "tokens");
  if (priced_) job.metric(prefix + "/cost", cost_, "USD");
  job.metric(prefix + "/served_models", static_cast<double>(served_.size()), "models");
  if (served_.size() < 2) return;
  std::string names;
  for (const std::string& name : served_) names += (names.empty() ? "" : ", ") + name;
  job.warn("the server answered with more than one model: " + names + ". These " + answers + " are not of one " +
           asked);
}

}  // namespace lowbit::openai
