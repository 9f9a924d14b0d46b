#include "answers/math_verify.h"

#include <algorithm>
#include <array>
#include <vector>

#include "answers/boxed.h"
#include "answers/characters.h"
#include "answers/formulas.h"
#include "answers/limits.h"
#include "answers/read_latex.h"
#include "answers/text.h"
#include "answers/tidy.h"

namespace lowbit::answers {
namespace {

// What announces an answer, most telling first.
enum Rank : int { final_hoped, box_first, final_is, box_later, answer_colon, answer_word, whole, bare };

struct Piece {
  std::string text;
  bool percent = false, typed = false;
};
/// One place of a response that may hold its answer.
struct Candidate {
  int rank = bare;
  std::size_t begin = 0, end = 0;
  std::vector<Piece> pieces;
};

/// One line that is nothing but a formula without delimiters, more than a typed number: letters stand alone or in
/// commands, and there is a sign or a command.
bool is_bare_formula(std::string_view text) {
  constexpr std::size_t kLongest = 400;
  constexpr std::array<std::string_view, 16> kWords{"sqrt",    "pi",      "infinity", "inf",   "sin", "cos",
                                                    "tan",     "log",     "ln",       "exp",   "and", "or",
                                                    "pmatrix", "bmatrix", "array",    "matrix"};
  text = trimmed(text);
  if (text.size() > kLongest || text.find_first_of("$\n?") != std::string_view::npos || read_typed_number(text))
    return false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    while (at < text.size() && is_letter(text[at])) ++at;
    const bool in_command = begin > 0 && text[begin - 1] == '\\';
    if (at - begin > 1 && !in_command &&
        std::find(kWords.begin(), kWords.end(), text.substr(begin, at - begin)) == kWords.end())
      return false;
    if (at == begin) ++at;
  }
  return text.find_first_of("\\=<>^*/+(") != std::string_view::npos;
}

class CandidateSearch {
 public:
  CandidateSearch(std::string_view text, const MathVerifyOptions& options)
      : text_(text), lower_(lowered(text)), options_(options), formulas_(text) {}

  std::vector<Candidate> all() {
    if (options_.latex) boxes();
    announced_final();
    announced();
    if (options_.latex && is_bare_formula(text_))
      found_.push_back(
          {.rank = whole, .begin = 0, .end = text_.size(), .pieces = {{std::string(text_), false, false}}});
    unannounced();
    const auto earlier = [](const Candidate& a, const Candidate& b) {
      if (a.rank != b.rank) return a.rank < b.rank;
      return a.end != b.end ? a.end > b.end : a.begin < b.begin;
    };
    std::stable_sort(found_.begin(), found_.end(), earlier);
    if (found_.size() > kCandidates) found_.resize(kCandidates);
    return std::move(found_);
  }

 private:
  static Piece piece_of(const Formula& formula, Boxes boxes = Boxes::all) {
    return {.text = boxed_answers(formula.content, boxes), .percent = formula.percent, .typed = false};
  }

  void add(int rank, std::size_t begin, const FormulaRow& row) {
    Candidate candidate{.rank = rank, .begin = begin, .end = row.end, .pieces = {}};
    for (const Formula& formula : row.formulas) candidate.pieces.push_back(piece_of(formula));
    found_.push_back(std::move(candidate));
  }
  void add(int rank, std::size_t begin, const TypedNumber& number) {
    found_.push_back({.rank = rank,
                      .begin = begin,
                      .end = number.end,
                      .pieces = {{std::string(number.text), number.percent, !number.expression}}});
  }

  [[nodiscard]] std::optional<TypedNumber> typed_at(std::size_t at) const {
    auto expression = typed_expression_at(text_, at);
    return expression ? expression : typed_number_at(text_, at);
  }

  /// Formulas with boxes, and the stretch from the first box to the last closing brace.
  void boxes() {
    const int rank = options_.boxes_first ? box_first : box_later;
    const std::size_t first = text_.find("\\boxed{");
    const std::size_t last = text_.rfind('}');
    if (first == std::string_view::npos) return;
    if (last != std::string_view::npos && last > first) {
      const std::string_view stretch = text_.substr(first, last + 1 - first);
      found_.push_back({.rank = rank,
                        .begin = first,
                        .end = last + 1,
                        .pieces = {{boxed_answers(stretch, Boxes::near), false, false}}});
    }
    for (std::size_t at = 0; at < text_.size();) {
      const auto row = formulas_.row_at(at);
      const auto boxed = [](const Formula& formula) {
        return formula.content.find("\\boxed{") != std::string_view::npos;
      };
      if (!row || !boxed(row->formulas.front())) {
        ++at;
        continue;
      }
      FormulaRow kept{.begin = row->begin, .end = row->begin, .formulas = {}};
      for (const Formula& formula : row->formulas) {
        if (!boxed(formula)) break;
        kept.formulas.push_back(formula);
        kept.end = formula.end;
      }
      add(rank, kept.begin, kept);
      at = kept.end;
    }
  }

  /// "final answer is X. I hope", and "final answer" with "is X" within 100 characters.
  void announced_final() {
    constexpr std::string_view kFinal = "final answer";
    for (std::size_t at = lower_.find(kFinal); at != std::string::npos; at = lower_.find(kFinal, at + 1)) {
      const std::size_t begin = at + kFinal.size();
      std::size_t is = begin;
      for (const std::size_t limit = begin + 100; (is = lower_.find("is", is)) <= limit && is != std::string::npos;
           ++is) {
        if (is == 0 || kBlank.find(lower_[is - 1]) == std::string_view::npos) continue;
        std::size_t value = is + 2;
        if (value < text_.size() && text_[value] == ':') ++value;
        if (announced_at(at, value)) break;
      }
    }
  }

  bool announced_at(std::size_t begin, std::size_t value) {
    const std::size_t formula = std::min(text_.find_first_not_of(kBlank, value), text_.size());
    const auto row = options_.latex ? formulas_.row_at(formula) : std::nullopt;
    const auto typed = options_.expressions ? typed_at(value) : std::nullopt;
    if (row) add(hoped_behind(row->end) ? final_hoped : final_is, begin, *row);
    if (typed) add(hoped_behind(typed->end) ? final_hoped : final_is, begin, *typed);
    return row || typed;
  }

  [[nodiscard]] bool hoped_behind(std::size_t end) const {
    const std::size_t word = text_.find_first_not_of(". \n", end);
    return word != std::string_view::npos && word <= end + 3 && starts_with_at(text_, word, "I hope");
  }

  /// "answer" with a formula or number within 50 characters, or a number behind an equals sign within 100.
  void announced() {
    constexpr std::string_view kAnswer = "answer";
    std::size_t after_formula = 0;
    std::size_t after_typed = 0;
    for (std::size_t at = lower_.find(kAnswer); at != std::string::npos; at = lower_.find(kAnswer, at + 1)) {
      std::size_t begin = at + kAnswer.size();
      const bool colon = begin < text_.size() && text_[begin] == ':';
      if (colon) ++begin;
      const int rank = colon ? answer_colon : answer_word;
      if (options_.latex && at >= after_formula) {
        for (std::size_t i = begin; i <= begin + 50 && i < text_.size(); ++i) {
          const auto row = formulas_.row_at(i);
          if (!row) continue;
          add(rank, at, *row);
          after_formula = row->end;
          break;
        }
      }
      if (options_.expressions && at >= after_typed) {
        if (const auto typed = typed_behind_answer(begin)) {
          add(rank, at, *typed);
          after_typed = typed->end;
        }
      }
    }
  }

  /// The line only. What an equals sign follows is no answer.
  [[nodiscard]] std::optional<TypedNumber> typed_behind_answer(std::size_t begin) const {
    const std::size_t line = std::min(text_.find('\n', begin), text_.size());
    const auto is_side = [&](const std::optional<TypedNumber>& typed) {
      if (!typed) return false;
      const std::size_t next = text_.find_first_not_of(kBlank, typed->end);
      return next == std::string_view::npos || text_[next] != '=';
    };
    const std::size_t limit = std::min(line, begin + 100);
    for (std::size_t at = limit; at-- > begin;) {
      if (text_[at] != '=') continue;
      auto typed = typed_at(at);
      if (!typed && at + 1 < limit) typed = typed_at(at + 1);
      if (is_side(typed)) return typed;
    }
    for (std::size_t at = begin; at <= begin + 50 && at < line; ++at) {
      auto typed = typed_at(at);
      if (is_side(typed)) return typed;
    }
    return std::nullopt;
  }

  void unannounced() {
    for (std::size_t at = 0; options_.latex && at < text_.size();) {
      const auto row = formulas_.row_at(at);
      if (row) add(bare, row->begin, *row);
      at = row ? row->end : at + 1;
    }
    using Finder = std::optional<TypedNumber> (*)(std::string_view, std::size_t);
    for (const Finder find : {Finder(typed_expression_at), Finder(typed_number_at)}) {
      for (std::size_t at = 0; options_.expressions && at < text_.size();) {
        const auto typed = find(text_, at);
        if (typed) add(bare, typed->begin, *typed);
        at = typed ? std::max(typed->end, at + 1) : at + 1;
      }
    }
  }

  std::string_view text_;
  std::string lower_;
  MathVerifyOptions options_;
  FormulaFinder formulas_;
  std::vector<Candidate> found_;
};

Node hundredth(const Node& node) {
  return is(node, Kind::number) ? number(node->value / 100, node->decimal) : product({node, number(Number(1) / 100)});
}

std::optional<Node> read_piece(const Piece& piece, std::string& text) {
  std::optional<Node> node;
  if (piece.typed) {
    text = piece.text;
    node = read_typed_number(piece.text);
  } else {
    text = without_units(tidied(piece.text));
    node = read_latex(text);
    if (!node) {
      const std::string_view side = last_side(text);
      if (side.size() != text.size()) node = read_latex(side);
    }
  }
  return node && piece.percent ? std::optional(hundredth(*node)) : node;
}

/// Several that can all be read are a set; otherwise the first counts.
FoundAnswer read_candidate(const Candidate& candidate) {
  std::vector<Node> all;
  std::vector<std::string> texts;
  for (const Piece& piece : candidate.pieces) {
    if (auto node = read_piece(piece, texts.emplace_back())) all.push_back(*node);
    if (texts.size() == 1 && all.empty() && candidate.pieces.size() == 1) return {std::nullopt, texts.front()};
  }
  if (candidate.pieces.size() == 1) return {all.front(), texts.front()};
  if (all.size() < candidate.pieces.size()) {
    std::string text;
    auto first = read_piece(candidate.pieces.front(), text);
    return {std::move(first), text};
  }
  std::vector<Node> members;
  for (const Node& node : all) {
    if (is(node, Kind::set)) {
      members.insert(members.end(), node->parts.begin(), node->parts.end());
    } else {
      members.push_back(node);
    }
  }
  std::string text;
  for (const std::string& part : texts) text += (text.empty() ? "" : " and ") + part;
  return {collection(Kind::set, std::move(members)), text};
}

}  // namespace

FoundAnswer find_answer(std::string_view response, const MathVerifyOptions& options) {
  if (response.size() > kResponseBytes) response.remove_prefix(response.size() - kResponseBytes);
  FoundAnswer result;
  for (const Candidate& candidate : CandidateSearch(response, options).all()) {
    FoundAnswer found = read_candidate(candidate);
    if (result.text.empty()) result.text = found.text;
    if (!found.answer) continue;
    result.answer = std::move(found.answer);
    break;
  }
  return result;
}

Verdict verify(const FoundAnswer& reference, const FoundAnswer& given, const MathVerifyOptions& options) {
  const std::string_view gold = trimmed(reference.text);
  if (!gold.empty() && gold == trimmed(given.text)) return Verdict::equal;
  if (!reference.answer || !given.answer) return Verdict::different;
  return equivalent(*reference.answer, *given.answer, options.comparison);
}

}  // namespace lowbit::answers
