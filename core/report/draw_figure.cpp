#include "report/draw_figure.h"

#include "report/figure_data.h"

namespace lowbit::report {

std::vector<DrawnFigure> draw_figure(const FigureSpec& figure, const MeasuredFigure& measured,
                                     const std::string& rerun) {
  const std::vector<std::string> footnotes = footnotes_of(figure, measured, rerun);
  switch (figure.kind) {
    case FigureSpec::Kind::line: return {{"", draw_line(figure, measured, footnotes)}};
    case FigureSpec::Kind::radar:
      return {{"", draw_radar(figure, measured, footnotes)}, {"-dots", draw_dots(figure, measured, footnotes)}};
    case FigureSpec::Kind::bars: return {{"", draw_bars(figure, measured, footnotes)}};
    case FigureSpec::Kind::curves: return {{"", draw_curves(figure, measured, footnotes)}};
    case FigureSpec::Kind::heat: break;
  }
  return {{"", draw_heat(figure, measured, footnotes)}};
}

}  // namespace lowbit::report
