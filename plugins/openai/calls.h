// The questions of one stage and what is known of their answers: the paid-calls file on one side, what is published and
// api-calls/1 on the other. Everything that is published is made from records of that file, so a stage that asked and a
// stage that found all answers paid for write the same.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "openai/chat.h"
#include "openai/questions.h"

namespace lowbit::openai {

/// Who asks, where, and which of several answers to the same question is wanted.
struct Asker {
  std::string name;  ///< the judge's; `judge` of a record and of a row
  std::string endpoint, model;
  std::uint64_t seed = 0;       ///< repeat
  std::int64_t generation = 0;  ///< fresh start
};

struct Prices {
  std::optional<double> input, output;  ///< USD per million tokens
};

/// One item's question. `key` is the SHA-256 of endpoint id, item, seed, generation and request: what must never be
/// paid for twice. `reask_key` is that of asking once more because its answer cannot be read: it depends on nothing but
/// `key`, so that other words for what was wrong do not pay again.
struct Asked {
  std::string item_id, request_sha, key, reask_key;
  Form form = Form::text;
};
[[nodiscard]] Asked asked(const Asker& asker, const std::string& item_id, const std::string& request,
                          Form form = Form::text);

/// A call as the paid-calls file keeps it; `Call::id` is one of the two keys. `reask`: the request that was sent under
/// `reask_key`.
[[nodiscard]] nlohmann::json record_of(const Asker& asker, const Asked& asked, const Call& call,
                                       const std::string& reask = {});

/// Of a record that is answered.
[[nodiscard]] Completion completion_of(const nlohmann::json& record);

/// The answered call of a question is named by its key, without the number of tries before it: a verdict names its
/// call, and must not depend on the weather.
[[nodiscard]] std::string call_id_of(const nlohmann::json& record, std::size_t attempt);

/// Nothing unless both prices and both counts are known.
[[nodiscard]] std::optional<double> cost_of(const Completion& completion, const Prices& prices);

/// A line of api-calls/1. `attempt`: which record of its question it is, from 1. `readable`: an `ok` answer could be
/// read.
[[nodiscard]] nlohmann::json api_call_row(const Asker& asker, const nlohmann::json& record, std::size_t attempt,
                                          bool readable, const Prices& prices);

}  // namespace lowbit::openai
