// What a stage reported step by step: a loss while it trained, an error layer by layer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lowbit {

struct CurvePoint {
  std::int64_t step = 0;
  std::optional<double> value;  ///< empty: not a number
};

/// By result id, then by name; steps ascend.
using Curves = std::map<std::int64_t, std::map<std::string, std::vector<CurvePoint>>>;

}  // namespace lowbit
