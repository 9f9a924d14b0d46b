// What a person is told when something is wrong: what, where, why, and what to do. Structured first, prose
// second; the one renderer is `render()`. Codes are listed in docs/errors.md (`lowbit explain LB2004`).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/source_span.h"

namespace lowbit {

enum class Severity { error, warning };

/// One problem. `code` is "LB" and four digits; the first digit says whose problem it is:
/// 0 command line, 1 text and YAML, 2 binding to plugins, 3 graph, 4 loading plugins and the machine,
/// 5 running a stage, 6 storing, 7 reporting.
struct Diagnostic {
  std::string code;
  std::string what;                ///< lower case, no full stop
  SourceSpan span;                 ///< the place in the user's text, if there is one
  std::string label;               ///< printed under the caret: what was expected here
  std::vector<std::string> notes;  ///< why: facts, one a line
  std::string help;                ///< what to do, an instruction
  Severity severity = Severity::error;

  Diagnostic& at(SourceSpan where, std::string under_caret = {}) {
    span = std::move(where);
    label = std::move(under_caret);
    return *this;
  }
  Diagnostic& note(std::string fact) {
    notes.push_back(std::move(fact));
    return *this;
  }
  Diagnostic& fix(std::string instruction) {
    help = std::move(instruction);
    return *this;
  }
};

[[nodiscard]] inline Diagnostic error(std::string code, std::string what) {
  return Diagnostic{.code = std::move(code), .what = std::move(what), .span = {}, .label = {}, .notes = {}, .help = {}};
}

[[nodiscard]] inline Diagnostic warning(std::string code, std::string what) {
  Diagnostic d = error(std::move(code), std::move(what));
  d.severity = Severity::warning;
  return d;
}

using Diagnostics = std::vector<Diagnostic>;

/// Process exit status of a command that ends with these: 1 a stage failed, 2 the user's input, 3 the
/// machine; the smallest cause that is not the stage's own wins. 0 when there is no error.
[[nodiscard]] int exit_code(const Diagnostics& diagnostics);

/// The text a person reads, ending in a newline.
[[nodiscard]] std::string render(const Diagnostic& diagnostic);
/// Sorted by place in each text, warnings last; the first 50 of them, and how many more there are.
[[nodiscard]] std::string render(Diagnostics diagnostics);
[[nodiscard]] Json to_json(const Diagnostic& diagnostic);

/// The candidate nearest to `word`, if it is near enough to be what was meant: edit distance (with
/// transpositions) at most 2 and less than half of the word; empty when nothing is.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace lowbit
