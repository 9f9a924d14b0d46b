// What a reply means for the question behind it, and how long to wait before asking again. Pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace lowbit::openai {

struct Reply {
  unsigned status = 0;      ///< of HTTP; 0: none came
  std::string body;         ///< without the key, should the server have repeated it
  std::string retry_after;  ///< as in the header; empty: absent
  std::string failure;      ///< why none came: "connecting to 127.0.0.1:8000: Connection refused"
  bool untrusted = false;   ///< the certificate was not accepted
};

enum class Meaning {
  answered,  ///< the model, or a rule about it, has spoken: an outcome, right or wrong
  retry,     ///< transport: the same question may be answered later
  stop       ///< no question will be answered until a person changes something
};

/// answered: 200, and 400 when the question is too long for the model or a filter declines it. retry: no reply, 408,
/// 409, 425, 429 and 5xx. stop: everything else, 429 for an exhausted quota, and a certificate that is not trusted.
[[nodiscard]] Meaning meaning_of(const Reply& reply);

/// `error.code` of a reply, else `error.type`; empty when there is none.
[[nodiscard]] std::string error_code_of(const Reply& reply);
/// "HTTP 429: message" or the failure: one line, at most 300 bytes of the server's own words.
[[nodiscard]] std::string describe(const Reply& reply);

/// Seconds or an HTTP date such as "Sun, 06 Nov 1994 08:49:37 GMT"; a past date is 0. Nothing when it is neither.
[[nodiscard]] std::optional<std::chrono::seconds> read_retry_after(std::string_view header,
                                                                   std::chrono::system_clock::time_point now);

/// Wait before try `attempt` + 1, attempt >= 1: `draw` in [0, 1) of base * 2^(attempt-1), at most a minute.
[[nodiscard]] std::chrono::milliseconds backoff(std::chrono::milliseconds base, int attempt, double draw);

}  // namespace lowbit::openai
