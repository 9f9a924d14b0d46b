// YAML text as a tree in which every value knows where it was written. Scalars stay text here; what an unquoted
// one means is decided in spec/scalar.h. The YAML parser behind this is private to yaml_document.cpp.
//
// Accepted is YAML 1.2 in one document, aliases included (an alias is a copy of what its anchor names). Refused,
// each at its place: text that is not UTF-8, control characters, more than 4 MiB, nesting beyond 64, a key twice
// in one mapping, keys that are not scalars, merge keys, tags, a second document.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/source_span.h"
#include "domain/experiment_spec.h"

namespace lowbit::spec {

struct Node {
  enum class Kind { scalar, sequence, mapping };
  struct Entry;

  Kind kind = Kind::scalar;
  SourceSpan span;             ///< a scalar with its quotes; of a collection its first character
  std::string text;            ///< scalar: escapes and folding undone
  bool plain = false;          ///< scalar without quotes
  bool verbatim = false;       ///< scalar: `text` stands byte by byte in the source, behind the quote if there is one
  std::vector<Node> items;     ///< sequence
  std::vector<Entry> entries;  ///< mapping, in file order, keys distinct

  /// Nothing was written where a value belongs (`key:` and no more).
  [[nodiscard]] bool missing() const { return kind == Kind::scalar && plain && text.empty(); }
  /// The value of `key` in a mapping, or null.
  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
  /// Takes `key` out of a mapping, if it is there.
  void drop(std::string_view key);
  /// The place of `length` bytes of `text` from `offset`, or of the whole scalar when that cannot be said.
  [[nodiscard]] SourceSpan within(std::size_t offset, std::size_t length) const;
};

struct Node::Entry {
  Text key;
  Node value;
};

/// Reads `source->text` from byte `begin` on as one YAML document and appends every problem to `problems`. Nothing is
/// returned when the text cannot be read on from some place; otherwise the tree, which leaves out what was refused.
/// An empty text is a missing() scalar.
[[nodiscard]] std::optional<Node> parse_yaml(const std::shared_ptr<const SourceText>& source, std::size_t begin,
                                             Diagnostics& problems);

}  // namespace lowbit::spec
