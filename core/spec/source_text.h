// Bytes and places of a text, before anyone looks at its grammar.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/diagnostic.h"
#include "base/source_span.h"

namespace lowbit::spec {

/// Why `source` is no text to read: over 4 MiB, not UTF-8, or a control character other than tab and line end (LF or
/// CR LF) in it. The excerpt shows `?` for bytes that must not reach a terminal.
[[nodiscard]] std::optional<Diagnostic> problem_with_text(const std::shared_ptr<const SourceText>& source);

/// Turns byte offsets of one text into places.
class Places {
 public:
  explicit Places(std::shared_ptr<const SourceText> source);

  /// REQUIRES: offset <= size of the text. The span ends at the end of its line at the latest.
  [[nodiscard]] SourceSpan at(std::size_t offset, std::size_t length = 1) const;

 private:
  std::shared_ptr<const SourceText> source_;
  std::vector<std::size_t> line_begins_;
};

}  // namespace lowbit::spec
