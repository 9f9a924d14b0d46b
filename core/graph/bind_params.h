// A plugin's parameters against its schema: JSON Schema draft-07, the part that describes parameters
//   type (one or a list), enum, const, minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength,
//   items (one schema), minItems, maxItems, properties, required, additionalProperties: false, default.
// REQUIRES of every schema here: nothing else of draft-07 constrains values; who finds plugins refuses that (LB4011).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "domain/experiment_spec.h"
#include "domain/stage_description.h"

namespace lowbit::graph {

/// A parameter as written and its value at one point.
struct GivenParam {
  const Param* written = nullptr;
  Json value;
  std::string at = {};  ///< the axis values it is made of, "num_bits=4", for messages; empty when there are none
};

/// Whether the plugin has a parameter of that name.
[[nodiscard]] bool has_param(const StageDescription& plugin, const std::string& name);
[[nodiscard]] std::vector<std::string> param_names(const StageDescription& plugin);

/// The whole parameter object: checked, defaults filled in at every depth, numbers in the one form their schema
/// gives them (1 becomes 1.0 where `number` is wanted), so that equal parameters are equal text. `use` is where the
/// plugin was named.
[[nodiscard]] Result<Json> bind_params(const StageDescription& plugin, const std::vector<GivenParam>& given,
                                       const SourceSpan& use);

/// "an integer from 2 to 8", "one of gptq, awq": what a schema allows, for people.
[[nodiscard]] std::string legal_values(const Json& schema);

}  // namespace lowbit::graph
