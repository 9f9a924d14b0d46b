#include "openai/endpoint.h"

#include <algorithm>
#include <cstdlib>
#include <lowbit/errors.hpp>
#include <optional>
#include <sstream>

namespace lowbit::openai {
namespace {

constexpr std::size_t kShortestSecret = 8;

[[noreturn]] void bad_variable(const char* variable, std::string what, std::string why, std::string fix) {
  throw StageError(LB_BAD_PARAM, {.what = std::move(what),
                                  .where = std::string("environment variable ") + variable,
                                  .why = std::move(why),
                                  .fix = std::move(fix)});
}

std::string trimmed(const char* text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::string all = text == nullptr ? "" : text;
  const auto begin = all.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return all.substr(begin, all.find_last_not_of(kBlank) + 1 - begin);
}

bool is_url(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

/// The value behind `id=` in a list separated by blanks.
std::optional<std::string> entry(const std::string& list, const std::string& id) {
  std::istringstream words(list);
  for (std::string word; words >> word;) {
    const auto sign = word.find('=');
    if (sign != std::string_view::npos && word.substr(0, sign) == id) return word.substr(sign + 1);
  }
  return std::nullopt;
}

/// Splits `url` into the parts of `endpoint`. No part of it is ever shown: it could hold a password.
void read_url(std::string_view url, Endpoint& endpoint) {
  const auto refuse = [&](const std::string& why) {
    bad_variable(endpoint.variables.url, "the address of endpoint `" + endpoint.id + "` cannot be used", why,
                 "write it as https://HOST[:PORT]/PATH, such as https://api.example.com/v1");
  };
  if (!is_url(url)) refuse("it does not begin with https:// or http://");
  endpoint.tls = url.starts_with("https://");
  url.remove_prefix(endpoint.tls ? 8 : 7);
  if (url.find_first_of("?#") != std::string_view::npos) refuse("it holds a query or a fragment");
  if (std::any_of(url.begin(), url.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    refuse("it holds characters that an address does not have");
  }
  const std::size_t slash = std::min(url.find('/'), url.size());
  std::string_view authority = url.substr(0, slash);
  std::string_view path = url.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  endpoint.path = path;
  if (authority.find('@') != std::string_view::npos) {
    refuse(std::string("it holds a user name; a key belongs into ") + endpoint.variables.key);
  }
  const bool ipv6 = authority.starts_with('[');
  const std::size_t host_end = ipv6 ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) refuse("its [ is not closed");
  endpoint.host = ipv6 ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  const std::string_view rest = authority.substr(host_end + (ipv6 ? 1U : 0U));
  endpoint.port = endpoint.tls ? "443" : "80";
  if (!rest.empty()) endpoint.port = rest.substr(1);
  const bool digits =
      std::all_of(endpoint.port.begin(), endpoint.port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (endpoint.host.empty()) refuse("it names no host");
  if ((!rest.empty() && rest.front() != ':') || endpoint.port.empty() || endpoint.port.size() > 5 || !digits) {
    refuse("its port is no number");
  }
}

}  // namespace

std::string Endpoint::redacted(std::string text) const {
  constexpr std::string_view kInstead = "[key]";
  if (key.size() < kShortestSecret) return text;
  for (std::size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + kInstead.size())) {
    text.replace(at, key.size(), kInstead);
  }
  return text;
}

Endpoint endpoint_named(const std::string& id, Variables variables) {
  Endpoint endpoint{.id = id, .host = {}, .port = {}, .path = {}, .key = {}, .variables = variables};
  const std::string urls = trimmed(std::getenv(variables.url));
  const std::string keys = trimmed(std::getenv(variables.key));
  const std::string missing = "endpoint `" + id + "` has no address";
  const std::string how = "export " + std::string(variables.url) + "=https://HOST/v1, or a list \"" + id +
                          "=https://HOST/v1 OTHER=...\", before `lowbit run`";
  if (urls.empty()) bad_variable(variables.url, missing, "the variable is not set", how);
  if (is_url(urls)) {
    read_url(urls, endpoint);
    endpoint.key = keys;
  } else {
    const auto url = entry(urls, id);
    if (!url) bad_variable(variables.url, missing, "the list in it has no entry `" + id + "=`", how);
    read_url(*url, endpoint);
    endpoint.key = entry(keys, id).value_or("");
  }
  if (std::any_of(endpoint.key.begin(), endpoint.key.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    bad_variable(
        variables.key, "the key of endpoint `" + id + "` cannot be sent",
        is_url(urls) ? "it holds a blank or a character that is not ASCII" : "it holds a character that is not ASCII",
        "set the variable to the key alone, as the provider shows it");
  }
  return endpoint;
}

}  // namespace lowbit::openai
