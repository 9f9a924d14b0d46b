#include "domain/stage_description.h"

#include <algorithm>
#include <array>

namespace lowbit {
namespace {

struct KindName {
  StageKind kind;
  std::string_view name;
};
constexpr std::array kKinds{KindName{StageKind::quantizer, "quantizer"}, KindName{StageKind::trainer, "trainer"},
                            KindName{StageKind::evaluator, "evaluator"}, KindName{StageKind::judge, "judge"},
                            KindName{StageKind::dataset, "dataset"}};

const PortDescription* find_port(const std::vector<PortDescription>& ports, std::string_view name) {
  const auto it = std::find_if(ports.begin(), ports.end(), [&](const PortDescription& p) { return p.name == name; });
  return it == ports.end() ? nullptr : &*it;
}

Json ports_to_json(const std::vector<PortDescription>& ports) {
  Json out = Json::array();
  for (const PortDescription& p : ports) {
    out.push_back({{"name", p.name}, {"types", p.types}, {"doc", p.doc}, {"optional", p.optional}, {"many", p.many}});
  }
  return out;
}

std::vector<PortDescription> ports_from_json(const Json& json) {
  std::vector<PortDescription> out;
  for (const Json& p : json) {
    out.push_back({.name = p.at("name"),
                   .types = p.at("types"),
                   .doc = p.at("doc"),
                   .optional = p.at("optional"),
                   .many = p.at("many")});
  }
  return out;
}

}  // namespace

std::string_view name_of(StageKind kind) {
  for (const auto& [k, name] : kKinds) {
    if (k == kind) return name;
  }
  return "unknown";
}

std::optional<StageKind> stage_kind(std::string_view name) {
  for (const auto& [kind, n] : kKinds) {
    if (n == name) return kind;
  }
  return std::nullopt;
}

bool PortDescription::accepts(std::string_view type) const {
  return std::find(types.begin(), types.end(), type) != types.end();
}

const PortDescription* StageDescription::input(std::string_view port) const { return find_port(inputs, port); }
const PortDescription* StageDescription::output(std::string_view port) const { return find_port(outputs, port); }

Json to_json(const StageDescription& s) {
  return {{"id", s.id},
          {"version", s.version},
          {"kind", name_of(s.kind)},
          {"summary", s.summary},
          {"params_schema", s.params_schema},
          {"inputs", ports_to_json(s.inputs)},
          {"outputs", ports_to_json(s.outputs)},
          {"environment", s.environment},
          {"seeded", s.seeded},
          {"device_sensitive", s.device_sensitive},
          {"resumable", s.resumable},
          {"cuda", s.cuda},
          {"preload", s.preload}};
}

Json to_json(const PluginDescription& plugin) {
  Json stages = Json::array();
  for (const StageDescription& stage : plugin.stages) stages.push_back(to_json(stage));
  return {{"format", 1},
          {"abi", {plugin.abi_major, plugin.abi_minor}},
          {"build", plugin.build},
          {"library_sha256", plugin.library_digest.hex()},
          {"stages", stages}};
}

Result<PluginDescription> plugin_description(const Json& json) {
  try {
    if (json.at("format") != 1) {
      return error("LB4002",
                   "the plugin description has format " + canonical(json.at("format")) + ", this lowbit reads 1")
          .fix("rebuild the plugin");
    }
    PluginDescription plugin;
    plugin.abi_major = json.at("abi").at(0);
    plugin.abi_minor = json.at("abi").at(1);
    plugin.build = json.at("build");
    const auto digest = Digest::from_hex(json.at("library_sha256").get<std::string>());
    if (!digest)
      return error("LB4002", "the plugin description holds no valid library_sha256").fix("rebuild the plugin");
    plugin.library_digest = *digest;
    for (const Json& s : json.at("stages")) {
      const auto kind = stage_kind(s.at("kind").get<std::string>());
      if (!kind) {
        return error("LB4002", "the plugin description names an unknown stage kind " + canonical(s.at("kind")))
            .fix("rebuild the plugin, or use a newer lowbit");
      }
      plugin.stages.push_back({.id = s.at("id"),
                               .version = s.at("version"),
                               .kind = *kind,
                               .summary = s.at("summary"),
                               .params_schema = s.at("params_schema"),
                               .inputs = ports_from_json(s.at("inputs")),
                               .outputs = ports_from_json(s.at("outputs")),
                               .environment = s.at("environment"),
                               .seeded = s.at("seeded"),
                               .device_sensitive = s.at("device_sensitive"),
                               .resumable = s.at("resumable"),
                               .cuda = s.at("cuda"),
                               .preload = s.at("preload")});
    }
    return plugin;
  } catch (const Json::exception& e) {
    return error("LB4002", "the plugin description cannot be read").note(e.what()).fix("rebuild the plugin");
  }
}

}  // namespace lowbit
