// The flat graph of JSON-LD that an RO-Crate is: entities by @id, in the order in which they were first named. Pure.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "base/json.h"

namespace lowbit::interchange {

/// {"@id": id}
[[nodiscard]] Json crate_reference(const std::string& id);

/// As a part of an IRI: letters, digits and - . _ ~ stay, every other byte becomes %XX.
[[nodiscard]] std::string iri_part(std::string_view text);

class CrateGraph {
 public:
  /// The entity of this id; when there is none yet, a new one of this type, which may be a list.
  Json& entity(const std::string& id, const Json& type);
  [[nodiscard]] bool has(const std::string& id) const { return places_.contains(id); }
  /// Adds a reference to a list of the entity, once. REQUIRES: has(id).
  void refer(const std::string& id, const char* property, const std::string& to);

  /// {"@context": ..., "@graph": [...]}; a list of one is its member.
  [[nodiscard]] Json document() const;

 private:
  std::deque<Json> entities_;  ///< references to them stay valid
  std::map<std::string, std::size_t> places_;
};

}  // namespace lowbit::interchange
