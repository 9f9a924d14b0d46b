// Texts with `${axis}` places, as they stand in an ExperimentSpec: `$$` is a literal dollar, any other dollar is a
// mistake. One splitter for all rooms: `spec` refuses malformed pieces and unknown axes, `graph` substitutes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit {

struct TemplatePiece {
  enum class Kind {
    literal,    ///< `text` is what stands there, `$$` already one dollar
    axis,       ///< `text` is the name between the braces
    malformed,  ///< a dollar that starts neither `$$` nor `${name}`; `text` says what is wrong with it
  };
  Kind kind = Kind::literal;
  std::string text;
  std::size_t offset = 0;  ///< bytes, in the text that was split
  std::size_t length = 0;

  bool operator==(const TemplatePiece&) const = default;
};

/// In order and without gaps; neighbouring literals are one piece. Empty for an empty text.
[[nodiscard]] std::vector<TemplatePiece> split_template(std::string_view text);

/// Axis, stage, port and input names: [A-Za-z][A-Za-z0-9_-]*
[[nodiscard]] bool is_identifier(std::string_view text);

}  // namespace lowbit
