#include "orchestrator/report/drill_charts.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "orchestrator/drill/statistics.h"
#include "orchestrator/report/markup.h"

namespace drover {
namespace {

constexpr double kSecond = 1e6;        // microseconds
constexpr double kLetter = 6.6;        // width of one, about
constexpr double kAxisHeight = 22;     // below a chart
constexpr double kLeastVisible = 1.5;  // px
constexpr std::size_t kMostMilestones = 24;

double Seconds(ProbeTime time) { return static_cast<double>(time.count()) / kSecond; }

// The axis of a drill: from the first to the last planned probe, 0 is the injection.
Scale AxisOf(const DrillPicture& picture, double left, double right) {
  const double zero = Seconds(picture.journal.injected.value_or(ProbeTime(0)));
  const double end = std::max(Seconds(picture.analysis.length), 0.1);
  return {.from = -zero, .to = end - zero, .left = left, .right = right};
}

double SinceInjection(const DrillPicture& picture, ProbeTime at) {
  return Seconds(at - picture.journal.injected.value_or(ProbeTime(0)));
}

std::string TickText(double seconds) {
  const std::string number = DecimalText(seconds, 3);
  return (seconds > 1e-9 ? "+" : "") + number + " s";
}

void DrawAxis(Svg& svg, const Scale& axis, double top, double bottom, ChartSize size) {
  const double step = NiceStep(axis.to - axis.from, size.narrow ? 5 : 10);
  for (const double tick : TicksOf(axis.from, axis.to, step)) {
    const double x = axis.At(tick);
    svg.Line(x, top, x, bottom, "grid");
    svg.Text(x, bottom + 15, TickText(tick), "mid");
  }
}

const SeriesAnalysis* PathSeries(const DrillAnalysis& analysis) {
  const SeriesAnalysis* worst = nullptr;
  for (const SeriesAnalysis& one : analysis.series) {
    if (one.series.kind != ProbeKind::kPath) continue;
    const bool longer = worst != nullptr && one.outage &&
                        (!worst->outage || one.outage->at_least() > worst->outage->at_least());
    if (worst == nullptr || longer) worst = &one;
  }
  return worst;
}

// Where an axis of time shows an outage; its end is that of the axis when it was not seen.
struct OutageSpan {
  double from = 0;
  double to = 0;
};
OutageSpan SpanOf(const Outage& outage, const DrillPicture& picture, const Scale& axis) {
  return {axis.Within(SinceInjection(picture, outage.last_ok.value_or(outage.first_bad))),
          outage.next_ok ? axis.Within(SinceInjection(picture, *outage.next_ok)) : axis.right};
}

// The time in which the fault was there, and in it that in which nothing went through.
void ShadeFault(Svg& svg, const DrillPicture& picture, const Scale& axis, double top,
                double bottom) {
  if (!picture.journal.injected) return;
  const double end =
      picture.journal.undone ? SinceInjection(picture, *picture.journal.undone) : axis.to;
  const double left = axis.Within(0);
  svg.Rect(left, top, axis.Within(end) - left, bottom - top, "fault", "the fault is there");
  const SeriesAnalysis* path = PathSeries(picture.analysis);
  if (path != nullptr && path->outage) {
    const Outage& outage = *path->outage;
    const auto [from, to] = SpanOf(outage, picture, axis);
    svg.Rect(from, top, std::max(to - from, kLeastVisible), bottom - top, "outage",
             "outage " + SpanText(outage.at_least()));
  }
}

void MarkFault(Svg& svg, const DrillPicture& picture, const Scale& axis, double top,
               double bottom) {
  if (!picture.journal.injected) return;
  svg.Line(axis.At(0), top, axis.At(0), bottom, "zero");
  if (picture.journal.undone) {
    const double x = axis.Within(SinceInjection(picture, *picture.journal.undone));
    svg.Line(x, top, x, bottom, "back");
  }
}

double GutterFor(const std::vector<std::string>& labels, ChartSize size) {
  std::size_t longest = 4;
  for (const std::string& label : labels) longest = std::max(longest, label.size());
  const double most = size.narrow ? 84 : 150;
  return std::min(most, static_cast<double>(longest) * kLetter + 12);
}

std::string CutLabel(const std::string& label, double gutter) {
  const auto room = static_cast<std::size_t>((gutter - 8) / kLetter);
  if (label.size() <= room || room < 2) return label;
  std::size_t cut = room - 1;
  while (cut > 0 && (static_cast<unsigned char>(label[cut]) & 0xC0U) == 0x80U) --cut;
  return label.substr(0, cut) + "…";
}

// --- owners

std::vector<MacAddress> LanesOf(const DrillPicture& picture) {
  std::vector<MacAddress> lanes;
  const auto add = [&](const MacAddress& mac) {
    if (std::find(lanes.begin(), lanes.end(), mac) == lanes.end()) lanes.push_back(mac);
  };
  for (const OwnerInterval& owner : picture.analysis.owners) add(owner.mac);
  for (const FrameSighting& frame : picture.analysis.frames) {
    if (frame.kind != FrameKind::kData) add(frame.mac);
  }
  return lanes;
}

// One mark per pixel is enough for a thousand adverts.
void DrawFrames(Svg& svg, const DrillPicture& picture, const MacAddress& mac, const Scale& axis,
                double y) {
  std::set<int> adverts;
  std::set<int> announcements;
  for (const FrameSighting& frame : picture.analysis.frames) {
    if (frame.mac != mac) continue;
    const int x = static_cast<int>(std::lround(axis.Within(SinceInjection(picture, frame.at))));
    if (frame.kind == FrameKind::kAdvert) adverts.insert(x);
    if (frame.kind == FrameKind::kAnnouncement) announcements.insert(x);
  }
  std::string ticks;
  for (const int x : adverts) {
    ticks += "M" + std::to_string(x) + " " + Px(y + 20) + "v6";
  }
  svg.Path(ticks, "advert");
  for (const int x : announcements) svg.Circle(x, y + 23, 3.5, "announce", "announcement");
}

void DrawOwnerLane(Svg& svg, const DrillPicture& picture, const MacAddress& mac, std::size_t lane,
                   const Scale& axis, double y) {
  const std::string name = OwnerName(picture.journal, mac);
  svg.Text(axis.left - 8, y + 13, CutLabel(name, axis.left), "end strong");
  svg.Rect(axis.left, y + 3, axis.right - axis.left, 14, "track");
  for (const OwnerInterval& owner : picture.analysis.owners) {
    if (owner.mac != mac) continue;
    const double from = axis.Within(SinceInjection(picture, owner.from));
    const double to = axis.Within(SinceInjection(picture, owner.to));
    svg.Rect(from, y + 3, std::max(to - from, kLeastVisible), 14, "own" + std::to_string(lane % 3),
             name + " owned the VIP from " + TickText(SinceInjection(picture, owner.from)) +
                 " to " + TickText(SinceInjection(picture, owner.to)));
  }
  DrawFrames(svg, picture, mac, axis, y);
}

void DrawMoments(Svg& svg, const DrillPicture& picture, const Scale& axis, double y) {
  int number = 0;
  double free = axis.left;  // those that are close together stand side by side
  for (const DrillMoment& moment : picture.journal.moments) {
    const double x = std::max(free, axis.Within(SinceInjection(picture, moment.at)));
    free = x + 15;
    svg.Circle(x, y + 10, 7, "moment",
               (moment.host.empty() ? "" : moment.host + ": ") + moment.what);
    svg.Text(x, y + 14, std::to_string(++number), "on");
  }
}

// --- outcomes

struct Shares {
  std::array<std::uint64_t, 6> by_fate{};  // ProbeFate
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : by_fate) sum += count;
    return sum;
  }
  bool operator==(const Shares&) const = default;
};

constexpr std::array kFateOrder = {ProbeFate::kOk,    ProbeFate::kLate,   ProbeFate::kError,
                                   ProbeFate::kWrong, ProbeFate::kUnsent, ProbeFate::kLost};

void DrawShares(Svg& svg, const Shares& shares, double left, double right, double top,
                double height, const std::string& when) {
  const auto total = static_cast<double>(shares.total());
  if (total == 0) return;
  double bottom = top + height;
  for (const ProbeFate fate : kFateOrder) {
    const std::uint64_t count = shares.by_fate.at(static_cast<std::size_t>(fate));
    if (count == 0) continue;
    // A single bad one among thousands is still to be seen.
    const double bad = fate == ProbeFate::kOk ? 0 : 2;
    const double part = std::max(bad, static_cast<double>(count) / total * height);
    const double y = std::max(top, bottom - part);
    // A little over the next one, so that no gap shows between them.
    svg.Rect(left, y, right - left + 0.6, bottom - y, ToString(fate),
             when + ": " + std::to_string(count) + " " + std::string(ToString(fate)) + " of " +
                 std::to_string(shares.total()));
    bottom = y;
  }
}

// Spans of time so that about `bars` fit, in whole tenths of a second.
ProbeTime SpanFor(ProbeTime length, double bars) {
  const double step = NiceStep(std::max(Seconds(length), 0.1), static_cast<int>(bars));
  return std::max(kBrownOutWindow, ProbeTime(std::llround(step * kSecond)));
}

void DrawOutcomes(Svg& svg, const DrillPicture& picture, std::size_t series, const Scale& axis,
                  double top, double height, ProbeTime span) {
  std::map<std::int64_t, Shares> windows;
  for (const ProbeRecord& record : picture.log.records) {
    if (record.series != series) continue;
    ++windows[record.planned / span].by_fate.at(static_cast<std::size_t>(record.fate));
  }
  // Neighbours with nothing but success are one bar.
  const auto clean = [](const Shares& shares) { return shares.by_fate[0] == shares.total(); };
  for (auto window = windows.begin(); window != windows.end();) {
    auto last = window;
    Shares shares = window->second;
    for (auto next = std::next(window); clean(shares) && next != windows.end() &&
                                        clean(next->second) && next->first == last->first + 1;
         ++next) {
      shares.by_fate[0] += next->second.by_fate[0];
      last = next;
    }
    const double from = SinceInjection(picture, span * window->first);
    const double to = SinceInjection(picture, span * (last->first + 1));
    DrawShares(svg, shares, axis.Within(from), axis.Within(to), top, height,
               TickText(from) + " to " + TickText(to));
    window = std::next(last);
  }
}

// --- latencies

struct LatencyWindow {
  std::vector<double> answers;  // ms
  std::uint64_t unanswered = 0;
};

std::map<std::int64_t, LatencyWindow> WindowsOf(const ProbeLog& log, std::size_t series,
                                                ProbeTime span) {
  std::map<std::int64_t, LatencyWindow> windows;
  for (const ProbeRecord& record : log.records) {
    if (record.series != series || record.fate == ProbeFate::kUnsent) continue;
    LatencyWindow& window = windows[record.planned / span];
    const auto latency = record.latency();
    if (latency && record.fate != ProbeFate::kError) {
      window.answers.push_back(static_cast<double>(latency->count()) / 1000);
    } else {
      ++window.unanswered;
    }
  }
  for (auto& [number, window] : windows) std::sort(window.answers.begin(), window.answers.end());
  return windows;
}

// "0.1 ms", "1 s" at the powers of ten.
void DrawDecades(Svg& svg, const Scale& vertical, double left, double right) {
  for (double value = vertical.from; value <= vertical.to * 1.001; value *= 10) {
    const double y = vertical.At(value);
    svg.Line(left, y, right, y, "grid");
    const std::string text =
        value >= 1000 ? DecimalText(value / 1000, 0) + " s" : DecimalText(value, 3) + " ms";
    svg.Text(left - 6, y + 4, text, "end");
  }
}

Scale LatencyScale(const std::map<std::int64_t, LatencyWindow>& windows, double bottom,
                   double top) {
  double least = 1;
  double most = 1;
  for (const auto& [number, window] : windows) {
    if (window.answers.empty()) continue;
    least = std::min(least, std::max(0.01, NearestRank(window.answers, 0.5)));
    most = std::max(most, window.answers.back());
  }
  return {.from = std::pow(10, std::floor(std::log10(least))),
          .to = std::pow(10, std::ceil(std::log10(most * 1.001))),
          .left = bottom,
          .right = top,
          .logarithmic = true};
}

struct Curve {
  double quantile;
  const char* look;
};
constexpr std::array kCurves = {Curve{1, "max"}, Curve{0.99, "p99"}, Curve{0.5, "p50"}};

void DrawCurves(Svg& svg, const DrillPicture& picture,
                const std::map<std::int64_t, LatencyWindow>& windows, ProbeTime span,
                const Scale& axis, const Scale& vertical) {
  for (const Curve& curve : kCurves) {
    std::string data;
    std::optional<std::int64_t> before;
    for (const auto& [number, window] : windows) {
      if (window.answers.empty()) continue;
      const double x = axis.Within(SinceInjection(picture, span * number + span / 2));
      const double y = vertical.Within(NearestRank(window.answers, curve.quantile));
      const bool joined = before && *before == number - 1;
      // Where nothing was answered the line is broken; a lone point is a short dash.
      data += (joined ? "L" : "M") + Px(x) + " " + Px(y) + (joined ? "" : "h0.8");
      before = number;
    }
    svg.Path(data, curve.look);
  }
}

std::string UnansweredMarks(const DrillPicture& picture,
                            const std::map<std::int64_t, LatencyWindow>& windows, ProbeTime span,
                            const Scale& axis, double y) {
  std::string data;
  for (const auto& [number, window] : windows) {
    if (window.unanswered == 0) continue;
    const double from = axis.Within(SinceInjection(picture, span * number));
    const double to = axis.Within(SinceInjection(picture, span * (number + 1)));
    data += "M" + Px(from) + " " + Px(y) + "H" + Px(std::max(to, from + 1));
  }
  return data;
}

}  // namespace

std::string OwnerName(const DrillJournal& journal, const MacAddress& mac) {
  for (const auto& [host, address] : journal.macs) {
    if (address == mac) return host;
  }
  return MacText(mac);
}

std::string SpanText(ProbeTime span) {
  const double seconds = Seconds(span);
  if (std::abs(seconds) >= 1) return DecimalText(seconds, 2) + " s";
  return DecimalText(seconds * 1000, std::abs(seconds) < 0.01 ? 1 : 0) + " ms";
}

std::string OwnersChart(const DrillPicture& picture, ChartSize size) {
  const std::vector<MacAddress> lanes = LanesOf(picture);
  std::vector<std::string> labels = {"two owners", "outage", "what"};
  for (const MacAddress& mac : lanes) labels.push_back(OwnerName(picture.journal, mac));
  const double gutter = GutterFor(labels, size);
  constexpr double kLane = 34;
  constexpr double kRow = 24;
  const double bottom = static_cast<double>(lanes.size()) * kLane + 3 * kRow + 4;
  const Scale axis = AxisOf(picture, gutter, size.width - 8);
  Svg svg(size.width, bottom + kAxisHeight, "Who owned the VIP over time");
  DrawAxis(svg, axis, 0, bottom, size);
  ShadeFault(svg, picture, axis, 0, bottom);
  double y = 2;
  for (std::size_t lane = 0; lane < lanes.size(); ++lane, y += kLane) {
    DrawOwnerLane(svg, picture, lanes[lane], lane, axis, y);
  }
  svg.Text(gutter - 8, y + 13, "two owners", "end");
  for (const TimeSpan& span : picture.analysis.shared) {
    const double from = axis.Within(SinceInjection(picture, span.from));
    const double to = axis.Within(SinceInjection(picture, span.to));
    svg.Rect(from, y + 3, std::max(to - from, 2.0), 14, "shared",
             "two owners for " + SpanText(span.to - span.from));
  }
  y += kRow;
  svg.Text(gutter - 8, y + 13, "outage", "end");
  const SeriesAnalysis* path = PathSeries(picture.analysis);
  if (path != nullptr && path->outage) {
    const Outage& outage = *path->outage;
    const auto [from, to] = SpanOf(outage, picture, axis);
    svg.Rect(from, y + 3, std::max(to - from, kLeastVisible), 14, "lost");
    const std::string text = (outage.gap() ? "" : "at least ") + SpanText(outage.at_least());
    const bool room = to + 8 + static_cast<double>(text.size()) * kLetter < axis.right;
    svg.Text(room ? to + 6 : from - 6, y + 14, text, room ? "strong" : "strong end");
  }
  y += kRow;
  svg.Text(gutter - 8, y + 14, "what", "end");
  MarkFault(svg, picture, axis, 0, bottom);
  DrawMoments(svg, picture, axis, y);
  return std::move(svg).Take();
}

std::string OutcomesChart(const DrillPicture& picture, ChartSize size) {
  const std::vector<ProbeSeries>& series = picture.log.header.series;
  std::vector<std::string> labels;
  for (const ProbeSeries& one : series) labels.push_back(one.name);
  const double gutter = GutterFor(labels, size);
  const double row = size.narrow ? 34 : 40;
  const double bottom = static_cast<double>(series.size()) * row + 2;
  const Scale axis = AxisOf(picture, gutter, size.width - 8);
  const ProbeTime span = SpanFor(picture.analysis.length, size.narrow ? 120 : 400);
  Svg svg(size.width, bottom + kAxisHeight, "What became of requests over time");
  DrawAxis(svg, axis, 0, bottom, size);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double top = static_cast<double>(i) * row + 4;
    svg.Text(gutter - 8, top + row / 2, CutLabel(series[i].name, gutter), "end");
    DrawOutcomes(svg, picture, i, axis, top, row - 8, span);
  }
  MarkFault(svg, picture, axis, 0, bottom);
  return std::move(svg).Take();
}

std::string LatencyChart(const DrillPicture& picture, std::size_t series, ChartSize size) {
  const double gutter = 52;
  const double top = 14;
  const double bottom = top + (size.narrow ? 110 : 130);
  const Scale axis = AxisOf(picture, gutter, size.width - 8);
  const ProbeTime span = SpanFor(picture.analysis.length, size.narrow ? 300 : 900);
  const auto windows = WindowsOf(picture.log, series, span);
  const Scale vertical = LatencyScale(windows, bottom, top);
  Svg svg(size.width, bottom + kAxisHeight, "Latencies over time");
  ShadeFault(svg, picture, axis, top, bottom);
  DrawAxis(svg, axis, top, bottom, size);
  DrawDecades(svg, vertical, gutter, axis.right);
  DrawCurves(svg, picture, windows, span, axis, vertical);
  svg.Path(UnansweredMarks(picture, windows, span, axis, top - 5), "gone");
  MarkFault(svg, picture, axis, top - 10, bottom);
  return std::move(svg).Take();
}

std::string WaterfallChart(const Waterfall& waterfall, ChartSize size) {
  std::vector<const Milestone*> steps;
  for (const Milestone& milestone : waterfall.milestones) {
    if (steps.size() < kMostMilestones) steps.push_back(&milestone);
  }
  double from = 0;
  double to = 0.001;
  std::vector<std::string> labels;
  for (const Milestone* step : steps) {
    labels.push_back(step->name);
    if (!step->at) continue;
    from = std::min(from, Seconds(*step->at));
    to = std::max(to, Seconds(*step->at));
  }
  const double label_width = size.narrow ? 8 : 230;
  const double row = size.narrow ? 40 : 26;
  const double bottom = static_cast<double>(steps.size()) * row + 4;
  const Scale axis{.from = from, .to = to, .left = label_width, .right = size.width - 130};
  Svg svg(size.width, bottom + kAxisHeight, "Phases of the failover");
  DrawAxis(svg, axis, 0, bottom, {axis.right - axis.left, size.narrow || to - from < 0.05});
  double y = 2;
  for (const Milestone* step : steps) {
    if (size.narrow) {
      svg.Text(label_width, y + 12, step->name, "strong");
    } else {
      svg.Text(label_width - 8, y + 15, CutLabel(step->name, label_width), "end");
    }
    const double bar = size.narrow ? y + 18 : y + 4;
    if (step->at) {
      const double end = Seconds(*step->at);
      const double begin = end < 0 ? end : end - Seconds(step->took);
      const double x = axis.Within(end < 0 ? 0 : begin);
      const double x2 = axis.Within(end);
      svg.Rect(std::min(x, x2), bar, std::max(std::abs(x2 - x), kLeastVisible), 14, "step");
      svg.Text(std::max(x, x2) + 6, bar + 12,
               TickText(end) + (step->took.count() > 0 ? " (" + SpanText(step->took) + ")" : ""),
               "strong");
    } else {
      svg.Text(axis.left + 2, bar + 12, "not seen");
    }
    y += row;
  }
  svg.Line(axis.At(0), 0, axis.At(0), bottom, "zero");
  return std::move(svg).Take();
}

std::string ComparisonBar(const Comparison& comparison) {
  const Envelope& predicted = comparison.predicted;
  constexpr double kWidth = 220;
  constexpr double kHeight = 22;
  double most = std::max(predicted.most.value_or(predicted.least), predicted.least);
  if (comparison.measured) {
    most = std::max(most, comparison.measured->value + comparison.measured->uncertainty);
  }
  const bool share = predicted.quantity == Quantity::kSurvival;
  if (most <= 0) most = 1;
  const Scale scale{.from = 0, .to = share ? 1 : most * 1.1, .left = 2, .right = kWidth - 2};
  Svg svg(kWidth, kHeight, "predicted and measured");
  svg.Rect(0, 8, kWidth, 6, "track");
  const double left = scale.Within(predicted.least);
  const double right = predicted.most ? scale.Within(*predicted.most) : kWidth;
  svg.Rect(std::min(left, kWidth - 4), 4, std::max(right - left, 3.0), 14, "band", "predicted");
  if (comparison.measured) {
    const Measurement& measured = *comparison.measured;
    const double x = scale.Within(measured.value);
    const double low = scale.Within(measured.value - measured.uncertainty);
    const double high = scale.Within(measured.value + measured.uncertainty);
    if (high - low > 4) svg.Line(low, 11, high, 11, "whisker");
    const bool fits = comparison.fit == Fit::kWithin;
    const bool unknown = comparison.fit == Fit::kUnmeasured;
    svg.Rect(x - 1.5, 1, 3, 20, fits ? "value" : unknown ? "value odd" : "value bad", "measured");
  }
  return std::move(svg).Take();
}

}  // namespace drover
