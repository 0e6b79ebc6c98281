#include "orchestrator/report/verify_text.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "orchestrator/report/terminal.h"

namespace drover {
namespace {

constexpr std::size_t kShownOfSequence = 16;
constexpr std::uint32_t kBarWidth = 30;

std::string Milliseconds(std::chrono::microseconds duration) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f ms", static_cast<double>(duration.count()) / 1000);
  return text.data();
}

std::string Join(const std::vector<std::string>& words, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < std::min(count, words.size()); ++i) {
    text += (i == 0 ? "" : " ") + words[i];
  }
  return text;
}

// The shortest beginning whose repetition gives the whole; the whole itself if there is none.
std::size_t Period(const std::vector<std::string>& sequence) {
  for (std::size_t period = 1; period <= std::min(kShownOfSequence, sequence.size()); ++period) {
    if (std::equal(sequence.begin() + static_cast<std::ptrdiff_t>(period), sequence.end(),
                   sequence.begin())) {
      return period;
    }
  }
  return sequence.size();
}

std::string ServiceText(const ServiceEvidence& service, bool colours) {
  std::string head = service.service + "  " + std::to_string(service.connections) +
                     (service.connections == 1 ? " connection" : " connections");
  std::string failed;
  if (service.failed > 0) {
    failed = ", " + Paint(std::to_string(service.failed) + " failed", Colour::kError, colours);
  }
  const std::string law = service.law.empty() ? "" : "  (" + Printable(service.law) + ")";
  std::string text = "    " + Printable(head) + failed + law + "\n";
  int width = 0;
  std::uint32_t most = 1;
  for (const ServerCount& server : service.servers) {
    width = std::max(width, TextWidth(server.name));
    most = std::max(most, server.connections);
  }
  for (const ServerCount& server : service.servers) {
    std::array<char, 16> count{};
    std::snprintf(count.data(), count.size(), "%6u", server.connections);
    const auto bar = static_cast<std::size_t>(std::uint64_t{server.connections} * kBarWidth / most);
    text += "      " + PadTo(Printable(server.name), width) + count.data() +
            (bar > 0 ? "  " + std::string(bar, '#') : "") + "\n";
  }
  if (service.connections > service.failed) {
    text += "      latency: median " + Milliseconds(service.median) + ", p99 " +
            Milliseconds(service.p99) + ", max " + Milliseconds(service.max) + "\n";
  }
  if (!service.sequence.empty()) {
    text += "      order:   " + Printable(SequenceText(service.sequence)) + "\n";
  }
  return text;
}

std::string FindingText(const Finding& finding, bool colours) {
  std::string head = finding.rule;
  if (!finding.host.empty()) {
    head += " on " + finding.host;
  }
  std::string text =
      "    " + Paint(Printable(head + ": " + finding.message), Colour::kError, colours) + "\n";
  if (!finding.why.empty()) {
    text += "      why:    " + Printable(finding.why) + "\n";
  }
  if (!finding.remedy.empty()) {
    text += "      remedy: " + Printable(finding.remedy) + "\n";
  }
  return text;
}

}  // namespace

std::string SequenceText(const std::vector<std::string>& sequence) {
  const std::size_t period = Period(sequence);
  if (!sequence.empty() && period * 2 <= sequence.size()) {
    const std::size_t rounds = sequence.size() / period;
    const std::size_t rest = sequence.size() % period;
    std::string text = Join(sequence, period) + ", " + std::to_string(rounds) + " times";
    return rest == 0 ? text : text + ", then " + Join(sequence, rest);
  }
  return Join(sequence, kShownOfSequence) + (sequence.size() > kShownOfSequence ? " …" : "");
}

std::string VerifyText(const VerifyReport& report, bool colours) {
  std::string text;
  for (const ServiceEvidence& service : report.services) {
    text += ServiceText(service, colours);
  }
  for (const std::string& line : report.arp) {
    text += "    arp: " + Printable(line) + "\n";
  }
  for (const std::string& note : report.notes) {
    text += "    note: " + Printable(note) + "\n";
  }
  for (const Finding& finding : report.findings) {
    text += FindingText(finding, colours);
  }
  return text;
}

}  // namespace drover
