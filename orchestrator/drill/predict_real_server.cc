// Predictions for faults of one real server: how long its checks need, and how many connections it
// costs until then.

#include <algorithm>
#include <cmath>

#include "orchestrator/drill/prediction_writer.h"

namespace drover {
namespace {

// Whether a check of this kind fails under the fault. A check that only looks whether the kernel
// answers is blind to a process that does not.
struct Sees {
  Fault fault;
  const FaultSettings& settings;
  std::chrono::milliseconds timeout;

  [[nodiscard]] bool operator()(const TcpCheck&) const { return KernelAnswers(); }
  [[nodiscard]] bool operator()(const PingCheck&) const {
    return fault != Fault::kRealServerStop && KernelAnswers();
  }
  [[nodiscard]] bool operator()(const UdpCheck& check) const {
    if (!check.expect.empty()) return Asks();
    // Silence is a success; only an ICMP error speaks against it.
    return fault == Fault::kRealServerStop;
  }
  [[nodiscard]] bool operator()(const DnsCheck&) const { return Asks(); }
  [[nodiscard]] bool operator()(const SmtpCheck&) const { return Asks(); }
  [[nodiscard]] bool operator()(const HttpCheck& check) const {
    if (fault != Fault::kRealServer5xx) return Asks();
    const bool takes_500 = std::any_of(
        check.status.begin(), check.status.end(),
        [](const StatusRange& range) { return range.first <= 500 && 500 <= range.last; });
    return settings.health_page_too && !takes_500;
  }
  // What it looks at is known to its author; one that is worth its name asks for an answer.
  [[nodiscard]] bool operator()(const ScriptCheck&) const {
    return fault == Fault::kRealServer5xx ? settings.health_page_too : Asks();
  }

 private:
  [[nodiscard]] bool TooSlow() const { return settings.delay > timeout; }
  [[nodiscard]] bool KernelAnswers() const {
    if (fault == Fault::kRealServerSlow) return TooSlow();
    return fault == Fault::kRealServerStop || fault == Fault::kRealServerIsolated;
  }
  [[nodiscard]] bool Asks() const {
    if (fault == Fault::kRealServerSlow) return TooSlow();
    return fault != Fault::kRealServer5xx;
  }
};

// What the init system's script may take until the service has stopped, or runs.
constexpr Milliseconds kScript{1000};

// Between an order and its effect.
Milliseconds DelayOf(Fault fault) {
  return kNetworkAllowance + (fault == Fault::kRealServerStop ? kScript : Milliseconds(0));
}

std::string CheckText(const CheckSettings& check) {
  return std::string(KindWord(check.kind)) + ": " + MillisecondsText(check.interval) + " + " +
         MillisecondsText(check.fast_interval.count() > 0 ? check.fast_interval : check.interval) +
         " * " + std::to_string(check.fall - 1) + ", + " + std::to_string(check.jitter_percent) +
         " %, + timeout " + MillisecondsText(check.timeout);
}

void Failures(PredictionWriter& writer, Milliseconds span, const std::string& formula) {
  const double rate = writer.probes.connections_per_second;
  if (rate <= 0) return;
  const double share = rate / writer.cluster.real_servers;
  const double failed = std::ceil(share * (span / Milliseconds(std::chrono::seconds(1)))) + 1;
  writer.AtMost(Quantity::kFailedConnections, failed,
                "new connections per second / real servers * " + formula + " + 1",
                std::to_string(static_cast<long>(rate)) + "/s / " +
                    std::to_string(writer.cluster.real_servers) + " * " + MillisecondsText(span) +
                    " + 1 = " + QuantityText(Quantity::kFailedConnections, failed));
}

void PredictQuiesce(const CheckSettings& found_by, Milliseconds delay, PredictionWriter& writer) {
  const Milliseconds found = WorstDetection(found_by);
  const std::string late = ", + " + MillisecondsText(delay);
  writer.AtMost(Quantity::kQuiesce, (found + delay).count(),
                "interval + (fall-1) intervals while in doubt, + jitter, + timeout; the fastest "
                "check that sees it; + network and script",
                CheckText(found_by) + " = " + MillisecondsText(found) + late);
  writer.AtMost(Quantity::kReturn, (WorstReturn(found_by) + delay).count(),
                "interval + (rise-1) intervals while in doubt, + jitter, + timeout, + network and "
                "script",
                MillisecondsText(WorstReturn(found_by)) + late);
}

}  // namespace

void PredictRealServerFault(Fault fault, PredictionWriter& writer) {
  writer.Exactly(Quantity::kTakeovers, 0, "the directors are well: no failover storm");
  const CheckSettings* found_by = nullptr;
  std::string blind;
  for (const CheckSettings& check : writer.cluster.checks) {
    if (std::visit(Sees{fault, writer.settings, check.timeout}, check.kind)) {
      if (found_by == nullptr || WorstDetection(check) < WorstDetection(*found_by)) {
        found_by = &check;
      }
    } else {
      blind += (blind.empty() ? "" : ", ") + std::string(KindWord(check.kind));
    }
  }
  if (!blind.empty()) writer.Note("Blind to this fault: the check " + blind + ".");
  const bool answers = fault == Fault::kRealServerSlow;  // late, but within patience
  const Milliseconds duration = writer.settings.duration;
  if (found_by == nullptr) {
    writer.Note(writer.cluster.checks.empty()
                    ? "There is no check: nobody takes the real server out."
                    : "No check sees it: nobody takes the real server out.");
    if (!answers) Failures(writer, duration, "the time that the fault lasts");
    return;
  }
  const Milliseconds delay = DelayOf(fault);
  PredictQuiesce(*found_by, delay, writer);
  if (answers) {
    writer.Note("Its share of answers comes " + MillisecondsText(writer.settings.delay) +
                " late until then.");
    return;
  }
  Failures(writer, std::min(duration, WorstDetection(*found_by) + delay), "time to quiesce");
}

}  // namespace drover
