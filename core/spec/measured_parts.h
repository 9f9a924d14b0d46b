// What tables files and figures files have in common: metrics of roles, and rows that say which results are meant.
// Every function reports what it refuses.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domain/table_spec.h"
#include "spec/form.h"
#include "spec/language.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {

/// Nothing happens without the key: Form::mapping() reports those that are required. REQUIRES: node is a mapping.
bool read_text(Form& form, const Node& node, const char* key, Text& text);

std::optional<MetricOf> read_metric(Form& form, const Node& node);

/// `id`, and `label`, which is the id where none is written. REQUIRES: node is a mapping.
bool read_row_name(Form& form, const Node& node, RowSpec& row);
/// `stages` and `at`. REQUIRES: node is a mapping.
void read_row_stages(Form& form, const Node& node, RowSpec& row);
/// Names of the author's own, each with a single value. REQUIRES: node is a mapping.
void read_scalars(Form& form, const Node& node, const char* key, Place place,
                  std::vector<std::pair<Text, Located<Json>>>& values);

}  // namespace lowbit::spec
