#include "report/figure_points.h"

#include <algorithm>

#include "base/words.h"
#include "domain/coordinates.h"
#include "domain/text_template.h"
#include "report/table_sources.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kVariantsListed = 8;
constexpr std::size_t kMostPolygons = 4;

using Values = std::vector<std::pair<Text, Located<Json>>>;  // of the axes in `by`, then of those in `over`

class RowPoints {
 public:
  RowPoints(const FigureRow& row, const StudyResults& study) : row_(row), study_(study), open_(row.by) {
    open_.insert(open_.end(), row.over.begin(), row.over.end());
  }

  /// Distinct, in the order of the expansion; one without values when nothing is open, and when find_sources() has
  /// something to say of the row's stages.
  Result<std::vector<Values>> combinations() {
    if (open_.empty()) return std::vector<Values>(1);
    for (const auto& [role, stage] : row_.row.stages) collect(stage.value);
    if (unknown_stage_) return std::vector<Values>(1);
    if (!found_.empty()) return std::move(found_);
    std::vector<std::string> axes;
    for (const Text& axis : open_) axes.push_back(ticked(axis.value));
    Diagnostic problem =
        error("LB7040", "row " + ticked(row_.row.id.value) + " has no points over " + joined(axes, " and "));
    problem.at(open_.front().span, labels_.empty() ? "no stage of the row has this" : "nowhere with what `at` fixes");
    problem.note(labels_.empty() ? "axes of its stages: " + (axes_.empty() ? std::string("none") : joined(axes_))
                                 : "they are run as " + listed(labels_, kVariantsListed));
    const std::string near = labels_.empty() ? nearest(open_.front().value, axes_) : std::string();
    return problem.fix(!near.empty()     ? "an axis with a similar name exists: " + ticked(near)
                       : labels_.empty() ? "one stage of the row must have all axes of `by` and `over`"
                                         : "correct `at`, or the experiment's matrix");
  }

 private:
  void collect(const std::string& stage) {
    std::vector<const StudyVariant*> variants;
    for (const StudyVariant& variant : study_.variants) {
      if (variant.stage == stage) variants.push_back(&variant);
    }
    unknown_stage_ = unknown_stage_ || variants.empty();
    for (const StudyVariant* variant : variants) {
      for (const auto& [axis, value] : variant->axes.items()) {
        if (std::find(axes_.begin(), axes_.end(), axis) == axes_.end()) axes_.push_back(axis);
      }
      const auto has = [&](const Text& axis) { return variant->axes.contains(axis.value); };
      if (!std::all_of(open_.begin(), open_.end(), has)) continue;
      labels_.push_back(variant->label);
      if (agrees(*variant, variants)) add(variant->axes);
    }
  }

  /// As find_sources() has it: an axis that the stage has nowhere does not matter to it.
  [[nodiscard]] bool agrees(const StudyVariant& variant, const std::vector<const StudyVariant*>& all) const {
    return std::all_of(row_.row.at.begin(), row_.row.at.end(), [&](const auto& pin) {
      const std::string& axis = pin.first.value;
      if (variant.axes.contains(axis)) return variant.axes.at(axis) == pin.second.value;
      return std::none_of(all.begin(), all.end(), [&](const auto* other) { return other->axes.contains(axis); });
    });
  }

  void add(const Json& axes) {
    Values values;
    for (const Text& axis : open_) values.emplace_back(axis, Located<Json>{axes.at(axis.value), axis.span});
    const auto same = [&](const Values& other) {
      return std::equal(values.begin(), values.end(), other.begin(),
                        [](const auto& a, const auto& b) { return a.second.value == b.second.value; });
    };
    if (std::none_of(found_.begin(), found_.end(), same)) found_.push_back(std::move(values));
  }

  const FigureRow& row_;
  const StudyResults& study_;
  std::vector<Text> open_;
  std::vector<Values> found_;
  std::vector<std::string> axes_;
  std::vector<std::string> labels_;  ///< of variants that have all open axes
  bool unknown_stage_ = false;
};

/// `RTN g${group_size}`; a label without templates gets the values behind it.
std::string label_with(const std::string& label, const Values& values, std::size_t n_by) {
  std::string text;
  bool substituted = false;
  for (const TemplatePiece& piece : split_template(label)) {
    if (piece.kind != TemplatePiece::Kind::axis) {
      text += piece.text;
      continue;
    }
    substituted = true;
    for (const auto& [axis, value] : values) {
      if (axis.value == piece.text) text += scalar_text(value.value);
    }
  }
  for (std::size_t i = 0; i < n_by && i < values.size() && !substituted; ++i) {
    text += " " + scalar_text(values[i].second.value);
  }
  return text;
}

class Points {
 public:
  Points(const FigureSpec& figure, const StudyResults& study) : figure_(figure), study_(study) {}

  Result<FigurePoints> run() {
    out_.table.name = figure_.name;
    for (const QuantitySpec& quantity : figure_.quantities) out_.table.columns.push_back(quantity.column);
    for (const FigureRow& row : figure_.rows) add_row(row);
    if (figure_.kind == FigureSpec::Kind::radar && out_.rows.size() > kMostPolygons) {
      problems_.push_back(error("LB7041", "the radar " + ticked(figure_.name.value) + " has " +
                                              std::to_string(out_.rows.size()) + " rows")
                              .at(figure_.name.span, "four at most")
                              .note("more polygons on top of each other cannot be told apart")
                              .fix("fix values of `by` in `at`, or make two figures"));
    }
    if (problems_.empty()) return std::move(out_);
    // What else is wrong with the rows is told at once.
    if (const auto sources = find_sources(out_.table, study_); !sources.ok()) {
      problems_.insert(problems_.end(), sources.error().begin(), sources.error().end());
    }
    return std::move(problems_);
  }

 private:
  void add_row(const FigureRow& row) {
    Result<std::vector<Values>> combinations = RowPoints(row, study_).combinations();
    if (!combinations.ok()) {
      problems_.insert(problems_.end(), combinations.error().begin(), combinations.error().end());
      return;
    }
    const std::size_t first_of_row = out_.rows.size();
    const std::size_t n_by = row.by.size();
    std::vector<std::vector<Values>> points;  // of each of the rows
    for (Values& values : *combinations) {
      const Values key(values.begin(), values.begin() + static_cast<long>(std::min(n_by, values.size())));
      const PointsOfRow named{.id = row_id(row, key),
                              .label = label_with(row.row.label.value, key, n_by),
                              .baseline = row.row.id.value == figure_.baseline.value,
                              .points = {}};
      std::size_t i = first_of_row;
      while (i < out_.rows.size() && out_.rows[i].id != named.id) ++i;
      if (i == out_.rows.size()) {
        out_.rows.push_back(named);
        points.emplace_back();
      }
      points[i - first_of_row].push_back(std::move(values));
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
      PointsOfRow& to = out_.rows[first_of_row + i];
      to.first = out_.table.rows.size();
      for (const Values& values : points[i]) add_point(row, to, values);
    }
  }

  static std::string row_id(const FigureRow& row, const Values& by) {
    std::string id = row.row.id.value;
    for (const auto& [axis, value] : by) id += "-" + scalar_text(value.value);
    return id;
  }

  void add_point(const FigureRow& row, PointsOfRow& to, const Values& values) {
    RowSpec spec = row.row;
    auto& point = to.points.emplace_back();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto& [axis, value] = values[i];
      spec.at.emplace_back(axis, value);
      if (i >= row.by.size()) point.emplace_back(axis.value, value.value);
    }
    if (!figure_.x_axis.value.empty() && !to.baseline) check_x(spec);
    out_.table.rows.push_back(std::move(spec));
  }

  /// A line lies along numbers; columns of a heat map have names.
  void check_x(const RowSpec& row) {
    if (figure_.kind != FigureSpec::Kind::line) return;
    for (const auto& [axis, value] : row.at) {
      if (axis.value != figure_.x_axis.value || value.value.is_number()) continue;
      const auto known = [&](const Diagnostic& d) { return d.span.line == figure_.x_axis.span.line; };
      if (std::any_of(problems_.begin(), problems_.end(), known)) return;
      problems_.push_back(error("LB7041", "axis " + ticked(axis.value) + " cannot lie along x")
                              .at(figure_.x_axis.span, ticked(scalar_text(value.value)) + " is no number")
                              .fix("name an axis of numbers, or a metric: `x: {value: {of: ROLE, metric: NAME}}`"));
    }
  }

  const FigureSpec& figure_;
  const StudyResults& study_;
  FigurePoints out_;
  Diagnostics problems_;
};

}  // namespace

Result<FigurePoints> points_of(const FigureSpec& figure, const StudyResults& study) {
  return Points(figure, study).run();
}

}  // namespace lowbit::report
