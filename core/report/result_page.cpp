#include "report/result_page.h"

#include <algorithm>
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

std::string section(std::vector<std::string> columns, Rows rows) {
  if (rows.empty()) return {};
  return "\n" + render({.columns = std::move(columns), .rows = std::move(rows)}, TableFormat::columns);
}

std::string text_of(const Json& value) { return value.is_null() ? "–" : scalar_text(value); }

std::string short_digest(const Json& digest) { return text_of(digest).substr(0, kShortDigest); }

std::string fact(const char* name, const std::string& value) {
  return padded(name, 16, false) + printable(value) + "\n";
}

std::string seconds_of(const Json& seconds) {
  return seconds.is_number() ? duration_text(seconds.get<double>()) : std::string("–");
}

std::string size_of(const Json& bytes) {
  return bytes.is_number() ? bytes_text(bytes.get<std::uint64_t>()) : std::string("–");
}

std::string place_of(const Json& at) {
  if (!at.is_object()) return {};
  std::string text;
  for (const auto& [axis, value] : at.items()) text += (text.empty() ? "" : ",") + axis + "=" + scalar_text(value);
  return "[" + text + "]";
}

std::string parameters(const Json& record) {
  Rows rows;
  if (record.is_object()) {
    const Json params = record.value("params", Json::object());
    for (const auto& [name, value] : params.items()) {
      rows.push_back({Json(name), Json(text_of(value))});
    }
    for (const char* name : {"seed", "device"}) {
      if (record.contains(name)) rows.push_back({Json(name), Json(text_of(record[name]))});
    }
  }
  return section({"parameter", "value"}, std::move(rows));
}

std::string inputs(const Json& list) {
  Rows rows;
  for (const Json& input : list) {
    const Json& from = input["from"].is_null() ? input["path"] : input["from"];
    rows.push_back({Json(input["port"].get<std::string>() + place_of(input["at"])), cell(from), cell(input["type"]),
                    Json(short_digest(input["digest"]))});
  }
  return section({"input", "from", "type", "digest"}, std::move(rows));
}

std::string outputs(const Json& list) {
  Rows rows;
  for (const Json& output : list) {
    rows.push_back({output["port"], output["type"], Json(size_of(output["bytes"])),
                    Json(short_digest(output["digest"])), output["path"]});
  }
  return section({"output", "type", "size", "digest", "path in .lowbit"}, std::move(rows));
}

std::string metrics(const Json& list) {
  Rows rows;
  for (const Json& metric : list) {
    rows.push_back({metric["name"], cell(metric["value"]), cell(metric["std_error"]),
                    metric["count"] == 0 ? std::nullopt : cell(metric["count"]), metric["unit"]});
  }
  return section({"metric", "value", "std. error", "items", "unit"}, std::move(rows));
}

std::string attempts(const Json& list) {
  Rows rows;
  for (const Json& attempt : list) {
    const Json& failure = attempt["failure"];
    rows.push_back(
        {attempt["number"], attempt["state"], cell(attempt["started_at"]), Json(seconds_of(attempt["seconds"])),
         failure.is_object() ? cell(failure.value("what", Json())) : std::nullopt, cell(attempt["directory"])});
  }
  return section({"attempt", "state", "started", "took", "failure", "directory in .lowbit"}, std::move(rows));
}

std::string labels(const char* name, const Json& list) {
  std::string out;
  for (const Json& one : list) out += fact(out.empty() ? name : "", one.get<std::string>());
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

std::string result_page(const Json& variant) {
  std::string out = variant["label"].get<std::string>() + "\n";
  out += fact("state", text_of(variant["state"]) +
                           (variant["seconds"].is_number() ? " in " + seconds_of(variant["seconds"]) : ""));
  if (!variant["experiment"].is_null()) out += fact("experiment", text_of(variant["experiment"]));
  const Json& record = variant["record"];
  const Json plugin = record.is_object() ? record.value("plugin", Json::object()) : Json::object();
  out += fact("plugin", text_of(variant["plugin"]) + " " + plugin.value("version", std::string()));
  out += fact("provenance key", text_of(variant["provenance_key"]));
  out += fact("content key", text_of(variant["content_key"]));
  if (!variant["directory"].is_null()) out += fact("directory", ".lowbit/" + text_of(variant["directory"]));
  return out + parameters(record) + inputs(variant["inputs"]) + outputs(variant["outputs"]) +
         metrics(variant["metrics"]) + attempts(variant["attempts"]);
}

std::string artifact_page(const Json& artifact) {
  std::string out = fact("artifact", text_of(artifact["digest"])) + fact("type", text_of(artifact["type"])) +
                    fact("size", size_of(artifact["bytes"])) + fact("path", ".lowbit/" + text_of(artifact["path"]));
  out += labels("made by", artifact["made_by"]) + labels("used by", artifact["used_by"]) +
         labels("based on", artifact["bases"]);
  if (artifact["summary"].is_object()) {
    Rows rows;
    for (const auto& [name, value] : artifact["summary"].items()) rows.push_back({Json(name), Json(text_of(value))});
    out += section({"summary", "value"}, std::move(rows));
  }
  return out;
}

Json metric_differences(const Json& a, const Json& b) {
  std::map<std::string, std::pair<Json, Json>> by_name;
  for (const Json& metric : a) by_name[metric["name"].get<std::string>()].first = metric;
  for (const Json& metric : b) by_name[metric["name"].get<std::string>()].second = metric;
  Json differences = Json::array();
  for (const auto& [name, sides] : by_name) {
    const auto value = [](const Json& metric) { return metric.is_object() ? metric["value"] : Json(); };
    const Json left = value(sides.first);
    const Json right = value(sides.second);
    if (left == right && sides.first.is_null() == sides.second.is_null()) continue;
    const bool both = left.is_number() && right.is_number();
    differences.push_back({{"name", name},
                           {"unit", (sides.first.is_object() ? sides.first : sides.second)["unit"]},
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
    out += labels(name, differences[key]);
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
