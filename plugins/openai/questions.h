// Many questions to one endpoint: several at a time over kept connections, each asked again while only transport stands
// in the way. One thread, the caller's.
//
//   ask(endpoint, questions.size(), policy, {.turn = ..., .ended = ..., .poll = [&] { job.stop_if_cancelled(); }});
//
// What is sent for a question is decided when its turn comes, so that what was learned from the calls before counts: a
// form of answer that the server refuses, an answer that somebody else has paid for, a budget that is used up.
//
// A 429 or 503 with Retry-After holds back all questions, not only the one it answers: the limit is the endpoint's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <lowbit/errors.hpp>
#include <string>
#include <variant>

#include "openai/endpoint.h"
#include "openai/retry.h"

namespace lowbit::openai {

struct Request {
  std::string id;    ///< names it in the draws of `Policy::draw`
  std::string body;  ///< JSON
};
struct Known {};  ///< the answer is there
struct Wait {};   ///< nothing begins before a call under way has ended. REQUIRES: one is
/// What to do when the turn of a question comes. StageError: no further call begins, and ask() throws it.
using Turn = std::variant<Request, Known, Wait, StageError>;

struct Policy {
  std::string path = "/chat/completions";  ///< behind the endpoint's base address
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
  std::string id;            ///< of the request
  Reply reply;
  Meaning meaning = Meaning::retry;
  std::chrono::system_clock::time_point started_at;
  double seconds = 0;
};

/// What follows a call.
enum class After {
  as_meant,   ///< what `Call::meaning` says
  ask_on,     ///< the question has another turn at once, whatever the reply meant; its tries are counted anew
  ask_again,  ///< as a failure of transport: another turn after a wait, while there are tries left
};

/// All are called on the caller's thread; what they throw leaves ask() at once and gives up the calls under way.
struct Hooks {
  std::function<Turn(std::size_t question)> turn;  ///< right before each call
  std::function<After(const Call&)> ended;         ///< in the order in which calls end, before the next one begins
  std::function<void()> poll;                      ///< about twenty times a second
};

/// Returns when every question 0 ... n-1 is answered. Once a reply says `stop`, a turn is a StageError, or one question
/// is out of tries, no further call begins; when those under way have ended, this throws StageError: LB_BAD_PARAM when
/// a person has to change something (address, key, parameters, certificate), LB_TRANSIENT when it does not answer,
/// LB_RESOURCE when the quota is used up.
void ask(const Endpoint& endpoint, std::size_t n_questions, const Policy& policy, const Hooks& hooks);

}  // namespace lowbit::openai
