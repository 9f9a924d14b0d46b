#include "spec/figure_parts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "spec/measured_parts.h"

namespace lowbit::spec {
namespace {

constexpr Range kHeatDigits{0, 12};

struct QuantityKey {
  std::string_view key;
  ColumnSpec::Kind kind;
};
constexpr std::array<QuantityKey, 5> kQuantityKeys{{{"value", ColumnSpec::Kind::value},
                                                    {"sum", ColumnSpec::Kind::sum},
                                                    {"mean", ColumnSpec::Kind::mean},
                                                    {"share", ColumnSpec::Kind::share},
                                                    {"accuracy", ColumnSpec::Kind::accuracy}}};

}  // namespace

const Node* FigureParts::one_of(const Node& node, const std::vector<std::string_view>& keys, const std::string& what,
                                std::string_view& found) {
  const Node* content = nullptr;
  for (const std::string_view key : keys) {
    const Node* value = node.find(key);
    if (value == nullptr) continue;
    if (content != nullptr) {
      form_.report(error("LB1035", ticked(key) + " and " + ticked(found) + " exclude each other")
                       .at(value->span, "not beside " + ticked(found))
                       .fix("keep one of them"));
      return nullptr;
    }
    content = value;
    found = key;
  }
  if (content != nullptr) return content;
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const std::string_view key : keys) names.push_back(ticked(key));
  form_.report(error("LB1021", what + " needs one of the keys " + list_of(names))
                   .at(node.span, "not in this mapping")
                   .fix("say what is shown: `value: {of: ROLE, metric: NAME}`"));
  return nullptr;
}

std::optional<QuantitySpec> FigureParts::quantity(const Node& node, Place place, const std::string& what) {
  std::vector<std::string_view> keys;
  for (const QuantityKey& known : kQuantityKeys) {
    if (find_key(place, known.key) != nullptr) keys.push_back(known.key);
  }
  std::string_view key;
  const Node* content = one_of(node, keys, what, key);
  if (content == nullptr) return std::nullopt;
  QuantitySpec out;
  ColumnSpec& column = out.column;
  column.kind = std::find_if(kQuantityKeys.begin(), kQuantityKeys.end(), [&](const QuantityKey& k) {
                  return k.key == key;
                })->kind;
  if (!read_content(*content, column)) return std::nullopt;
  column.label = {std::string(what), node.span};
  read_text(form_, node, "label", column.label);
  read_print(node, key, column);
  out.log = is_log(node);
  out.better = read_better(node);
  return out;
}

bool FigureParts::read_content(const Node& node, ColumnSpec& column) {
  if (column.kind == ColumnSpec::Kind::accuracy) {
    return form_.mapping(node, Place::accuracy) && read_text(form_, node, "of", column.role);
  }
  const bool sum = column.kind == ColumnSpec::Kind::sum;
  if (!sum && column.kind != ColumnSpec::Kind::mean) {
    if (auto metric = read_metric(form_, node)) column.metrics.push_back(std::move(*metric));
    return !column.metrics.empty();
  }
  if (!form_.list(node, sum ? "`sum`" : "`mean`", "metrics")) return false;
  for (const Node& item : node.items) {
    if (auto metric = read_metric(form_, item)) column.metrics.push_back(std::move(*metric));
  }
  return column.metrics.size() == node.items.size();
}

void FigureParts::read_print(const Node& node, std::string_view content, ColumnSpec& column) {
  column.percent = column.is_share();
  const Node* percent = node.find("percent");
  if (const auto value = truth(node, "percent")) {
    if (column.is_share()) {
      form_.report(error("LB1035", "`percent` and " + ticked(content) + " exclude each other")
                       .at(percent->span, "not beside " + ticked(content))
                       .note("shares are always shown in percent")
                       .fix("keep one of them"));
    } else {
      column.percent = *value;
    }
  }
  if (const Node* unit = node.find("unit"); unit != nullptr && read_text(form_, node, "unit", column.unit)) {
    const std::vector<std::string> units{"kB", "MB", "GB"};
    if (column.percent) {
      form_.report(error("LB1035", "`unit` and shares exclude each other")
                       .at(unit->span, "not for a share")
                       .fix("keep one of them"));
    } else if (std::find(units.begin(), units.end(), column.unit.value) == units.end()) {
      form_.wrong_type(*unit, "`unit`", "kB, MB or GB", "bytes are divided by 1000; other metrics have their own unit");
    }
  }
  column.digits = column.percent ? 1 : 2;
  if (const Node* digits = node.find("digits")) {
    if (const auto n = form_.whole_number(*digits, "`digits`", kHeatDigits)) {
      column.digits = static_cast<std::size_t>(*n);
    }
  }
}

std::optional<bool> FigureParts::truth(const Node& node, const char* key) {
  const Node* value = node.find(key);
  if (value == nullptr) return std::nullopt;
  const auto read = form_.scalar(*value, ticked(key), "true or false");
  if (!read) return std::nullopt;
  if (read->value.is_boolean()) return read->value.get<bool>();
  form_.wrong_type(*value, ticked(key), "true or false");
  return std::nullopt;
}

std::size_t FigureParts::word(const Node& node, const char* key, const std::vector<std::string>& words) {
  const Node* value = node.find(key);
  Text text;
  if (value == nullptr || !read_text(form_, node, key, text)) return 0;
  const auto found = std::find(words.begin(), words.end(), text.value);
  if (found == words.end()) {
    form_.wrong_type(*value, ticked(key), list_of(words, "or"));
    return 0;
  }
  return static_cast<std::size_t>(found - words.begin());
}

Better FigureParts::read_better(const Node& node) {
  if (node.find("better") == nullptr) return Better::none;
  return word(node, "better", {"up", "down"}) == 0 ? Better::up : Better::down;
}

std::optional<double> FigureParts::number(const Node& node, const char* key, double low, double high,
                                          const std::string& range) {
  const Node* value = node.find(key);
  if (value == nullptr) return std::nullopt;
  const auto read = form_.scalar(*value, ticked(key), range);
  if (!read) return std::nullopt;
  if (read->value.is_number()) {
    const auto given = read->value.get<double>();
    if (given >= low && given < high) return given;
  }
  form_.wrong_type(*value, ticked(key), range);
  return std::nullopt;
}

std::optional<CurveSpec> FigureParts::curve(const Node& node, Place place) {
  if (!form_.mapping(node, place)) return std::nullopt;
  CurveSpec out;
  const bool role = read_text(form_, node, "of", out.metric.role);
  if (!read_text(form_, node, "metric", out.metric.metric) || !role) return std::nullopt;
  out.label = out.metric.metric;
  read_text(form_, node, "label", out.label);
  out.log = is_log(node);
  return out;
}

}  // namespace lowbit::spec
