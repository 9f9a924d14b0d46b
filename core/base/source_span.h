// Where a value came from: a place in a text that a person wrote.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace lowbit {

/// A text a person wrote and the name they know it by (`experiment.yaml`, `--set #1`).
struct SourceText {
  std::string name;
  std::string text;
};

/// `length` bytes from a 1-based line and column (columns count bytes). Empty `source`: no known place.
struct SourceSpan {
  std::shared_ptr<const SourceText> source;
  std::size_t line = 0;
  std::size_t column = 0;
  std::size_t length = 1;

  explicit operator bool() const { return source != nullptr; }
};

/// A value together with the place it was written.
template <class T>
struct Located {
  T value{};
  SourceSpan span;
};

}  // namespace lowbit
