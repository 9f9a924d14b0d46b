// A layered drawing: longest paths give the layers, barycentres the order within them, and long edges go through points
// of their own in the layers between, so that they pass beside boxes.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "base/markup.h"
#include "base/utf8.h"
#include "graph/draw.h"

namespace lowbit::graph {
namespace {

// Units: CSS pixels. Widths of characters are those of common sans-serif fonts, a little generous.
constexpr double kTitleCharacter = 7.6, kSmallCharacter = 6.3;
constexpr double kLine = 16, kPadding = 12, kGap = 28, kMargin = 24, kLayerGap = 62;
constexpr double kPointWidth = 12;
constexpr int kSweeps = 8;

/// A box, or a point of an edge that passes a layer.
struct Cell {
  std::size_t node = 0;
  bool point = false;
  std::size_t layer = 0;
  double x = 0, y = 0;  ///< centre
  double width = kPointWidth, height = 0;
  std::vector<std::size_t> above, below;  ///< cells it is joined with
};

/// From box to box, through points.
struct Route {
  std::size_t edge = 0;
  std::vector<std::size_t> cells;
};

std::string shortened(const std::string& text, std::size_t most) {
  return width_of(text) <= most ? text : std::string(first_characters(text, most - 1)) + "…";
}

std::string px(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.0f", value);
  return text.data();
}

class Layout {
 public:
  explicit Layout(const Drawing& drawing) : drawing_(drawing) {
    make_boxes();
    assign_layers();
    make_routes();
    order_layers();
    place();
  }

  [[nodiscard]] const std::vector<Cell>& cells() const { return cells_; }
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }
  [[nodiscard]] double width() const { return width_; }
  [[nodiscard]] double height() const { return height_; }

 private:
  void make_boxes() {
    for (std::size_t i = 0; i < drawing_.nodes.size(); ++i) {
      const DrawnNode& node = drawing_.nodes[i];
      Cell cell;
      cell.node = i;
      const double small =
          static_cast<double>(std::max(width_of(shortened(node.detail, 44)), width_of(counts_text(node.counts))));
      cell.width = std::max({static_cast<double>(width_of(shortened(node.title, 44))) * kTitleCharacter,
                             small * kSmallCharacter, 60.0}) +
                   2 * kPadding;
      cell.height = kLine * (node.external ? 2 : 3) + kPadding;
      cells_.push_back(cell);
    }
  }

  void assign_layers() {
    for (std::size_t i = 0; i < drawing_.nodes.size(); ++i) {
      for (const DrawnEdge& edge : drawing_.edges) {
        if (!edge.back && edge.to == i) cells_[i].layer = std::max(cells_[i].layer, cells_[edge.from].layer + 1);
      }
    }
    // What reads nothing stands right above what reads it first.
    for (std::size_t i = drawing_.nodes.size(); i-- > 0;) {
      std::size_t first_reader = drawing_.nodes.size();
      bool reads = false;
      for (const DrawnEdge& edge : drawing_.edges) {
        if (edge.back) continue;
        if (edge.from == i) first_reader = std::min(first_reader, cells_[edge.to].layer);
        reads = reads || edge.to == i;
      }
      if (!reads && first_reader < drawing_.nodes.size()) cells_[i].layer = first_reader - 1;
    }
  }

  void make_routes() {
    for (std::size_t e = 0; e < drawing_.edges.size(); ++e) {
      const DrawnEdge& edge = drawing_.edges[e];
      if (edge.back) continue;
      Route route{.edge = e, .cells = {edge.from}};
      for (std::size_t layer = cells_[edge.from].layer + 1; layer < cells_[edge.to].layer; ++layer) {
        Cell point;
        point.point = true;
        point.layer = layer;
        route.cells.push_back(cells_.size());
        cells_.push_back(point);
      }
      route.cells.push_back(edge.to);
      for (std::size_t i = 0; i + 1 < route.cells.size(); ++i) {
        cells_[route.cells[i]].below.push_back(route.cells[i + 1]);
        cells_[route.cells[i + 1]].above.push_back(route.cells[i]);
      }
      routes_.push_back(std::move(route));
    }
    std::size_t layers = 0;
    for (const Cell& cell : cells_) layers = std::max(layers, cell.layer + 1);
    layers_.resize(layers);
    for (std::size_t i = 0; i < cells_.size(); ++i) layers_[cells_[i].layer].push_back(i);
  }

  void order_layers() {
    std::vector<double> rank(cells_.size());
    const auto number = [&](const std::vector<std::size_t>& layer) {
      for (std::size_t i = 0; i < layer.size(); ++i) rank[layer[i]] = static_cast<double>(i);
    };
    for (const auto& layer : layers_) number(layer);
    const auto sort = [&](std::vector<std::size_t>& layer, bool by_above) {
      std::vector<std::pair<double, std::size_t>> wanted;
      for (const std::size_t cell : layer) {
        const auto& neighbours = by_above ? cells_[cell].above : cells_[cell].below;
        wanted.emplace_back(neighbours.empty() ? rank[cell] : mean(neighbours, rank), cell);
      }
      std::stable_sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      for (std::size_t i = 0; i < layer.size(); ++i) layer[i] = wanted[i].second;
      number(layer);
    };
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (std::size_t l = 1; l < layers_.size(); ++l) sort(layers_[l], true);
      for (std::size_t l = layers_.size(); l-- > 1;) sort(layers_[l - 1], false);
    }
  }

  static double mean(const std::vector<std::size_t>& of, const std::vector<double>& values) {
    const double sum =
        std::accumulate(of.begin(), of.end(), 0.0, [&](double total, std::size_t i) { return total + values[i]; });
    return sum / static_cast<double>(of.size());
  }

  /// Packed from the left, then moved towards what they are joined with as far as their neighbours allow.
  void place() {
    double y = kMargin;
    for (const auto& layer : layers_) {
      double x = 0;
      double tallest = 0;
      for (const std::size_t cell : layer) {
        cells_[cell].x = x + cells_[cell].width / 2;
        x += cells_[cell].width + kGap;
        tallest = std::max(tallest, cells_[cell].height);
      }
      for (const std::size_t cell : layer) cells_[cell].y = y + tallest / 2;
      y += tallest + kLayerGap;
    }
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (const auto& layer : layers_) align(layer, true);
      for (std::size_t l = layers_.size(); l-- > 0;) align(layers_[l], false);
    }
    pack_components();
    double left = cells_.empty() ? 0 : cells_.front().x;
    double right = left;
    for (const Cell& cell : cells_) {
      left = std::min(left, cell.x - cell.width / 2);
      right = std::max(right, cell.x + cell.width / 2);
    }
    for (Cell& cell : cells_) cell.x += kMargin - left;
    width_ = right - left + 2 * kMargin;
    height_ = y - kLayerGap + kMargin;
  }

  /// Nothing pulls parts that are not joined towards each other: each is moved as far left as those before it allow.
  void pack_components() {
    std::vector<bool> placed(cells_.size());
    std::vector<std::optional<double>> edge(layers_.size());  // right end of what is placed, by layer
    for (std::size_t first = 0; first < cells_.size(); ++first) {
      if (placed[first]) continue;
      const std::vector<std::size_t> component = joined_with(first, placed);
      double shift = std::numeric_limits<double>::lowest();
      for (const std::size_t i : component) {
        const double free = edge[cells_[i].layer] ? *edge[cells_[i].layer] + kGap : 0;
        shift = std::max(shift, free - (cells_[i].x - cells_[i].width / 2));
      }
      for (const std::size_t i : component) {
        cells_[i].x += shift;
        std::optional<double>& end = edge[cells_[i].layer];
        end = std::max(end.value_or(0), cells_[i].x + cells_[i].width / 2);
      }
    }
  }

  [[nodiscard]] std::vector<std::size_t> joined_with(std::size_t first, std::vector<bool>& placed) const {
    std::vector<std::size_t> component{first};
    placed[first] = true;
    for (std::size_t at = 0; at < component.size(); ++at) {
      for (const auto* neighbours : {&cells_[component[at]].above, &cells_[component[at]].below}) {
        for (const std::size_t n : *neighbours) {
          if (!placed[n]) component.push_back(n);
          placed[n] = true;
        }
      }
    }
    return component;
  }

  void align(const std::vector<std::size_t>& layer, bool by_above) {
    std::vector<double> wanted;
    for (const std::size_t i : layer) {
      const auto& neighbours = by_above ? cells_[i].above : cells_[i].below;
      double x = cells_[i].x;
      if (!neighbours.empty()) {
        x = 0;
        for (const std::size_t n : neighbours) x += cells_[n].x / static_cast<double>(neighbours.size());
      }
      wanted.push_back(x);
    }
    // Twice, from either side; the middle of both keeps every distance that each of them keeps.
    std::vector<double> from_left = wanted;
    std::vector<double> from_right = wanted;
    for (std::size_t i = 1; i < layer.size(); ++i) {
      from_left[i] = std::max(from_left[i], from_left[i - 1] + distance(layer[i - 1], layer[i]));
    }
    for (std::size_t i = layer.size(); i-- > 1;) {
      from_right[i - 1] = std::min(from_right[i - 1], from_right[i] - distance(layer[i - 1], layer[i]));
    }
    for (std::size_t i = 0; i < layer.size(); ++i) cells_[layer[i]].x = (from_left[i] + from_right[i]) / 2;
  }

  [[nodiscard]] double distance(std::size_t left, std::size_t right) const {
    return (cells_[left].width + cells_[right].width) / 2 + kGap;
  }

  const Drawing& drawing_;
  std::vector<Cell> cells_;  ///< the boxes of the nodes first
  std::vector<Route> routes_;
  std::vector<std::vector<std::size_t>> layers_;
  double width_ = 0, height_ = 0;
};

std::string text_at(double x, double y, const std::string& text, const char* style) {
  return "<text x=\"" + px(x) + "\" y=\"" + px(y) + "\" class=\"" + style + "\">" + escaped_xml(text) + "</text>";
}

std::string ports_of(const DrawnEdge& edge) {
  std::string text;
  for (const std::string& port : edge.ports) text += (text.empty() ? "" : ", ") + port;
  return shortened(text, 40);
}

/// Through the points from top to bottom; each piece leaves and arrives upright.
std::string path_of(const std::vector<Cell>& cells, const Route& route) {
  const Cell& from = cells[route.cells.front()];
  double x = from.x;
  double y = from.y + from.height / 2;
  std::string path = "M" + px(x) + " " + px(y);
  for (std::size_t i = 1; i < route.cells.size(); ++i) {
    const Cell& to = cells[route.cells[i]];
    const double end = to.point ? to.y : to.y - to.height / 2 - 6;
    const double middle = (y + end) / 2;
    path += " C" + px(x) + " " + px(middle) + " " + px(to.x) + " " + px(middle) + " " + px(to.x) + " " + px(end);
    x = to.x;
    y = end;
  }
  return path;
}

std::string box_of(const DrawnNode& node, const Cell& cell) {
  const StateColour& colour = colour_of(state_of(node));
  const double top = cell.y - cell.height / 2;
  std::string out = "<g><title>" + escaped_xml(node.title + "\n" + node.detail) + "</title><rect x=\"" +
                    px(cell.x - cell.width / 2) + "\" y=\"" + px(top) + "\" width=\"" + px(cell.width) +
                    "\" height=\"" + px(cell.height) + "\" rx=\"" + (node.external ? "2" : "8") + "\" fill=\"" +
                    std::string(colour.fill) + "\" stroke=\"" + std::string(colour.line) + "\"" +
                    (node.external ? " stroke-dasharray=\"4 3\"" : "") + "/>";
  double y = top + kPadding / 2 + kLine - 4;
  out += text_at(cell.x, y, shortened(node.title, 44), "t");
  out += text_at(cell.x, y += kLine, shortened(node.detail, 44), "d");
  if (!node.external) out += text_at(cell.x, y + kLine, counts_text(node.counts), "c");
  return out + "</g>\n";
}

}  // namespace

std::string draw_svg(const Drawing& drawing) {
  const Layout layout(drawing);
  const bool back = std::any_of(drawing.edges.begin(), drawing.edges.end(), [](const DrawnEdge& e) { return e.back; });
  const std::string summary = counts_text(drawing.counts);
  const double title_width = static_cast<double>(width_of(drawing.title + ": " + summary)) * kTitleCharacter;
  const double width = std::max(layout.width() + (back ? 80 : 0), title_width + 2 * kMargin);
  const double top = 28;
  const double height = layout.height() + top;
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + px(width) + "\" height=\"" + px(height) +
                    "\" viewBox=\"0 0 " + px(width) + " " + px(height) + "\" role=\"img\">\n<title>" +
                    escaped_xml(drawing.title) + "</title><desc>" + escaped_xml(summary) + "</desc>\n";
  out +=
      "<style>text{font:12px system-ui,\"DejaVu Sans\",sans-serif;fill:#16191c;text-anchor:middle}"
      ".t{font-weight:600}.d,.c{font-size:11px}.d{fill:#56606a}"
      ".p{font-size:10px;fill:#56606a;stroke:#fff;stroke-width:3px;paint-order:stroke}"
      ".h{font-weight:600;font-size:14px;text-anchor:start}"
      "path{fill:none;stroke:#8a939b;stroke-width:1.3}</style>\n";
  out +=
      "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"1\" refY=\"4\" markerWidth=\"6\" markerHeight=\"6\" "
      "orient=\"auto\"><polygon points=\"0,0 8,4 0,8\" fill=\"#8a939b\"/></marker></defs>\n";
  out += "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  out += text_at(kMargin, 24, drawing.title + ": " + summary, "h") + "\n";
  out += "<g transform=\"translate(0 " + px(top) + ")\">\n";
  std::string labels;
  for (const Route& route : layout.routes()) {
    const DrawnEdge& edge = drawing.edges[route.edge];
    out += "<path d=\"" + path_of(layout.cells(), route) + "\" marker-end=\"url(#a)\"/>\n";
    // Beside the arrow's head: there edges into one box lie apart, as they come from different sides.
    const Cell& to = layout.cells()[route.cells.back()];
    const Cell& before = layout.cells()[route.cells[route.cells.size() - 2]];
    const double gap_top = before.y + before.height / 2;
    const double gap_end = to.y - to.height / 2;
    labels +=
        text_at(before.x + (to.x - before.x) * 0.5, gap_top + (gap_end - gap_top) * 0.5 + 3, ports_of(edge), "p") +
        "\n";
  }
  for (const DrawnEdge& edge : drawing.edges) {
    if (!edge.back) continue;
    const Cell& from = layout.cells()[edge.from];
    const Cell& to = layout.cells()[edge.to];
    const double side = layout.width() + 30;
    const double start = from.x + from.width / 2;
    const double end = to.x + to.width / 2 + 6;
    out += "<path stroke-dasharray=\"5 4\" d=\"M" + px(start) + " " + px(from.y + 8) + " C" + px(side) + " " +
           px(from.y + 8) + " " + px(side) + " " + px(to.y - 8) + " " + px(end) + " " + px(to.y - 8) +
           "\" marker-end=\"url(#a)\"/>\n";
    labels += text_at((std::max(start, end) + 3 * side) / 4, (from.y + to.y) / 2, ports_of(edge), "p") + "\n";
  }
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i) out += box_of(drawing.nodes[i], layout.cells()[i]);
  return out + labels + "</g>\n</svg>\n";
}

}  // namespace lowbit::graph
