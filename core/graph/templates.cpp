#include "graph/templates.h"

#include "base/check.h"
#include "domain/text_template.h"

namespace lowbit::graph {
namespace {

using Kind = TemplatePiece::Kind;

}  // namespace

AxisSet axes_in(const Json& value, const Matrix& matrix) {
  AxisSet axes = 0;
  if (value.is_structured()) {
    for (const Json& inner : value) axes |= axes_in(inner, matrix);
  }
  if (!value.is_string()) return axes;
  for (const TemplatePiece& piece : split_template(value.get_ref<const std::string&>())) {
    LB_CHECK(piece.kind != Kind::malformed);
    if (piece.kind == Kind::axis) axes |= only(matrix.axis(piece.text));
  }
  return axes;
}

Json substitute(const Json& value, const Matrix& matrix, Point point) {
  if (value.is_structured()) {
    Json out = value;
    for (Json& inner : out) inner = substitute(inner, matrix, point);
    return out;
  }
  if (!value.is_string()) return value;
  const auto& text = value.get_ref<const std::string&>();
  if (text.find('$') == std::string::npos) return value;

  const std::vector<TemplatePiece> pieces = split_template(text);
  const auto axis_value = [&](const TemplatePiece& piece) -> const Json& {
    return matrix.value(point, matrix.axis(piece.text)).value;
  };
  if (pieces.size() == 1 && pieces.front().kind == Kind::axis) return axis_value(pieces.front());
  std::string out;
  for (const TemplatePiece& piece : pieces) {
    out += piece.kind == Kind::axis ? scalar_text(axis_value(piece)) : piece.text;
  }
  return out;
}

std::string substitute_text(const std::string& text, const Matrix& matrix, Point point) {
  return scalar_text(substitute(text, matrix, point));
}

}  // namespace lowbit::graph
