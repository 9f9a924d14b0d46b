#include "spec/measured_parts.h"

namespace lowbit::spec {

bool read_text(Form& form, const Node& node, const char* key, Text& text) {
  const Node* value = node.find(key);
  if (value == nullptr) return false;
  auto read = form.text(*value, ticked(key));
  if (read) text = std::move(*read);
  return read.has_value();
}

std::optional<MetricOf> read_metric(Form& form, const Node& node) {
  MetricOf metric;
  if (!form.mapping(node, Place::metric_of)) return std::nullopt;
  const bool role = read_text(form, node, "of", metric.role);
  const bool name = read_text(form, node, "metric", metric.metric);
  return role && name ? std::optional(std::move(metric)) : std::nullopt;
}

bool read_row_name(Form& form, const Node& node, RowSpec& row) {
  const Node* id = node.find("id");
  if (id == nullptr) return false;
  auto name = form.name(*id, "the id of a row");
  if (!name) return false;
  row.id = std::move(*name);
  row.label = row.id;
  read_text(form, node, "label", row.label);
  return true;
}

void read_row_stages(Form& form, const Node& node, RowSpec& row) {
  if (const Node* stages = node.find("stages"); stages != nullptr && form.mapping(*stages, Place::row_stages)) {
    for (const Node::Entry& entry : stages->entries) {
      form.name(entry.key, "a role");
      if (auto stage = form.name(entry.value, "the id of a stage")) row.stages.emplace_back(entry.key, *stage);
    }
  }
  read_scalars(form, node, "at", Place::pins, row.at);
}

void read_scalars(Form& form, const Node& node, const char* key, Place place,
                  std::vector<std::pair<Text, Located<Json>>>& values) {
  const Node* mapping = node.find(key);
  if (mapping == nullptr || !form.mapping(*mapping, place)) return;
  for (const Node::Entry& entry : mapping->entries) {
    auto value = form.scalar(entry.value, ticked(entry.key.value), "a single value");
    if (value) values.emplace_back(entry.key, std::move(*value));
  }
}

}  // namespace lowbit::spec
