#include "lm/text_input.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "lm/error.h"
#include "lm/json_file.h"
#include "lm/utf8.h"

namespace lowbit::lm {
namespace {

[[noreturn]] void bad_text(const std::string& what, const std::string& where, const std::string& why,
                           const std::string& fix) {
  throw Error(Status::bad_input, {.what = what, .where = where, .why = why, .fix = fix});
}

/// The field `text` of one line. `where` names file and line.
std::string text_of_line(std::string_view line, const std::string& where) {
  std::string why;
  try {
    const nlohmann::json row = parse_json(line);
    const auto text = row.is_object() ? row.find("text") : row.end();
    if (text != row.end() && text->is_string()) return text->get<std::string>();
    why = text == row.end() ? "it has no field `text`" : std::string("its `text` is ") + text->type_name();
  } catch (const JsonProblem& e) {
    why = e.what();
  }
  bad_text("a line is not a row of JSONL", where, why, R"(write each row as {"text": "..."} on a line of its own)");
}

}  // namespace

std::string_view stripped(std::string_view text) {
  constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";
  const size_t first = text.find_first_not_of(kWhiteSpace);
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

SourceText read_source_text(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(path);
  }
  SourceText source{.path = path, .bytes = {}, .files = {}};
  for (const auto& file : files) {
    const size_t begin = source.bytes.size();
    std::ifstream in(file, std::ios::binary);
    source.bytes.append(std::istreambuf_iterator<char>(in), {});
    if (!in) {
      bad_text("cannot read the text", file.string(), "the file cannot be opened or read",
               "check the path and the permissions");
    }
    if (const auto error = utf8_error(std::string_view(source.bytes).substr(begin))) {
      bad_text("the text is not UTF-8", file.string(), "byte " + std::to_string(*error) + " starts no character",
               "unpack or convert the file, such as with gunzip or iconv");
    }
    source.files.push_back({file, begin, source.bytes.size()});
  }
  if (source.bytes.empty()) bad_text("the text is empty", path.string(), "it has no byte", "give a text");
  return source;
}

TextRows::TextRows(SourceText source, const std::function<void(size_t, size_t)>& tick) : source_(std::move(source)) {
  const auto format_of = [&](const SourceText::File& file) {
    return file.begin < file.end && source_.bytes[file.begin] == '{' ? Format::jsonl : Format::lines;
  };
  format_ = format_of(source_.files.front());
  for (const SourceText::File& file : source_.files) {
    if (format_of(file) != format_) {
      bad_text("the text mixes JSONL and plain lines", file.path.string(),
               format_ == Format::jsonl ? "it does not begin with `{`, the files before it do"
                                        : "it begins with `{`, the files before it do not",
               "keep files of one kind in the directory");
    }
    for (size_t begin = file.begin, number = 1; begin < file.end; ++number) {
      const size_t feed = source_.bytes.find('\n', begin);
      const size_t end = std::min(feed == std::string::npos ? file.end : feed + 1, file.end);
      lines_.push_back({begin, end});
      if (format_ == Format::jsonl) {
        if (tick) tick(end, source_.bytes.size());
        (void)text_of_line(line(lines_.size() - 1), file.path.string() + ":" + std::to_string(number));
      }
      begin = end;
    }
  }
}

std::string TextRows::text(size_t row) const {
  return format_ == Format::jsonl ? text_of_line(line(row), source_.path.string()) : std::string(line(row));
}

}  // namespace lowbit::lm
