#include "answers/reader.h"

#include <array>
#include <utility>

#include "answers/characters.h"
#include "answers/text.h"

namespace lowbit::answers {

Node Reader::whole() {
  Rows all = rows();
  if (!at_end()) throw Unreadable{};
  return answer_of(std::move(all));
}

Reader::Rows Reader::rows() {
  const Nesting nesting(*this);
  Rows rows(1);
  for (;;) {
    rows.back().push_back(relation());
    blanks();
    if (take(";")) {
      rows.emplace_back();
    } else if (!take(",")) {
      return rows;
    }
  }
}

bool Reader::take_relation(Relation& relation, bool& approximate) {
  blanks();
  struct Spelling {
    std::string_view text;
    Relation relation;
    bool approximate = false;
  };
  // Longer spellings before those they begin with.
  constexpr std::array<Spelling, 9> kTyped{{{"<=", Relation::less_equal},
                                            {"=<", Relation::less_equal},
                                            {">=", Relation::greater_equal},
                                            {"!=", Relation::not_equal},
                                            {"==", Relation::equal},
                                            {"~=", Relation::equal, true},
                                            {"=", Relation::equal},
                                            {"<", Relation::less},
                                            {">", Relation::greater}}};
  constexpr std::array<Spelling, 14> kCommands{{{"\\leqslant", Relation::less_equal},
                                                {"\\leq", Relation::less_equal},
                                                {"\\le", Relation::less_equal},
                                                {"\\lt", Relation::less},
                                                {"\\geqslant", Relation::greater_equal},
                                                {"\\geq", Relation::greater_equal},
                                                {"\\ge", Relation::greater_equal},
                                                {"\\gt", Relation::greater},
                                                {"\\neq", Relation::not_equal},
                                                {"\\ne", Relation::not_equal},
                                                {"\\equiv", Relation::equal},
                                                {"\\in", Relation::equal},
                                                {"\\approx", Relation::equal, true},
                                                {"\\simeq", Relation::equal, true}}};
  const auto found = [&](const Spelling& spelling) {
    relation = spelling.relation;
    approximate = spelling.approximate;
    return true;
  };
  for (const Spelling& spelling : kTyped) {
    if (take(spelling.text)) return found(spelling);
  }
  for (const Spelling& spelling : kCommands) {
    if (take_command(spelling.text)) return found(spelling);
  }
  return false;
}

/// An approximation is dropped behind a value, and is the value behind a name.
Node Reader::relation() {
  std::vector<Node> parts{set_expression()};
  std::vector<Relation> relations;
  Relation relation = Relation::equal;
  bool approximate = false;
  while (take_relation(relation, approximate)) {
    Node part = set_expression();
    if (approximate && (parts.size() > 1 || !is(parts.front(), Kind::symbol))) continue;
    parts.push_back(std::move(part));
    relations.push_back(relation);
  }
  if (relations.empty()) return parts.front();
  return chain(std::move(parts), std::move(relations));
}

Node Reader::set_expression() {
  Node left = additive();
  for (;;) {
    blanks();
    Kind kind = Kind::union_of;
    if (take_command("\\cup")) {
      kind = Kind::union_of;
    } else if (take_command("\\cap")) {
      kind = Kind::intersection;
    } else if (take_command("\\setminus") || take_command("\\backslash")) {
      kind = Kind::difference;
    } else {
      return left;
    }
    count_node();
    left = collection(kind, {left, additive()});
  }
}

Node Reader::additive() {
  blanks();
  const bool minus_plus = sees_command("\\mp");
  if (minus_plus || sees_command("\\pm")) {
    take(minus_plus ? "\\mp" : "\\pm");
    Expression both{.kind = Kind::plus_minus, .opposite = minus_plus, .parts = {number(0), term()}};
    return std::make_shared<const Expression>(std::move(both));
  }
  Node left = term();
  std::vector<Node> parts{left};
  for (;;) {
    blanks();
    if (peek() == '+') {
      ++at_;
      parts.push_back(term());
    } else if (peek() == '-') {
      ++at_;
      parts.push_back(negated(term()));
    } else if (sees_command("\\pm") || sees_command("\\mp")) {
      const bool opposite = sees_command("\\mp");
      at_ += 3;
      Expression both{.kind = Kind::plus_minus, .opposite = opposite, .parts = {sum(std::move(parts)), term()}};
      parts = {std::make_shared<const Expression>(std::move(both))};
    } else {
      return sum(std::move(parts));
    }
    count_node();
  }
}

Node Reader::term() {
  std::vector<Node> factors{signed_factor()};
  for (;;) {
    blanks();
    if (sees("**")) {
      return product(std::move(factors));
    }
    if (take("*") || take_command("\\times") || take_command("\\cdot") || take_command("\\ast")) {
      factors.push_back(signed_factor());
    } else if (take("/") || take_command("\\div") || take(":")) {
      factors.push_back(power(signed_factor(), number(-1)));
    } else {
      return product(std::move(factors));
    }
    count_node();
  }
}

Node Reader::signed_factor() {
  blanks();
  bool negative = false;
  for (; peek() == '-' || peek() == '+'; blanks()) {
    count_node();
    negative = negative != (peek() == '-');
    ++at_;
  }
  Node node = implicit_product();
  return negative ? negated(std::move(node)) : node;
}

Node Reader::implicit_product() {
  std::vector<Node> factors{factor()};
  while (begins_factor()) {
    if (factors.size() == 1 && is(factors.front(), Kind::number)) {
      const std::size_t before = at_;
      if (Node mixed = mixed_with(factors.front())) {
        factors.front() = std::move(mixed);
        continue;
      }
      at_ = before;
    }
    factors.push_back(factor());
    count_node();
  }
  return product(std::move(factors));
}

Node Reader::factor() {
  const Nesting nesting(*this);
  return with_postfix(primary());
}

Node Reader::with_postfix(Node base) {
  for (;;) {
    blanks();
    if (peek() == '!' && peek(1) != '=') {
      ++at_;
      base = function("factorial", {std::move(base)});
    } else if (take("\\%") || take("%")) {
      base = is(base, Kind::number) ? number(base->value / 100, base->decimal)
                                    : product({std::move(base), number(Number(1) / 100)});
    } else if (take("'") || take("\\prime")) {
      base = function("prime", {std::move(base)});
    } else if (take("**") || take("^")) {
      blanks();
      if (take_command("\\circ") || take("{\\circ}") || take_command("\\degree")) continue;
      base = power(std::move(base), group_or_token());
    } else if (take_command("\\degree")) {
      continue;
    } else {
      return base;
    }
    count_node();
  }
}

Node Reader::primary() {
  blanks();
  count_node();
  const char c = peek();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number_literal();
  if (c == '(' || c == '[') return bracketed(c);
  if (c == '{') return braced();
  if (take("\\{") || take_command("\\lbrace")) return visible_set();
  if (take("|")) return absolute_value("|");
  if (is_letter(c)) return letter_or_word();
  if (c == '\\') return command();
  throw Unreadable{};
}

bool Reader::begins_factor() {
  blanks();
  const char c = peek();
  if (is_digit(c) || is_letter(c) || c == '(' || c == '[' || c == '{' || (c == '.' && is_digit(peek(1)))) return true;
  if (c == '|') return bars_.empty() || bars_.back() != "|";
  if (c != '\\' || sees("\\%") || sees("\\}") || sees("\\|")) return false;
  if (!bars_.empty() && sees(bars_.back())) return false;
  constexpr std::array<std::string_view, 33> kNoFactor{
      "\\rbrace", "\\times", "\\cdot",     "\\div",       "\\ast",    "\\pm",   "\\mp",       "\\cup", "\\cap",
      "\\leq",    "\\le",    "\\leqslant", "\\lt",        "\\geq",    "\\ge",   "\\geqslant", "\\gt",  "\\neq",
      "\\ne",     "\\equiv", "\\in",       "\\approx",    "\\simeq",  "\\end",  "\\rvert",    "\\mid", "\\to",
      "\\degree", "\\prime", "\\setminus", "\\backslash", "\\rfloor", "\\rceil"};
  if (sees("\\\\")) return false;
  for (const std::string_view name : kNoFactor) {
    if (sees_command(name)) return false;
  }
  return true;
}

void Reader::blanks() {
  constexpr std::array<std::string_view, 10> kSpaces{"\\,", "\\;",     "\\:",    "\\!",         "\\ ",
                                                     "~",   "\\qquad", "\\quad", "\\thinspace", "\\hfill"};
  for (bool moved = true; moved;) {
    moved = false;
    while (at_ < text_.size() && kBlank.find(text_[at_]) != std::string_view::npos) ++at_;
    for (const std::string_view space : kSpaces) moved = take(space) || moved;
  }
}

bool Reader::take(std::string_view word) {
  if (!sees(word)) return false;
  at_ += word.size();
  return true;
}

bool Reader::sees_command(std::string_view name) const { return sees(name) && !is_letter(peek(name.size())); }

bool Reader::take_command(std::string_view name) { return sees_command(name) && take(name); }

void Reader::expect(std::string_view word) {
  blanks();
  if (!take(word)) throw Unreadable{};
}

void Reader::count_node() {
  if (++n_nodes_ > kNodes) throw Unreadable{};
}

}  // namespace lowbit::answers
