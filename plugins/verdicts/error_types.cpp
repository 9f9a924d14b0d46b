#include "verdicts/error_types.h"

#include <algorithm>

namespace lowbit::verdicts {
namespace {

bool has(std::span<const ErrorType> types, std::string_view type) {
  return std::any_of(types.begin(), types.end(), [&](const ErrorType& known) { return known.type == type; });
}

}  // namespace

std::span<const ErrorType> types_of(std::string_view taxonomy) {
  if (taxonomy == "v1") return kFlatErrorTypes;
  return kErrorTypes;
}

std::optional<std::string_view> taxonomy_of(std::string_view type) {
  for (const std::string_view taxonomy : {"v1", "v2"}) {
    if (has(types_of(taxonomy), type)) return taxonomy;
  }
  return std::nullopt;
}

std::optional<std::string> category_of(std::string_view type) {
  for (const auto& [name, category] : kErrorTypes) {
    if (name == type) return std::string(category);
  }
  return std::nullopt;
}

}  // namespace lowbit::verdicts
