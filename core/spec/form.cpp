#include "spec/form.h"

#include <algorithm>

#include "domain/coordinates.h"
#include "domain/text_template.h"
#include "spec/scalar.h"

namespace lowbit::spec {
namespace {

std::vector<std::string> axis_names(const KnownAxes& axes, bool seed_too) {
  std::vector<std::string> names;
  for (const Axis& axis : axes.axes) names.push_back(axis.name.value);
  if (seed_too) names.emplace_back("seed");
  return names;
}

}  // namespace

const Axis* KnownAxes::find(std::string_view name) const {
  const auto it = std::find_if(axes.begin(), axes.end(), [&](const Axis& axis) { return axis.name.value == name; });
  return it == axes.end() ? nullptr : &*it;
}

std::string place_text(const SourceSpan& span) {
  return span.source->name + ":" + std::to_string(span.line) + ":" + std::to_string(span.column);
}

bool Form::mapping(const Node& node, Place place) {
  const PlaceRules& rules = rules_of(place);
  if (node.kind != Node::Kind::mapping) {
    wrong_type(node, std::string(rules.called), "a mapping");
    return false;
  }
  const std::string keys = list_of(key_names(place));
  std::vector<std::string> meant;
  for (const Node::Entry& entry : node.entries) {
    const std::string& key = entry.key.value;
    if (find_key(place, key) == nullptr && !rules.own_names) {
      Diagnostic problem = error("LB1020", std::string(rules.called) + " has no key " + ticked(key));
      problem.at(entry.key.span, "unknown key").note("known keys: " + keys);
      const std::string near = nearest(key, key_names(place));
      meant.push_back(near);
      report(problem.fix(near.empty() ? "use one of these keys" : "a key with a similar name exists: " + ticked(near)));
    }
  }
  for (const Key& key : rules.keys) {
    const bool misspelt = std::find(meant.begin(), meant.end(), key.name) != meant.end();
    if (!key.required || misspelt || node.find(key.name) != nullptr) continue;
    report(error("LB1021", std::string(rules.called) + " needs the key " + ticked(key.name))
               .at(node.span, "not in this mapping")
               .fix("add the key " + ticked(key.name)));
  }
  return true;
}

bool Form::list(const Node& node, const std::string& what, const std::string& of) {
  if (node.kind != Node::Kind::sequence) {
    const bool one_value = node.kind == Node::Kind::scalar && !node.missing();
    wrong_type(node, what, "a list of " + of, one_value ? "write [" + node.text + "]" : std::string());
    return false;
  }
  if (!node.items.empty()) return true;
  report(error("LB1024", what + " is an empty list")
             .at(node.span, "expected at least one element")
             .fix("add an element, or remove the key"));
  return false;
}

std::optional<Located<Json>> Form::scalar(const Node& node, const std::string& what, const std::string& expected) {
  if (node.kind != Node::Kind::scalar || node.missing()) {
    wrong_type(node, what, expected);
    return std::nullopt;
  }
  Result<Json> value = scalar_value(node);
  if (value) return Located<Json>{*std::move(value), node.span};
  for (const Diagnostic& problem : value.error()) report(problem);
  return std::nullopt;
}

std::optional<Text> Form::text(const Node& node, const std::string& what, const std::string& expected) {
  const auto value = scalar(node, what, expected);
  if (!value) return std::nullopt;
  if (!value->value.is_string()) {
    wrong_type(node, what, expected, "quote it if it is text: \"" + node.text + "\"");
    return std::nullopt;
  }
  if (node.text.empty()) {
    wrong_type(node, what, expected);
    return std::nullopt;
  }
  return Text{node.text, node.span};
}

bool Form::name(const Text& text, const std::string& what) {
  if (is_identifier(text.value)) return true;
  Diagnostic problem = error("LB1025", ticked(text.value) + " cannot be " + what);
  problem.at(text.span, "not a name").note("a name is a letter, then letters, digits, `_` and `-`");
  if (text.value.find("${") != std::string::npos) problem.note("templates are not substituted in names");
  report(problem.fix("choose another name"));
  return false;
}

std::optional<Text> Form::name(const Node& node, const std::string& what) {
  auto value = text(node, what);
  if (!value || !name(*value, what)) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> Form::whole_number(const Node& node, const std::string& what, Range range) {
  const auto value = scalar(node, what, "a whole number");
  if (!value) return std::nullopt;
  if (!value->value.is_number_integer()) {
    wrong_type(node, what, "a whole number");
    return std::nullopt;
  }
  const auto number = value->value.get<std::int64_t>();
  if (number >= 0 && static_cast<std::uint64_t>(number) >= range.min &&
      static_cast<std::uint64_t>(number) <= range.max) {
    return static_cast<std::uint64_t>(number);
  }
  report(error("LB1026", what + " is out of range")
             .at(node.span, "expected " + std::to_string(range.min) + " to " + std::to_string(range.max))
             .fix("write a number in this range"));
  return std::nullopt;
}

void Form::check_template(const Node& node, const KnownAxes& axes) {
  for (const TemplatePiece& piece : split_template(node.text)) {
    const SourceSpan place = node.within(piece.offset, piece.length);
    if (piece.kind == TemplatePiece::Kind::malformed) {
      report(error("LB1027", "a `$` in a text starts a template `${axis}`")
                 .at(place, piece.text)
                 .fix("write ${axis}, or $$ for a dollar sign"));
    } else if (piece.kind == TemplatePiece::Kind::axis) {
      known_axis({piece.text, place}, axes, true);
    }
  }
}

bool Form::no_template(const Text& text, const std::string& where) {
  if (text.value.find("${") == std::string::npos) return true;
  report(error("LB1028", "templates are not substituted in " + where)
             .at(text.span, "this would stand as it is")
             .fix("write the value itself"));
  return false;
}

std::optional<Text> Form::template_text(const Node& node, const std::string& what, const KnownAxes& axes) {
  auto value = text(node, what);
  if (!value) return std::nullopt;
  check_template(node, axes);
  return value;
}

bool Form::known_axis(const Text& name, const KnownAxes& axes, bool seed_too) {
  if (axes.find(name.value) != nullptr || (seed_too && name.value == "seed")) return true;
  if (!axes.complete) return false;
  const std::vector<std::string> names = axis_names(axes, seed_too);
  Diagnostic problem = error("LB1029", ticked(name.value) + " is not an axis of the matrix");
  problem.at(name.span, "unknown axis");
  if (name.value == "seed") problem.note("every point of the matrix is run with every number in `seeds`");
  problem.note(axes.axes.empty() ? "the matrix has no axes" : "known axes: " + list_of(names));
  const std::string near = nearest(name.value, names);
  report(problem.fix(near.empty() ? "use one of the axes, or add this one to `matrix`"
                                  : "an axis with a similar name exists: " + ticked(near)));
  return false;
}

std::optional<Located<Json>> Form::axis_value(const Text& axis, const Located<Json>& value, const KnownAxes& axes) {
  std::vector<Json> values;
  if (const Axis* known = axes.find(axis.value)) {
    for (const Located<Json>& v : known->values) values.push_back(v.value);
  } else {
    for (const std::uint64_t seed : axes.seeds) values.emplace_back(seed);
  }
  const auto same = std::find(values.begin(), values.end(), value.value);
  if (same != values.end()) return Located<Json>{*same, value.span};
  if (!axes.complete) return std::nullopt;

  std::vector<std::string> written;
  written.reserve(values.size());
  for (const Json& v : values) written.push_back(scalar_text(v));
  Diagnostic problem =
      error("LB1030", "axis " + ticked(axis.value) + " has no value " + ticked(scalar_text(value.value)));
  problem.at(value.span, "not a value of this axis").note("its values: " + list_of(written));
  const bool looks_same = std::find(written.begin(), written.end(), scalar_text(value.value)) != written.end();
  const std::string near = nearest(scalar_text(value.value), written);
  report(problem.fix(looks_same     ? "one is text and the other is not: quote both or neither"
                     : near.empty() ? "use one of these values"
                                    : "a similar value exists: " + ticked(near)));
  return std::nullopt;
}

void Form::wrong_type(const Node& node, const std::string& what, const std::string& expected, std::string help) {
  report(error("LB1022", what + " must be " + expected)
             .at(node.span, "expected " + expected + ", found " + found(node))
             .fix(help.empty() ? "replace it by " + expected : std::move(help)));
}

void Form::duplicate(const std::string& what, const SourceSpan& first, const SourceSpan& second, std::string fact) {
  Diagnostic problem = error("LB1031", what + " stands here twice");
  problem.at(second, "the second one").note("the first one is at " + place_text(first));
  if (!fact.empty()) problem.note(std::move(fact));
  report(problem.fix("keep one of them"));
}

}  // namespace lowbit::spec
