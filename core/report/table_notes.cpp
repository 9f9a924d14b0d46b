#include "report/table_notes.h"

#include <algorithm>

#include "base/words.h"
#include "report/number_text.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kMissingListed = 8;

using Kind = ColumnSpec::Kind;
using Content = MeasuredCell::Content;

class Notes {
 public:
  Notes(const TableSpec& table, const MeasuredTable& measured) : table_(table), measured_(measured) {}

  std::vector<std::string> lines(const std::string& rerun) {
    basis();
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
      if (table_.columns[c].kind == Kind::delta) detectable(c);
    }
    for (const MeasuredComparison& comparison : measured_.comparisons) compared(comparison);
    tests();
    given();
    for (const std::string& note : table_.notes) lines_.push_back(note);
    if (!measured_.missing.empty()) {
      lines_.push_back("· not there yet: " + listed(measured_.missing, kMissingListed) + "; `" + rerun + "` makes it");
    }
    return std::move(lines_);
  }

 private:
  void basis() {
    std::string line;
    if (!measured_.n_items.empty()) {
      const std::vector<double> n(measured_.n_items.begin(), measured_.n_items.end());
      line = "n = " + range(n, 0) + " items";
    }
    if (!measured_.seeds.empty()) {
      std::vector<std::string> seeds;
      for (const std::int64_t seed : measured_.seeds) seeds.push_back(std::to_string(seed));
      line += (line.empty() ? "" : "; ") + std::string(seeds.size() == 1 ? "seed " : "seeds ") + joined(seeds);
    }
    if (!line.empty()) lines_.push_back(line);
    bool deviation = false;
    bool interval = !measured_.comparisons.empty();
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
      deviation = deviation || has_deviation(measured_, c);
      interval = interval || table_.columns[c].is_share();
    }
    if (deviation) lines_.emplace_back("± standard deviation over seeds; a row without it is one result");
    if (interval) {
      const std::string how = table_.bootstrap ? "; of differences by drawing problems again, 10,000 times" : "";
      lines_.push_back("[95 % interval over items, seeds fixed; each by itself, not adjusted for their number" + how +
                       "]");
    }
    if (measured_.n_ungraded > 0) lines_.push_back(ungraded_note(measured_.n_ungraded));
  }

  void detectable(std::size_t column) {
    std::vector<double> effects;
    for (const auto& row : measured_.rows) {
      if (row[column].interval) effects.push_back(100 * minimum_detectable_effect(row[column].std_error));
    }
    if (effects.empty()) return;
    const ColumnSpec& spec = table_.columns[column];
    lines_.push_back(spec.label.value + ": paired by seed and item; minimum detectable effect (80 % power, two-sided " +
                     "5 %) " + range(effects, spec.digits) + " points");
  }

  void compared(const MeasuredComparison& comparison) {
    const MeasuredCell& cell = comparison.cell;
    std::string line = comparison.label + ": ";
    if (!cell.interval) {
      lines_.push_back(line + "·");
      return;
    }
    const auto points = [](double value) { return fixed_signed(100 * value, 1); };
    line += points(cell.figures[0].value) + " points [" + points(cell.interval->low) + ", " +
            points(cell.interval->high) + "]: ";
    line += comparison.better.empty()
                ? "no difference is shown (detectable: " + fixed(100 * minimum_detectable_effect(cell.std_error), 1) +
                      " points)"
                : comparison.better + " is better";
    line += "; p " + p_value_text(comparison.p_value);
    if (measured_.comparisons.size() > 1) line += ", Holm p " + p_value_text(comparison.p_adjusted);
    lines_.push_back(line);
  }

  void tests() {
    bool mcnemar = false;
    bool permutation = false;
    for (const MeasuredComparison& comparison : measured_.comparisons) {
      if (comparison.cell.interval) (comparison.mcnemar ? mcnemar : permutation) = true;
    }
    if (!mcnemar && !permutation) return;
    const std::string test = !permutation ? "McNemar's exact test"
                             : mcnemar ? "McNemar's exact test where a problem has one answer, else the exact paired "
                                         "permutation test over problems"
                                       : "the exact paired permutation test over problems";
    lines_.push_back(
        "p: " + test + ", two-sided" +
        (measured_.comparisons.size() > 1 ? "; Holm p: adjusted for the number of comparisons under this table" : ""));
  }

  void given() {
    std::string line;
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
      std::vector<std::string> rows;
      for (std::size_t r = 0; r < table_.rows.size(); ++r) {
        if (measured_.rows[r][c].content == Content::given) rows.push_back(table_.rows[r].label.value);
      }
      if (!rows.empty()) line += (line.empty() ? "" : "; ") + table_.columns[c].label.value + " of " + joined(rows);
    }
    if (!line.empty()) lines_.push_back("written by the table's author, not measured: " + line);
  }

  const TableSpec& table_;
  const MeasuredTable& measured_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> table_notes(const TableSpec& table, const MeasuredTable& measured, const std::string& rerun) {
  return Notes(table, measured).lines(rerun);
}

std::string ungraded_note(std::size_t n) {
  return std::to_string(n) + (n == 1 ? " answer without a grade counts" : " answers without a grade count") +
         " as wrong";
}

bool has_deviation(const MeasuredTable& measured, std::size_t column) {
  return std::any_of(measured.rows.begin(), measured.rows.end(),
                     [&](const auto& row) { return row[column].deviation.has_value(); });
}

}  // namespace lowbit::report
