#include "spec/stage_reader.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "domain/text_template.h"
#include "spec/point_reader.h"
#include "spec/scalar.h"
#include "spec/settings_reader.h"

namespace lowbit::spec {
namespace {

constexpr std::string_view kReferenceCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

// Only the form; which stages and ports exist is known after expansion.
bool is_reference(std::string_view text) {
  const std::vector<TemplatePiece> pieces = split_template(text);
  const bool templated = std::any_of(pieces.begin(), pieces.end(), [](const TemplatePiece& piece) {
    return piece.kind != TemplatePiece::Kind::literal;
  });
  if (templated) {
    return std::all_of(pieces.begin(), pieces.end(), [](const TemplatePiece& piece) {
      return piece.kind != TemplatePiece::Kind::literal ||
             piece.text.find_first_not_of(kReferenceCharacters) == std::string::npos;
    });
  }
  const std::size_t dot = text.find('.');
  return dot != std::string_view::npos && is_identifier(text.substr(0, dot)) && is_identifier(text.substr(dot + 1));
}

// `lowbit.gptq`: two or more names with dots between them; templates may stand for any part.
bool is_plugin_id(std::string_view text) {
  bool templated = false;
  std::string literal;
  for (const TemplatePiece& piece : split_template(text)) {
    templated = templated || piece.kind != TemplatePiece::Kind::literal;
    literal += piece.kind == TemplatePiece::Kind::literal ? piece.text : "x";
  }
  if (literal.find_first_not_of(kReferenceCharacters) != std::string::npos) return false;
  return templated || (literal.find('.') != std::string::npos && literal.find("..") == std::string::npos &&
                       literal.front() != '.' && literal.back() != '.');
}

class StageReader {
 public:
  StageReader(const KnownAxes& axes, Form& form) : axes_(axes), form_(form) {}

  std::optional<StageSpec> read(const Node& node) {
    if (!form_.mapping(node, Place::stage)) return std::nullopt;
    StageSpec stage;
    const Node* id = node.find("id");
    std::optional<Text> name = id == nullptr ? std::nullopt : form_.name(*id, "the id of a stage");
    if (name && name->value == "inputs") {
      form_.report(error("LB1032", "`inputs` cannot be the id of a stage")
                       .at(name->span, "reserved")
                       .note("`inputs.name` refers to what is declared under `inputs`")
                       .fix("choose another id"));
      name.reset();
    }
    if (name) stage.id = *name;
    if (const Node* use = node.find("use")) read_use(*use, stage);
    if (const Node* when = node.find("when")) stage.when = read_when(*when, axes_, form_);
    if (const Node* with = node.find("with"); with != nullptr && form_.mapping(*with, Place::with)) {
      for (const Node::Entry& entry : with->entries) {
        form_.name(entry.key, "a port");
        if (auto bound = binding(entry.value)) stage.with.push_back({entry.key, std::move(*bound)});
      }
    }
    if (const Node* params = node.find("params")) stage.params = read_params(*params);
    if (const Node* params_for = node.find("params_for");
        params_for != nullptr && form_.mapping(*params_for, Place::params_for)) {
      for (const Node::Entry& entry : params_for->entries) {
        stage.params_for.emplace_back(entry.key, read_params(entry.value));
      }
    }
    if (const Node* resources = node.find("resources")) stage.resources = read_resources(*resources, form_);
    if (const Node* retry = node.find("retry")) stage.retry = read_retry(*retry, form_);
    if (const Node* gates = node.find("gates")) stage.gates = read_gates(*gates, form_);
    return name ? std::optional(std::move(stage)) : std::nullopt;
  }

 private:
  void read_use(const Node& node, StageSpec& stage) {
    auto use = form_.template_text(node, "`use`", axes_);
    if (!use) return;
    if (!is_plugin_id(use->value)) {
      form_.report(error("LB1033", ticked(use->value) + " is not the id of a plugin")
                       .at(use->span, "expected a form like lowbit.gptq")
                       .fix("`lowbit plugins` lists what is installed"));
      return;
    }
    stage.use = std::move(*use);
  }

  std::optional<Text> reference(const Node& node, const std::string& what) {
    auto text = form_.template_text(node, what, axes_);
    if (!text || is_reference(text->value)) return text;
    form_.report(error("LB1034", ticked(text->value) + " does not refer to anything")
                     .at(text->span, "expected `stage.port` or `inputs.name`")
                     .fix("name the stage and its output port, as in `quantize.quantized`"));
    return std::nullopt;
  }

  std::optional<Binding> binding(const Node& node) {
    Binding result;
    result.span = node.span;
    if (node.kind == Node::Kind::sequence) {
      form_.wrong_type(node, "a binding", "`stage.port` or a mapping",
                       "`{first: [...]}` takes the first that exists, `{each: stage.port, over: [axis]}` all of them");
      return std::nullopt;
    }
    if (node.kind == Node::Kind::scalar) {
      auto source = reference(node, "a binding");
      if (!source) return std::nullopt;
      result.sources.push_back(std::move(*source));
      return result;
    }
    form_.mapping(node, Place::binding);
    if (!choose_form(node, result)) return std::nullopt;
    const Node* over = node.find("over");
    if (over != nullptr && form_.list(*over, "`over`", "axes")) read_over(*over, result);
    if (const Node* at = node.find("at"); at != nullptr && form_.mapping(*at, Place::pins)) read_pins(*at, result);
    if (const Node* require = node.find("require")) read_require(*require, result);
    return result;
  }

  bool choose_form(const Node& node, Binding& result) {
    std::vector<const Node::Entry*> forms;
    bool unknown = false;
    for (const Node::Entry& entry : node.entries) {
      const std::string& key = entry.key.value;
      if (key == "from" || key == "first" || key == "each") forms.push_back(&entry);
      unknown = unknown || find_key(Place::binding, key) == nullptr;
    }
    if (forms.empty() && unknown) return false;  // one of them, misspelt
    if (forms.empty()) {
      form_.report(error("LB1021", "a binding needs one of the keys `from`, `first` and `each`")
                       .at(node.span, "not in this mapping")
                       .fix("add `from: stage.port`"));
      return false;
    }
    if (forms.size() > 1) {
      conflict(forms[1]->key,
               ticked(forms[1]->key.value) + " and " + ticked(forms[0]->key.value) + " exclude each other",
               "keep one of them");
      return false;
    }
    const Node::Entry& form = *forms.front();
    if (form.key.value == "first") {
      result.form = Binding::Form::first;
      if (!form_.list(form.value, "`first`", "references")) return false;
      for (const Node& item : form.value.items) {
        if (auto source = reference(item, "an element of `first`")) result.sources.push_back(std::move(*source));
      }
      const bool refused_some = result.sources.size() != form.value.items.size();
      return only_with(node, result) && !refused_some;
    }
    result.form = form.key.value == "each" ? Binding::Form::each : Binding::Form::direct;
    if (auto source = reference(form.value, ticked(form.key.value))) result.sources.push_back(std::move(*source));
    return only_with(node, result) && !result.sources.empty();
  }

  // `over` and `require` say how to gather; `at` would not say to which source of `first` it belongs.
  bool only_with(const Node& node, const Binding& result) {
    bool good = true;
    for (const Node::Entry& entry : node.entries) {
      const std::string& key = entry.key.value;
      const bool gathers = key == "over" || key == "require";
      if (gathers && result.form != Binding::Form::each) {
        conflict(entry.key, ticked(key) + " belongs to `each`", "write `each: stage.port`, or remove `" + key + "`");
        good = false;
      } else if (key == "at" && result.form == Binding::Form::first) {
        conflict(entry.key, "`at` cannot be combined with `first`", "remove `at`");
        good = false;
      }
    }
    if (result.form == Binding::Form::each && node.find("over") == nullptr) {
      form_.report(error("LB1021", "a binding with `each` needs the key `over`")
                       .at(node.span, "not in this mapping")
                       .fix("add `over: [axis]`: the axes whose members are gathered"));
      good = false;
    }
    return good;
  }

  void conflict(const Text& key, std::string what, std::string help) {
    form_.report(error("LB1035", std::move(what)).at(key.span, "not here").fix(std::move(help)));
  }

  void read_over(const Node& node, Binding& result) {
    for (const Node& item : node.items) {
      auto axis = form_.text(item, "an element of `over`", "the name of an axis");
      if (!axis || !form_.known_axis(*axis, axes_, true)) continue;
      const auto same = std::find_if(result.over.begin(), result.over.end(),
                                     [&](const Text& before) { return before.value == axis->value; });
      if (same != result.over.end()) {
        form_.duplicate("axis " + ticked(axis->value), same->span, axis->span);
      } else {
        result.over.push_back(std::move(*axis));
      }
    }
  }

  void read_pins(const Node& node, Binding& result) {
    for (const Node::Entry& entry : node.entries) {
      if (!form_.known_axis(entry.key, axes_, true)) continue;
      const bool gathered = std::any_of(result.over.begin(), result.over.end(),
                                        [&](const Text& axis) { return axis.value == entry.key.value; });
      if (gathered) {
        conflict(entry.key, "axis " + ticked(entry.key.value) + " is gathered by `over` and pinned by `at`",
                 "keep it in one of the two");
        continue;
      }
      const auto value = form_.scalar(entry.value, "the value of an axis", "one value");
      if (!value) continue;
      if (auto known = form_.axis_value(entry.key, *value, axes_)) result.at.emplace_back(entry.key, *known);
    }
  }

  void read_require(const Node& node, Binding& result) {
    if (node.kind == Node::Kind::mapping) {
      form_.mapping(node, Place::requirement);
      if (const Node* min = node.find("min")) {
        result.min_members = form_.whole_number(*min, "`min`", kMinMembers);
      }
    } else if (node.text != "all") {
      form_.wrong_type(node, "`require`", "`all` or `{min: n}`");
    }
  }

  std::vector<Param> read_params(const Node& node) {
    std::vector<Param> params;
    if (!form_.mapping(node, Place::params)) return params;
    for (const Node::Entry& entry : node.entries) {
      check_templates(entry.value);
      Diagnostics problems;
      Json value = value_of(entry.value, problems);
      for (Diagnostic& problem : problems) form_.report(std::move(problem));
      params.push_back({entry.key, {std::move(value), entry.value.span}});
    }
    return params;
  }

  void check_templates(const Node& node) {
    if (node.kind == Node::Kind::scalar) form_.check_template(node, axes_);
    for (const Node& item : node.items) check_templates(item);
    for (const Node::Entry& entry : node.entries) {
      form_.no_template(entry.key, "keys");
      check_templates(entry.value);
    }
  }

  const KnownAxes& axes_;
  Form& form_;
};

}  // namespace

std::optional<StageSpec> read_stage(const Node& node, const KnownAxes& axes, Form& form) {
  return StageReader(axes, form).read(node);
}

}  // namespace lowbit::spec
