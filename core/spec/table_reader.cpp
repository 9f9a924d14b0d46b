#include "spec/table_reader.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "spec/form.h"
#include "spec/measured_parts.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {
namespace {

constexpr Range kDigits{0, 12};

using Kind = ColumnSpec::Kind;

struct KindKey {
  std::string_view key;
  Kind kind;
  std::size_t digits;  ///< when the author does not say
};
constexpr std::array<KindKey, 7> kKinds{{{"value", Kind::value, 2},
                                         {"sum", Kind::sum, 2},
                                         {"mean", Kind::mean, 2},
                                         {"list", Kind::list, 2},
                                         {"share", Kind::share, 1},
                                         {"accuracy", Kind::accuracy, 1},
                                         {"delta", Kind::delta, 1}}};

class TableReader {
 public:
  explicit TableReader(Diagnostics& problems) : form_(problems), problems_(problems) {}

  TablesFile read(const Node& root) {
    TablesFile file;
    if (!form_.mapping(root, Place::tables_file)) return file;
    read_text(root, "experiment", file.experiment);
    const Node* tables = root.find("tables");
    if (tables == nullptr || !form_.mapping(*tables, Place::tables)) return file;
    if (tables->entries.empty()) {
      form_.report(error("LB1024", "`tables` is empty")
                       .at(tables->span, "expected at least one table")
                       .fix("add a table: a name with `columns` and `rows` below it"));
    }
    for (const Node::Entry& entry : tables->entries) {
      form_.name(entry.key, "the name of a table");
      TableSpec table;
      table.name = entry.key;
      const std::size_t before = problems_.size();
      read_table(entry.value, table);
      // With half a table, names would seem unknown that are only unread.
      if (problems_.size() == before) check_names(table);
      file.tables.push_back(std::move(table));
    }
    return file;
  }

 private:
  bool read_text(const Node& node, const char* key, Text& text) { return spec::read_text(form_, node, key, text); }

  void read_flag(const Node& node, const char* key, bool& flag) {
    const Node* written = node.find(key);
    if (written == nullptr) return;
    const auto value = form_.scalar(*written, ticked(key), "true or false");
    if (value && !value->value.is_boolean()) form_.wrong_type(*written, ticked(key), "true or false");
    if (value && value->value.is_boolean()) flag = value->value.get<bool>();
  }

  std::optional<std::string> read_word(const Node& node, const char* key, const std::vector<std::string>& words) {
    Text written;
    if (!read_text(node, key, written)) return std::nullopt;
    if (std::find(words.begin(), words.end(), written.value) != words.end()) return written.value;
    form_.wrong_type(*node.find(key), ticked(key), list_of(words, "or"));
    return std::nullopt;
  }

  void read_published(const Node& node, Place place, PublishedPlace& out) {
    if (!form_.mapping(node, place)) return;
    for (const auto& [key, part] : {std::pair("table", &out.table), {"row", &out.row}, {"column", &out.column}}) {
      const Node* written = node.find(key);  // a table may be called 1
      if (written != nullptr && form_.scalar(*written, ticked(key), "text")) *part = {written->text, written->span};
    }
  }

  template <class Item, class Read>
  void read_list(const Node& node, const char* key, const char* of, std::vector<Item>& items, Read read) {
    const Node* list = node.find(key);
    if (list == nullptr || !form_.list(*list, ticked(key), of)) return;
    for (const Node& item : list->items) {
      if (auto one = read(item)) items.push_back(std::move(*one));
    }
  }

  void read_table(const Node& node, TableSpec& table) {
    if (!form_.mapping(node, Place::table)) return;
    Text title;
    read_text(node, "title", title);
    table.title = title.value;
    read_list(node, "columns", "columns", table.columns, [&](const Node& item) { return read_column(item); });
    read_list(node, "rows", "rows", table.rows, [&](const Node& item) { return read_row(item); });
    read_list(node, "comparisons", "comparisons", table.comparisons,
              [&](const Node& item) { return read_comparison(item); });
    read_list(node, "notes", "texts", table.notes, [&](const Node& item) -> std::optional<std::string> {
      const auto note = form_.text(item, "a note");
      return note ? std::optional(note->value) : std::nullopt;
    });
    read_flag(node, "best", table.marks_best);
    if (const auto intervals = read_word(node, "intervals", {"analytic", "bootstrap"})) {
      table.bootstrap = *intervals == "bootstrap";
    }
    if (const Node* published = node.find("published")) {
      read_published(*published, Place::table_published, table.published);
      read_text(*published, "file", table.published_file);
    }
    read_list(node, "outputs", "files", table.outputs, [&](const Node& item) { return form_.text(item, "a file"); });
    distinct(table.columns, "column", [](const ColumnSpec& column) { return column.label; });
    distinct(table.rows, "row", [](const RowSpec& row) { return row.id; });
  }

  template <class Item, class NameOf>
  void distinct(const std::vector<Item>& items, const char* what, NameOf name_of) {
    for (auto item = items.begin(); item != items.end(); ++item) {
      const Text name = name_of(*item);
      const auto same =
          std::find_if(items.begin(), item, [&](const Item& before) { return name_of(before).value == name.value; });
      if (same != item) form_.duplicate(what + (" " + ticked(name.value)), name_of(*same).span, name.span);
    }
  }

  std::optional<ColumnSpec> read_column(const Node& node) {
    if (!form_.mapping(node, Place::column)) return std::nullopt;
    ColumnSpec column;
    const bool labelled = read_text(node, "label", column.label);
    const Node* content = nullptr;
    for (const KindKey& known : kKinds) {
      const Node* value = node.find(known.key);
      if (value == nullptr) continue;
      if (content != nullptr) {
        exclusive(*value, known.key, key_of(column.kind));
        return std::nullopt;
      }
      content = value;
      column.kind = known.kind;
      column.digits = known.digits;
    }
    if (content == nullptr) {
      form_.report(error("LB1021",
                         "a column needs one of the keys `value`, `sum`, `mean`, `list`, `share`, "
                         "`accuracy` and `delta`")
                       .at(node.span, "not in this mapping")
                       .fix("say what stands in the column: `value: {of: ROLE, metric: NAME}`"));
      return std::nullopt;
    }
    const bool read = read_content(*content, column);
    read_print(node, column);
    return labelled && read ? std::optional(std::move(column)) : std::nullopt;
  }

  static std::string_view key_of(Kind kind) {
    return std::find_if(kKinds.begin(), kKinds.end(), [&](const KindKey& k) { return k.kind == kind; })->key;
  }

  void exclusive(const Node& value, std::string_view one, std::string_view other, std::string fact = {}) {
    Diagnostic problem = error("LB1035", ticked(one) + " and " + ticked(other) + " exclude each other");
    problem.at(value.span, "not beside " + ticked(other));
    if (!fact.empty()) problem.note(std::move(fact));
    form_.report(problem.fix("keep one of them"));
  }

  bool read_content(const Node& node, ColumnSpec& column) {
    switch (column.kind) {
      case Kind::value:
      case Kind::share:
        if (auto metric = read_metric(node)) column.metrics.push_back(std::move(*metric));
        return !column.metrics.empty();
      case Kind::sum:
      case Kind::mean:
      case Kind::list:
        if (!form_.list(node, ticked(key_of(column.kind)), "metrics")) return false;
        for (const Node& item : node.items) {
          if (auto metric = read_metric(item)) column.metrics.push_back(std::move(*metric));
        }
        return column.metrics.size() == node.items.size();
      case Kind::accuracy: return form_.mapping(node, Place::accuracy) && read_text(node, "of", column.role);
      case Kind::delta: break;
    }
    return form_.mapping(node, Place::delta) && read_text(node, "of", column.role) &&
           read_text(node, "to", column.baseline);
  }

  std::optional<MetricOf> read_metric(const Node& node) { return spec::read_metric(form_, node); }

  /// How numbers are printed.
  void read_print(const Node& node, ColumnSpec& column) {
    column.percent = column.is_share();
    const Node* percent = node.find("percent");
    if (percent != nullptr) {
      const auto value = form_.scalar(*percent, "`percent`", "true or false");
      if (value && !value->value.is_boolean()) {
        form_.wrong_type(*percent, "`percent`", "true or false");
      } else if (value && column.is_share()) {
        exclusive(*percent, "percent", key_of(column.kind), "shares are always shown in percent");
      } else if (value) {
        column.percent = value->value.get<bool>();
      }
    }
    if (const Node* unit = node.find("unit"); unit != nullptr && read_text(node, "unit", column.unit)) {
      const std::vector<std::string> units{"kB", "MB", "GB"};
      if (column.is_share() || column.percent) {
        exclusive(*unit, "unit", column.is_share() ? key_of(column.kind) : "percent");
      } else if (std::find(units.begin(), units.end(), column.unit.value) == units.end()) {
        form_.wrong_type(*unit, "`unit`", "kB, MB or GB",
                         "bytes are divided by 1000; other metrics have their own unit");
      }
    }
    if (const Node* digits = node.find("digits")) {
      if (const auto n = form_.whole_number(*digits, "`digits`", kDigits)) {
        column.digits = static_cast<std::size_t>(*n);
      }
    }
    read_text(node, "group", column.group);
    if (const auto best = read_word(node, "best", {"up", "down", "none"})) {
      column.best = *best == "up" ? Better::up : *best == "down" ? Better::down : Better::none;
    }
    if (const Node* published = node.find("published")) read_published(*published, Place::published, column.published);
  }

  std::optional<RowSpec> read_row(const Node& node) {
    if (!form_.mapping(node, Place::row)) return std::nullopt;
    RowSpec row;
    if (!read_row_name(form_, node, row)) return std::nullopt;
    read_row_stages(form_, node, row);
    read_scalars(form_, node, "given", Place::row_given, row.given);
    read_text(node, "group", row.group);
    read_flag(node, "reference", row.reference);
    if (const Node* published = node.find("published")) read_published(*published, Place::published, row.published);
    return row;
  }

  std::optional<ComparisonSpec> read_comparison(const Node& node) {
    if (!form_.mapping(node, Place::comparison)) return std::nullopt;
    ComparisonSpec comparison;
    Text label;
    read_text(node, "label", label);
    comparison.label = label.value;
    const bool role = read_text(node, "of", comparison.role);
    const bool a = read_text(node, "a", comparison.a);
    const bool b = read_text(node, "b", comparison.b);
    return role && a && b ? std::optional(std::move(comparison)) : std::nullopt;
  }

  void check_names(const TableSpec& table) {
    std::vector<std::string> labels;
    std::vector<std::string> ids;
    std::vector<std::string> roles;
    for (const ColumnSpec& column : table.columns) labels.push_back(column.label.value);
    for (const RowSpec& row : table.rows) {
      ids.push_back(row.id.value);
      for (const auto& [role, stage] : row.stages) {
        if (std::find(roles.begin(), roles.end(), role.value) == roles.end()) roles.push_back(role.value);
      }
    }
    const auto compared = [&](const Text& role, const std::vector<Text>& rows) {
      if (!known(role, "role", roles)) return;
      for (const Text& row : rows) {
        if (known(row, "row", ids)) plays(table.rows[table.row_index(row.value)], row, role);
      }
    };
    for (const ColumnSpec& column : table.columns) {
      for (const MetricOf& metric : column.metrics) known(metric.role, "role", roles);
      if (column.kind == Kind::accuracy) known(column.role, "role", roles);
      if (column.kind == Kind::delta) compared(column.role, {column.baseline});
    }
    for (const ComparisonSpec& comparison : table.comparisons) {
      compared(comparison.role, {comparison.a, comparison.b});
    }
    for (const RowSpec& row : table.rows) {
      for (const auto& [label, value] : row.given) known(label, "column", labels);
    }
  }

  bool known(const Text& name, const std::string& what, const std::vector<std::string>& names) {
    if (std::find(names.begin(), names.end(), name.value) != names.end()) return true;
    Diagnostic problem = error("LB1040", "the table has no " + what + " " + ticked(name.value));
    problem.at(name.span, "unknown " + what);
    problem.note(names.empty() ? "no row names a stage" : "its " + what + "s: " + list_of(names));
    const std::string near = nearest(name.value, names);
    form_.report(
        problem.fix(near.empty() ? "use one of these" : "a " + what + " with a similar name exists: " + ticked(near)));
    return false;
  }

  void plays(const RowSpec& row, const Text& place, const Text& role) {
    const bool has = std::any_of(row.stages.begin(), row.stages.end(),
                                 [&](const auto& stage) { return stage.first.value == role.value; });
    if (has) return;
    form_.report(error("LB1040", "row " + ticked(row.id.value) + " has no stage for the role " + ticked(role.value))
                     .at(place.span, "cannot be compared")
                     .fix("add " + ticked(role.value) + " to its `stages`, or name another row"));
  }

  Form form_;
  Diagnostics& problems_;
};

}  // namespace

Result<TablesFile> read_tables(const std::shared_ptr<const SourceText>& source) {
  Diagnostics problems;
  if (const std::optional<Node> root = parse_yaml(source, 0, problems)) {
    TablesFile file = TableReader(problems).read(*root);
    if (problems.empty()) return file;
  }
  return problems;
}

}  // namespace lowbit::spec
