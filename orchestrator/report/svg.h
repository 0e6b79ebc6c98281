// A drawing in SVG, piece by piece, and the scales that put values on it. Looks are classes of the
// page's style sheet, so that a drawing follows light, dark and print.
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover {

class Svg {
 public:
  // `label` says in words what is to be seen.
  Svg(double width, double height, std::string_view label);

  // `title` is shown when the pointer rests on it.
  void Rect(double x, double y, double width, double height, std::string_view look,
            std::string_view title = "");
  void Line(double x1, double y1, double x2, double y2, std::string_view look);
  void Circle(double x, double y, double radius, std::string_view look,
              std::string_view title = "");
  void Text(double x, double y, std::string_view text, std::string_view look = "");
  // `data` as the attribute d has it.
  void Path(std::string_view data, std::string_view look);
  // The finished element.
  [[nodiscard]] std::string Take() &&;

 private:
  std::string text_;
};

// A number of the drawing: one decimal.
std::string Px(double value);

// From values to places, both ends included.
struct Scale {
  double from = 0;
  double to = 1;
  double left = 0;
  double right = 1;
  bool logarithmic = false;  // then `from` is positive

  [[nodiscard]] double At(double value) const;
  // The same, but never outside of the drawing.
  [[nodiscard]] double Within(double value) const;
};

// 1, 2 or 5 times a power of ten, so that `range` has at most `most` steps.
double NiceStep(double range, int most);
// Multiples of the step from `from` to `to`.
std::vector<double> TicksOf(double from, double to, double step);

// A chart once for wide screens and paper, and once for phones, of which the style sheet shows one.
struct ChartSize {
  double width = 0;
  bool narrow = false;
};
inline constexpr ChartSize kWideChart{960, false};
inline constexpr ChartSize kNarrowChart{350, true};

template <typename Draw>
std::string ForBothSizes(const Draw& draw) {
  return "<div class=\"wide\">" + draw(kWideChart) + "</div>\n<div class=\"narrow\">" +
         draw(kNarrowChart) + "</div>\n";
}

}  // namespace drover
