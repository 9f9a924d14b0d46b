#include "graph/draw.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/utf8.h"
#include "base/words.h"

namespace lowbit::graph {
namespace {

// Lines: the palette of Okabe and Ito.
constexpr std::array<StateColour, 5> kStateColours{{{"failed", "#fbe4d8", "#b34700"},
                                                    {"run", "#dcecf7", "#0072b2"},
                                                    {"maybe", "#fdf1d3", "#b37d00"},
                                                    {"reuse", "#daf1e9", "#00805d"},
                                                    {"input", "#f3f4f5", "#5b646d"}}};

constexpr std::size_t kNamed = 2;  // of the plugins or paths behind one box

class Drawer {
 public:
  Drawer(const ExpandedGraph& graph, const Plan& plan, const DrawOptions& options)
      : graph_(graph), plan_(plan), options_(options) {}

  Drawing drawing() {
    drawing_.title = graph_.experiment;
    for (const Variant& variant : graph_.variants) add_externals(variant);
    for (VariantIndex i = 0; i < graph_.variants.size(); ++i) add_variant(i);
    for (VariantIndex i = 0; i < graph_.variants.size(); ++i) add_edges(i);
    for (std::size_t i = 0; i < drawing_.nodes.size(); ++i) {
      drawing_.nodes[i].id = "n" + std::to_string(i);
      if (!drawing_.nodes[i].external) drawing_.nodes[i].detail = listed(plugins_[i], kNamed);
    }
    return std::move(drawing_);
  }

 private:
  std::size_t node(const std::string& title) {
    const auto [it, fresh] = by_title_.try_emplace(title, drawing_.nodes.size());
    if (fresh) {
      drawing_.nodes.push_back({.id = {}, .title = printable(title), .detail = {}, .external = false, .counts = {}});
      plugins_.emplace_back();
    }
    return it->second;
  }

  [[nodiscard]] std::string title_of(const Variant& variant) const {
    return options_.variants ? variant.label() : variant.stage;
  }

  /// Inputs by stage carry one name for many paths.
  static std::string title_of(const External& input) { return "inputs." + input.name; }

  void add_externals(const Variant& variant) {
    for (const BoundInput& input : variant.inputs) {
      for (const Member& member : input.members) {
        const auto* external = std::get_if<External>(&member.source);
        if (external == nullptr) continue;
        const std::size_t index = node(title_of(*external));
        DrawnNode& drawn = drawing_.nodes[index];
        drawn.external = true;
        std::vector<std::string>& paths = plugins_[index];
        if (std::find(paths.begin(), paths.end(), external->path) == paths.end()) paths.push_back(external->path);
        drawn.detail = printable(listed(paths, kNamed));
      }
    }
  }

  void add_variant(VariantIndex index) {
    const Variant& variant = graph_.variants[index];
    const std::size_t at = node(title_of(variant));
    std::vector<std::string>& plugins = plugins_[at];
    if (std::find(plugins.begin(), plugins.end(), variant.plugin->id) == plugins.end()) {
      plugins.push_back(variant.plugin->id);
    }
    const Decision decision = plan_.variants[index].decision;
    const bool failed = decision != Decision::reuse && options_.failed.contains(variant.label());
    for (DrawnCounts* counts : {&drawing_.nodes[at].counts, &drawing_.counts}) {
      std::size_t& n = failed                        ? counts->failed
                       : decision == Decision::reuse ? counts->reuse
                       : decision == Decision::run   ? counts->run
                                                     : counts->maybe;
      ++n;
    }
  }

  void add_edges(VariantIndex index) {
    const Variant& variant = graph_.variants[index];
    const std::size_t to = node(title_of(variant));
    for (const BoundInput& input : variant.inputs) {
      for (const Member& member : input.members) {
        std::string port = input.port;
        std::size_t from = 0;
        if (const auto* produced = std::get_if<Produced>(&member.source)) {
          from = node(title_of(graph_.variants[produced->producer]));
          if (produced->port != input.port) port = produced->port + " → " + port;
        } else {
          from = node(title_of(std::get<External>(member.source)));
        }
        add_edge(from, to, input.gathered ? "each " + port : port);
        if (const auto* produced = std::get_if<Produced>(&member.source)) {
          for (const VariantIndex keeper : produced->keepers) {
            add_edge(node(title_of(graph_.variants[keeper])), to, "gate");
          }
        }
      }
    }
  }

  void add_edge(std::size_t from, std::size_t to, const std::string& port) {
    const auto [it, fresh] = by_ends_.try_emplace({from, to}, drawing_.edges.size());
    if (fresh) drawing_.edges.push_back({.from = from, .to = to, .ports = {}, .back = from >= to});
    std::vector<std::string>& ports = drawing_.edges[it->second].ports;
    if (std::find(ports.begin(), ports.end(), port) == ports.end()) ports.push_back(port);
  }

  const ExpandedGraph& graph_;
  const Plan& plan_;
  const DrawOptions& options_;
  Drawing drawing_;
  std::vector<std::vector<std::string>> plugins_;  ///< by node: ids of plugins, or paths
  std::map<std::string, std::size_t> by_title_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> by_ends_;
};

std::string quoted_dot(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// Inside the quotes of a Mermaid label, which reads HTML.
std::string escaped_mermaid(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '"': out += "#quot;"; break;
      case '<': out += "#lt;"; break;
      case '>': out += "#gt;"; break;
      case '#': out += "#35;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace

const StateColour& colour_of(std::string_view state) {
  return *std::find_if(kStateColours.begin(), kStateColours.end() - 1,
                       [&](const StateColour& colour) { return colour.state == state; });
}

std::string_view state_of(const DrawnNode& node) {
  if (node.external) return "input";
  if (node.counts.failed > 0) return "failed";
  if (node.counts.run > 0 || node.counts.missing > 0) return "run";
  return node.counts.maybe > 0 ? "maybe" : "reuse";
}

std::string counts_text(const DrawnCounts& counts) {
  std::string text;
  const auto add = [&](std::size_t n, const char* mark, const char* word) {
    if (n > 0) text += (text.empty() ? "" : ", ") + std::string(mark) + " " + std::to_string(n) + " " + word;
  };
  add(counts.failed, "✗", "failed");
  add(counts.run, "▶", "run");
  add(counts.maybe, "?", "maybe");
  add(counts.reuse, "✓", "reuse");
  add(counts.missing, "·", "missing");
  add(counts.done, "✓", "done");
  return text;
}

Drawing drawing_of(const ExpandedGraph& graph, const Plan& plan, const DrawOptions& options) {
  return Drawer(graph, plan, options).drawing();
}

std::string draw_text(const Drawing& drawing) {
  std::string out = drawing.title + "  " + counts_text(drawing.counts) + "\n";
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i) {
    const DrawnNode& node = drawing.nodes[i];
    out += node.title + "  " + node.detail;
    if (!node.external) out += "  " + counts_text(node.counts);
    out += "\n";
    for (const DrawnEdge& edge : drawing.edges) {
      if (edge.to == i) out += "  <- " + drawing.nodes[edge.from].title + "  " + joined(edge.ports, ", ") + "\n";
    }
  }
  return out;
}

std::string draw_dot(const Drawing& drawing) {
  std::string out = "digraph " + quoted_dot(drawing.title) + " {\n";
  out += "  rankdir=TB; node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=11];\n";
  out += "  edge [fontname=\"sans-serif\", fontsize=9];\n";
  for (const DrawnNode& node : drawing.nodes) {
    const StateColour& colour = colour_of(state_of(node));
    std::string label = quoted_dot(node.title);
    label.pop_back();
    label += "\\n" + quoted_dot(node.detail).substr(1);
    if (!node.external) {
      label.pop_back();
      label += "\\n" + counts_text(node.counts) + "\"";
    }
    out += "  " + node.id + " [label=" + label + ", fillcolor=\"" + std::string(colour.fill) + "\", color=\"" +
           std::string(colour.line) + "\"" + (node.external ? ", style=filled" : "") + "];\n";
  }
  for (const DrawnEdge& edge : drawing.edges) {
    out += "  " + drawing.nodes[edge.from].id + " -> " + drawing.nodes[edge.to].id +
           " [label=" + quoted_dot(joined(edge.ports, ", ")) + (edge.back ? ", style=dashed, constraint=false" : "") +
           "];\n";
  }
  return out + "}\n";
}

std::string draw_mermaid(const Drawing& drawing) {
  std::string out = "flowchart TB\n";
  for (const DrawnNode& node : drawing.nodes) {
    std::string label = escaped_mermaid(node.title) + "<br/>" + escaped_mermaid(node.detail);
    if (!node.external) label += "<br/>" + counts_text(node.counts);
    out += "  " + node.id + (node.external ? "[/\"" : "[\"") + label + (node.external ? "\"/]" : "\"]") +
           ":::" + std::string(state_of(node)) + "\n";
  }
  for (const DrawnEdge& edge : drawing.edges) {
    out += "  " + drawing.nodes[edge.from].id + (edge.back ? " -.->|\"" : " -->|\"") +
           escaped_mermaid(joined(edge.ports, ", ")) + "\"| " + drawing.nodes[edge.to].id + "\n";
  }
  for (const StateColour& colour : kStateColours) {
    out += "  classDef " + std::string(colour.state) + " fill:" + std::string(colour.fill) +
           ",stroke:" + std::string(colour.line) + ",color:#16191c\n";
  }
  return out;
}

}  // namespace lowbit::graph
