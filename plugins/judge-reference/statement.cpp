#include "statement.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace lowbit::judge {
namespace {

enum class Kind { number, letter, op, equals, open, close, gerund, word };
struct Token {
  Kind kind = Kind::word;
  char sign = 0;  ///< of an op or gerund; the letter
  Rational number{};
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '\'' || (c & '\x80') != 0; }

/// Words with a meaning; 0: dropped.
struct Meaning {
  std::string_view word;
  Kind kind;
  char sign;
};
constexpr std::array kMeanings{Meaning{"plus", Kind::op, '+'},
                               Meaning{"minus", Kind::op, '-'},
                               Meaning{"times", Kind::op, '*'},
                               Meaning{"over", Kind::op, '/'},
                               Meaning{"is", Kind::equals, '='},
                               Meaning{"are", Kind::equals, '='},
                               Meaning{"equals", Kind::equals, '='},
                               Meaning{"gives", Kind::equals, '='},
                               Meaning{"makes", Kind::equals, '='},
                               Meaning{"adding", Kind::gerund, '+'},
                               Meaning{"subtracting", Kind::gerund, '-'},
                               Meaning{"multiplying", Kind::gerund, '*'},
                               Meaning{"dividing", Kind::gerund, '/'}};
constexpr std::array kSigns{
    std::pair<std::string_view, char>{"\xC3\x97", '*'}, std::pair<std::string_view, char>{"\xC2\xB7", '*'},
    std::pair<std::string_view, char>{"\xC3\xB7", '/'}, std::pair<std::string_view, char>{"\xE2\x88\x92", '-'}};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> tokens() {
    while (at_ < text_.size()) next();
    return std::move(tokens_);
  }

 private:
  void add(Kind kind, char sign = 0, Rational number = {}) {
    tokens_.push_back({.kind = kind, .sign = sign, .number = number});
  }

  void next() {
    const char c = text_[at_];
    for (const auto& [bytes, sign] : kSigns) {
      if (text_.substr(at_, bytes.size()) == bytes) {
        add(Kind::op, sign);
        at_ += bytes.size();
        return;
      }
    }
    if (is_digit(c)) return number();
    if (is_word(c)) return word();
    ++at_;
    if (c == '+' || c == '-' || c == '*' || c == '/') return add(Kind::op, c);
    if (c == '=') return add(Kind::equals, c);
    if (c == '(') return add(Kind::open);
    if (c == ')') return add(Kind::close);
    const bool dropped = std::isspace(static_cast<unsigned char>(c)) != 0 || c == ',' || c == '$';
    if (!dropped) add(Kind::word);
  }

  /// Commas and points count between digits only.
  void number() {
    const std::size_t begin = at_;
    const auto inner = [&](std::size_t i) {
      return (text_[i] == '.' || (text_[i] == ',' && i + 3 < text_.size())) && i + 1 < text_.size() &&
             is_digit(text_[i + 1]);
    };
    while (at_ < text_.size() && (is_digit(text_[at_]) || inner(at_))) ++at_;
    if (const auto value = answers::read_number(text_.substr(begin, at_ - begin))) {
      add(Kind::number, 0, *value);
    } else {
      add(Kind::word);
    }
  }

  void word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    std::string word(text_.substr(begin, at_ - begin));
    std::transform(word.begin(), word.end(), word.begin(),
                   [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    if (word == "which") return;
    if (word == "divided" || word == "multiplied") return hold(word == "divided" ? '/' : '*');
    if (word == "by" && held_ != 0) return add(Kind::op, std::exchange(held_, 0));
    held_ = 0;
    for (const Meaning& m : kMeanings) {
      if (m.word == word) return add(m.kind, m.sign);
    }
    if (word.size() == 1 && word != "a" && word != "i" && word != "s") return add(Kind::letter, word[0]);
    // "to", "from", "by", "and" keep their first letter for the gerunds.
    add(Kind::word, word == "to" || word == "from" || word == "by" || word == "and" ? word[0] : '\0');
  }
  void hold(char sign) { held_ = sign; }

  std::string_view text_;
  std::size_t at_ = 0;
  char held_ = 0;  ///< sign of "divided" until its "by"
  std::vector<Token> tokens_;
};

/// "subtracting 4 from 52" becomes 52 - 4; a letter x between numbers a sign.
std::vector<Token> rewritten(std::vector<Token> tokens) {
  std::vector<Token> out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto is_number = [&](std::size_t j) { return j < tokens.size() && tokens[j].kind == Kind::number; };
    if (tokens[i].kind == Kind::gerund) {
      const bool whole =
          is_number(i + 1) && is_number(i + 3) && tokens[i + 2].kind == Kind::word && tokens[i + 2].sign != '\0';
      if (!whole) {
        out.push_back({});
        continue;
      }
      const bool turned = tokens[i + 2].sign == 'f';  // from
      out.push_back(tokens[turned ? i + 3 : i + 1]);
      out.push_back({.kind = Kind::op, .sign = tokens[i].sign});
      out.push_back(tokens[turned ? i + 1 : i + 3]);
      i += 3;
    } else if (tokens[i].kind == Kind::letter && tokens[i].sign == 'x' && i > 0 && is_number(i - 1) &&
               is_number(i + 1)) {
      out.push_back({.kind = Kind::op, .sign = '*'});
    } else {
      out.push_back(tokens[i]);
    }
  }
  return out;
}

/// One side by recursive descent; brackets nest at most kDepth deep, and an expression has at most kMaxNodes nodes.
class Parser {
 public:
  Parser(const Token* begin, const Token* end) : at_(begin), end_(end) {}

  std::optional<Expression> parse() {
    const auto root = sum(0);
    if (!root || at_ != end_ || expression_.nodes.size() > kMaxNodes) return std::nullopt;
    return std::move(expression_);
  }

 private:
  static constexpr int kDepth = 30;
  static constexpr std::size_t kMaxNodes = 64;  // no step of a person or a model is longer
  using Place = std::optional<std::size_t>;

  [[nodiscard]] bool sees(Kind kind) const { return at_ != end_ && at_->kind == kind; }
  [[nodiscard]] bool sees_sign(char a, char b) const { return sees(Kind::op) && (at_->sign == a || at_->sign == b); }
  Place leaf(char letter, Rational number) { return node({.op = 0, .letter = letter, .number = number}); }
  Place node(Node n) {
    expression_.nodes.push_back(n);
    return expression_.nodes.size() - 1;
  }
  Place joined(char op, Place left, Place right) {
    if (!left || !right) return std::nullopt;
    return node({.op = op, .letter = 0, .number = {}, .left = *left, .right = *right});
  }

  Place sum(int depth) {
    Place left = product(depth);
    while (left && sees_sign('+', '-')) {
      const char op = (at_++)->sign;
      left = joined(op, left, product(depth));
    }
    return left;
  }
  Place product(int depth) {
    Place left = factor(depth);
    while (left && (sees_sign('*', '/') || sees(Kind::letter) || sees(Kind::open))) {
      const char op = sees(Kind::op) ? (at_++)->sign : '*';
      left = joined(op, left, factor(depth));
    }
    return left;
  }
  Place factor(int depth) {
    if (at_ == end_ || depth > kDepth) return std::nullopt;
    const Token token = *at_++;
    if (token.kind == Kind::number) return leaf(0, token.number);
    if (token.kind == Kind::letter) return leaf(token.sign, {});
    if (token.kind == Kind::op && token.sign == '-') {
      const Place zero = leaf(0, {});
      return joined('-', zero, factor(depth + 1));
    }
    if (token.kind != Kind::open) return std::nullopt;
    const Place inside = sum(depth + 1);
    if (!sees(Kind::close)) return std::nullopt;
    ++at_;
    return inside;
  }

  const Token* at_;
  const Token* end_;
  Expression expression_;
};

std::optional<Statement> parse(const std::vector<Token>& run) {
  Statement statement;
  const Token* begin = run.data();
  const Token* const end = begin + run.size();
  while (true) {
    const Token* side_end = std::find_if(begin, end, [](const Token& t) { return t.kind == Kind::equals; });
    auto side = Parser(begin, side_end).parse();
    if (!side) return std::nullopt;
    statement.sides.push_back(std::move(*side));
    if (side_end == end) return statement;
    begin = side_end + 1;
  }
}

std::string node_text(const Expression& e, std::size_t i) {
  const Node& n = e.nodes[i];
  if (n.op == 0) return n.letter != 0 ? std::string(1, n.letter) : text_of(n.number);
  const auto operand = [&](std::size_t j) {
    return e.nodes[j].op == 0 ? node_text(e, j) : "( " + node_text(e, j) + " )";
  };
  return operand(n.left) + " " + n.op + " " + operand(n.right);
}

}  // namespace

bool Expression::has_letter() const {
  return std::any_of(nodes.begin(), nodes.end(), [](const Node& n) { return n.letter != 0; });
}
std::string Expression::text() const { return node_text(*this, nodes.size() - 1); }

std::string text_of(const Rational& number) {
  return std::to_string(number.numerator) + (number.denominator == 1 ? "" : "/" + std::to_string(number.denominator));
}

Line read_line(std::string_view text) {
  Line line;
  std::vector<Token> tokens = rewritten(Lexer(text).tokens());
  tokens.push_back({});  // a word at the end
  std::vector<Token> run;
  for (const Token& token : tokens) {
    if (token.kind != Kind::word && token.kind != Kind::gerund) {
      run.push_back(token);
      continue;
    }
    const auto has = [&](Kind kind) {
      return std::any_of(run.begin(), run.end(), [&](const Token& t) { return t.kind == kind; });
    };
    if (has(Kind::equals)) {
      if (auto statement = parse(run)) {
        line.statements.push_back(std::move(*statement));
      } else if (has(Kind::op)) {
        line.unclear = true;
      }
    }
    run.clear();
  }
  return line;
}

std::vector<Rational> numbers_of(std::string_view text) {
  std::vector<Rational> numbers;
  for (const Token& token : Lexer(text).tokens()) {
    if (token.kind == Kind::number) numbers.push_back(token.number);
  }
  return numbers;
}

}  // namespace lowbit::judge
