#include "interchange/crate_graph.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace lowbit::interchange {

Json crate_reference(const std::string& id) { return {{"@id", id}}; }

std::string iri_part(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr unsigned kHalfByte = 4;
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (stays) {
      out += c;
    } else {
      out.append("%").append(1, kDigits[byte >> kHalfByte]).append(1, kDigits[byte & 0xFU]);
    }
  }
  return out;
}

Json& CrateGraph::entity(const std::string& id, const Json& type) {
  const auto [place, is_new] = places_.emplace(id, entities_.size());
  if (is_new) entities_.push_back({{"@id", id}, {"@type", type}});
  return entities_[place->second];
}

void CrateGraph::refer(const std::string& id, const char* property, const std::string& to) {
  const auto place = places_.find(id);
  LB_CHECK(place != places_.end());
  Json& list = entities_[place->second][property];
  if (list.is_null()) list = Json::array();
  const Json reference = crate_reference(to);
  if (std::find(list.begin(), list.end(), reference) == list.end()) list.push_back(reference);
}

Json CrateGraph::document() const {
  Json graph = Json::array();
  for (const Json& entity : entities_) {
    Json& written = graph.emplace_back(entity);
    for (auto& [property, value] : written.items()) {
      if (value.is_array() && value.size() == 1) value = Json(value.front());  // as the specification recommends
    }
  }
  return {{"@context", {"https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"}},
          {"@graph", std::move(graph)}};
}

}  // namespace lowbit::interchange
