// Whole numbers out of records that others wrote, and out of words.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/json.h"

namespace lowbit {

/// Throws Json::type_error on anything but a whole number: what the library makes of a number with a fraction that is
/// beyond T is not defined.
template <class T>
T whole_number(const Json& value) {
  return static_cast<T>(value.get_ref<const Json::number_integer_t&>());
}

template <class T>
T whole_number(const Json& record, const char* key, T otherwise) {
  const auto member = record.find(key);
  return member == record.end() ? otherwise : whole_number<T>(*member);
}

/// Decimal digits, all of `text`; nothing when it is anything else or beyond T.
template <class T>
std::optional<T> whole_number_in(std::string_view text) {
  T value = 0;
  const char* const end = text.data() + text.size();
  const auto [read, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || read != end) return std::nullopt;
  return value;
}

}  // namespace lowbit
