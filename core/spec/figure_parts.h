// What stands inside figures: quantities, curves, scales. Every function reports what it refuses.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/figure_spec.h"
#include "spec/form.h"
#include "spec/language.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {

class FigureParts {
 public:
  explicit FigureParts(Form& form) : form_(form) {}

  /// One of `value`, `sum`, `share` and `accuracy`, those of them that are keys of `place`. `what`: "a part of bars".
  /// REQUIRES: node is a mapping whose keys were checked.
  std::optional<QuantitySpec> quantity(const Node& node, Place place, const std::string& what);
  std::optional<CurveSpec> curve(const Node& node, Place place);

  /// The value of the only one of `keys` that stands in the mapping; which it is, in `found`.
  const Node* one_of(const Node& node, const std::vector<std::string_view>& keys, const std::string& what,
                     std::string_view& found);
  /// The position of the word under `key` in `words`; 0 without the key.
  std::size_t word(const Node& node, const char* key, const std::vector<std::string>& words);
  bool is_log(const Node& node) { return word(node, "scale", {"linear", "log"}) == 1; }
  std::optional<bool> truth(const Node& node, const char* key);
  /// At least `low` and below `high`, which `range` says in words.
  std::optional<double> number(const Node& node, const char* key, double low, double high, const std::string& range);

 private:
  bool read_content(const Node& node, ColumnSpec& column);
  void read_print(const Node& node, std::string_view content, ColumnSpec& column);
  Better read_better(const Node& node);

  Form& form_;
};

}  // namespace lowbit::spec
