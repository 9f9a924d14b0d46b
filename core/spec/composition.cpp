#include "spec/composition.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/form.h"
#include "spec/language.h"

namespace lowbit::spec {
namespace {

namespace fs = std::filesystem;

std::string id_of(const Node& stage) {
  const Node* id = stage.kind == Node::Kind::mapping ? stage.find("id") : nullptr;
  return id != nullptr && id->kind == Node::Kind::scalar ? id->text : std::string();
}

Node* stage_of(Node& stages, const std::string& id) {
  const auto it = std::find_if(stages.items.begin(), stages.items.end(),
                               [&](const Node& stage) { return !id.empty() && id_of(stage) == id; });
  return it == stages.items.end() ? nullptr : &*it;
}

// What a person would have to read twice to know is replaced as a whole: a binding, a group of `zip`.
bool merges(Place place) { return place != Place::binding && place != Place::zipped; }

void lay_over(Node& base, Node over, Place place) {
  if (base.kind == Node::Kind::sequence && over.kind == Node::Kind::sequence && place == Place::stage) {
    for (Node& stage : over.items) {
      if (Node* known = stage_of(base, id_of(stage))) {
        lay_over(*known, std::move(stage), Place::stage);
      } else {
        base.items.push_back(std::move(stage));
      }
    }
    return;
  }
  if (base.kind != Node::Kind::mapping || over.kind != Node::Kind::mapping || !merges(place)) {
    base = std::move(over);
    return;
  }
  const PlaceRules& rules = rules_of(place);
  for (Node::Entry& entry : over.entries) {
    if (place == Place::experiment && entry.key.value == "seeds") base.drop("replicates");
    if (place == Place::experiment && entry.key.value == "replicates") base.drop("seeds");
    const Key* key = find_key(place, entry.key.value);
    if (Node* known = base.find(entry.key.value)) {
      lay_over(*known, std::move(entry.value), key != nullptr ? key->below : rules.below_own_names);
    } else {
      base.entries.push_back(std::move(entry));
    }
  }
  base.span = over.span;
}

class Composer {
 public:
  Composer(const SourceLoader& load, Diagnostics& problems) : load_(load), problems_(problems), form_(problems) {}

  std::optional<Node> compose(const std::shared_ptr<const SourceText>& source, Place place) {
    std::optional<Node> root = parse_yaml(source, 0, problems_);
    if (!root || root->kind != Node::Kind::mapping) return root;
    if (place == Place::fragment) form_.mapping(*root, place);
    path_.push_back(source->name);
    std::optional<Node> base;
    std::vector<Node> parts;
    if (const Node* extended = root->find("extends"); extended != nullptr && place == Place::experiment) {
      if (const auto name = form_.text(*extended, "`extends`", "the path of a file")) {
        base = read(*name, source->name, Place::experiment);
      }
      root->drop("extends");
    }
    if (const Node* imported = root->find("import")) {
      for (const Text& name : imports(*imported)) {
        if (auto part = read(name, source->name, Place::fragment)) parts.push_back(std::move(*part));
      }
      root->drop("import");
    }
    path_.pop_back();
    std::reverse(parts.begin(), parts.end());  // each is put before what is there
    for (Node& part : parts) add(*root, std::move(part));
    if (!base) return root;
    lay_over(*base, std::move(*root), Place::experiment);
    return base;
  }

 private:
  std::vector<Text> imports(const Node& node) {
    std::vector<Text> names;
    const auto read_name = [&](const Node& item) {
      if (auto name = form_.text(item, "an element of `import`", "the path of a file")) names.push_back(*name);
    };
    if (node.kind != Node::Kind::sequence) {
      read_name(node);
    } else if (form_.list(node, "`import`", "paths")) {
      for (const Node& item : node.items) read_name(item);
    }
    return names;
  }

  std::optional<Node> read(const Text& written, const std::string& from, Place place) {
    const fs::path directory = fs::path(from).parent_path();
    const std::string name = (directory / written.value).lexically_normal().generic_string();
    if (std::find(path_.begin(), path_.end(), name) != path_.end()) {
      std::string loop;
      for (const std::string& file : path_) loop += file + " -> ";
      problems_.push_back(error("LB1044", "the file " + ticked(name) + " leads back to itself")
                              .at(written.span, "named here")
                              .note(loop + name)
                              .fix("put what both need into a third file, and import that"));
      return std::nullopt;
    }
    const auto source = load_(name);
    if (!source.ok()) {
      Diagnostic problem = error("LB1043", "the file " + ticked(name) + " cannot be read");
      problem.at(written.span, "named here");
      for (const std::string& note : source.error().front().notes) problem.note(note);
      problems_.push_back(problem.fix("paths in a file start at the directory of that file"));
      return std::nullopt;
    }
    std::optional<Node> root = compose(*source, place);
    if (root && root->kind != Node::Kind::mapping) {
      form_.wrong_type(*root, std::string(rules_of(place).called), "a mapping");
      return std::nullopt;
    }
    if (root) move_inputs(*root, fs::path(name).parent_path().lexically_relative(directory));
    return root;
  }

  // Paths of inputs start at the directory of the file they are written in.
  static void move_inputs(Node& root, const fs::path& directory) {
    Node* inputs = root.find("inputs");
    if (inputs == nullptr || directory.empty() || directory == ".") return;
    std::string prefix;
    for (const char c : directory.generic_string()) prefix.append(c == '$' ? 2 : 1, c);
    for (Node::Entry& entry : inputs->entries) {
      Node* path = entry.value.kind == Node::Kind::mapping ? entry.value.find("path") : nullptr;
      if (path == nullptr || path->kind != Node::Kind::scalar || path->text.empty() || path->text.front() == '/')
        continue;
      path->text = (fs::path(prefix) / path->text).lexically_normal().generic_string();
      path->plain = false;
      path->verbatim = false;
    }
  }

  // The stages of a part stand before those of the file; a name may stand in one of them only.
  void add(Node& root, Node part) {
    for (Node::Entry& entry : part.entries) {
      Node* known = root.find(entry.key.value);
      const bool stages = entry.key.value == "stages";
      const Node::Kind kind = stages ? Node::Kind::sequence : Node::Kind::mapping;
      if (known == nullptr) {
        root.entries.push_back(std::move(entry));
      } else if (find_key(Place::fragment, entry.key.value) != nullptr && entry.value.kind != kind) {
        form_.wrong_type(entry.value, ticked(entry.key.value), stages ? "a list of stages" : "a mapping");
      } else if (known->kind != kind || entry.value.kind != kind) {
        continue;  // reported by the reader
      } else if (stages) {
        known->items.insert(known->items.begin(), entry.value.items.begin(), entry.value.items.end());
      } else {
        std::vector<Node::Entry> own = std::move(known->entries);
        known->entries = std::move(entry.value.entries);
        for (Node::Entry& one : own) {
          const auto same = std::find_if(known->entries.begin(), known->entries.end(),
                                         [&](const Node::Entry& other) { return other.key.value == one.key.value; });
          if (same != known->entries.end()) {
            form_.duplicate(ticked(one.key.value), same->key.span, one.key.span,
                            "what is imported is added, not replaced");
          } else {
            known->entries.push_back(std::move(one));
          }
        }
      }
    }
  }

  const SourceLoader& load_;
  Diagnostics& problems_;
  Form form_;
  std::vector<std::string> path_;  // names of the files being composed
};

void lay_settings(Node& stage, const Node& settings) {
  for (const std::string_view name : {"resources", "retry"}) {
    const Node* given = settings.kind == Node::Kind::mapping ? settings.find(name) : nullptr;
    if (given == nullptr) continue;
    if (Node* known = stage.find(name)) {
      lay_over(*known, *given, name == "resources" ? Place::resources : Place::retry);
    } else {
      stage.entries.push_back({{std::string(name), given->span}, *given});
    }
  }
}

}  // namespace

std::optional<Node> compose(const std::shared_ptr<const SourceText>& source, const SourceLoader& load,
                            Diagnostics& problems) {
  return Composer(load, problems).compose(source, Place::experiment);
}

void apply_profile(Node& root, const std::string& name, Diagnostics& problems) {
  const Node* profiles = root.find("profiles");
  const bool any = profiles != nullptr && profiles->kind == Node::Kind::mapping;
  const Node* profile = any ? profiles->find(name) : nullptr;
  if (profile == nullptr) {
    std::vector<std::string> names;
    if (any) {
      for (const Node::Entry& entry : profiles->entries) names.push_back(entry.key.value);
    }
    const std::string near = nearest(name, names);
    problems.push_back(error("LB0040", "the experiment has no profile " + ticked(name))
                           .note(names.empty() ? "it has no `profiles`" : "its profiles: " + list_of(names))
                           .fix(near.empty() ? "name one of its profiles, or leave --profile out"
                                             : "a profile with a similar name exists: " + ticked(near)));
    return;
  }
  if (profile->kind != Node::Kind::mapping) return;  // reported by the reader
  const Node settings = *profile;                    // `root` is changed below
  Node* stages = root.find("stages");
  if (stages == nullptr || stages->kind != Node::Kind::sequence) return;
  const Node* single = settings.find("stages");
  for (Node& stage : stages->items) {
    if (stage.kind != Node::Kind::mapping) continue;
    lay_settings(stage, settings);
    const Node* own = single != nullptr && single->kind == Node::Kind::mapping ? single->find(id_of(stage)) : nullptr;
    if (own != nullptr) lay_settings(stage, *own);
  }
}

}  // namespace lowbit::spec
