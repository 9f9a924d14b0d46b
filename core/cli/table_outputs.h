// Tables as files: in which form, and whether a file that was kept is still what the results say.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"

namespace lowbit::cli {

enum class TableForm { text, markdown, latex, html, csv, json };

/// "text", "md", "latex", "html", "csv" or "json".
[[nodiscard]] std::optional<TableForm> table_form(const std::string& name);

/// By the end of its name: .txt, .md, .tex, .html, .csv, .json; else LB0001.
[[nodiscard]] Result<TableForm> form_of_file(const std::filesystem::path& file);

/// What `file` is to be with `table` in it. A Markdown file keeps all but what stands between a line
/// `<!-- lowbit table NAME -->` and the next `<!-- end of lowbit table -->`; a new one has both. Every other file is
/// the table. LB0001 where something else would be lost.
[[nodiscard]] Result<std::string> file_with_table(const std::filesystem::path& file, const std::string& name,
                                                  const std::string& table);

/// Empty when `file` is `wanted`; else the first line in which they differ, for people.
[[nodiscard]] Result<std::string> stale_at(const std::filesystem::path& file, const std::string& wanted);

}  // namespace lowbit::cli
