#include "answers/latex_to_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "answers/characters.h"
#include "answers/limits.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kSigns{
    {{"pi", "pi"},   {"infty", "inf"}, {"cup", "U"}, {"cdot", "*"}, {"times", "*"}, {"le", "≤"},
     {"leq", "≤"},   {"ge", "≥"},      {"geq", "≥"}, {"lt", "<"},   {"gt", ">"},    {"pm", "±"},
     {"circ", "∘"},  {"in", "∈"},      {"neq", "≠"}, {"ne", "≠"},   {"alpha", "α"}, {"beta", "β"},
     {"theta", "θ"}, {"lambda", "λ"},  {"cap", "∩"}, {"quad", " "}}};
constexpr std::array<std::string_view, 11> kNamed{"sin", "cos", "tan", "cot", "sec", "csc",
                                                  "log", "ln",  "exp", "min", "max"};

class TextWriter {
 public:
  explicit TextWriter(std::string_view latex) : latex_(latex) {}

  /// To the brace that closes the group that is open, or to the end.
  std::string rest(std::size_t depth) {
    std::string text;
    while (at_ < latex_.size()) {
      const char c = latex_[at_];
      if (c == '}') {
        if (depth > 0) break;
        ++at_;
      } else if (c == '{') {
        text += group(depth);
      } else if (c == '\\') {
        text += command(depth);
      } else {
        ++at_;
        if (c == '&') text += ' ';
        if (c != '&' && c != '$') text += c;
      }
    }
    return text;
  }

 private:
  /// One argument: a group, a command or a character.
  std::string group(std::size_t depth) {
    while (at_ < latex_.size() && latex_[at_] == ' ') ++at_;
    if (at_ >= latex_.size() || depth > kDepth) return "";
    if (latex_[at_] == '\\') return command(depth + 1);
    if (latex_[at_] != '{') return std::string(1, latex_[at_++]);
    ++at_;
    std::string text = rest(depth + 1);
    if (at_ < latex_.size()) ++at_;
    return text;
  }

  std::string command(std::size_t depth) {
    const std::size_t begin = ++at_;
    while (at_ < latex_.size() && is_letter(latex_[at_])) ++at_;
    if (at_ == begin) return character();
    const std::string_view name = latex_.substr(begin, at_ - begin);
    at_ = std::min(latex_.find_first_not_of(kBlank, at_), latex_.size());
    if (name == "frac" || name == "dfrac" || name == "tfrac") {
      const std::string top = group(depth);
      return (name == "frac" ? " " : "") + top + "/" + group(depth);
    }
    if (name == "sqrt") return root(depth);
    if (name == "begin" || name == "end") {
      const std::string environment = group(depth);
      if (environment.find("matrix") == std::string::npos && environment.find("array") == std::string::npos) return "";
      return name == "begin" ? "[ " : " ]";
    }
    if (std::find(kNamed.begin(), kNamed.end(), name) != kNamed.end()) return std::string(name);
    for (const auto& [sign, text] : kSigns) {
      if (sign == name) return std::string(text);
    }
    return "";
  }

  std::string root(std::size_t depth) {
    if (at_ < latex_.size() && latex_[at_] == '[')
      at_ = std::min(latex_.find(']', at_), latex_.size() - 1) + 1;  // the degree is dropped
    return "sqrt(" + group(depth) + ")";
  }

  std::string character() {
    if (at_ >= latex_.size()) return "";
    const char c = latex_[at_++];
    if (c == '\\') return ";";
    if (c == ',' || c == ';' || c == ' ' || c == ':') return " ";
    return c == '!' || c == '(' || c == ')' || c == '[' || c == ']' ? "" : std::string(1, c);
  }

  std::string_view latex_;
  std::size_t at_ = 0;
};

}  // namespace

std::string latex_to_text(std::string_view latex) { return std::string(trimmed(TextWriter(latex).rest(0))); }

}  // namespace lowbit::answers
