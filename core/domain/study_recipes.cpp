#include "domain/study_recipes.h"

#include "domain/coordinates.h"

namespace lowbit {

std::string plugin_text(const Json& record) {
  const Json& plugin = member(record, "plugin");
  if (!plugin.is_object()) return {};
  return scalar_text(member(plugin, "id")) + " " + scalar_text(member(plugin, "version"));
}

}  // namespace lowbit
