#include "lm/pattern.h"

#include <catch2/catch.hpp>
#include <stdexcept>

using namespace lowbit;

namespace {

/// The matches, each followed by a bar.
std::string matches(const std::string& expression, const std::string& text) {
  std::string found;
  for (const lm::Span& span : lm::Pattern::regex(expression).spans(text)) {
    if (span.is_match) found += text.substr(span.begin, span.end - span.begin) + "|";
  }
  return found;
}

std::string refused(const std::string& expression) {
  try {
    (void)lm::Pattern::regex(expression);
  } catch (const std::domain_error& e) {
    return e.what();
  } catch (const std::invalid_argument& e) {
    return std::string("invalid: ") + e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an expression means what Oniguruma takes it for", "[pattern]") {
  CHECK(matches("^.", "ab\ncd\n") == "a|c|");
  CHECK(matches(".$", "ab\ncd") == "b|d|");
  CHECK(matches("\\n$", "a\n\nb\n") == "\n|");  // no empty line after the last line feed
  CHECK(matches(".+", "a\r\nb\u0085c\u2028d") == "a\r|b\u0085c\u2028d|");
  CHECK(matches("[^\\S\\n]+", "a \t\n\u00a0b\u180e") == " \t|\u00a0|");
  CHECK(matches("\\d+", "12٣²") == "12٣|");
  CHECK(matches("\\v", "\n\v\f\u2028") == "\v|");
  CHECK(matches("\\p{Hiragana}+", "かーきー") == "か|き|");  // the long-vowel mark belongs to several scripts
  CHECK(matches("\\p{^L}+", "ab12c") == "12|");
  CHECK(matches("[[:space:][:digit:]]+", "a\u3000b1") == "\u3000|1|");
  CHECK(matches("(?i:'s|'t)", "it'S \u0027\u017f'T") == "'S|'\u017f|'T|");
  CHECK(matches("\\p{N}{1,3}", "1234567") == "123|456|7|");
  CHECK(matches("a{2,}", "aaa a aa") == "aaa|aa|");
  CHECK(matches("a++b", "aaab") == "aaab|");
}

TEST_CASE("what Oniguruma and PCRE2 read differently is refused by name", "[pattern]") {
  CHECK(refused("\\w+") == "\\w in an expression");
  CHECK(refused("a\\b") == "\\b in an expression");
  CHECK(refused("\\h") == "\\h in an expression");
  CHECK(refused("(a)\\1") == "\\1 in an expression");
  CHECK(refused("\\u0041") == "\\u in an expression");
  CHECK(refused("[a-z&&b]") == "[a-z&& in an expression");
  CHECK(refused("[a[bc]]") == "[a[b in an expression");
  CHECK(refused("[]a]") == "[] in an expression");
  CHECK(refused("[[:punct:]]") == "[:punct:] in an expression");
  CHECK(refused("(?i)a|b") == "(?i in an expression");
  CHECK(refused("(?<n>a)") == "(?< in an expression");
  CHECK(refused("(*UCP)a") == "(*U in an expression");
  CHECK(refused("a{2}+") == "{2}+ in an expression");
  CHECK(refused("a{,2}b") == "{,2} in an expression");
  CHECK(refused("(?i:ss)") == "(?i: with ss in an expression");
  CHECK(refused("a*") == "a match of the empty text in an expression");
  CHECK(refused("[a") == "invalid: no ] after byte 0");
  CHECK(refused("a\\") == "invalid: it ends in a backslash");
  CHECK(refused("\\p{L") == "invalid: no } after byte 0");
  CHECK(refused("(") == "invalid: missing closing parenthesis at byte 1");
}

TEST_CASE("an expression that needs more stack than the JIT compiler has is matched all the same", "[pattern]") {
  const std::string text(300000, 'a');
  CHECK(matches("(?:a|b(c))+", text) == text + "|");
}
