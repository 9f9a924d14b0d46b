#include "graph/keys.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace lowbit::graph {
namespace {

constexpr int kRecordFormat = 1;
constexpr std::string_view kParams = "\"params\":";

void append_text(std::string& out, const std::string& text) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
    return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E;
  });
  if (plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += canonical(text);
  }
}

/// The canonical text of those parameters that are not `affects_result: false`.
void append_params(std::string& out, const Json& params, const Json& schema) {
  if (!params.is_object()) {
    out += canonical(params);
    return;
  }
  const Json& properties = member(schema, "properties");
  out += '{';
  bool first = true;
  for (const auto& [name, value] : params.items()) {
    const Json& property = member(properties, name.c_str());
    if (member(property, "affects_result") == false) continue;
    if (!first) out += ',';
    first = false;
    append_text(out, name);
    out += ':';
    append_params(out, value, property);
  }
  out += '}';
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

Digest digest_of(const JsonText& record) { return sha256(record.text()); }

// Written as text, not as a value: a plan makes three of these for each of its variants. Keys in order.
JsonText own_record(const Variant& variant, const std::string& device_class) {
  const StageDescription& plugin = *variant.plugin;
  std::string text = "{";
  if (plugin.device_sensitive) {
    text += "\"device\":";
    append_text(text, device_class);
    text += ',';
  }
  text += "\"format\":" + std::to_string(kRecordFormat) + ",";
  text += kParams;
  append_params(text, variant.params, plugin.params_schema);
  text += ",\"plugin\":{\"id\":";
  append_text(text, plugin.id);
  text += ",\"version\":";
  append_text(text, plugin.version);
  text += '}';
  if (variant.seed) text += ",\"seed\":" + std::to_string(*variant.seed);
  text += '}';
  return JsonText::of(std::move(text));
}

Key make_key(const JsonText& own, const Variant& variant, const DescribeMember& describe) {
  std::map<std::string_view, std::string> inputs;
  for (const BoundInput& input : variant.inputs) {
    std::string members;
    for (const Member& one : input.members) {
      const std::string described = describe(one);
      if (described.empty()) continue;
      if (!members.empty()) members += ',';
      members += input.gathered ? "{\"at\":" + canonical(one.at.to_json()) + ",\"of\":" + described + "}" : described;
      if (!input.gathered) break;
    }
    if (input.gathered) {
      inputs[input.port] = "[" + members + "]";
    } else if (!members.empty()) {
      inputs[input.port] = std::move(members);
    }
  }
  std::string text = "\"inputs\":{";
  for (const auto& [port, of] : inputs) {
    if (text.back() != '{') text += ',';
    append_text(text, std::string(port));
    text.append(1, ':').append(of);
  }
  text += "},";
  // Before it stand the device and the format only, behind it what the person wrote.
  const std::size_t params = own.text().find(kParams);
  LB_CHECK(params != std::string::npos);
  text.insert(0, own.text(), 0, params).append(own.text(), params);
  Key key;
  key.record = JsonText::of(std::move(text));
  key.digest = digest_of(key.record);
  return key;
}

Key content_key_for(const JsonText& own, const Variant& variant, const ArtifactOf& artifact_of) {
  return make_key(own, variant, [&](const Member& member) {
    const std::optional<ArtifactRef> artifact = artifact_of(member);
    return artifact ? artifact_record(artifact->type, artifact->digest) : std::string();
  });
}

std::string artifact_record(const std::string& type, const Digest& digest) {
  std::string text = "{\"digest\":\"" + digest.hex() + "\",\"type\":";
  append_text(text, type);
  return text + "}";
}

std::string produced_record(const Digest& provenance_key, const std::string& port) {
  std::string text = "{\"from\":\"" + provenance_key.hex() + "\",\"port\":";
  append_text(text, port);
  return text + "}";
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
