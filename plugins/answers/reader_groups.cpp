// What stands between delimiters: groups, intervals, tuples, sets, absolute values, matrices.
#include "answers/characters.h"
#include "answers/reader.h"
#include "answers/text.h"

namespace lowbit::answers {

Node Reader::bracketed(char open) {
  ++at_;
  const std::vector<std::string_view> bars = std::exchange(bars_, {});
  Rows all = rows();
  bars_ = bars;
  blanks();
  const char close = peek();
  if (close != ')' && close != ']') throw Unreadable{};
  ++at_;
  if (all.size() == 1 && all.front().size() == 1) {
    if ((open == '(') != (close == ')')) throw Unreadable{};
    return all.front().front();
  }
  if (all.size() == 1 && all.front().size() == 2)
    return interval(all.front()[0], all.front()[1], open == '(', close == ')');
  std::vector<Node> parts;
  for (const auto& row : all) parts.insert(parts.end(), row.begin(), row.end());
  return collection(Kind::tuple, std::move(parts));
}

/// {...}: a group, which is a set when it holds several.
Node Reader::braced() {
  expect("{");
  blanks();
  const std::vector<std::string_view> bars = std::exchange(bars_, {});
  Rows all = rows();
  bars_ = bars;
  expect("}");
  if (all.size() == 1 && all.front().size() == 1) return all.front().front();
  return answer_of(std::move(all));
}

/// \{...\}: a set, whatever it holds.
Node Reader::visible_set() {
  const auto closed = [&] {
    blanks();
    return take("\\}") || take_command("\\rbrace");
  };
  if (closed()) return collection(Kind::set, {});
  const std::vector<std::string_view> bars = std::exchange(bars_, {});
  Rows all = rows();
  bars_ = bars;
  if (!closed()) throw Unreadable{};
  Node node = answer_of(std::move(all));
  return is(node, Kind::set) ? node : collection(Kind::set, {std::move(node)});
}

Node Reader::absolute_value(std::string_view closing) { return between("abs", closing); }

Node Reader::between(std::string_view name, std::string_view closing) {
  bars_.push_back(closing);
  Node inside = set_expression();
  expect(closing);
  bars_.pop_back();
  return function(std::string(name), {std::move(inside)});
}

/// Behind \begin: {pmatrix} rows \end{pmatrix}, {array}{cc} rows \end{array}
Node Reader::matrix_environment() {
  const std::string name = raw_group();
  if (name.find("matrix") == std::string::npos && name != "array") throw Unreadable{};
  if (name == "array") raw_group();
  std::vector<Node> entries;
  std::size_t columns = 0;
  std::size_t in_row = 0;
  const auto end_row = [&] {
    if (columns == 0) columns = in_row;
    if (in_row != columns) throw Unreadable{};
    in_row = 0;
  };
  for (;;) {
    blanks();
    if (take("\\hline")) continue;
    if (take_command("\\end")) break;
    entries.push_back(additive());
    ++in_row;
    blanks();
    if (take("&")) continue;
    if (take("\\\\")) {
      end_row();
    } else if (!sees("\\end")) {
      throw Unreadable{};
    }
  }
  if (in_row > 0) end_row();
  if (raw_group() != name || entries.empty()) throw Unreadable{};
  if (name == "vmatrix") return function("det", {matrix(std::move(entries), columns)});
  return matrix(std::move(entries), columns);
}

/// What stands in the braces that follow, as written but for blanks at its ends.
std::string Reader::raw_group() {
  blanks();
  if (peek() != '{') throw Unreadable{};
  const std::size_t close = closing_brace(text_, at_);
  if (close == std::string_view::npos) throw Unreadable{};
  std::string inside(trimmed(text_.substr(at_ + 1, close - at_ - 1)));
  at_ = close + 1;
  return inside;
}

/// What TeX takes as an argument, but for numbers: x^10 has the exponent 10. With braces, parentheses or a sign too.
Node Reader::group_or_token() {
  const Nesting nesting(*this);
  blanks();
  if (peek() == '-' || peek() == '+') {
    const bool negative = peek() == '-';
    ++at_;
    Node node = group_or_token();
    return negative ? negated(std::move(node)) : node;
  }
  return primary();
}

}  // namespace lowbit::answers
