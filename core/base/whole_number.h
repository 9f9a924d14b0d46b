// Whole numbers out of records that others wrote.
#pragma once

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

}  // namespace lowbit
