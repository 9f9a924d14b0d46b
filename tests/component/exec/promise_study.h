// A random study: an experiment file, the files that it reads, and the plugins that there are. Drawn and changed by
// numbers alone, so that a seed says all of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/json.h"
#include "graph/expanded_graph.h"
#include "support/toy_catalog.h"

namespace lowbit::test {

/// The draws of one step of a history.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : engine_(seed) {}
  /// 0 to n-1. REQUIRES: n > 0.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  bool chance(unsigned percent) { return below(100) < percent; }
  std::uint64_t seed() { return engine_(); }
  template <class T>
  const T& of(const std::vector<T>& list) {
    return list[below(list.size())];
  }

 private:
  std::mt19937_64 engine_;
};

struct Study {
  Json experiment;                           ///< the file; JSON is YAML
  std::map<std::string, std::string> files;  ///< external inputs
  std::map<std::string, int> versions;       ///< of plugins, by id
  int build = 0;                             ///< of the plugins' files

  [[nodiscard]] std::string catalog() const;
};

/// A study with its plugins: the graph points into the catalog.
struct Expanded {
  std::unique_ptr<ToyCatalog> catalog;
  graph::ExpandedGraph graph;
};
/// Empty when the file is refused, or has more variants than a test should wait for.
[[nodiscard]] std::optional<Expanded> expand(const Study& study);

/// One that expands.
[[nodiscard]] Study draw_study(std::uint64_t seed);
/// Changes one thing; what came before can be gone back to. Leaves the study as it is when nothing that was tried
/// expands. Returns what was done.
std::string edit_study(Study& study, const std::vector<Study>& earlier, std::uint64_t seed);
/// The study with one part less (a stage, an axis value, ..), one for each part that can be left out.
[[nodiscard]] std::vector<Study> smaller_studies(const Study& study);

}  // namespace lowbit::test
