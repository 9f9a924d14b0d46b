// Commands, functions by name, letters with their subscripts, and text.
#include <algorithm>
#include <array>

#include "answers/characters.h"
#include "answers/read_latex.h"
#include "answers/reader.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

constexpr std::array<std::string_view, 21> kFunctions{
    "sin",  "cos", "tan", "cot", "sec", "csc",    "arcsin", "arccos", "arctan", "sinh", "cosh",
    "tanh", "log", "ln",  "lg",  "exp", "arccot", "arsinh", "arcosh", "artanh", "gcd"};
constexpr std::array<std::string_view, 31> kGreek{
    "alpha", "beta",   "gamma", "delta", "epsilon", "varepsilon", "zeta",  "eta", "theta", "vartheta", "iota",
    "kappa", "lambda", "mu",    "nu",    "xi",      "rho",        "sigma", "tau", "phi",   "varphi",   "chi",
    "psi",   "omega",  "Gamma", "Delta", "Theta",   "Lambda",     "Sigma", "Phi", "Omega"};
constexpr std::array<std::string_view, 12> kText{"text",   "textbf", "textit", "textnormal",   "textrm",     "mbox",
                                                 "mathrm", "mathbf", "mathit", "operatorname", "boldsymbol", "bm"};
constexpr std::array<std::string_view, 9> kAccents{
    "overline", "vec", "hat", "bar", "widehat", "tilde", "mathcal", "overrightarrow", "mathfrak"};

template <std::size_t n>
bool among(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Letters that stand for a quantity rather than for a function before a parenthesis: x(x + 1) is a product.
bool is_quantity(std::string_view name) {
  constexpr std::string_view kQuantities = "abcdijklmnrstxyz";
  return name.size() == 1 && kQuantities.find(name.front()) != std::string_view::npos;
}

}  // namespace

Node Reader::command() {
  std::size_t end = at_ + 1;
  while (end < text_.size() && is_letter(text_[end])) ++end;
  const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
  at_ = end;
  return named_command(name);
}

Node Reader::named_command(std::string_view name) {
  if (name == "frac" || name == "dfrac" || name == "tfrac" || name == "cfrac") return fraction();
  if (name == "sqrt") return root();
  if (name == "boxed" || name == "fbox" || name == "underline") return braced();
  if (name == "begin") return matrix_environment();
  if (name == "pi") return constant("pi");
  if (name == "infty") return constant("infinity");
  if (name == "imath") return constant("i");
  if (name == "emptyset" || name == "varnothing") return collection(Kind::set, {});
  if (name == "lfloor") return between("floor", "\\rfloor");
  if (name == "lceil") return between("ceil", "\\rceil");
  if (name == "lvert" || name == "vert") return absolute_value(name == "vert" ? "\\vert" : "\\rvert");
  if (name == "angle" || name == "triangle" || name == "ell" || name == "square") return symbol(std::string(name));
  if (name == "sum" || name == "prod") return indexed_sum(name);
  if (name == "binom" || name == "dbinom" || name == "tbinom") {
    Node n = group_or_token();
    return function("binom", {std::move(n), group_or_token()});
  }
  if (name == "mathbb") {
    const std::string set = raw_group();
    Expression known{.kind = Kind::number_set, .name = set};
    return std::make_shared<const Expression>(std::move(known));
  }
  if (among(kText, name)) return text_command(name);
  if (among(kAccents, name)) return subscripted(std::string(name) + "{" + without_blanks(raw_group()) + "}");
  if (among(kFunctions, name)) return applied(name);
  if (among(kGreek, name)) return call_or_symbol(std::string(name));
  throw Unreadable{};
}

/// \frac{1}{2}, \frac12, \frac1{72}: without braces an argument is one digit or letter.
Node Reader::fraction() {
  const auto argument = [&]() -> Node {
    blanks();
    if (!is_digit(peek())) return group_or_token();
    count_node();
    return number(text_[at_++] - '0');
  };
  Node top = argument();
  return quotient(std::move(top), argument());
}

Node Reader::root() {
  blanks();
  Node degree = number(2);
  if (take("[")) {
    degree = additive();
    expect("]");
    blanks();
  }
  if (is_digit(peek())) {
    count_node();
    return function("root", {number_literal(), std::move(degree)});
  }
  return function("root", {group_or_token(), std::move(degree)});
}

/// A function with its subscript, power and argument: \log_2 8, \sin^2 x. Without parentheses the argument reaches to
/// the next function or operator.
Node Reader::applied(std::string_view name) {
  const Nesting nesting(*this);
  blanks();
  Node base;
  Node exponent;
  for (int i = 0; i < 2; ++i) {
    if (take("_")) {
      blanks();
      base = is_digit(peek()) && name == "log" ? number(text_[at_++] - '0') : group_or_token();
    } else if (take("^")) {
      exponent = group_or_token();
    }
    blanks();
  }
  std::vector<Node> arguments;
  if (peek() == '(' || peek() == '{') {
    arguments.push_back(primary());
  } else {
    const auto next_is_function = [&] {
      if (peek() != '\\') return false;
      return std::any_of(kFunctions.begin(), kFunctions.end(),
                         [&](std::string_view f) { return text_.substr(at_ + 1, f.size()) == f; });
    };
    blanks();
    if (!begins_factor()) throw Unreadable{};
    std::vector<Node> factors{factor()};
    while (begins_factor() && !next_is_function() && peek() != '(') factors.push_back(factor());
    arguments.push_back(product(std::move(factors)));
  }
  if (base) arguments.push_back(std::move(base));
  if (name == "lg") arguments.push_back(number(10));
  Node node = name == "exp" ? power(constant("e"), arguments.front())
                            : function(name == "lg" ? "log" : std::string(name), std::move(arguments));
  return exponent ? power(std::move(node), std::move(exponent)) : node;
}

/// Text is a word; one letter of it is that letter, a number in it that number, (C) is C.
Node Reader::text_command(std::string_view name) {
  std::string content = raw_group();
  if (content.size() > 2 && content.front() == '(' && content.back() == ')')
    content = content.substr(1, content.size() - 2);
  if (content.empty()) throw Unreadable{};
  if (std::all_of(content.begin(), content.end(), is_digit)) {
    if (content.size() > kLiteralDigits) throw Unreadable{};
    return number(Number(Integer(content.substr(std::min(content.find_first_not_of('0'), content.size() - 1)))));
  }
  if (content == "e" || content == "i") return constant(content);
  if (among(kFunctions, content)) return applied(content);
  if (name == "operatorname" || content.size() == 1) return call_or_symbol(content);
  return subscripted(without_blanks(lowered(content)));
}

Node Reader::letter_or_word() {
  std::size_t end = at_;
  while (end < text_.size() && is_letter(text_[end])) ++end;
  const std::string_view run = text_.substr(at_, end - at_);
  const auto word = [&](std::string_view name) {
    at_ += name.size();
    return name;
  };
  if (run == "sqrt") return word(run), root();
  if (run == "pi") return word(run), constant("pi");
  if (run == "infinity" || run == "inf" || run == "oo") return word(run), constant("infinity");
  if (run.size() > 1 && among(kFunctions, run)) return applied(word(run));
  const char letter = text_[at_++];
  if (letter == 'e' && peek() != '_') return constant("e");
  if (letter == 'i' && peek() != '_') return constant("i");
  return call_or_symbol(std::string(1, letter));
}

/// With _2, _{ij} or without: the name holds what stands there, blanks and braces aside.
Node Reader::subscripted(std::string name) {
  if (peek() != '_') return symbol(std::move(name));
  ++at_;
  blanks();
  std::string index;
  if (peek() == '{') {
    index = erased(without_blanks(raw_group()), "\\text");
  } else if (peek() == '\\') {
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_letter(text_[end])) ++end;
    index = text_.substr(at_, end - at_);
    at_ = end;
  } else if (at_ < text_.size()) {
    index = text_[at_++];
  }
  if (index.empty()) throw Unreadable{};
  return symbol(std::move(name) + "_" + index);
}

/// f(x) is a call, x(x + 1) a product; a call of one argument needs one that is a plain letter or number.
Node Reader::call_or_symbol(const std::string& name) {
  Node head = subscripted(name);
  if (peek() != '(' || is_quantity(name)) return head;
  const std::size_t before = at_;
  Node inside = bracketed('(');
  if (is(inside, Kind::symbol) || is(inside, Kind::number) || is(inside, Kind::constant))
    return function("call " + head->name, {std::move(inside)});
  if (is(inside, Kind::tuple) || (is(inside, Kind::interval) && inside->left_open && inside->right_open))
    return function("call " + head->name, inside->parts);
  at_ = before;
  return head;
}

/// \sum_{k=1}^{n} of the product that follows.
Node Reader::indexed_sum(std::string_view name) {
  const Nesting nesting(*this);
  blanks();
  if (!take("_")) throw Unreadable{};
  blanks();
  expect("{");
  Node lower = relation();
  expect("}");
  blanks();
  if (!take("^")) throw Unreadable{};
  Node upper = group_or_token();
  return function(std::string(name), {std::move(lower), std::move(upper), implicit_product()});
}

}  // namespace lowbit::answers
