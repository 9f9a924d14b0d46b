#include "interchange/file_names.h"

#include <algorithm>

#include "base/digest.h"
#include "base/utf8.h"

namespace lowbit::interchange {
namespace {

// File systems take 255 bytes; the rest is for what is put before and after a name.
constexpr std::size_t kLongestName = 180;

std::string of_bearable_length(std::string name, std::string_view whole) {
  if (name.size() <= kLongestName) return name;
  return std::string(utf8_prefix(name, kLongestName)) + "-" + sha256(whole).brief();
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._-=,+@").find(c) != std::string_view::npos;
}

}  // namespace

std::string sanitized_model_name(std::string_view name) {
  constexpr std::string_view kReplaced = "\"<>:/|\\?*[]";
  std::string out;
  bool in_run = false;
  for (const char c : name) {
    const bool replaced = kReplaced.find(c) != std::string_view::npos;
    if (!replaced) out += c;
    if (replaced && !in_run) out += "__";
    in_run = replaced;
  }
  return of_bearable_length(std::move(out), name);
}

std::string path_part(std::string_view name) {
  std::string out(name);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !is_plain(c); }, '_');
  if (out.empty() || out == "." || out == "..") out = "_";
  if (out != name && out.size() <= kLongestName) return out + "-" + sha256(name).brief();
  return of_bearable_length(std::move(out), name);
}

}  // namespace lowbit::interchange
