#include "graph/keys.h"

#include <algorithm>
#include <map>
#include <utility>

#include "graph/json_member.h"

namespace lowbit::graph {
namespace {

constexpr int kRecordFormat = 1;

Json that_affect_result(const Json& params, const Json& schema) {
  if (!params.is_object()) return params;
  const Json& properties = member(schema, "properties");
  Json kept = Json::object();
  for (const auto& [name, value] : params.items()) {
    const Json& property = member(properties, name.c_str());
    if (member(property, "affects_result") != false) kept[name] = that_affect_result(value, property);
  }
  return kept;
}

std::string coordinates_text(const Json& at) {
  std::string out;
  for (const auto& [axis, value] : at.items()) out += (out.empty() ? "" : ",") + axis + "=" + scalar_text(value);
  return out;
}

void compare_params(const Json& before, const Json& after, const std::string& path, std::vector<std::string>& lines) {
  if (before == after) return;
  if (before.is_array() && after.is_array() && before.size() == after.size()) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      compare_params(before[i], after[i], path + "[" + std::to_string(i) + "]", lines);
    }
    return;
  }
  if (!before.is_object() || !after.is_object()) {
    lines.push_back("parameter " + path + " " + scalar_text(before) + " -> " + scalar_text(after));
    return;
  }
  Json both = before;
  both.update(after);
  for (const auto& [name, unused] : both.items()) {
    const std::string inner = path.empty() ? name : path + "." + name;
    if (!before.contains(name)) {
      lines.push_back("parameter " + inner + " is new: " + scalar_text(after[name]));
    } else if (!after.contains(name)) {
      lines.push_back("parameter " + inner + " is gone, was " + scalar_text(before[name]));
    } else {
      compare_params(before[name], after[name], inner, lines);
    }
  }
}

void compare_scalar(const Json& before, const Json& after, const std::string& what, std::vector<std::string>& lines) {
  if (before == after) return;
  const auto text = [](const Json& value) { return value.is_null() ? std::string("none") : scalar_text(value); };
  lines.push_back(what + " " + text(before) + " -> " + text(after));
}

void compare_members(const Json& before, const Json& after, const std::string& port, std::vector<std::string>& lines) {
  const auto by_place = [](const Json& members) {
    std::map<std::string, const Json*> out;
    for (const Json& one : members) out.emplace(coordinates_text(one.at("at")), &one.at("of"));
    return out;
  };
  const auto old_members = by_place(before);
  const auto new_members = by_place(after);
  for (const auto& [at, of] : new_members) {
    const auto known = old_members.find(at);
    if (known == old_members.end()) {
      lines.push_back("input " + port + " gained " + at);
    } else if (*known->second != *of) {
      lines.push_back("input " + port + " changed at " + at);
    }
  }
  for (const auto& [at, of] : old_members) {
    if (!new_members.contains(at)) lines.push_back("input " + port + " lost " + at);
  }
}

void compare_inputs(const Json& before, const Json& after, std::vector<std::string>& lines) {
  Json both = before.is_object() ? before : Json::object();
  if (after.is_object()) both.update(after);
  for (const auto& [port, unused] : both.items()) {
    const Json& was = member(before, port.c_str());
    const Json& is = member(after, port.c_str());
    if (was == is) continue;
    if (was.is_null()) {
      lines.push_back("input " + port + " is new");
    } else if (is.is_null()) {
      lines.push_back("input " + port + " is gone");
    } else if (was.is_array() && is.is_array()) {
      compare_members(was, is, port, lines);
    } else {
      lines.push_back("input " + port + " changed");
    }
  }
}

}  // namespace

Digest digest_of(const Json& record) { return sha256(canonical(record)); }

Json own_record(const Variant& variant, const std::string& device_class) {
  const StageDescription& plugin = *variant.plugin;
  Json record{{"format", kRecordFormat},
              {"plugin", {{"id", plugin.id}, {"version", plugin.version}}},
              {"params", that_affect_result(variant.params, plugin.params_schema)}};
  if (variant.seed) record["seed"] = *variant.seed;
  if (plugin.device_sensitive) record["device"] = device_class;
  return record;
}

Key make_key(const Json& own, const Variant& variant, const DescribeMember& describe) {
  Json inputs = Json::object();
  for (const BoundInput& input : variant.inputs) {
    Json members = Json::array();
    for (const Member& one : input.members) {
      Json described = describe(one);
      if (described.is_null()) continue;
      if (input.gathered) described = Json{{"at", one.at.to_json()}, {"of", std::move(described)}};
      members.push_back(std::move(described));
    }
    if (input.gathered) {
      inputs[input.port] = std::move(members);
    } else if (!members.empty()) {
      inputs[input.port] = std::move(members.front());
    }
  }
  Key key{own, {}};
  key.record["inputs"] = std::move(inputs);
  key.digest = digest_of(key.record);
  return key;
}

Key content_key_for(const Json& own, const Variant& variant, const ArtifactOf& artifact_of) {
  return make_key(own, variant, [&](const Member& member) {
    const std::optional<ArtifactRef> artifact = artifact_of(member);
    return artifact ? artifact_record(artifact->type, artifact->digest) : Json();
  });
}

Json artifact_record(const std::string& type, const Digest& digest) {
  return {{"type", type}, {"digest", digest.hex()}};
}

Json produced_record(const Digest& provenance_key, const std::string& port) {
  return {{"from", provenance_key.hex()}, {"port", port}};
}

std::vector<std::string> differences(const Json& old_record, const Json& new_record) {
  std::vector<std::string> lines;
  if (old_record == new_record) return lines;
  const Json& old_plugin = member(old_record, "plugin");
  const Json& new_plugin = member(new_record, "plugin");
  compare_scalar(member(old_plugin, "id"), member(new_plugin, "id"), "plugin", lines);
  compare_scalar(member(old_plugin, "version"), member(new_plugin, "version"), "plugin version", lines);
  compare_params(member(old_record, "params"), member(new_record, "params"), "", lines);
  compare_scalar(member(old_record, "seed"), member(new_record, "seed"), "seed", lines);
  compare_scalar(member(old_record, "device"), member(new_record, "device"), "device", lines);
  compare_inputs(member(old_record, "inputs"), member(new_record, "inputs"), lines);
  compare_scalar(member(old_record, "format"), member(new_record, "format"), "record format", lines);
  return lines;
}

bool only_gained_members(const Json& old_record, const Json& new_record) {
  if (old_record == new_record) return false;
  Json without_inputs = old_record;
  without_inputs["inputs"] = member(new_record, "inputs");
  if (without_inputs != new_record) return false;
  std::vector<std::string> lines;
  compare_inputs(member(old_record, "inputs"), member(new_record, "inputs"), lines);
  return std::all_of(lines.begin(), lines.end(),
                     [](const std::string& line) { return line.find(" gained ") != std::string::npos; });
}

}  // namespace lowbit::graph
