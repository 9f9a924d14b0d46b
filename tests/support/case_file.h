// Tests as data. A case file is an input and the full text it must lead to:
//
//     what this case is about, free text
//     --- experiment.yaml
//     stages: []
//     --- expect: check
//     error[LB1012]: ...
//
// A section begins at a line `--- name` (a bare `---` is text) and ends before the next one or at the end of the
// file. LOWBIT_APPROVE=1 in the environment rewrites the expectations instead of comparing them; review the diff.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::test {

struct CaseSection {
  std::string name;      ///< "experiment.yaml", "expect: check"
  std::string text;      ///< every line ends in a newline; empty when the section has no lines
  std::size_t line = 0;  ///< of the `--- name` line, 1-based
};

struct CaseFile {
  std::filesystem::path path;
  std::string about;  ///< the lines before the first section
  std::vector<CaseSection> sections;

  /// The first section of that name, or null.
  [[nodiscard]] const CaseSection* find(std::string_view name) const;
  /// Its text, or empty when there is no such section.
  [[nodiscard]] std::string text_of(std::string_view name) const;
  /// Its lines without line ends; blank lines are left out.
  [[nodiscard]] std::vector<std::string> lines_of(std::string_view name) const;
};

/// Throws std::runtime_error when the file cannot be read, has a section twice, or has no `expect: ` section.
[[nodiscard]] CaseFile read_case_file(const std::filesystem::path& path);
[[nodiscard]] CaseFile parse_case_file(const std::filesystem::path& path, std::string_view text);
[[nodiscard]] std::string to_text(const CaseFile& file);

/// The *.case files of a directory, sorted by name; throws std::runtime_error when there are none.
[[nodiscard]] std::vector<std::filesystem::path> case_files(const std::filesystem::path& directory);

/// For every section `expect: NAME` compares its text with `produce(file, NAME)` (a missing last newline is added), as
/// one Catch2 CHECK each, or writes the file anew with what was produced under LOWBIT_APPROVE=1.
/// REQUIRES: called inside a TEST_CASE.
void check_case(const std::filesystem::path& path,
                const std::function<std::string(const CaseFile& file, std::string_view name)>& produce);

}  // namespace lowbit::test
