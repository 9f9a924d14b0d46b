#include "report/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/markup.h"
#include "base/utf8.h"

namespace lowbit::report {
namespace {

constexpr double kMarkerSize = 3.6;  // half of its width
constexpr std::string_view kFonts = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

std::string attribute(std::string_view name, std::string_view value) {
  return std::string(" ").append(name).append("=\"").append(value).append("\"");
}
std::string attribute(std::string_view name, double value) { return attribute(name, pixels(value)); }

std::string stroked(const Stroke& stroke) {
  std::string out = attribute("stroke", stroke.color);
  if (stroke.width != 1) out += attribute("stroke-width", stroke.width);
  if (!stroke.dash.empty()) out += attribute("stroke-dasharray", stroke.dash);
  if (stroke.opacity < 1) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%.2g", stroke.opacity);
    out += attribute("stroke-opacity", text.data());
  }
  return out;
}

std::string path_data(const std::vector<Spot>& through, bool closed) {
  std::string out;
  for (const Spot& spot : through) {
    out += (out.empty() ? "M" : "L") + pixels(spot.x) + " " + pixels(spot.y);
  }
  return closed ? out + "Z" : out;
}

/// Of Helvetica, as Adobe published them, in thousandths of the size; Arial and Liberation Sans have the same.
constexpr std::array<int, 95> kWidths{278,  278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
                                      556,  556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
                                      1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
                                      667,  778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
                                      333,  556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
                                      556,  556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584};

double character_width(std::string_view character) {
  if (character.size() == 2) return 600;  // Greek and accented letters
  if (character.size() > 2) return 1000;  // arrows, and what a square holds
  const auto c = static_cast<unsigned char>(character.front());
  return c >= 32 && c < 127 ? kWidths.at(c - 32U) : 600;
}

}  // namespace

std::string pixels(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  std::string out = text.data();
  if (out.ends_with(".0")) out.resize(out.size() - 2);
  return out == "-0" ? "0" : out;
}

double text_width(std::string_view text, double size, bool bold) {
  constexpr double kBold = 1.08;
  double thousandths = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text.substr(i)), 1);
    thousandths += character_width(text.substr(i, length));
    i += length;
  }
  return thousandths / 1000 * size * (bold ? kBold : 1);
}

std::vector<std::string> wrapped(std::string_view text, double width, double size, bool bold) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string word(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string longer = line.empty() ? word : line + " " + word;
    if (!line.empty() && text_width(longer, size, bold) > width) {
      lines.push_back(line);
      line = word;
    } else {
      line = longer;
    }
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

Svg::Svg(std::string_view title, std::string_view description)
    : title_(escaped_xml(title)), description_(escaped_xml(description)) {}

void Svg::line(Spot from, Spot to, const Stroke& stroke) {
  body_ += "<line" + attribute("x1", from.x) + attribute("y1", from.y) + attribute("x2", to.x) + attribute("y2", to.y) +
           stroked(stroke) + "/>\n";
}

void Svg::path(const std::vector<Spot>& through, const Stroke& stroke, bool closed) {
  if (through.size() < 2) return;
  body_ += "<path fill=\"none\" stroke-linejoin=\"round\"" + stroked(stroke) +
           attribute("d", path_data(through, closed)) + "/>\n";
}

void Svg::area(const std::vector<Spot>& around, std::string_view color, double opacity) {
  if (around.size() < 3) return;
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.2g", opacity);
  body_ += "<path" + attribute("fill", color) + attribute("fill-opacity", text.data()) +
           attribute("d", path_data(around, true)) + "/>\n";
}

void Svg::rectangle(Spot corner, double width, double height, std::string_view fill, const Stroke* border) {
  body_ += "<rect" + attribute("x", corner.x) + attribute("y", corner.y) + attribute("width", width) +
           attribute("height", height) + attribute("fill", fill) + (border != nullptr ? stroked(*border) : "") + "/>\n";
}

void Svg::hatched(Spot corner, double width, double height, std::string_view color, Hatch hatch) {
  const Stroke border{.color = "#333", .width = 0.6};
  if (hatch == Hatch::none) {
    rectangle(corner, width, height, color, &border);
  } else {
    rectangle(corner, width, height, "url(#" + hatch_id(color, hatch) + ")", &border);
  }
}

std::string Svg::hatch_id(std::string_view color, Hatch hatch) {
  constexpr std::array<std::string_view, 7> kLines{
      "",
      "<path d=\"M-1 1L1 -1M0 8L8 0M7 9L9 7\"",
      "",
      "<path d=\"M-1 7L1 9M0 0L8 8M7 -1L9 1\"",
      "<path d=\"M0 4H8\"",
      "<path d=\"M0 4H8M4 0V8\"",
      "<path d=\"M4 0V8\"",
  };
  const auto number = static_cast<std::size_t>(hatch);
  std::string id = "h" + std::to_string(number) + std::string(color.substr(color.empty() ? 0 : 1));
  if (std::find(hatches_.begin(), hatches_.end(), id) != hatches_.end()) return id;
  hatches_.push_back(id);
  defs_ += "<pattern id=\"" + id + "\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><rect width=\"8\"" +
           " height=\"8\"" + attribute("fill", color) + "/>" +
           (hatch == Hatch::dots
                ? std::string("<path fill=\"#fff\" d=\"M1 1h2v2h-2zM5 5h2v2h-2z\"/>")
                : std::string(kLines.at(number)) + " stroke=\"#fff\" stroke-width=\"1.4\" fill=\"none\"/>") +
           "</pattern>\n";
  return id;
}

void Svg::marker(Marker kind, Spot at, std::string_view color, bool hollow) {
  const double s = kMarkerSize;
  const double x = at.x;
  const double y = at.y;
  const std::string fill = attribute("fill", hollow ? "#fff" : color) + attribute("stroke", hollow ? color : "#fff") +
                           attribute("stroke-width", hollow ? 1.4 : 0.6);
  const auto shape = [&](const std::vector<Spot>& around) {
    body_ += "<path" + fill + attribute("d", path_data(around, true)) + "/>\n";
  };
  const auto crossed = [&](const std::vector<Spot>& ends) {
    body_ += "<path fill=\"none\"" + attribute("stroke", color) + attribute("stroke-width", 2) +
             attribute("d", path_data({ends[0], ends[1]}, false) + path_data({ends[2], ends[3]}, false)) + "/>\n";
  };
  switch (kind) {
    case Marker::circle:
      body_ += "<circle" + attribute("cx", x) + attribute("cy", y) + attribute("r", s) + fill + "/>\n";
      return;
    case Marker::square: shape({{x - s, y - s}, {x + s, y - s}, {x + s, y + s}, {x - s, y + s}}); return;
    case Marker::triangle: shape({{x, y - s - 1}, {x + s + 0.6, y + s}, {x - s - 0.6, y + s}}); return;
    case Marker::diamond: shape({{x, y - s - 1}, {x + s + 1, y}, {x, y + s + 1}, {x - s - 1, y}}); return;
    case Marker::cross: crossed({{x - s, y - s}, {x + s, y + s}, {x - s, y + s}, {x + s, y - s}}); return;
    case Marker::plus: crossed({{x - s - 1, y}, {x + s + 1, y}, {x, y - s - 1}, {x, y + s + 1}}); return;
    case Marker::wedge: shape({{x, y + s + 1}, {x + s + 0.6, y - s}, {x - s - 0.6, y - s}}); return;
  }
}

void Svg::text(Spot at, std::string_view text, const TextStyle& style) {
  body_ += "<text" + attribute("x", at.x) + attribute("y", at.y);
  if (style.size != 12) body_ += attribute("font-size", style.size);
  if (style.anchor != Anchor::start) {
    body_ += attribute("text-anchor", style.anchor == Anchor::middle ? "middle" : "end");
  }
  if (style.bold) body_ += attribute("font-weight", "bold");
  if (style.color != "#16191c") body_ += attribute("fill", style.color);
  if (style.halo) body_ += " stroke=\"#fff\" stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\"";
  body_ += ">" + escaped_xml(text) + "</text>\n";
}

void Svg::gradient(Spot corner, double width, double height, const std::vector<std::string>& colors) {
  const std::string id = "g" + std::to_string(n_gradients_++);
  defs_ += "<linearGradient id=\"" + id + "\">";
  for (std::size_t i = 0; i < colors.size(); ++i) {
    const double percent =
        100 * static_cast<double>(i) / static_cast<double>(std::max<std::size_t>(colors.size() - 1, 1));
    defs_ += "<stop" + attribute("offset", pixels(percent) + "%") + attribute("stop-color", colors[i]) + "/>";
  }
  defs_ += "</linearGradient>\n";
  const Stroke border{.color = "#333", .width = 0.6};
  rectangle(corner, width, height, "url(#" + id + ")", &border);
}

std::string Svg::finish(double width, double height) const {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", width) + attribute("height", height) +
         attribute("viewBox", "0 0 " + pixels(width) + " " + pixels(height)) + " role=\"img\"" +
         attribute("font-family", kFonts) + " font-size=\"12\" fill=\"#16191c\">\n<title>" + title_ +
         "</title>\n<desc>" + description_ + "</desc>\n" + (defs_.empty() ? "" : "<defs>\n" + defs_ + "</defs>\n") +
         "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" + body_ + "</svg>\n";
}

}  // namespace lowbit::report
