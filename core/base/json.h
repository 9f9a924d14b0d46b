// JSON is lowbit's vocabulary type for parameter values and records (docs/adr/0003). Objects keep their
// keys sorted, so `canonical()` of equal values is equal text: the recipe behind every key.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace lowbit {

using Json = nlohmann::json;

/// Compact text with sorted keys and shortest round-trip numbers; invalid UTF-8 is replaced, never thrown on.
inline std::string canonical(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// The member of an object, or null.
inline const Json& member(const Json& object, const char* name) {
  static const Json absent;
  const auto it = object.find(name);
  return it == object.end() ? absent : *it;
}

/// A value that does not exist is null in records, never a missing key.
template <class T>
[[nodiscard]] Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}
/// The other way round. Throws nlohmann::json::exception for a value of another type.
template <class T>
[[nodiscard]] std::optional<T> value_if(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional<T>(value.get<T>());
}

/// A JSON value as its canonical text: equal exactly when the values are, and a tenth of their memory.
class JsonText {
 public:
  JsonText() = default;
  JsonText(const Json& value) : text_(canonical(value)) {}  // NOLINT(google-explicit-constructor): the same value
  /// REQUIRES: `text` is what canonical() gives.
  [[nodiscard]] static JsonText of(std::string text) {
    JsonText result;
    result.text_ = std::move(text);
    return result;
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] Json json() const { return Json::parse(text_); }
  bool operator==(const JsonText&) const = default;

 private:
  std::string text_ = "null";
};

}  // namespace lowbit
