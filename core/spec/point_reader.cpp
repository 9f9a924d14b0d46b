#include "spec/point_reader.h"

#include <algorithm>
#include <string>
#include <utility>

namespace lowbit::spec {
namespace {

// `--set matrix.num_bits=[4]` must not make a description of 3 in the file a mistake.
bool axis_was_replaced(const Text& axis, const Located<Json>& value, const KnownAxes& axes) {
  const Axis* known = axes.find(axis.value);
  if (known == nullptr) return false;
  const auto& values = known->values;
  return std::any_of(values.begin(), values.end(),
                     [&](const Located<Json>& v) { return v.span.source != value.span.source; }) &&
         std::none_of(values.begin(), values.end(), [&](const Located<Json>& v) { return v.value == value.value; });
}

}  // namespace

std::optional<AxisValues> read_points(const Node& node, Place place, const KnownAxes& axes, Form& form, bool seed_too) {
  if (!form.mapping(node, place)) return std::nullopt;
  if (node.entries.empty()) {
    form.report(error("LB1024", std::string(rules_of(place).called) + " is empty")
                    .at(node.span, "this would describe every point")
                    .fix("name axes and values: `{quantizer: awq, num_bits: 3}`"));
    return std::nullopt;
  }
  AxisValues points;
  for (const Node::Entry& entry : node.entries) {
    if (!form.known_axis(entry.key, axes, seed_too)) continue;
    const std::string what = "the value of axis " + ticked(entry.key.value);
    std::vector<Located<Json>> values;
    const auto read_value = [&](const Node& item) {
      const auto value = form.scalar(item, what, "a single value or a list of values");
      if (!value) return;
      if (axis_was_replaced(entry.key, *value, axes)) {
        values.push_back(*value);
      } else if (auto known = form.axis_value(entry.key, *value, axes)) {
        values.push_back(std::move(*known));
      }
    };
    if (entry.value.kind != Node::Kind::sequence) {
      read_value(entry.value);
    } else if (form.list(entry.value, what, "values")) {
      for (const Node& item : entry.value.items) read_value(item);
    }
    points.emplace_back(entry.key, std::move(values));
  }
  return points;
}

std::vector<AxisValues> read_when(const Node& node, const KnownAxes& axes, Form& form) {
  std::vector<AxisValues> any_of;
  const auto read = [&](const Node& item) {
    if (auto points = read_points(item, Place::condition, axes, form, true)) any_of.push_back(std::move(*points));
  };
  if (node.kind != Node::Kind::sequence) {
    read(node);
  } else if (form.list(node, "`when`", "mappings")) {
    for (const Node& item : node.items) read(item);
  }
  return any_of;
}

}  // namespace lowbit::spec
