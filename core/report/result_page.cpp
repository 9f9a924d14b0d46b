#include "report/result_page.h"

#include <cmath>
#include <map>
#include <utility>

#include "base/utf8.h"
#include "domain/coordinates.h"
#include "domain/quantity_text.h"
#include "domain/query_result.h"
#include "report/text_table.h"

namespace lowbit::report {
namespace {

using Rows = std::vector<std::vector<std::optional<Json>>>;

constexpr std::size_t kShortDigest = 12;

std::optional<Json> cell(const Json& value) { return value.is_null() ? std::nullopt : std::optional(value); }

/// As `lowbit query` gives it: JSON has no infinity.
Json number(std::optional<double> value) {
  if (!value || std::isnan(*value)) return nullptr;
  return std::isinf(*value) ? Json(*value > 0 ? "inf" : "-inf") : Json(*value);
}

std::string section(std::vector<std::string> columns, Rows rows) {
  if (rows.empty()) return {};
  return "\n" + render({.columns = std::move(columns), .rows = std::move(rows)}, TableFormat::columns);
}

std::string text_of(const Json& value) { return value.is_null() ? "–" : scalar_text(value); }

std::string short_digest(const std::optional<std::string>& digest) {
  return digest.value_or("–").substr(0, kShortDigest);
}

std::string fact(const char* name, const std::string& value) {
  return padded(name, 16, false) + printable(value) + "\n";
}

std::string seconds_of(std::optional<double> seconds) { return seconds ? duration_text(*seconds) : std::string("–"); }

std::string place_of(const Json& at) {
  if (!at.is_object()) return {};
  std::string text;
  for (const auto& [axis, value] : at.items()) text += (text.empty() ? "" : ",") + axis + "=" + scalar_text(value);
  return "[" + text + "]";
}

std::string parameters(const Json& record) {
  Rows rows;
  const Json& params = member(record, "params");
  for (const auto& [name, value] : params.items()) rows.push_back({Json(name), Json(text_of(value))});
  for (const char* name : {"seed", "device"}) {
    if (record.contains(name)) rows.push_back({Json(name), Json(text_of(record[name]))});
  }
  return section({"parameter", "value"}, std::move(rows));
}

std::string inputs(const std::vector<InputFacts>& list) {
  Rows rows;
  for (const InputFacts& input : list) {
    rows.push_back({Json(input.port + place_of(input.at)),
                    cell(value_or_null(input.made_as ? input.made_as : input.path)), cell(value_or_null(input.type)),
                    Json(short_digest(input.digest))});
  }
  return section({"input", "from", "type", "digest"}, std::move(rows));
}

std::string outputs(const std::vector<OutputFacts>& list) {
  Rows rows;
  for (const OutputFacts& output : list) {
    rows.push_back({Json(output.port), Json(output.type), Json(bytes_text(output.bytes)),
                    Json(short_digest(output.digest)), Json(output.path)});
  }
  return section({"output", "type", "size", "digest", "path in .lowbit"}, std::move(rows));
}

std::string metrics(const std::vector<MetricRow>& list) {
  Rows rows;
  for (const MetricRow& metric : list) {
    rows.push_back({Json(metric.name), cell(number(metric.value)), cell(number(metric.std_error)),
                    metric.count == 0 ? std::nullopt : std::optional<Json>(metric.count), Json(metric.unit)});
  }
  return section({"metric", "value", "std. error", "items", "unit"}, std::move(rows));
}

std::string attempts(const std::vector<AttemptFacts>& list) {
  Rows rows;
  for (const AttemptFacts& attempt : list) {
    rows.push_back({Json(attempt.number), Json(attempt.state), Json(attempt.started_at),
                    Json(seconds_of(attempt.seconds)), cell(member(attempt.failure, "what")), Json(attempt.directory)});
  }
  return section({"attempt", "state", "started", "took", "failure", "directory in .lowbit"}, std::move(rows));
}

std::string labels(const char* name, const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& one : list) out += fact(out.empty() ? name : "", one);
  return out;
}

std::string metric_table(const Json& metrics) {
  Rows rows;
  for (const Json& metric : metrics) {
    rows.push_back({metric["name"], cell(metric["a"]), cell(metric["b"]), cell(metric["delta"]), metric["unit"]});
  }
  return section({"metric", "A", "B", "B - A", "unit"}, std::move(rows));
}

}  // namespace

std::string result_page(const VariantFacts& variant) {
  std::string out = variant.label + "\n";
  out += fact("state", variant.state + (variant.seconds ? " in " + seconds_of(variant.seconds) : ""));
  if (variant.experiment) out += fact("experiment", *variant.experiment);
  const Json& version = member(member(variant.record, "plugin"), "version");
  out += fact("plugin", variant.plugin + " " + (version.is_null() ? std::string() : scalar_text(version)));
  out += fact("provenance key", variant.provenance_key.value_or("–"));
  out += fact("content key", variant.content_key.value_or("–"));
  if (variant.directory) out += fact("directory", ".lowbit/" + *variant.directory);
  return out + parameters(variant.record) + inputs(variant.inputs) + outputs(variant.outputs) +
         metrics(variant.metrics) + attempts(variant.attempts);
}

Json result_document(const VariantFacts& variant) {
  Json document{{"label", variant.label},
                {"experiment", value_or_null(variant.experiment)},
                {"stage", value_or_null(variant.stage)},
                {"plugin", variant.plugin},
                {"state", variant.state},
                {"provenance_key", value_or_null(variant.provenance_key)},
                {"content_key", value_or_null(variant.content_key)},
                {"directory", value_or_null(variant.directory)},
                {"seconds", number(variant.seconds)},
                {"record", variant.record},
                {"inputs", Json::array()},
                {"outputs", Json::array()},
                {"metrics", Json::array()},
                {"attempts", Json::array()}};
  for (const InputFacts& input : variant.inputs) {
    document["inputs"].push_back({{"port", input.port},
                                  {"at", input.at},
                                  {"type", value_or_null(input.type)},
                                  {"digest", value_or_null(input.digest)},
                                  {"from", value_or_null(input.made_as)},
                                  {"path", value_or_null(input.path)}});
  }
  for (const OutputFacts& output : variant.outputs) {
    document["outputs"].push_back({{"port", output.port},
                                   {"type", output.type},
                                   {"digest", output.digest},
                                   {"path", output.path},
                                   {"bytes", output.bytes},
                                   {"summary", output.summary}});
  }
  for (const MetricRow& metric : variant.metrics) {
    document["metrics"].push_back({{"name", metric.name},
                                   {"unit", metric.unit},
                                   {"value", number(metric.value)},
                                   {"std_error", number(metric.std_error)},
                                   {"count", metric.count}});
  }
  for (const AttemptFacts& attempt : variant.attempts) {
    document["attempts"].push_back({{"number", attempt.number},
                                    {"state", attempt.state},
                                    {"started_at", attempt.started_at},
                                    {"ended_at", value_or_null(attempt.ended_at)},
                                    {"seconds", number(attempt.seconds)},
                                    {"directory", attempt.directory},
                                    {"failure", attempt.failure}});
  }
  return document;
}

std::string artifact_page(const ArtifactFacts& artifact) {
  std::string out = fact("artifact", artifact.digest) + fact("type", artifact.type) +
                    fact("size", bytes_text(artifact.bytes)) + fact("path", ".lowbit/" + artifact.path) +
                    labels("made by", artifact.made_by) + labels("used by", artifact.used_by) +
                    labels("based on", artifact.bases);
  if (artifact.summary.is_object()) {
    Rows rows;
    for (const auto& [name, value] : artifact.summary.items()) rows.push_back({Json(name), Json(text_of(value))});
    out += section({"summary", "value"}, std::move(rows));
  }
  return out;
}

Json artifact_document(const ArtifactFacts& artifact) {
  return {{"digest", artifact.digest},   {"type", artifact.type},       {"bytes", artifact.bytes},
          {"path", artifact.path},       {"summary", artifact.summary}, {"made_by", artifact.made_by},
          {"used_by", artifact.used_by}, {"bases", artifact.bases}};
}

Json metric_differences(const std::vector<MetricRow>& a, const std::vector<MetricRow>& b) {
  std::map<std::string, std::pair<const MetricRow*, const MetricRow*>> by_name;
  for (const MetricRow& metric : a) by_name[metric.name].first = &metric;
  for (const MetricRow& metric : b) by_name[metric.name].second = &metric;
  Json differences = Json::array();
  for (const auto& [name, sides] : by_name) {
    const auto value = [](const MetricRow* metric) { return metric == nullptr ? Json() : number(metric->value); };
    const Json left = value(sides.first);
    const Json right = value(sides.second);
    if (left == right && (sides.first == nullptr) == (sides.second == nullptr)) continue;
    const bool both = left.is_number() && right.is_number();
    differences.push_back({{"name", name},
                           {"unit", (sides.first != nullptr ? sides.first : sides.second)->unit},
                           {"a", left},
                           {"b", right},
                           {"delta", both ? Json(right.get<double>() - left.get<double>()) : Json()}});
  }
  return differences;
}

std::string difference_page(const Json& difference) {
  std::string out = "A  " + printable(difference["a"].get<std::string>()) + "\nB  " +
                    printable(difference["b"].get<std::string>()) + "\n";
  if (difference["record"].empty()) {
    out += "the same key: plugin, parameters, inputs\n";
  } else {
    for (const Json& line : difference["record"]) out += printable(line.get<std::string>()) + "\n";
  }
  out += metric_table(difference["metrics"]);
  const auto equal = difference["equal_metrics"].get<std::uint64_t>();
  if (equal > 0) out += "\n" + count_text(equal, "equal metric") + " not shown\n";
  return out;
}

std::string differences_page(const Json& differences) {
  std::string out = "A  " + printable(differences["a"].get<std::string>()) + "\nB  " +
                    printable(differences["b"].get<std::string>()) + "\n";
  for (const auto& [key, name] : {std::pair{"only_a", "only in A"}, std::pair{"only_b", "only in B"}}) {
    out += labels(name, differences[key].get<std::vector<std::string>>());
  }
  for (const Json& one : differences["changed"]) {
    out += "\n" + printable(one["label"].get<std::string>()) + "\n";
    for (const Json& line : one["record"]) out += "  " + printable(line.get<std::string>()) + "\n";
    const std::string table = metric_table(one["metrics"]);
    out += table.empty() ? table : table.substr(1);
  }
  const auto equal = differences["equal"].get<std::uint64_t>();
  if (equal > 0)
    out += (differences["changed"].empty() ? "" : "\n") + count_text(equal, "equal result") + " not shown\n";
  return out;
}

}  // namespace lowbit::report
