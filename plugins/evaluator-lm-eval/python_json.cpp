#include "python_json.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <lowbit/sdk.hpp>
#include <sstream>
#include <string>

namespace lowbit::lm_eval {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 3> kNoNumbers{"-Infinity", "Infinity", "NaN"};

std::string with_nulls(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool in_string = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (in_string && c == '\\' && at + 1 < text.size()) {
      result.append(text.substr(at, 2));
      at += 2;
      continue;
    }
    if (c == '"') in_string = !in_string;
    const auto* const word = std::find_if(kNoNumbers.begin(), kNoNumbers.end(), [&](std::string_view one) {
      return !in_string && text.substr(at).starts_with(one);
    });
    if (word != kNoNumbers.end()) {
      result += "null";
      at += word->size();
    } else {
      result += c;
      ++at;
    }
  }
  return result;
}

[[noreturn]] void cannot_read(const std::filesystem::path& file, std::size_t line, const std::string& why) {
  throw StageError(LB_BAD_INPUT,
                   {.what = "line " + std::to_string(line) + " of " + file.filename().string() + " cannot be read",
                    .where = file.string() + ":" + std::to_string(line),
                    .why = why,
                    .fix = "copy the file again from where lm_eval wrote it, or evaluate again"});
}

std::ifstream opened(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (in) return in;
  throw StageError(LB_BAD_INPUT, {.what = "cannot open " + file.filename().string(),
                                  .where = file.string(),
                                  .why = "the file is missing or may not be read",
                                  .fix = "bind the directory that lm_eval wrote, with all of its files"});
}

}  // namespace

Json parse_python_json(std::string_view text) { return Json::parse(with_nulls(text)); }

Json read_python_json(const std::filesystem::path& file) {
  std::ostringstream bytes;
  bytes << opened(file).rdbuf();
  const std::string text = with_nulls(bytes.view());
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(text.size(), e.byte));
    cannot_read(file, 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n')), e.what());
  }
}

void for_each_python_json_line(const std::filesystem::path& file,
                               const std::function<void(const Json&, std::size_t)>& use) {
  std::ifstream in = opened(file);
  std::string text;
  for (std::size_t line = 1; std::getline(in, text); ++line) {
    try {
      use(parse_python_json(text), line);
    } catch (const Json::exception& e) {
      cannot_read(file, line, e.what());
    }
  }
}

}  // namespace lowbit::lm_eval
