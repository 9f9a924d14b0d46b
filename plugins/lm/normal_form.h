// Unicode's canonical normal forms (UAX #15), by utf8proc. Linear in the text, whatever order its combining marks are
// in.
#pragma once

#include <string>
#include <string_view>

namespace lowbit::lm {

enum class NormalForm {
  composed,   ///< NFC: "e" + U+0301 -> "é"
  decomposed  ///< NFD: "é" -> "e" + U+0301
};

/// Throws std::bad_alloc. REQUIRES: text is UTF-8.
[[nodiscard]] std::string normal_form(std::string_view text, NormalForm form);

}  // namespace lowbit::lm
