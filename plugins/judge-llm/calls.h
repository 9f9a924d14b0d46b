// The questions of one judge and what is known of their answers: the paid-calls file on one side, verdicts and
// api-calls/1 on the other. Everything that is published is made from records of that file, so a stage that asked and a
// stage that found all answers paid for write the same.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "openai/chat.h"
#include "openai/questions.h"

namespace lowbit::judge_llm {

/// Who asks, where, and which of several answers to the same question is wanted.
struct Asker {
  std::string judge, endpoint, model;
  std::uint64_t seed = 0;       ///< repeat
  std::int64_t generation = 0;  ///< fresh start
};

struct Prices {
  std::optional<double> input, output;  ///< USD per million tokens
};

/// One item's question. `key` is the SHA-256 of endpoint id, item, seed, generation and request: what must never be
/// paid for twice.
struct Asked {
  std::string item_id, request, request_sha, key;
};
[[nodiscard]] Asked asked(const Asker& asker, const std::string& item_id, const std::string& request);

/// A call as the paid-calls file keeps it.
[[nodiscard]] nlohmann::json record_of(const Asker& asker, const Asked& asked, const openai::Call& call);

/// Of a record that is answered.
[[nodiscard]] openai::Completion completion_of(const nlohmann::json& record);

/// The answered call of a question is named by its key, without the number of tries before it: a verdict names its
/// call, and must not depend on the weather.
[[nodiscard]] std::string call_id_of(const nlohmann::json& record, std::size_t attempt);

/// A line of api-calls/1. `attempt`: which record of its question it is, from 1. `readable`: an `ok` answer could be
/// read as a verdict.
[[nodiscard]] nlohmann::json api_call_row(const Asker& asker, const nlohmann::json& record, std::size_t attempt,
                                          bool readable, const Prices& prices);

}  // namespace lowbit::judge_llm
