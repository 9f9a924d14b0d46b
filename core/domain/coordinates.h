// A point on some axes of an experiment's matrix: which member of a sweep a thing is.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace lowbit {

/// Axis names with their values, in the order the experiment declares its axes, `seed` last. Values are scalars.
class Coordinates {
 public:
  using Entry = std::pair<std::string, Json>;

  Coordinates() = default;
  explicit Coordinates(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// The value on `axis`, or null when these coordinates do not have that axis.
  [[nodiscard]] const Json* find(std::string_view axis) const;
  void set(std::string axis, Json value);

  /// Object with sorted keys; the form that enters keys and the database.
  [[nodiscard]] Json to_json() const;
  /// `quantizer=gptq,num_bits=3`; empty when there are no axes.
  [[nodiscard]] std::string text() const;

  bool operator==(const Coordinates& other) const { return to_json() == other.to_json(); }

 private:
  std::vector<Entry> entries_;
};

/// A scalar as people write it: text without quotes, everything else as JSON.
[[nodiscard]] std::string scalar_text(const Json& scalar);

/// `quantize[quantizer=gptq,num_bits=3]`, or the bare name without coordinates.
[[nodiscard]] std::string stage_label(const std::string& stage, const Coordinates& coordinates);

}  // namespace lowbit
