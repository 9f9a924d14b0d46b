#include "openai/retry.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace lowbit::openai {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kQuoted = 300;  // bytes of the server's own words
constexpr double kLongestBackoffMs = 60'000;

/// The object under `error`; null when the body has none.
Json error_of(const Reply& reply) {
  const Json body = Json::parse(reply.body, nullptr, false);
  if (!body.is_object() || !body.contains("error")) return nullptr;
  return body["error"];
}

std::string text_of(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return {};
  return object[key].get<std::string>();
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

}  // namespace

std::string error_code_of(const Reply& reply) {
  const Json error = error_of(reply);
  const std::string code = text_of(error, "code");
  return code.empty() ? text_of(error, "type") : code;
}

Meaning meaning_of(const Reply& reply) {
  if (reply.untrusted) return Meaning::stop;
  if (reply.status == 0) return Meaning::retry;
  if (reply.status == 200) return Meaning::answered;
  const std::string code = error_code_of(reply);
  if (reply.status == 400 && one_of(code, {"context_length_exceeded", "content_filter", "content_policy_violation"})) {
    return Meaning::answered;
  }
  if (reply.status == 429 && code == "insufficient_quota") return Meaning::stop;
  const bool passing = reply.status == 408 || reply.status == 409 || reply.status == 425 || reply.status == 429;
  return passing || reply.status >= 500 ? Meaning::retry : Meaning::stop;
}

std::string describe(const Reply& reply) {
  if (reply.status == 0) return reply.failure;
  const Json error = error_of(reply);
  std::string words = error.is_string() ? error.get<std::string>() : text_of(error, "message");
  if (words.empty()) words = reply.body;
  words = words.substr(0, kQuoted);
  std::replace_if(
      words.begin(), words.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return "HTTP " + std::to_string(reply.status) + (words.empty() ? "" : ": " + words);
}

std::optional<std::chrono::seconds> read_retry_after(std::string_view header,
                                                     std::chrono::system_clock::time_point now) {
  std::int64_t seconds = 0;
  const auto [end, problem] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (problem == std::errc() && end == header.data() + header.size()) {
    return seconds < 0 ? std::nullopt : std::optional(std::chrono::seconds(seconds));
  }
  std::tm date{};
  const std::string text(header);
  const char* const rest = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  const auto then = std::chrono::system_clock::from_time_t(::timegm(&date));
  return std::max(std::chrono::seconds(0), std::chrono::ceil<std::chrono::seconds>(then - now));
}

std::chrono::milliseconds backoff(std::chrono::milliseconds base, int attempt, double draw) {
  const double longest = std::min(kLongestBackoffMs, static_cast<double>(base.count()) * std::exp2(attempt - 1));
  return std::chrono::milliseconds(static_cast<std::int64_t>(draw * longest));
}

}  // namespace lowbit::openai
