// What the calls behind a stage's results came to, from their lines in api-calls/1.
#pragma once

#include <lowbit/sdk.hpp>
#include <set>
#include <string>

namespace lowbit::openai {

class Account {
 public:
  /// A line of api-calls/1.
  void add(const nlohmann::json& row);
  /// Metrics `<prefix>/calls`, `prompt_tokens`, `completion_tokens`, `cost` (where all prices and counts are known) and
  /// `served_models`. More than one served model is warned of: `answers`, "verdicts", are then not of one `asked`,
  /// "judge".
  void report(const Job& job, const std::string& prefix, const std::string& answers, const std::string& asked) const;

 private:
  std::set<std::string> served_;
  std::size_t calls_ = 0;
  double prompt_tokens_ = 0, completion_tokens_ = 0, cost_ = 0;
  bool priced_ = true;
};

}  // namespace lowbit::openai
