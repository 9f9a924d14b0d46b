#include "spec/figure_reader.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "domain/text_template.h"
#include "spec/figure_parts.h"
#include "spec/form.h"
#include "spec/measured_parts.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {
namespace {

constexpr std::size_t kLeastAxes = 3;
constexpr std::size_t kMostPolygons = 4;

struct FigureKind {
  std::string_view name;
  FigureSpec::Kind kind;
  Place place;
};
constexpr std::array<FigureKind, 5> kFigureKinds{{{"line", FigureSpec::Kind::line, Place::line_figure},
                                                  {"radar", FigureSpec::Kind::radar, Place::radar_figure},
                                                  {"bars", FigureSpec::Kind::bars, Place::bars_figure},
                                                  {"curves", FigureSpec::Kind::curves, Place::curves_figure},
                                                  {"heat", FigureSpec::Kind::heat, Place::heat_figure}}};

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  names.reserve(kFigureKinds.size());
  for (const FigureKind& known : kFigureKinds) names.emplace_back(known.name);
  return names;
}

class FigureReader {
 public:
  explicit FigureReader(Diagnostics& problems) : form_(problems), problems_(problems) {}

  FiguresFile read(const Node& root) {
    FiguresFile file;
    if (!form_.mapping(root, Place::figures_file)) return file;
    read_text(form_, root, "experiment", file.experiment);
    const Node* figures = root.find("figures");
    if (figures == nullptr || !form_.mapping(*figures, Place::figures)) return file;
    if (figures->entries.empty()) {
      form_.report(error("LB1024", "`figures` is empty")
                       .at(figures->span, "expected at least one figure")
                       .fix("add a figure: a name with `kind` and `rows` below it"));
    }
    for (const Node::Entry& entry : figures->entries) {
      form_.name(entry.key, "the name of a figure");
      FigureSpec figure;
      figure.name = entry.key;
      const std::size_t before = problems_.size();
      read_figure(entry.value, figure);
      // With half a figure, names would seem unknown that are only unread.
      if (problems_.size() == before) check(figure);
      file.figures.push_back(std::move(figure));
    }
    check_files(file.figures);
    return file;
  }

 private:
  /// A radar writes the file of its twin as well.
  void check_files(const std::vector<FigureSpec>& figures) {
    for (const FigureSpec& radar : figures) {
      if (radar.kind != FigureSpec::Kind::radar) continue;
      for (const FigureSpec& other : figures) {
        if (other.name.value != radar.name.value + "-dots") continue;
        form_.duplicate("the file of " + ticked(other.name.value), radar.name.span, other.name.span,
                        "a radar has a dot plot beside it, NAME-dots");
      }
    }
  }

  void read_figure(const Node& node, FigureSpec& figure) {
    if (node.kind != Node::Kind::mapping) {
      form_.wrong_type(node, "a figure", "a mapping");
      return;
    }
    const FigureKind* kind = read_kind(node);
    if (kind == nullptr || !form_.mapping(node, kind->place)) return;
    figure.kind = kind->kind;
    Text title;
    read_text(form_, node, "title", title);
    figure.title = title.value;
    each(node, "rows", "rows", [&](const Node& item) {
      if (auto row = read_row(item)) figure.rows.push_back(std::move(*row));
    });
    each(node, "notes", "texts", [&](const Node& item) {
      if (const auto note = form_.text(item, "a note")) figure.notes.push_back(note->value);
    });
    read_text(form_, node, "baseline", figure.baseline);
    switch (figure.kind) {
      case FigureSpec::Kind::line: read_line(node, figure); break;
      case FigureSpec::Kind::radar: read_radar(node, figure); break;
      case FigureSpec::Kind::bars: read_bars(node, figure); break;
      case FigureSpec::Kind::curves: read_curves(node, figure); break;
      case FigureSpec::Kind::heat: read_heat(node, figure); break;
    }
  }

  const FigureKind* read_kind(const Node& node) {
    const Node* kind = node.find("kind");
    if (kind == nullptr) {
      form_.report(error("LB1021", "a figure needs the key `kind`")
                       .at(node.span, "not in this mapping")
                       .fix("say what is drawn: `kind` is " + list_of(kind_names(), "or")));
      return nullptr;
    }
    const auto name = form_.text(*kind, "`kind`");
    if (!name) return nullptr;
    const auto* const found = std::find_if(kFigureKinds.begin(), kFigureKinds.end(),
                                           [&](const FigureKind& known) { return known.name == name->value; });
    if (found != kFigureKinds.end()) return found;
    const std::string near = nearest(name->value, kind_names());
    form_.wrong_type(*kind, "`kind`", list_of(kind_names(), "or"),
                     near.empty() ? std::string() : "a kind with a similar name exists: " + ticked(near));
    return nullptr;
  }

  template <class Read>
  void each(const Node& node, const char* key, const char* of, Read read) {
    const Node* list = node.find(key);
    if (list == nullptr || !form_.list(*list, ticked(key), of)) return;
    for (const Node& item : list->items) read(item);
  }

  std::optional<FigureRow> read_row(const Node& node) {
    if (!form_.mapping(node, Place::figure_row)) return std::nullopt;
    FigureRow row;
    if (!read_row_name(form_, node, row.row)) return std::nullopt;
    read_row_stages(form_, node, row.row);
    const auto read_axes = [&](const char* key, std::vector<Text>& axes) {
      each(node, key, "axes", [&](const Node& item) {
        auto axis = form_.name(item, "an axis");
        if (!axis) return;
        open_once(*axis, row);
        axes.push_back(std::move(*axis));
      });
    };
    read_axes("by", row.by);
    read_axes("over", row.over);
    if (const Node* label = node.find("label")) check_label(*label, row);
    return row;
  }

  /// The seed is open anyhow, and an axis has one part in a row.
  void open_once(const Text& axis, const FigureRow& row) {
    if (axis.value == "seed") {
      form_.report(error("LB1032", "`seed` is no axis of a figure")
                       .at(axis.span, "reserved")
                       .note("a point is the mean over the seeds, and shows their deviation")
                       .fix("remove it"));
    }
    const auto same = [&](const Text& other) { return other.value == axis.value; };
    for (const std::vector<Text>* axes : {&row.by, &row.over}) {
      const auto found = std::find_if(axes->begin(), axes->end(), same);
      if (found != axes->end()) form_.duplicate("axis " + ticked(axis.value), found->span, axis.span);
    }
    const auto& at = row.row.at;
    const auto pinned = std::find_if(at.begin(), at.end(), [&](const auto& entry) { return same(entry.first); });
    if (pinned != at.end()) {
      form_.duplicate("axis " + ticked(axis.value), pinned->first.span, axis.span, "`at` fixes what stays open here");
    }
  }

  /// ${axis} stands for the value of an axis of `by`.
  void check_label(const Node& label, const FigureRow& row) {
    std::vector<std::string> names;
    for (const Text& axis : row.by) names.push_back(axis.value);
    for (const TemplatePiece& piece : split_template(label.text)) {
      const SourceSpan place = label.within(piece.offset, piece.length);
      if (piece.kind == TemplatePiece::Kind::malformed) {
        form_.report(error("LB1027", "a `$` in a label starts a template `${axis}`")
                         .at(place, piece.text)
                         .fix("write ${axis}, or $$ for a dollar sign"));
      } else if (piece.kind == TemplatePiece::Kind::axis) {
        known({piece.text, place}, "the row has no axis in `by` that is", names, "axes of `by`");
      }
    }
  }

  void read_line(const Node& node, FigureSpec& figure) {
    const Node* x = node.find("x");
    if (x != nullptr && form_.mapping(*x, Place::line_x)) {
      Text label;
      read_text(form_, *x, "label", label);
      figure.x_label = label.value;
      figure.x_log = parts_.is_log(*x);
      std::string_view key;
      const Node* content = parts_.one_of(*x, {"axis", "value"}, "`x`", key);
      if (content != nullptr && key == "axis") {
        if (auto axis = form_.name(*content, "an axis")) figure.x_axis = std::move(*axis);
      } else if (content != nullptr) {
        if (auto quantity = parts_.quantity(*x, Place::line_x, "x")) figure.quantities.push_back(std::move(*quantity));
      }
    }
    const Node* y = node.find("y");
    if (y != nullptr && form_.mapping(*y, Place::line_y)) {
      if (auto quantity = parts_.quantity(*y, Place::line_y, "`y`")) figure.quantities.push_back(std::move(*quantity));
    }
    if (node.find("front") != nullptr) {
      figure.front = parts_.word(node, "front", {"lowest", "highest"}) == 0 ? FigureSpec::Front::lowest
                                                                            : FigureSpec::Front::highest;
    }
    figure.joined = parts_.truth(node, "join").value_or(true);
  }

  void read_radar(const Node& node, FigureSpec& figure) {
    read_quantities(node, "axes", Place::radar_axis, "an axis of a radar", figure);
    figure.range = parts_.number(node, "range", 1, 1e6, "a number from 1 on").value_or(figure.range);
    if (const Node* axes = node.find("axes"); axes != nullptr && axes->kind == Node::Kind::sequence &&
                                              !axes->items.empty() && axes->items.size() < kLeastAxes) {
      form_.report(error("LB1046", "a radar has three axes at least")
                       .at(axes->span, std::to_string(axes->items.size()) + " of them")
                       .fix("add axes, or draw bars"));
    }
    if (const Node* rows = node.find("rows"); rows != nullptr && rows->items.size() > kMostPolygons) {
      form_.report(error("LB1046", "a radar has four rows at most")
                       .at(rows->span, std::to_string(rows->items.size()) + " of them")
                       .note("more polygons on top of each other cannot be told apart")
                       .fix("leave rows out, or make two figures"));
    }
  }

  void read_bars(const Node& node, FigureSpec& figure) {
    read_quantities(node, "parts", Place::bar_part, "a part of bars", figure);
    for (QuantitySpec& part : figure.quantities) part.column.percent = true;
  }

  void read_quantities(const Node& node, const char* key, Place place, const std::string& what, FigureSpec& figure) {
    each(node, key, key, [&](const Node& item) {
      if (!form_.mapping(item, place)) return;
      auto quantity = parts_.quantity(item, place, what);
      if (!quantity) return;
      for (const QuantitySpec& before : figure.quantities) {
        const Text& label = before.column.label;
        if (label.value != quantity->column.label.value) continue;
        form_.duplicate(what + " " + ticked(label.value), label.span, quantity->column.label.span);
      }
      figure.quantities.push_back(std::move(*quantity));
    });
  }

  void read_curves(const Node& node, FigureSpec& figure) {
    each(node, "curves", "curves", [&](const Node& item) {
      if (auto curve = parts_.curve(item, Place::curve)) figure.curves.push_back(std::move(*curve));
    });
    Text label;
    read_text(form_, node, "x_label", label);
    figure.x_label = label.value.empty() ? "step" : label.value;
    figure.smooth = parts_.number(node, "smooth", 0, 1, "a number from 0 to below 1").value_or(0);
  }

  void read_heat(const Node& node, FigureSpec& figure) {
    const Node* x = node.find("x");
    if (x != nullptr && form_.mapping(*x, Place::heat_x)) {
      Text label;
      read_text(form_, *x, "label", label);
      figure.x_label = label.value;
      if (const Node* axis = x->find("axis")) {
        if (auto name = form_.name(*axis, "an axis")) figure.x_axis = std::move(*name);
      }
    }
    const Node* color = node.find("color");
    if (color == nullptr || !form_.mapping(*color, Place::heat_color)) return;
    std::string_view key;
    const Node* content = parts_.one_of(*color, {"value", "share", "accuracy", "curve"}, "`color`", key);
    if (content == nullptr) return;
    if (key == "curve") {
      auto curve = parts_.curve(*content, Place::metric_of);
      if (!curve) return;
      read_text(form_, *color, "label", curve->label);
      curve->log = parts_.is_log(*color);
      figure.curves.push_back(std::move(*curve));
      if (x != nullptr && x->find("axis") != nullptr) {
        form_.report(error("LB1035", "`axis` and `curve` exclude each other")
                         .at(x->find("axis")->span, "not beside `curve`")
                         .note("the steps of a curve lie along x")
                         .fix("keep one of them"));
      }
      return;
    }
    if (auto quantity = parts_.quantity(*color, Place::heat_color, "`color`")) {
      figure.quantities.push_back(std::move(*quantity));
    }
    if (x == nullptr || x->find("axis") == nullptr) {
      form_.report(error("LB1021", "a heat figure needs an axis along x")
                       .at(node.span, "not in this mapping")
                       .fix("add `x: {axis: NAME}`, an axis that the rows leave open in `over`"));
    }
  }

  void check(const FigureSpec& figure) {
    std::vector<std::string> ids;
    std::vector<std::string> roles;
    for (auto row = figure.rows.begin(); row != figure.rows.end(); ++row) {
      const Text& id = row->row.id;
      const auto same = std::find_if(figure.rows.begin(), row,
                                     [&](const FigureRow& before) { return before.row.id.value == id.value; });
      if (same != row) form_.duplicate("row " + ticked(id.value), same->row.id.span, id.span);
      ids.push_back(id.value);
      for (const auto& [role, stage] : row->row.stages) {
        if (std::find(roles.begin(), roles.end(), role.value) == roles.end()) roles.push_back(role.value);
      }
    }
    const std::string no_role = "the figure has no role";
    for (const QuantitySpec& quantity : figure.quantities) {
      for (const MetricOf& metric : quantity.column.metrics) known(metric.role, no_role, roles, "its roles");
      if (quantity.column.metrics.empty()) known(quantity.column.role, no_role, roles, "its roles");
    }
    for (const CurveSpec& curve : figure.curves) known(curve.metric.role, no_role, roles, "its roles");
    if (!figure.baseline.value.empty()) check_baseline(figure, ids);
    if (figure.x_axis.value.empty()) {
      check_over(figure, nullptr);
    } else {
      check_over(figure, &figure.x_axis);
    }
  }

  void check_baseline(const FigureSpec& figure, const std::vector<std::string>& ids) {
    if (!known(figure.baseline, "the figure has no row", ids, "its rows")) return;
    for (const FigureRow& row : figure.rows) {
      if (row.row.id.value != figure.baseline.value || (row.by.empty() && row.over.empty())) continue;
      form_.report(error("LB1046", "the baseline is one result")
                       .at(figure.baseline.span, "a row with `by` or `over`")
                       .fix("name a row that fixes its axes in `at`"));
    }
  }

  /// Who has several points needs an axis to lay them along.
  void check_over(const FigureSpec& figure, const Text* x) {
    for (const FigureRow& row : figure.rows) {
      const bool has = x != nullptr && std::any_of(row.over.begin(), row.over.end(),
                                                   [&](const Text& axis) { return axis.value == x->value; });
      const auto pinned = [&](const auto& entry) { return x != nullptr && entry.first.value == x->value; };
      const bool pins = std::any_of(row.row.at.begin(), row.row.at.end(), pinned);
      const bool is_baseline = row.row.id.value == figure.baseline.value;
      if (x != nullptr && !has && !pins && !is_baseline) {
        form_.report(error("LB1046", "row " + ticked(row.row.id.value) + " has no place along x")
                         .at(row.row.id.span, "leaves " + ticked(x->value) + " out")
                         .fix("add `over: [" + x->value + "]` to it, or fix it in `at`"));
      }
      const bool one_point = figure.kind != FigureSpec::Kind::line && figure.kind != FigureSpec::Kind::heat;
      const bool strip = figure.kind == FigureSpec::Kind::heat && x == nullptr;
      const bool beside = figure.kind == FigureSpec::Kind::heat && row.over.size() > 1;
      if (row.over.empty() || !(one_point || strip || beside)) continue;
      form_.report(error("LB1046", "row " + ticked(row.row.id.value) + " has several points where one is drawn")
                       .at(beside ? row.over[1].span : row.over.front().span, "an axis of `over`")
                       .fix("move it to `by`, which makes a row of each value"));
    }
  }

  bool known(const Text& name, const std::string& lacking, const std::vector<std::string>& names,
             const std::string& called) {
    if (std::find(names.begin(), names.end(), name.value) != names.end()) return true;
    Diagnostic problem = error("LB1040", lacking + " " + ticked(name.value));
    problem.at(name.span, "unknown name");
    problem.note(called + ": " + (names.empty() ? "none" : list_of(names)));
    const std::string near = nearest(name.value, names);
    form_.report(problem.fix(near.empty() ? "use a name that there is" : "a similar one exists: " + ticked(near)));
    return false;
  }

  Form form_;
  FigureParts parts_{form_};
  Diagnostics& problems_;
};

}  // namespace

Result<FiguresFile> read_figures(const std::shared_ptr<const SourceText>& source) {
  Diagnostics problems;
  if (const std::optional<Node> root = parse_yaml(source, 0, problems)) {
    FiguresFile file = FigureReader(problems).read(*root);
    if (problems.empty()) return file;
  }
  return problems;
}

}  // namespace lowbit::spec
