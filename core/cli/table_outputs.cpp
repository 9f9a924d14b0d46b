#include "cli/table_outputs.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/utf8.h"
#include "base/words.h"
#include "env/files.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

struct Form {
  TableForm form;
  std::string_view name;
  std::string_view suffix;
};
constexpr std::array kForms{Form{TableForm::text, "text", ".txt"},   Form{TableForm::markdown, "md", ".md"},
                            Form{TableForm::latex, "latex", ".tex"}, Form{TableForm::html, "html", ".html"},
                            Form{TableForm::csv, "csv", ".csv"},     Form{TableForm::json, "json", ".json"}};
constexpr std::string_view kBegin = "<!-- lowbit table ";
constexpr std::string_view kEnd = "<!-- end of lowbit table -->";

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

/// A table in this form says in its first line where it comes from.
bool has_comments(const fs::path& file) { return file.extension() == ".tex" || file.extension() == ".html"; }

bool is_table(std::string_view text) {
  const std::string_view first = take_line(text);
  return first.find("lowbit table ") != std::string_view::npos && (first.starts_with("%") || first.starts_with("<!--"));
}

}  // namespace

std::optional<TableForm> table_form(const std::string& name) {
  const auto* const known = std::find_if(kForms.begin(), kForms.end(), [&](const Form& f) { return f.name == name; });
  return known == kForms.end() ? std::nullopt : std::optional(known->form);
}

Result<TableForm> form_of_file(const fs::path& file) {
  const std::string suffix = file.extension().string();
  const auto* const known =
      std::find_if(kForms.begin(), kForms.end(), [&](const Form& f) { return f.suffix == suffix; });
  if (known != kForms.end()) return known->form;
  return error("LB0001", "no form of a table is kept in " + file.string())
      .fix("end its name in .txt, .md, .tex, .html, .csv or .json");
}

Result<std::string> file_with_table(const fs::path& file, const std::string& name, const std::string& table) {
  LB_TRY_ASSIGN(const std::optional<std::string> old, env::read_file_if_there(file));
  const bool is_new = !old || old->empty();
  const std::string begin = std::string(kBegin) + name + " -->";
  if (file.extension() != ".md") {
    if (is_new || !has_comments(file) || is_table(*old)) return table;
    return error("LB0001", file.string() + " is no table that lowbit wrote, and would be lost")
        .note("the first line of one says the command that prints it")
        .fix("keep the table in a file of its own, and read that one: \\input{table.tex}");
  }
  if (is_new) return begin + "\n" + table + std::string(kEnd) + "\n";
  const std::size_t at = old->find(begin);
  if (at == std::string::npos) {
    return error("LB0001", file.string() + " has no place for the table " + ticked(name))
        .note("all that it holds would be lost")
        .fix("write these lines where the table is to stand:\n" + begin + "\n" + std::string(kEnd));
  }
  const std::size_t from = at + begin.size();
  const std::size_t to = old->find(kEnd, from);
  if (to == std::string::npos || old->find(kBegin, from) < to) {
    return error("LB0001", file.string() + " has no end for the table " + ticked(name))
        .note("it begins with " + begin)
        .fix("write the line " + std::string(kEnd) + " where the table ends");
  }
  return old->substr(0, from) + "\n" + table + old->substr(to);
}

Result<std::string> stale_at(const fs::path& file, const std::string& wanted) {
  LB_TRY_ASSIGN(const std::optional<std::string> old, env::read_file_if_there(file));
  if (!old) return std::string("it is not there");
  if (*old == wanted) return std::string();
  std::string_view is = *old;
  std::string_view should = wanted;
  for (std::size_t line = 1;; ++line) {
    const bool ended = is.empty();
    const bool should_end = should.empty();
    const std::string_view one = take_line(is);
    const std::string_view other = take_line(should);
    if (one == other && ended == should_end && !ended) continue;
    return "line " + std::to_string(line) + "\n  is      " + (ended ? "(the file ends)" : printable(one)) +
           "\n  should  " + (should_end ? "(the file ends)" : printable(other));
  }
}

}  // namespace lowbit::cli
