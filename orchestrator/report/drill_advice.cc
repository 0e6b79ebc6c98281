#include "orchestrator/report/drill_advice.h"

#include <algorithm>

#include "orchestrator/drill/timing.h"

namespace drover {
namespace {

std::string Ms(Milliseconds time) { return QuantityText(Quantity::kOutage, time.count()); }

Milliseconds Took(const Milestone& milestone) { return milestone.took; }

const Milestone* Find(const Waterfall& waterfall, std::string_view beginning) {
  for (const Milestone& milestone : waterfall.milestones) {
    if (milestone.name.starts_with(beginning) && milestone.at) return &milestone;
  }
  return nullptr;
}

const VrrpInstance* Successor(const ClusterFacts& cluster) {
  const auto best = std::max_element(
      cluster.backups.begin(), cluster.backups.end(),
      [](const VrrpInstance& a, const VrrpInstance& b) { return a.priority < b.priority; });
  return best == cluster.backups.end() ? nullptr : &*best;
}

// Which phase of the failover took longer than its term of the formula.
std::vector<std::string> SlowPhases(const DrillJournal& journal, const Waterfall& waterfall) {
  std::vector<std::string> slow;
  const VrrpInstance* backup = Successor(journal.cluster);
  const Milestone* last = Find(waterfall, "last advert of old");
  const Milestone* first = Find(waterfall, "first advert of new");
  if (backup != nullptr && last != nullptr && first != nullptr) {
    const VrrpTimers timers = TimersOf(journal.cluster.master, *backup);
    const Milliseconds detection = *first->at - *last->at;
    // The backup's timer runs from the last advert, whenever the fault came after it.
    if (detection > timers.most() + kTakeoverAllowance + kNetworkAllowance) {
      slow.push_back("Detection is what is off: the backup spoke " + Ms(detection) +
                     " after the last advert, its timers say " + Ms(timers.most()) +
                     ". Look whether its helper was kept from running (real-time priority, steal "
                     "time of a virtual machine), and whether it runs with the settings of the "
                     "playbook (drover status).");
    }
  }
  if (const Milestone* one = Find(waterfall, "first announcement");
      one != nullptr && Took(*one) > kTakeoverAllowance * 4) {
    slow.push_back("The takeover is what is off: " + Ms(Took(*one)) +
                   " from the first advert to the announcement. Setting the addresses took long: "
                   "many VIPs, or a busy kernel on the new master.");
  }
  if (const Milestone* one = Find(waterfall, "first data frame");
      one != nullptr && Took(*one) > kNetworkAllowance) {
    slow.push_back("The network is what is off: " + Ms(Took(*one)) +
                   " from the announcement to the first frame by way of the new director. Switches "
                   "or neighbour tables did not follow the announcement: port security, ARP "
                   "inspection, a router that ignores gratuitous ARP.");
  }
  if (const Milestone* one = Find(waterfall, "first success");
      one != nullptr && Took(*one) > kNetworkAllowance && Find(waterfall, "first data frame")) {
    slow.push_back("The way behind the director is what is off: " + Ms(Took(*one)) +
                   " from the first frame to the first success. Look at the real servers and at "
                   "the new director's services (drover verify).");
  }
  return slow;
}

std::string SyncAdvice(const DrillJournal& journal) {
  const SyncFacts& sync = journal.cluster.sync;
  if (sync.stateless) return "The directors need no connection sync; look at what reset them.";
  if (!sync.running) {
    return "Connections are not synchronised: give both directors a connection_sync task, so that "
           "the backup knows them.";
  }
  if (sync.refresh.count() == 0 || sync.period != 0) {
    return "Sync tells of a connection only at its packet " + std::to_string(sync.threshold) +
           " and every " + std::to_string(sync.period) +
           ": set net.ipv4.vs.sync_threshold to \"3 0\" and net.ipv4.vs.sync_refresh_period above "
           "0, so that it is told of at once and again by time.";
  }
  return "Sync runs as it should; the class and age of what was lost (below) say whether it was "
         "late or the real servers reset them.";
}

std::string AdviceAbove(const DrillJournal& journal, Quantity quantity) {
  switch (quantity) {
    case Quantity::kOutage:
    case Quantity::kBadProbes:
      return "No single phase of the capture explains it: compare the outage with the timeline, "
             "and look for brown-outs before and behind it.";
    case Quantity::kFailedConnections:
      return "More new connections failed than the outage explains: look at the checks' interval "
             "and fall, and at real servers that were slow to answer.";
    case Quantity::kResets:
    case Quantity::kSurvival:
      return SyncAdvice(journal);
    case Quantity::kConnectStall:
    case Quantity::kEstablishedStall:
      return "TCP repeats a packet after 200 ms (a SYN after 1 s) and then after twice the time "
             "each: only an outage below 200 ms keeps established connections to one repetition. "
             "Lower the advert interval, or bring the outage down first.";
    case Quantity::kDoubleOwner:
      return "Two owners lasted too long: set or shorten lease on the vrrp_instance, so that the "
             "kernel takes the VIP from a director whose helper cannot.";
    case Quantity::kTakeovers:
      return "Adverts were missed without need: raise the advert interval (or the missed adverts "
             "that are allowed), and give the helper real-time priority.";
    case Quantity::kDetection:
    case Quantity::kQuiesce:
      return "Checks find it late: shorten interval and timeout, lower fall, or ask for a page "
             "rather than a connection.";
    case Quantity::kReturn:
      return "It came back late: lower rise or the interval of the checks.";
    case Quantity::kRepair:
      return "The helper repaired late: look in its log (node-helper status) at what kept it.";
    case Quantity::kHandover:
      return "The handover took long: most of it is waiting for connection sync (--sync-wait).";
    case Quantity::kRedundancy:
      return "The cluster could not bear the next fault for longer than predicted: look at what "
             "was missing last in the timeline (director, sync, gates).";
  }
  return "";
}

void AddMisfits(const DrillJournal& journal, const DrillAnalysis& analysis,
                std::vector<std::string>& advice) {
  bool phases_told = false;
  for (const Comparison& line : journal.verdict.comparisons) {
    const Quantity quantity = line.predicted.quantity;
    const bool lost = quantity == Quantity::kSurvival && line.fit == Fit::kBelow;
    if (line.fit == Fit::kBelow && line.predicted.least_is_law) {
      advice.push_back(std::string(ToString(quantity)) +
                       " is shorter than the protocol allows: the fault did not act, or another "
                       "host answered for the VIP. Look at the timeline before trusting this run.");
    } else if (line.fit == Fit::kBelow && !lost) {
      advice.push_back(std::string(ToString(quantity)) +
                       " is less than predicted: the prediction's settings are not those that the "
                       "cluster runs with. A rollout, then drover verify, settles it.");
    }
    if (line.fit != Fit::kAbove && !lost) continue;
    // What failed while the VIP was gone failed for that.
    const bool gap = quantity == Quantity::kOutage || quantity == Quantity::kBadProbes ||
                     (phases_told && quantity == Quantity::kFailedConnections);
    const auto slow =
        gap && !phases_told ? SlowPhases(journal, analysis.waterfall) : std::vector<std::string>();
    if (gap && phases_told) continue;
    phases_told = phases_told || gap;
    if (slow.empty()) {
      advice.push_back(AdviceAbove(journal, quantity));
    } else {
      advice.insert(advice.end(), slow.begin(), slow.end());
    }
  }
}

void AddDoubts(const DrillJournal& journal, std::vector<std::string>& advice) {
  if (!journal.facts.voids.empty()) {
    advice.emplace_back(
        "The prober could not keep its pace: run it on a host with an idle processor, or at lower "
        "rates, and repeat the drill.");
  }
  if (!journal.facts.control_probe_clean) {
    advice.emplace_back(
        "The control probe, which does not go by way of the cluster, was not clean: mend the "
        "prober's own network first, then repeat the drill.");
  }
  if (!journal.facts.gates.empty()) {
    advice.emplace_back("Make the gates below green, then repeat the drill.");
  }
  for (const Comparison& line : journal.verdict.comparisons) {
    if (line.fit != Fit::kUnmeasured) continue;
    if (!line.measured) {
      advice.push_back(
          "The evidence does not tell the " + std::string(ToString(line.predicted.quantity)) +
          ": look whether the prober had all it needs (a capture, the nodes' events).");
      continue;
    }
    advice.emplace_back("The end of the " + std::string(ToString(line.predicted.quantity)) +
                        " was not seen: let the drill last longer, or look why it did not end.");
  }
}

}  // namespace

std::vector<std::string> AdviceFor(const DrillJournal& journal, const DrillAnalysis& analysis) {
  std::vector<std::string> advice;
  if (!journal.facts.residue.empty()) {
    advice.push_back("Something is left of the drill: drover rollout " + journal.playbook +
                     " puts back what the playbook wants; what it does not know is in the list "
                     "below. Run no further drill before the difference is gone.");
  } else if (!journal.facts.snapshots_compared && journal.phase != DrillPhase::kPlanned) {
    advice.emplace_back(
        "Nobody has looked whether something is left: node-helper status on the target tells of "
        "drills that are still there.");
  }
  if (journal.facts.aborted) {
    advice.push_back("The drill was stopped on purpose (" + *journal.facts.aborted +
                     "): what the guards saw is in the timeline. It judges nothing else.");
  }
  AddDoubts(journal, advice);
  AddMisfits(journal, analysis, advice);
  if (advice.empty()) {
    advice.emplace_back(
        "Nothing to mend. One run shows little: 59 runs in a row show the 95th percentile, 299 the "
        "99th (drover drill history).");
  }
  std::vector<std::string> once;
  for (std::string& text : advice) {
    if (std::find(once.begin(), once.end(), text) == once.end()) once.push_back(std::move(text));
  }
  return once;
}

}  // namespace drover
