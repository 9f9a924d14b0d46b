#include "base/glob.h"

#include <catch2/catch.hpp>

#include <string>

using namespace lowbit;

namespace {

/// By the definition: a star takes nothing, or one character and then whatever it takes.
bool slowly(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() != '*') {
    return !name.empty() && name.front() == pattern.front() && slowly(pattern.substr(1), name.substr(1));
  }
  return slowly(pattern.substr(1), name) || (!name.empty() && slowly(pattern, name.substr(1)));
}

/// All texts of at most `length` letters of `letters`.
std::vector<std::string> texts(const std::string& letters, std::size_t length) {
  std::vector<std::string> all{""};
  for (std::size_t from = 0; from < all.size(); ++from) {
    if (all[from].size() == length) break;
    for (const char letter : letters) all.push_back(all[from] + letter);
  }
  return all;
}

}  // namespace

TEST_CASE("a star stands for any text, as its definition says", "[base][glob]") {
  for (const std::string& pattern : texts("ab*", 5)) {
    for (const std::string& name : texts("ab", 5)) {
      INFO(pattern << " on " << name);
      REQUIRE(matches_glob(pattern, name) == slowly(pattern, name));
    }
  }
}

TEST_CASE("a hostile pattern ends", "[base][glob]") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  CHECK_FALSE(matches_glob(pattern + "*b", std::string(20000, 'a')));
}
