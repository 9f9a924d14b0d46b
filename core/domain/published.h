// Figures that a source paper prints, beside an experiment in published.csv: facts, for tables that hold ours against
// them.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit {

/// A unit that papers print in, and how it comes from what the store holds.
struct PublishedUnit {
  std::string_view name;
  std::string_view stored;  ///< the unit of such metrics in the store
  double per_stored = 1;    ///< so many of it are one of those
};

inline constexpr std::array<PublishedUnit, 5> kPublishedUnits{{{"percent", "fraction", 100},
                                                               {"points", "fraction", 100},
                                                               {"fraction", "fraction", 1},
                                                               {"perplexity", "ratio", 1},
                                                               {"GiB", "bytes", 1.0 / (1024.0 * 1024.0 * 1024.0)}}};

/// Null where no paper's figures are read in it.
[[nodiscard]] constexpr const PublishedUnit* published_unit(std::string_view name) {
  const auto* const found = std::find_if(kPublishedUnits.begin(), kPublishedUnits.end(),
                                         [&](const PublishedUnit& unit) { return unit.name == name; });
  return found == kPublishedUnits.end() ? nullptr : found;
}

struct PublishedFigure {
  std::string table;
  std::string row;
  std::string column;
  std::string printed;          ///< "4.10", as the paper has it
  std::optional<double> value;  ///< empty: the paper prints NaN
  std::string unit;             ///< one of kPublishedUnits
  bool certain = true;          ///< false: the text that was read leaves open which row or column it belongs to
  std::string note;
};

struct PublishedFigures {
  std::string file;
  std::vector<PublishedFigure> figures;
};

}  // namespace lowbit
