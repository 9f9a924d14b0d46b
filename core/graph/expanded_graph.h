// Every variant of every stage of one experiment, bound to its plugin and to its inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "domain/coordinates.h"
#include "domain/experiment_spec.h"
#include "domain/stage_description.h"

namespace lowbit::graph {

using VariantIndex = std::size_t;

/// What becomes of a stage where no plugin offers it.
enum class MissingPlugin {
  refused,   ///< LB2001
  left_out,  ///< it does not exist there, and neither does what needs it; a note names it
};

/// An output port of another variant.
struct Produced {
  VariantIndex producer = 0;
  std::string port;
  /// Variants whose gates hold the producer: it is read only when all of them have results that keep to them.
  std::vector<VariantIndex> keepers = {};
};

/// An external input after substitution; `path` is as written, relative to the experiment file.
struct External {
  std::string name;
  std::string type;
  std::string path;
  SourceSpan span;
};

struct Member {
  Coordinates at;  ///< the gathered (`over`) axes only; empty when not gathered
  std::variant<Produced, External> source;
};

struct BoundInput {
  std::string port;
  bool gathered = false;
  std::optional<std::uint64_t> min_members;  ///< gathered with `require: {min: n}`
  std::vector<Member> members;               ///< by coordinates: axes by name, numbers by size
};

/// A stage at one point of its axes.
struct Variant {
  std::string stage;
  Coordinates coordinates;
  const StageDescription* plugin = nullptr;  ///< lives as long as the catalog
  Json params = Json::object();              ///< resolved, defaults filled in
  std::vector<BoundInput> inputs;            ///< in the plugin's port order; unbound optional ports are absent
  std::optional<std::uint64_t> seed;         ///< set when the plugin is seeded
  Resources resources;
  RetryPolicy retry;
  std::vector<Gate> gates;  ///< like resources, not part of a key
  SourceSpan span;

  [[nodiscard]] std::string label() const { return stage_label(stage, coordinates); }
};

/// Calls `visit` with every variant that must have settled before this one begins: producers, and those that judge what
/// they made. One may come more than once.
template <class Visit>
void for_each_awaited(const Variant& variant, const Visit& visit) {
  for (const BoundInput& input : variant.inputs) {
    for (const Member& member : input.members) {
      const auto* produced = std::get_if<Produced>(&member.source);
      if (produced == nullptr) continue;
      visit(produced->producer);
      for (const VariantIndex keeper : produced->keepers) visit(keeper);
    }
  }
}

struct ExpandedGraph {
  std::string experiment;
  std::vector<Variant> variants;   ///< what is awaited before who waits; otherwise in file order, then matrix order
  std::vector<std::string> notes;  ///< what was dropped and why, one a line (a port that this plugin lacks, ...)
};

}  // namespace lowbit::graph
