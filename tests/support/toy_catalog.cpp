#include "support/toy_catalog.h"

#include <functional>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace lowbit::test {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

PortDescription port_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) throw std::runtime_error("toy catalog: no type in port `" + text + "`");
  PortDescription port{.name = text.substr(0, colon), .types = split(text.substr(colon + 1), '|'), .doc = {}};
  for (; port.name.back() == '?' || port.name.back() == '*'; port.name.pop_back()) {
    (port.name.back() == '?' ? port.optional : port.many) = true;
  }
  return port;
}

StageDescription stage_of(const std::string& line) {
  StageDescription stage;
  stage.version = "1.0.0";
  stage.params_schema = {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
  const std::size_t colon = line.find(':');
  const std::size_t semicolon = line.find(';');
  if (colon == std::string::npos) throw std::runtime_error("toy catalog: no `:` in `" + line + "`");
  std::istringstream head(line.substr(0, colon));
  head >> stage.id >> stage.version;
  if (stage.version.empty()) stage.version = "1.0.0";

  bool outputs = false;
  std::istringstream ports(line.substr(colon + 1, semicolon == std::string::npos ? semicolon : semicolon - colon - 1));
  for (std::string word; ports >> word;) {
    if (word == "->") {
      outputs = true;
    } else {
      (outputs ? stage.outputs : stage.inputs).push_back(port_of(word));
    }
  }
  std::istringstream flags(semicolon == std::string::npos ? "" : line.substr(semicolon + 1));
  for (std::string word; flags >> word;) {
    if (word != "seeded" && word != "device_sensitive") throw std::runtime_error("toy catalog: flag `" + word + "`");
    (word == "seeded" ? stage.seeded : stage.device_sensitive) = true;
  }
  return stage;
}

}  // namespace

ToyCatalog::ToyCatalog(std::string_view text) {
  StageDescription* last = nullptr;
  for (const std::string& line : split(std::string(text), '\n')) {
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("  schema ") && last != nullptr) {
      last->params_schema = Json::parse(line.substr(9));
    } else if (line.starts_with("  ") && last != nullptr) {
      last->params_schema["properties"] = Json::parse(line);
    } else {
      StageDescription stage = stage_of(line);
      last = &stages_.emplace(stage.id, stage).first->second;
    }
  }
}

const StageDescription* ToyCatalog::find(std::string_view id) const {
  const auto it = stages_.find(id);
  return it == stages_.end() ? nullptr : &it->second;
}

std::vector<std::string> ToyCatalog::ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, stage] : stages_) ids.push_back(id);
  return ids;
}

}  // namespace lowbit::test
