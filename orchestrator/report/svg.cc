#include "orchestrator/report/svg.h"

#include <algorithm>
#include <cmath>

#include "orchestrator/report/markup.h"

namespace drover {
namespace {

std::string Attribute(std::string_view name, double value) {
  return " " + std::string(name) + "=\"" + Px(value) + "\"";
}

std::string Look(std::string_view look) {
  return look.empty() ? "" : " class=\"" + std::string(look) + "\"";
}

std::string End(std::string_view element, std::string_view title) {
  if (title.empty()) return "/>";
  return "><title>" + EscapeMarkup(title) + "</title></" + std::string(element) + ">";
}

}  // namespace

std::string Px(double value) { return DecimalText(value, 1); }

Svg::Svg(double width, double height, std::string_view label)
    : text_("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + Px(width) + " " +
            Px(height) + "\" role=\"img\" aria-label=\"" + EscapeMarkup(label) + "\">") {}

void Svg::Rect(double x, double y, double width, double height, std::string_view look,
               std::string_view title) {
  text_ += "<rect" + Attribute("x", x) + Attribute("y", y) +
           Attribute("width", std::max(0.0, width)) + Attribute("height", std::max(0.0, height)) +
           Look(look) + End("rect", title);
}

void Svg::Line(double x1, double y1, double x2, double y2, std::string_view look) {
  text_ += "<line" + Attribute("x1", x1) + Attribute("y1", y1) + Attribute("x2", x2) +
           Attribute("y2", y2) + Look(look) + "/>";
}

void Svg::Circle(double x, double y, double radius, std::string_view look, std::string_view title) {
  text_ += "<circle" + Attribute("cx", x) + Attribute("cy", y) + Attribute("r", radius) +
           Look(look) + End("circle", title);
}

void Svg::Text(double x, double y, std::string_view text, std::string_view look) {
  text_ += "<text" + Attribute("x", x) + Attribute("y", y) + Look(look) + ">" + EscapeMarkup(text) +
           "</text>";
}

void Svg::Path(std::string_view data, std::string_view look) {
  if (data.empty()) return;
  text_ += "<path d=\"" + std::string(data) + "\"" + Look(look) + "/>";
}

std::string Svg::Take() && { return std::move(text_) + "</svg>"; }

double Scale::At(double value) const {
  if (to == from) return left;
  const double share = logarithmic ? std::log(std::max(value, from) / from) / std::log(to / from)
                                   : (value - from) / (to - from);
  return left + share * (right - left);
}

double Scale::Within(double value) const { return At(std::clamp(value, from, to)); }

double NiceStep(double range, int most) {
  if (!(range > 0) || most < 1) return 1;
  const double least = range / most;
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (power * factor >= least * (1 - 1e-9)) return power * factor;
  }
  return power * 10;
}

std::vector<double> TicksOf(double from, double to, double step) {
  std::vector<double> ticks;
  for (double n = std::ceil(from / step - 1e-9); n * step <= to + step * 1e-9; ++n) {
    ticks.push_back(n * step + 0.0);  // no -0
  }
  return ticks;
}

}  // namespace drover
