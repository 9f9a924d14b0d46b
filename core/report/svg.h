// SVG 1.1 as text: shapes in CSS pixels, rounded to a tenth, so that equal figures are equal files. Attributes stand on
// the shapes themselves: no style sheet, no script, nothing that a converter to PDF has to know. Pure.
//
//   Svg svg("What bits cost", "RTN: 4 points, perplexity 12 to 40.");
//   svg.line({0, 10}, {80, 10}, {.color = "#333"});
//   const std::string file = svg.finish(640, 300);
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lowbit::report {

struct Spot {
  double x = 0;
  double y = 0;
};

struct Stroke {
  std::string_view color = "#333";
  double width = 1;
  std::string_view dash = {};  ///< "6 3"; empty: solid
  double opacity = 1;
};

enum class Anchor { start, middle, end };

struct TextStyle {
  double size = 12;
  Anchor anchor = Anchor::start;
  bool bold = false;
  std::string_view color = "#16191c";
  bool halo = false;  ///< a white rim, for text on a pattern
};

enum class Marker { circle, square, triangle, diamond, cross, plus, wedge };
enum class Hatch { none, rising, dots, falling, level, grid, upright };

/// At most one digit after the point; never -0.
[[nodiscard]] std::string pixels(double value);
/// As Helvetica has it; fonts that stand in for it are the same or a little wider.
[[nodiscard]] double text_width(std::string_view text, double size, bool bold = false);
/// Lines of at most `width` pixels, broken between words; a longer word has a line of its own.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, double width, double size, bool bold = false);

class Svg {
 public:
  Svg(std::string_view title, std::string_view description);

  void line(Spot from, Spot to, const Stroke& stroke);
  void path(const std::vector<Spot>& through, const Stroke& stroke, bool closed = false);
  void area(const std::vector<Spot>& around, std::string_view color, double opacity);
  void rectangle(Spot corner, double width, double height, std::string_view fill, const Stroke* border = nullptr);
  /// Filled with a colour, and lines that tell it from others without colour.
  void hatched(Spot corner, double width, double height, std::string_view color, Hatch hatch);
  void marker(Marker kind, Spot at, std::string_view color, bool hollow = false);
  void text(Spot at, std::string_view text, const TextStyle& style);
  /// From left to right through the colours.
  void gradient(Spot corner, double width, double height, const std::vector<std::string>& colors);

  /// The whole document, on white.
  [[nodiscard]] std::string finish(double width, double height) const;

 private:
  std::string hatch_id(std::string_view color, Hatch hatch);

  std::string title_;
  std::string description_;
  std::string defs_;
  std::vector<std::string> hatches_;  ///< ids that are defined
  std::string body_;
  std::size_t n_gradients_ = 0;
};

}  // namespace lowbit::report
