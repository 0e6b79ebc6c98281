#include "orchestrator/report/drill_words.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "orchestrator/report/terminal.h"

namespace drover {
namespace {

constexpr std::int64_t kMicro = 1'000'000;
constexpr std::int64_t kDay = 86'400;

}  // namespace

std::string DrillHead(Fault fault, const std::string& target, const std::string& service,
                      const std::string& prober, const std::string& peer, const std::string& id) {
  const FaultText& text = TextOf(fault);
  const auto line = [](const char* name, const std::string& value) {
    return "  " + PadTo(name, 9) + Printable(value) + "\n";
  };
  return "DRILL " + std::string(ToString(fault)) + " on " + Printable(target) + ": " +
         std::string(text.what) + "\n" + line("service", service + ", probed from " + prober) +
         line("peer", peer.empty() ? "none" : peer) + line("drill", id);
}

std::string GatesText(const std::vector<Gate>& gates, bool colours) {
  int width = 0;
  for (const Gate& gate : gates) width = std::max(width, TextWidth(gate.name));
  std::string text = "Gates\n";
  for (const Gate& gate : gates) {
    const Colour colour = gate.green            ? Colour::kOk
                          : gate.forced.empty() ? Colour::kError
                                                : Colour::kWarn;
    const char* word = gate.green ? "green " : gate.forced.empty() ? "RED   " : "forced";
    text += "  " + Paint(word, colour, colours) + "  " + PadTo(gate.name, width) + "  " +
            Printable(gate.text) +
            (gate.forced.empty() ? "" : " (" + Printable(gate.forced) + ")") + "\n";
  }
  return text;
}

std::string LiveLine(std::string_view state, std::chrono::milliseconds spent, std::uint64_t bad,
                     std::uint64_t sent) {
  std::array<char, 32> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%6.1f s",
                static_cast<double>(spent.count()) / 1000);
  std::string line = "  " + PadTo(state, 11) + seconds.data();
  if (sent > 0) line += "   " + std::to_string(bad) + " of " + std::to_string(sent) + " probes bad";
  return line;
}

std::string ClockOfDay(std::int64_t wall_us) {
  const std::int64_t seconds = wall_us / kMicro % kDay;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%03d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60),
                static_cast<int>(wall_us % kMicro / 1000));
  return text.data();
}

}  // namespace drover
