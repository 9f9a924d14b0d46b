// `${axis}` in the texts of an experiment (domain/text_template.h) at one point of its matrix.
//   "${num_bits}"         keeps the type of the axis value: 4
//   "models/${model}"     text
//   "$${HOME}"            a literal `${HOME}`
#pragma once

#include <string>

#include "graph/matrix.h"

namespace lowbit::graph {

// REQUIRES, everywhere: templates are well formed and name axes of the matrix; the reader of the file has seen to it.

/// The axes named anywhere in `value`: in a text, or in the texts within a list or mapping.
[[nodiscard]] AxisSet axes_in(const Json& value, const Matrix& matrix);

/// `value` with every `${axis}` replaced by its value at `point`.
[[nodiscard]] Json substitute(const Json& value, const Matrix& matrix, Point point);
[[nodiscard]] std::string substitute_text(const std::string& text, const Matrix& matrix, Point point);

}  // namespace lowbit::graph
