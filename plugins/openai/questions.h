// Many questions to one endpoint: several at a time over kept connections, each asked again while only transport stands
// in the way. One thread, the caller's.
//
//   ask(endpoint, questions, policy, {.needed = ..., .ended = ..., .poll = [&] { job.stop_if_cancelled(); }});
//
// A 429 or 503 with Retry-After holds back all questions, not only the one it answers: the limit is the endpoint's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "openai/endpoint.h"
#include "openai/retry.h"

namespace lowbit::openai {

struct Question {
  std::string id;    ///< names it in the draws of `Policy::draw`
  std::string body;  ///< of POST {base}/chat/completions
};

struct Policy {
  std::size_t max_concurrent = 4;
  std::uint32_t per_minute = 0;  ///< calls that may begin a minute, repeated ones too, evenly spaced; 0: not limited
  std::chrono::milliseconds timeout{60'000};  ///< of one call, from connecting to the last byte
  int max_attempts = 6;
  std::chrono::milliseconds backoff{1'000};
  std::function<double(const std::string& id, int attempt)> draw;  ///< [0, 1), the same for the same arguments
};

/// One call that came to an end.
struct Call {
  std::size_t question = 0;  ///< index
  Reply reply;
  Meaning meaning = Meaning::retry;
  std::chrono::system_clock::time_point started_at;
  double seconds = 0;
};

/// All are called on the caller's thread; what they throw leaves ask() at once and gives up the calls under way.
struct Hooks {
  std::function<bool(std::size_t question)> needed;  ///< right before each call: false when its answer is known by now
  std::function<void(const Call&)> ended;            ///< in the order in which calls end, before the next one begins
  std::function<void()> poll;                        ///< about twenty times a second
};

/// Returns when every question is answered. Once a reply says `stop`, or one question is out of tries, no further call
/// begins; when those under way have ended, this throws StageError: LB_BAD_PARAM when a person has to change something
/// (address, key, parameters, certificate), LB_TRANSIENT when it does not answer, LB_RESOURCE when the quota is used
/// up.
void ask(const Endpoint& endpoint, const std::vector<Question>& questions, const Policy& policy, const Hooks& hooks);

}  // namespace lowbit::openai
