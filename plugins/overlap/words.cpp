#include "overlap/words.h"

#include <functional>
#include <vector>

namespace lowbit::overlap {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

std::string normalised(std::string_view text) {
  std::string result;
  bool in_word = false;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (!blank && !(in_word && is_word(c)) && !result.empty()) result += ' ';
    if (!blank) result += c;
    in_word = is_word(c);
  }
  return result;
}

std::unordered_set<std::uint64_t> runs_of(std::string_view normalised_text) {
  std::vector<std::size_t> begins{0};
  for (std::size_t i = 0; i < normalised_text.size(); ++i) {
    if (normalised_text[i] == ' ') begins.push_back(i + 1);
  }
  begins.push_back(normalised_text.size() + 1);  // where a next word would begin
  std::unordered_set<std::uint64_t> runs;
  for (std::size_t i = 0; i + kRun < begins.size(); ++i) {
    runs.insert(std::hash<std::string_view>()(normalised_text.substr(begins[i], begins[i + kRun] - 1 - begins[i])));
  }
  return runs;
}

}  // namespace lowbit::overlap
