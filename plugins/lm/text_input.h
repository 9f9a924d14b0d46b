// Texts as they come from outside: one file or a directory of files (text/1), read whole; and the rows of a data set,
// which lie in such files as lines or as JSONL.
//
//   const lm::TextRows rows(lm::read_source_text("c4-train.00000-of-01024.json"));
//   std::string document = rows.text(17);
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::lm {

/// Well-formed UTF-8, at least one byte. Line ends are as in the files.
struct SourceText {
  struct File {
    std::filesystem::path path;
    size_t begin, end;  ///< its bytes
  };
  std::filesystem::path path;
  std::string bytes;  ///< of all files, joined without anything between them
  std::vector<File> files;
};

/// `text` without ASCII's white space at both ends.
[[nodiscard]] std::string_view stripped(std::string_view text);

/// A file, or the files of a directory in the order of their names. Throws Error{bad_input}.
[[nodiscard]] SourceText read_source_text(const std::filesystem::path& path);

/// The rows of a data set in the order of the files.
class TextRows {
 public:
  enum class Format {
    lines,  ///< a row is a line with its line feed; the last one of a file may have none
    jsonl   ///< a row is the field `text` of a JSON object; each object is a line
  };

  /// Files whose first byte is `{` are JSONL, all others lines. Throws Error{bad_input} when files of both kinds stand
  /// together or a line of JSONL is no object with a `text`. `tick(done, total)`: bytes, before every line of JSONL;
  /// may throw to cancel.
  explicit TextRows(SourceText source, const std::function<void(size_t, size_t)>& tick = {});

  [[nodiscard]] Format format() const { return format_; }
  [[nodiscard]] size_t size() const { return lines_.size(); }
  /// REQUIRES: row < size().
  [[nodiscard]] std::string text(size_t row) const;
  [[nodiscard]] const SourceText& source() const { return source_; }

 private:
  struct Line {
    size_t begin, end;  // in source_.bytes
  };
  [[nodiscard]] std::string_view line(size_t row) const {
    return std::string_view(source_.bytes).substr(lines_[row].begin, lines_[row].end - lines_[row].begin);
  }

  SourceText source_;
  Format format_ = Format::lines;
  std::vector<Line> lines_;
};

}  // namespace lowbit::lm
