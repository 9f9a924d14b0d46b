#include "spec/source_text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "spec/language.h"

namespace lowbit::spec {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{4} << 20U;

unsigned byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

bool is_control(std::string_view text, std::size_t i) {
  const unsigned byte = byte_at(text, i);
  if (byte == '\r') return i + 1 == text.size() || text[i + 1] != '\n';
  return byte == 0x7F || (byte < 0x20 && byte != '\t' && byte != '\n');
}

std::string hex(unsigned byte) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  return {'0', 'x', kDigits[byte >> 4U], kDigits[byte & 0xFU]};
}

// The same text with `?` for every byte that must not be printed.
std::shared_ptr<const SourceText> printable(const SourceText& source) {
  std::string text = source.text;
  for (std::size_t i = 0; i < source.text.size();) {
    const std::size_t length = utf8_length(std::string_view(source.text).substr(i));
    if (length == 0 || is_control(source.text, i)) text[i] = '?';
    i += std::max<std::size_t>(length, 1);
  }
  return std::make_shared<const SourceText>(SourceText{source.name, std::move(text)});
}

}  // namespace

std::optional<Diagnostic> problem_with_text(const std::shared_ptr<const SourceText>& source) {
  const std::string_view text = source->text;
  if (text.size() > kMaxBytes) {
    return error("LB1003", ticked(source->name) + " has " + std::to_string(text.size()) +
                               " bytes, more than the 4 MiB that an experiment file may have")
        .fix("give the experiment file, not a model or a data set; long lists of data belong into `inputs`");
  }
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) {
      return error("LB1001", ticked(source->name) + " is not UTF-8 text")
          .at(Places(printable(*source)).at(i), "byte " + hex(byte_at(text, i)) + " does not belong here")
          .fix("save a file as UTF-8, give an argument as UTF-8");
    }
    if (is_control(text, i)) {
      const std::string found =
          text[i] == '\r' ? "a carriage return without a line feed" : "the control character " + hex(byte_at(text, i));
      return error("LB1002", ticked(source->name) + " holds a character that has no place in a text")
          .at(Places(printable(*source)).at(i), found)
          .fix(text[i] == '\0' ? "remove it"
                               : "remove it, or write it in double quotes as an escape: \"\\x" +
                                     hex(byte_at(text, i)).substr(2) + "\"");
    }
    i += length;
  }
  return std::nullopt;
}

Places::Places(std::shared_ptr<const SourceText> source) : source_(std::move(source)), line_begins_{0} {
  for (std::size_t i = 0; i < source_->text.size(); ++i) {
    if (source_->text[i] == '\n') line_begins_.push_back(i + 1);
  }
}

SourceSpan Places::at(std::size_t offset, std::size_t length) const {
  LB_CHECK(offset <= source_->text.size());
  const auto next = std::upper_bound(line_begins_.begin(), line_begins_.end(), offset);
  const auto line = static_cast<std::size_t>(std::distance(line_begins_.begin(), next));
  const std::size_t line_end = next == line_begins_.end() ? source_->text.size() : *next - 1;
  const std::size_t room = line_end > offset ? line_end - offset : 1;
  return {source_, line, offset - line_begins_[line - 1] + 1, std::max<std::size_t>(std::min(length, room), 1)};
}

}  // namespace lowbit::spec
