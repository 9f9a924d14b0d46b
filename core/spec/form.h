// Checks that every part of the file reader needs: keys of a mapping, texts with templates, whole numbers, names.
// All of them report to one list and give nothing back for what they refused.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"
#include "domain/experiment_spec.h"
#include "spec/language.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {

/// The axes that names and values are checked against.
struct KnownAxes {
  std::vector<Axis> axes;
  std::vector<std::uint64_t> seeds;
  bool complete = true;  ///< false once part of the matrix could not be read: then nothing is called unknown

  /// Null for `seed` too, which is no axis of the matrix.
  [[nodiscard]] const Axis* find(std::string_view name) const;
};

class Form {
 public:
  explicit Form(Diagnostics& problems) : problems_(problems) {}

  void report(Diagnostic problem) { problems_.push_back(std::move(problem)); }

  /// False, with a report, when `node` is not a mapping; else reports unknown and absent required keys.
  bool mapping(const Node& node, Place place);
  /// False, with a report, unless a list with at least one element. `what`: "`seeds`".
  bool list(const Node& node, const std::string& what, const std::string& of);
  /// A scalar's value; nothing, with a report, for a list, a mapping or a missing value.
  std::optional<Located<Json>> scalar(const Node& node, const std::string& what, const std::string& expected);
  /// Not empty.
  std::optional<Text> text(const Node& node, const std::string& what, const std::string& expected = "text");
  /// An identifier (domain/text_template.h).
  std::optional<Text> name(const Node& node, const std::string& what);
  bool name(const Text& text, const std::string& what);
  std::optional<std::uint64_t> whole_number(const Node& node, const std::string& what, Range range);

  /// Reports what is wrong with the `${axis}` places of a text.
  void check_template(const Node& node, const KnownAxes& axes);
  /// Reports templates in a text where none is substituted.
  bool no_template(const Text& text, const std::string& where);
  /// A text with templates whose every `${axis}` is known.
  std::optional<Text> template_text(const Node& node, const std::string& what, const KnownAxes& axes);
  /// Reports a name that is no axis (`seed_too`: nor `seed`).
  bool known_axis(const Text& name, const KnownAxes& axes, bool seed_too);
  /// The value of `axis` that `value` is, in the form in which the axis has it.
  std::optional<Located<Json>> axis_value(const Text& axis, const Located<Json>& value, const KnownAxes& axes);

  void wrong_type(const Node& node, const std::string& what, const std::string& expected, std::string help = {});
  void duplicate(const std::string& what, const SourceSpan& first, const SourceSpan& second, std::string fact = {});

 private:
  Diagnostics& problems_;
};

/// `file:line:column`
[[nodiscard]] std::string place_text(const SourceSpan& span);

}  // namespace lowbit::spec
