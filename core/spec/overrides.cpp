#include "spec/overrides.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "spec/language.h"
#include "spec/scalar.h"
#include "spec/source_text.h"

namespace lowbit::spec {
namespace {

struct Segment {
  std::string_view text;     ///< key or digits
  std::string_view written;  ///< digits with their brackets
  bool index = false;
  SourceSpan span;
};

// key ( . key | [digits] )*; empty when the path has another form.
std::vector<Segment> split_path(std::string_view path, const Places& places) {
  std::vector<Segment> segments;
  for (std::size_t i = 0; i < path.size();) {
    if (path[i] == '[') {
      const std::size_t end = path.find(']', i);
      if (end == std::string_view::npos || end == i + 1 || segments.empty()) return {};
      const std::string_view digits = path.substr(i + 1, end - i - 1);
      if (digits.find_first_not_of("0123456789") != std::string_view::npos) return {};
      segments.push_back({digits, path.substr(i, end - i + 1), true, places.at(i, end - i + 1)});
      i = end + 1;
      continue;
    }
    if (segments.empty() == (path[i] == '.')) return {};
    if (path[i] == '.') ++i;
    const std::size_t end = std::min(path.find_first_of(".[]", i), path.size());
    if (end == i || (end < path.size() && path[end] == ']')) return {};
    segments.push_back({path.substr(i, end - i), path.substr(i, end - i), false, places.at(i, end - i)});
    i = end;
  }
  return segments;
}

Diagnostic no_such(const Segment& segment, std::string what, const std::vector<std::string>& names,
                   std::string_view none) {
  Diagnostic problem = error("LB0011", std::move(what));
  problem.at(segment.span, "not in the experiment file");
  problem.note(names.empty() ? std::string(none) : "known here: " + list_of(names));
  const std::string near = nearest(segment.text, names);
  return problem.fix(near.empty() ? "give the path of something that the file has"
                                  : "a similar name exists: " + ticked(near));
}

class Walk {
 public:
  Walk(Node& root, Diagnostics& problems) : node_(&root), problems_(problems) {}

  /// Goes to what `segment` names; false, with a report, when there is no way.
  bool step(const Segment& segment) {
    if (segment.index) return step_to_index(segment);
    if (node_->kind == Node::Kind::sequence && place_ == Place::stage) return step_to_stage(segment);
    if (node_->missing()) node_->kind = Node::Kind::mapping;
    if (node_->kind != Node::Kind::mapping) {
      return refuse(error("LB0012", ticked(segment.text) + " cannot be reached: it would be inside " + found(*node_))
                        .at(segment.span, "expected the end of the path")
                        .fix(node_->kind == Node::Kind::sequence ? "elements of a list are reached by number: [0]"
                                                                 : "set the whole value instead"));
    }
    const PlaceRules& rules = rules_of(place_);
    const Key* key = find_key(place_, segment.text);
    Node* next = node_->find(segment.text);
    if (next == nullptr) {
      if (key == nullptr && !rules.set_may_add) return refuse(unknown_key(segment));
      node_->entries.push_back({{std::string(segment.text), segment.span}, Node{.span = segment.span, .plain = true}});
      next = &node_->entries.back().value;
    }
    node_ = next;
    place_ = key != nullptr ? key->below : rules.below_own_names;
    return true;
  }

  [[nodiscard]] Node& node() { return *node_; }

 private:
  bool step_to_index(const Segment& segment) {
    if (node_->kind != Node::Kind::sequence) {
      return refuse(error("LB0012", ticked(segment.written) + " cannot be reached: this is " + found(*node_))
                        .at(segment.span, "elements can be named only in a list")
                        .fix("leave the brackets out"));
    }
    std::size_t index = 0;
    const auto [end, failure] = std::from_chars(segment.text.data(), segment.text.data() + segment.text.size(), index);
    if (failure != std::errc() || index >= node_->items.size()) {
      return refuse(error("LB0011", "the list has no element " + ticked(segment.written))
                        .at(segment.span, "not in the experiment file")
                        .note("it has " + std::to_string(node_->items.size()) + ", counted from 0")
                        .fix("set the whole list to make it longer"));
    }
    node_ = &node_->items[index];
    return true;
  }

  bool step_to_stage(const Segment& segment) {
    std::vector<std::string> ids;
    for (Node& stage : node_->items) {
      const Node* id = stage.kind == Node::Kind::mapping ? stage.find("id") : nullptr;
      if (id == nullptr || id->kind != Node::Kind::scalar) continue;
      if (id->text == segment.text) {
        node_ = &stage;
        return true;
      }
      ids.push_back(id->text);
    }
    return refuse(no_such(segment, "there is no stage " + ticked(segment.text), ids, "there are no stages"));
  }

  Diagnostic unknown_key(const Segment& segment) const {
    std::vector<std::string> names;
    for (const Node::Entry& entry : node_->entries) names.push_back(entry.key.value);
    for (const std::string& name : key_names(place_)) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return no_such(segment, std::string(rules_of(place_).called) + " has no " + ticked(segment.text), names,
                   "there is nothing in it");
  }

  bool refuse(Diagnostic problem) {
    problems_.push_back(std::move(problem));
    return false;
  }

  Node* node_;
  Place place_ = Place::experiment;
  Diagnostics& problems_;
};

void apply(Node& root, const std::shared_ptr<const SourceText>& source, Diagnostics& problems) {
  if (auto problem = problem_with_text(source)) {
    problems.push_back(std::move(*problem));
    return;
  }
  const std::string_view text = source->text;
  const Places places(source);
  const std::size_t equals = text.find('=');
  const std::vector<Segment> path = split_path(text.substr(0, equals), places);
  if (equals == std::string_view::npos || path.empty()) {
    problems.push_back(error("LB0010", "`--set` needs path=value")
                           .at(places.at(0, std::min(equals, text.size())),
                               equals == std::string_view::npos ? "no `=` here" : "not a path")
                           .note("a path is keys with dots between them: stages.quantize.params.group_size, seeds[0]")
                           .fix("write, for example, --set 'seeds=[3,4,5]'"));
    return;
  }
  std::optional<Node> value = parse_yaml(source, equals + 1, problems);
  if (!value) return;

  Node changed = root;
  Walk walk(changed, problems);
  for (const Segment& segment : path) {
    if (!walk.step(segment)) return;
  }
  walk.node() = std::move(*value);
  if (path.size() == 1 && path.front().text == "seeds") changed.drop("replicates");
  if (path.size() == 1 && path.front().text == "replicates") changed.drop("seeds");
  root = std::move(changed);
}

}  // namespace

void apply_overrides(Node& root, const std::vector<Override>& overrides, Diagnostics& problems) {
  for (const Override& one : overrides) apply(root, one.text, problems);
}

namespace {

/// `num_bits=[2,3]` of `num_bits=2,3`, under the same name.
std::shared_ptr<const SourceText> as_list(const SourceText& source) {
  const std::size_t equals = source.text.find('=');
  if (equals == std::string::npos) return std::make_shared<const SourceText>(source);
  const std::size_t first = source.text.find_first_not_of(' ', equals + 1);
  if (first != std::string::npos && source.text[first] == '[') return std::make_shared<const SourceText>(source);
  return std::make_shared<const SourceText>(
      SourceText{source.name, source.text.substr(0, equals + 1) + "[" + source.text.substr(equals + 1) + "]"});
}

bool names_axis(const Node* groups, std::string_view axis) {
  if (groups == nullptr) return false;
  if (groups->find(axis) != nullptr) return true;
  return std::any_of(groups->items.begin(), groups->items.end(), [&](const Node& group) {
    return group.find(axis) != nullptr || names_axis(group.find("zip"), axis);
  });
}

Node& child(Node& mapping, const std::string& key, const SourceSpan& span) {
  if (mapping.missing()) mapping.kind = Node::Kind::mapping;
  if (Node* known = mapping.find(key)) return *known;
  mapping.entries.push_back({{key, span}, Node{.kind = Node::Kind::mapping, .span = span}});
  return mapping.entries.back().value;
}

void sweep(Node& root, const std::shared_ptr<const SourceText>& argument, Diagnostics& problems) {
  const std::shared_ptr<const SourceText> source = as_list(*argument);
  const std::string_view text = source->text;
  const Places places(source);
  const std::size_t equals = text.find('=');
  const std::vector<Segment> path = split_path(text.substr(0, equals), places);
  if (equals == std::string_view::npos || path.empty() || path.back().index) {
    problems.push_back(error("LB0010", "`--sweep` needs axis=value,value or path=value,value")
                           .at(places.at(0, std::min(equals, text.size())),
                               equals == std::string_view::npos ? "no `=` here" : "not an axis and not a path")
                           .fix("write, for example, --sweep num_bits=4,3 or --sweep "
                                "stages.restore.params.beta=0.1,0.5"));
    return;
  }
  std::optional<Node> values = parse_yaml(source, equals + 1, problems);
  if (!values) return;
  const std::string axis(path.back().text);
  const SourceSpan span = path.back().span;
  const Node* written = root.find("matrix");
  const Node empty;
  const Node& matrix = written == nullptr ? empty : *written;
  const bool plain = matrix.find(axis) != nullptr && find_key(Place::matrix, axis) == nullptr;
  const Node* defaults = matrix.find("defaults");
  const bool by_default = defaults != nullptr && defaults->find(axis) != nullptr;
  if (names_axis(matrix.find("zip"), axis) || names_axis(matrix.find("union"), axis)) {
    problems.push_back(error("LB0013", "axis " + ticked(axis) + " stands in `zip` or `union` and cannot be swept alone")
                           .at(span, "tied to other axes")
                           .fix("change the file, or sweep another axis"));
    return;
  }
  if (path.size() > 1 && find_key(Place::matrix, axis) != nullptr) {
    problems.push_back(error("LB0013", ticked(axis) + " cannot be the name of an axis")
                           .at(span, "a key of `matrix`")
                           .fix("add an axis of another name to the file, with ${name} in the place of this value"));
    return;
  }
  if (path.size() == 1 && !plain && !by_default) {
    std::vector<std::string> names;
    for (const Node::Entry& entry : matrix.entries) {
      if (find_key(Place::matrix, entry.key.value) == nullptr) names.push_back(entry.key.value);
    }
    const std::string near = nearest(axis, names);
    problems.push_back(error("LB0013", "the matrix has no axis " + ticked(axis))
                           .at(span, "not an axis")
                           .note(names.empty() ? "it has no axes" : "its axes: " + list_of(names))
                           .fix(near.empty()
                                    ? "name an axis, or the path of a value: stages.restore.params.beta=0.1,0.5"
                                    : "an axis with a similar name exists: " + ticked(near)));
    return;
  }
  if (path.size() > 1 && (plain || by_default)) {
    problems.push_back(error("LB0013", "the matrix already has an axis " + ticked(axis))
                           .at(span, "would be the name of a new axis")
                           .fix("sweep that axis: --sweep " + axis + "=..."));
    return;
  }
  Node changed = root;
  if (path.size() > 1) {
    Walk walk(changed, problems);
    for (const Segment& segment : path) {
      if (!walk.step(segment)) return;
    }
    walk.node() = Node{.span = span, .text = "${" + axis + "}"};
  }
  Node& into = child(changed, "matrix", span);
  if (plain) {
    *into.find(axis) = std::move(*values);
  } else {
    into.entries.push_back({{axis, span}, std::move(*values)});
  }
  root = std::move(changed);
}

}  // namespace

void apply_sweeps(Node& root, const std::vector<Override>& sweeps, Diagnostics& problems) {
  for (const Override& one : sweeps) sweep(root, one.text, problems);
}

}  // namespace lowbit::spec
