#include <algorithm>
#include <filesystem>

#include "base/utf8.h"
#include "base/words.h"
#include "graph/draw.h"

namespace lowbit::graph {
namespace {

constexpr std::size_t kDigestShown = 8;
constexpr std::size_t kPluginsShown = 2;  // of the plugins behind one box

class StudyDrawer {
 public:
  StudyDrawer(const StudyResults& study, const StudyRecipes& recipes, const std::map<std::string, std::string>& paths)
      : study_(study), recipes_(recipes), paths_(paths) {}

  Drawing drawing() {
    drawing_.title = printable(study_.experiment);
    for (const StudyRecipe& recipe : recipes_) {
      for (const RecipeInput& input : recipe.inputs) {
        if (!input.maker) external(input);
      }
    }
    for (std::size_t i = 0; i < study_.variants.size(); ++i) add_variant(i);
    for (std::size_t i = 0; i < recipes_.size(); ++i) add_edges(i);
    for (std::size_t n = 0; n < drawing_.nodes.size(); ++n) {
      drawing_.nodes[n].id = "n" + std::to_string(n);
      if (!plugins_[n].empty()) drawing_.nodes[n].detail = printable(listed(plugins_[n], kPluginsShown));
    }
    return std::move(drawing_);
  }

 private:
  std::size_t node(const std::string& name, const std::string& title) {
    const auto [it, fresh] = by_name_.try_emplace(name, drawing_.nodes.size());
    if (fresh) {
      drawing_.nodes.push_back({.id = {}, .title = printable(title), .detail = {}, .external = false, .counts = {}});
      plugins_.emplace_back();
    }
    return it->second;
  }

  std::size_t stage(std::size_t variant) {
    return node("stage " + study_.variants[variant].stage, study_.variants[variant].stage);
  }

  std::size_t external(const RecipeInput& input) {
    const auto path = paths_.find(input.digest);
    const std::string digest = input.digest.substr(0, kDigestShown);
    const bool known = path != paths_.end();
    const std::size_t n =
        node("outside " + input.digest, known ? std::filesystem::path(path->second).filename().string() : input.port);
    drawing_.nodes[n].external = true;
    drawing_.nodes[n].detail = digest;
    return n;
  }

  void add_variant(std::size_t variant) {
    const std::size_t n = stage(variant);
    const std::string& state = study_.variants[variant].state;
    for (DrawnCounts* counts : {&drawing_.nodes[n].counts, &drawing_.counts}) {
      std::size_t& count = state == "done"                                                ? counts->done
                           : state == "failed" || state == "cancelled" || state == "lost" ? counts->failed
                                                                                          : counts->missing;
      ++count;
    }
    const std::string plugin = plugin_text(recipes_[variant].record);
    if (std::find(plugins_[n].begin(), plugins_[n].end(), plugin) == plugins_[n].end()) plugins_[n].push_back(plugin);
  }

  void add_edges(std::size_t variant) {
    const std::size_t to = stage(variant);
    for (const RecipeInput& input : recipes_[variant].inputs) {
      const std::size_t from = input.maker ? stage(*input.maker) : external(input);
      const bool renamed = input.maker && input.maker_port != input.port;
      const std::string port = printable(renamed ? input.maker_port + " → " + input.port : input.port);
      const auto [it, fresh] = by_ends_.try_emplace({from, to}, drawing_.edges.size());
      if (fresh) drawing_.edges.push_back({.from = from, .to = to, .ports = {}, .back = from >= to});
      std::vector<std::string>& ports = drawing_.edges[it->second].ports;
      if (std::find(ports.begin(), ports.end(), port) == ports.end()) ports.push_back(port);
    }
  }

  const StudyResults& study_;
  const StudyRecipes& recipes_;
  const std::map<std::string, std::string>& paths_;
  Drawing drawing_;
  std::vector<std::vector<std::string>> plugins_;  ///< by node; none of what is from outside
  std::map<std::string, std::size_t> by_name_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> by_ends_;
};

}  // namespace

Drawing drawing_of(const StudyResults& study, const StudyRecipes& recipes,
                   const std::map<std::string, std::string>& paths) {
  return StudyDrawer(study, recipes, paths).drawing();
}

}  // namespace lowbit::graph
