#include "support/case_file.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

namespace lowbit::test {
namespace {

constexpr std::string_view kMark = "--- ";
constexpr std::string_view kExpect = "expect: ";

bool approving() {
  const char* value = std::getenv("LOWBIT_APPROVE");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace

const CaseSection* CaseFile::find(std::string_view name) const {
  const auto it =
      std::find_if(sections.begin(), sections.end(), [&](const CaseSection& section) { return section.name == name; });
  return it == sections.end() ? nullptr : &*it;
}

std::string CaseFile::text_of(std::string_view name) const {
  const CaseSection* section = find(name);
  return section == nullptr ? std::string() : section->text;
}

std::vector<std::string> CaseFile::lines_of(std::string_view name) const {
  std::vector<std::string> lines;
  const std::string text = text_of(name);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end > begin) lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

CaseFile parse_case_file(const std::filesystem::path& path, std::string_view text) {
  CaseFile file{.path = path, .about = {}, .sections = {}};
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.starts_with(kMark)) {
      file.sections.push_back({std::string(line.substr(kMark.size())), {}, number});
    } else {
      std::string& into = file.sections.empty() ? file.about : file.sections.back().text;
      into.append(line).append("\n");
    }
  }
  std::set<std::string> seen;
  bool expects = false;
  for (const CaseSection& section : file.sections) {
    if (!seen.insert(section.name).second) {
      throw std::runtime_error(path.string() + ":" + std::to_string(section.line) + ": section `" + section.name +
                               "` appears twice");
    }
    expects = expects || section.name.starts_with(kExpect);
  }
  if (!expects) throw std::runtime_error(path.string() + ": no section `--- expect: ...`");
  return file;
}

CaseFile read_case_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return parse_case_file(path, text);
}

std::string to_text(const CaseFile& file) {
  std::string text = file.about;
  for (const CaseSection& section : file.sections) {
    text.append(kMark).append(section.name).append("\n").append(section.text);
  }
  return text;
}

std::vector<std::filesystem::path> case_files(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".case") paths.push_back(entry.path());
  }
  if (paths.empty()) throw std::runtime_error("no *.case files in " + directory.string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

void check_case(const std::filesystem::path& path,
                const std::function<std::string(const CaseFile& file, std::string_view name)>& produce) {
  CaseFile file = read_case_file(path);
  bool changed = false;
  for (CaseSection& section : file.sections) {
    if (!section.name.starts_with(kExpect)) continue;
    std::string actual = produce(file, std::string_view(section.name).substr(kExpect.size()));
    if (!actual.empty() && actual.back() != '\n') actual += '\n';
    if (approving()) {
      changed = changed || section.text != actual;
      section.text = actual;
    } else {
      INFO(path.string() << ":" << section.line << ": " << section.name);
      CHECK(actual == section.text);
    }
  }
  if (!changed) return;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << to_text(file);
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace lowbit::test
