#include "domain/coordinates.h"

namespace lowbit {

const Json* Coordinates::find(std::string_view axis) const {
  for (const auto& [name, value] : entries_) {
    if (name == axis) return &value;
  }
  return nullptr;
}

void Coordinates::set(std::string axis, Json value) {
  for (auto& [name, old] : entries_) {
    if (name == axis) {
      old = std::move(value);
      return;
    }
  }
  entries_.emplace_back(std::move(axis), std::move(value));
}

Json Coordinates::to_json() const {
  Json object = Json::object();
  for (const auto& [name, value] : entries_) object[name] = value;
  return object;
}

std::string Coordinates::text() const {
  std::string out;
  for (const auto& [name, value] : entries_) {
    if (!out.empty()) out += ",";
    out += name + "=" + scalar_text(value);
  }
  return out;
}

std::string scalar_text(const Json& scalar) {
  return scalar.is_string() ? scalar.get<std::string>() : canonical(scalar);
}

std::string stage_label(const std::string& stage, const Coordinates& coordinates) {
  return coordinates.empty() ? stage : stage + "[" + coordinates.text() + "]";
}

}  // namespace lowbit
