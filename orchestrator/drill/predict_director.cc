// Predictions for faults that move the VIP, or should not: crash, kill, freeze, isolation, split,
// loss, handover.

#include <algorithm>
#include <cmath>

#include "orchestrator/drill/prediction_writer.h"
#include "orchestrator/drill/statistics.h"
#include "protocol/words.h"

namespace drover {
namespace {

std::string Fraction(double value) { return std::to_string(value).substr(0, 5); }

std::string TimersText(const PredictionWriter& writer) {
  const VrrpTimers& t = writer.timers;
  const bool version2 = writer.cluster.master.version == 2;
  return "I = " + MillisecondsText(t.interval) + ", n = " + std::to_string(t.down_adverts) +
         ", skew = " + Fraction(t.skew_fraction) + (version2 ? " s (version 2)" : " I") + " = " +
         MillisecondsText(t.skew);
}

std::string DownFormula(const PredictionWriter& writer) {
  return writer.cluster.master.version == 2 ? "(n-1) I + skew to n I + skew, skew = (256-p)/256 s"
                                            : "(n-1+s) I to (n+s) I, s = (256-p)/256";
}

// The VIP is gone with its director, the backup counts missing adverts.
void Crash(PredictionWriter& writer) {
  const VrrpTimers& t = writer.timers;
  writer.Outage(t.least(), t.most() + kTakeoverAllowance + kNetworkAllowance,
                /*least_is_law=*/true, DownFormula(writer) + ", + takeover + network",
                TimersText(writer) + ": " + MillisecondsText(t.least()) + " to " +
                    MillisecondsText(t.most()) + ", + " + MillisecondsText(kTakeoverAllowance) +
                    " + " + MillisecondsText(kNetworkAllowance));
  writer.Exactly(Quantity::kTakeovers, 1, "the backup takes over once");
  writer.CrashSurvival();
}

// The helper cannot run any more, but its kernel goes on serving until the lease ends.
void Lease(PredictionWriter& writer) {
  const VrrpTimers& t = writer.timers;
  const Milliseconds lease = writer.cluster.master.lease;
  writer.Exactly(Quantity::kTakeovers, 1, "the backup takes over once");
  if (lease.count() == 0) {
    writer.NothingIsLost("the old master's kernel goes on serving");
    writer.Unbounded(Quantity::kDoubleOwner,
                     "no lease: the old master's kernel keeps the VIP until somebody removes it");
    writer.Note("Set lease on the vrrp_instance: without it a helper that dies leaves two owners.");
    return;
  }
  // Refreshed every quarter of the lease; the kernel removes it at the end, or a little later.
  const Milliseconds soonest = lease * 0.75;
  const Milliseconds latest = lease + kLeaseSlack;
  const std::string facts = TimersText(writer) + ", lease " + MillisecondsText(lease);
  if (t.most() <= soonest) {
    writer.NothingIsLost("the backup takes over before the lease ends (" +
                         MillisecondsText(t.most()) + " <= " + MillisecondsText(soonest) + ")");
  } else {
    writer.Outage(std::max(Milliseconds(0), t.least() - latest),
                  t.most() - soonest + kTakeoverAllowance + kNetworkAllowance,
                  /*least_is_law=*/true,
                  "takeover (" + DownFormula(writer) +
                      ") less what is left of the lease (3/4 lease to lease + 300 ms), + takeover "
                      "+ network",
                  facts);
    writer.CrashSurvival();
  }
  const double shared = std::max(0.0, (latest - t.least()).count());
  writer.AtMost(Quantity::kDoubleOwner, shared, "lease + 300 ms - earliest takeover, not below 0",
                MillisecondsText(latest) + " - " + MillisecondsText(t.least()) + " -> " +
                    MillisecondsText(Milliseconds(shared)));
}

void Isolated(PredictionWriter& writer) {
  Crash(writer);
  writer.AtMost(Quantity::kDoubleOwner, (writer.timers.interval + kNetworkAllowance).count(),
                "one advert interval after the heal, + network: the isolated node is not heard "
                "before",
                MillisecondsText(writer.timers.interval + kNetworkAllowance));
  writer.Note(
      "The isolated master comes back with its own connection table: connections that "
      "were made meanwhile may be reset after the heal.");
}

void Split(PredictionWriter& writer) {
  const VrrpTimers& t = writer.timers;
  const Milliseconds duration = writer.settings.duration;
  const Milliseconds heal = t.interval + kNetworkAllowance;
  writer.AtMost(Quantity::kOutage, kNetworkAllowance.count(),
                "requests are answered by way of either director; only the neighbour tables move",
                MillisecondsText(kNetworkAllowance));
  writer.Exactly(Quantity::kTakeovers, 1, "the backup becomes a second master");
  writer.Add({.quantity = Quantity::kDoubleOwner,
              .least = std::max(0.0, (duration - t.most() - kTakeoverAllowance).count()),
              .most = std::max(0.0, (duration - t.least() + heal).count()),
              .least_is_law = true,  // else the adverts were not cut
              .formula = "from the takeover (" + DownFormula(writer) +
                         ") until one advert interval after the heal",
              .worked = TimersText(writer) + ", lasts " + MillisecondsText(duration)});
  writer.AtMost(Quantity::kDetection, (t.most() + kRivalBound).count(),
                "latest takeover + 2 s for the owner to notice the other",
                MillisecondsText(t.most()) + " + " + MillisecondsText(kRivalBound));
  writer.Note(
      "Connections that one director schedules are unknown to the other until they are "
      "synchronised; some may be reset when the clients' neighbour entries move.");
}

void Loss(PredictionWriter& writer) {
  const VrrpTimers& t = writer.timers;
  const double adverts = Milliseconds(writer.settings.duration) / t.interval;
  const double mean = std::pow(writer.settings.loss, t.down_adverts) * adverts;
  const auto least = static_cast<double>(PoissonQuantile(mean, 0.0005));
  const auto most = static_cast<double>(PoissonQuantile(mean, 0.9995));
  writer.Add({.quantity = Quantity::kTakeovers,
              .least = least,
              .most = most,
              .formula = "false takeovers x^n T/I, 99.9 % band of the Poisson law",
              .worked = "x = " + std::to_string(writer.settings.loss) +
                        ", n = " + std::to_string(t.down_adverts) +
                        ", T/I = " + QuantityText(Quantity::kTakeovers, std::floor(adverts)) +
                        ": mean " + std::to_string(mean)});
  writer.AtMost(Quantity::kOutage, most == 0 ? 0 : kNetworkAllowance.count(),
                "the master goes on serving; a false takeover only moves the neighbour tables",
                most == 0 ? "0 ms" : MillisecondsText(kNetworkAllowance));
  writer.AtMost(Quantity::kDoubleOwner, most * (t.interval + kNetworkAllowance).count(),
                "false takeovers * (advert interval + network)",
                MillisecondsText(t.interval + kNetworkAllowance) + " each");
}

void SyncCut(PredictionWriter& writer) {
  writer.NothingIsLost("requests do not need the sync channel");
  writer.NoTakeover();
  const SyncFacts& sync = writer.cluster.sync;
  if (!sync.running) {
    writer.Note("Connection sync does not run: this fault changes nothing.");
    return;
  }
  writer.Unbounded(Quantity::kDetection,
                   "told when a connection that was opened meanwhile is 4 s old, + up to 3 s to "
                   "report and compare it: it is the clients who open them");
}

void Handover(PredictionWriter& writer) {
  const VrrpTimers& t = writer.timers;
  writer.NothingIsLost("make before break: the peer announces before the old master lets go");
  writer.Exactly(Quantity::kTakeovers, 1, "the peer takes over once");
  writer.Exactly(Quantity::kDoubleOwner, 0,
                 "the old master stops answering ARP when it hears its successor");
  writer.AtMost(Quantity::kHandover, (t.skew * 2 + kTakeoverAllowance + kNetworkAllowance).count(),
                "priority 0, then the peer's skew; twice, as one packet may be lost; + takeover + "
                "network",
                TimersText(writer));
}

void Failback(PredictionWriter& writer) {
  const VrrpInstance& preferred = writer.cluster.master;
  const VrrpTimers& t = writer.timers;
  writer.NothingIsLost("it waits for the connection table, then make before break");
  writer.Exactly(Quantity::kTakeovers, 1, "the preferred director takes over once");
  writer.Exactly(Quantity::kDoubleOwner, 0,
                 "the old master stops answering ARP when it hears its successor");
  const Milliseconds wait =
      writer.cluster.sync.running ? preferred.sync_wait : std::chrono::milliseconds(0);
  const Milliseconds most = Milliseconds(preferred.preempt_delay) + wait + t.most() +
                            kTakeoverAllowance + kNetworkAllowance;
  writer.AtMost(Quantity::kHandover, most.count(),
                "preempt_delay + sync_wait + master down interval, + takeover + network",
                DurationText(preferred.preempt_delay) + " + " + MillisecondsText(wait) + " + " +
                    MillisecondsText(t.most()) + " -> " + MillisecondsText(most));
}

void Reboot(PredictionWriter& writer) {
  writer.NothingIsLost(
      "the helper hands over before the network stops, and does not come back "
      "before its connection table is filled");
  writer.Exactly(Quantity::kTakeovers, 1, "the peer takes over once");
  writer.AtMost(Quantity::kRedundancy, Milliseconds(writer.settings.boot_budget).count(),
                "the time that a boot may take", DurationText(writer.settings.boot_budget));
}

}  // namespace

void PredictDirectorFault(Fault fault, PredictionWriter& writer) {
  if (fault == Fault::kDirectorCrash || fault == Fault::kLinkDown) {
    Crash(writer);
    writer.Exactly(Quantity::kDoubleOwner, 0, "the old master cannot be heard");
  }
  if (fault == Fault::kHelperKill || fault == Fault::kHelperFreeze) Lease(writer);
  if (fault == Fault::kDirectorIsolated) Isolated(writer);
  if (fault == Fault::kVrrpSplit) Split(writer);
  if (fault == Fault::kVrrpLoss) Loss(writer);
  if (fault == Fault::kSyncCut) SyncCut(writer);
  if (fault == Fault::kHandover) Handover(writer);
  if (fault == Fault::kFailback) Failback(writer);
  if (fault == Fault::kReboot) Reboot(writer);
}

}  // namespace drover
