#include "domain/text_template.h"

#include <algorithm>

namespace lowbit {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

void append_literal(std::vector<TemplatePiece>& pieces, char c, std::size_t offset, std::size_t length) {
  if (pieces.empty() || pieces.back().kind != TemplatePiece::Kind::literal) {
    pieces.push_back({TemplatePiece::Kind::literal, {}, offset, 0});
  }
  pieces.back().text += c;
  pieces.back().length += length;
}

// REQUIRES: `rest` begins with a dollar and is not `$$...`.
TemplatePiece axis_place(std::string_view rest, std::size_t offset) {
  using Kind = TemplatePiece::Kind;
  if (!rest.starts_with("${")) return {Kind::malformed, "a lone `$`", offset, 1};
  const std::size_t end = rest.find('}');
  if (end == std::string_view::npos) return {Kind::malformed, "`${` without `}`", offset, rest.size()};
  const std::string_view name = rest.substr(2, end - 2);
  if (is_identifier(name)) return {Kind::axis, std::string(name), offset, end + 1};
  return {Kind::malformed, "not the name of an axis between `${` and `}`", offset, end + 1};
}

}  // namespace

bool is_identifier(std::string_view text) {
  return !text.empty() && is_letter(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::vector<TemplatePiece> split_template(std::string_view text) {
  std::vector<TemplatePiece> pieces;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    if (rest.front() != '$' || rest.starts_with("$$")) {
      const std::size_t length = rest.front() == '$' ? 2 : 1;
      append_literal(pieces, rest.front(), i, length);
      i += length;
    } else {
      pieces.push_back(axis_place(rest, i));
      i += pieces.back().length;
    }
  }
  return pieces;
}

}  // namespace lowbit
