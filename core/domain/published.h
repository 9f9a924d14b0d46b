// Figures that a source paper prints, beside an experiment in published.csv: facts, for tables that hold ours against
// them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace lowbit {

struct PublishedFigure {
  std::string table;
  std::string row;
  std::string column;
  std::string printed;          ///< "4.10", as the paper has it
  std::optional<double> value;  ///< empty: the paper prints NaN
  std::string unit;             ///< percent, points, perplexity, ...
  bool certain = true;          ///< false: the text that was read leaves open which row or column it belongs to
  std::string note;
};

struct PublishedFigures {
  std::string file;
  std::vector<PublishedFigure> figures;
};

}  // namespace lowbit
