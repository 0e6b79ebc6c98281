// What a fault should do to a cluster, as numbers worked out from its settings before anything is
// injected: printed first, watched while the fault lasts, judged afterwards.
//
// Pure. A prediction is a list of envelopes, each with its formula in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/drill/fault.h"
#include "orchestrator/drill/timing.h"
#include "protocol/check_settings.h"
#include "protocol/probe_log.h"
#include "protocol/vrrp_settings.h"

namespace drover {

// Address and first announcement of a new master.
inline constexpr Milliseconds kTakeoverAllowance{3};
// Switches and neighbour tables on the way to the worst client.
inline constexpr Milliseconds kNetworkAllowance{20};
// How long after a lease the kernel may still have an address: it counts in whole seconds.
inline constexpr Milliseconds kLeaseSlack{300};
// Drift that the helper mends by itself, and a second owner that it has to notice.
inline constexpr Milliseconds kRepairBound{1000};
inline constexpr Milliseconds kRivalBound{2000};
// Of the kernel's timers that repeat packets.
inline constexpr double kRepetitionSlack = 0.15;
inline constexpr double kCrashSurvival = 0.999;

// What is measured.
enum class Quantity : std::uint8_t {
  kOutage,             // ms; G of the path probes
  kBadProbes,          // path probes that were not ok
  kFailedConnections,  // new connections that were lost, refused, reset or answered by 5xx
  kResets,             // established connections that ended
  kSurvival,           // share of established connections, 0 to 1
  kConnectStall,       // ms; slowest new connection with the kernel's own patience
  kEstablishedStall,   // ms; slowest answer on a connection that lived on
  kDoubleOwner,        // ms
  kTakeovers,          // times that another director became master while the fault lasted
  kDetection,          // ms; until the cluster said what was wrong
  kRepair,             // ms; until the node was as it should be again
  kQuiesce,            // ms; until a sick real server got nothing new
  kReturn,             // ms; from the undo until it got connections again
  kHandover,           // ms; from the order to the new master
  kRedundancy,         // ms; from the injection, time to redundancy
};
std::string_view ToString(Quantity quantity);  // "outage", "bad probes", …
std::string_view UnitOf(Quantity quantity);    // "ms", "" for counts, "%" for shares (as 0 to 1)
// "310 ms", "7.8 ms", "12", "99.9 %".
std::string QuantityText(Quantity quantity, double value);

struct Envelope {
  Quantity quantity = Quantity::kOutage;
  double least = 0;
  std::optional<double> most;  // none: nothing bounds it
  // Less than `least` cannot happen by the protocol, so that it would be a bug of measuring.
  bool least_is_law = false;
  std::string formula;  // in words and symbols
  std::string worked;   // with the numbers

  bool operator==(const Envelope&) const = default;
};
// Above this while the fault lasts, reality has left the prediction and the drill is aborted:
// anything at all where nothing was to be lost, twice an outage's bound, a second owner beyond its
// bound. None for what is judged afterwards only.
std::optional<double> AbortAbove(const Envelope& envelope);

// Connection synchronisation as the cluster runs it.
struct SyncFacts {
  bool running = false;  // both roles on both directors
  int threshold = 3;     // net.ipv4.vs.sync_threshold, first and second number
  int period = 50;
  std::chrono::seconds refresh{0};  // sync_refresh_period
  bool stateless = false;           // mh with sloppy_tcp: no director needs to know a connection
};

struct ClusterFacts {
  VrrpInstance master;                // as its director has it
  std::vector<VrrpInstance> backups;  // of the others; the highest priority takes over
  SyncFacts sync;
  std::vector<CheckSettings> checks;  // of the service under test
  std::uint32_t real_servers = 0;     // that get connections
};

struct ProbeFacts {
  ProbeTime path_period{1000};
  double connections_per_second = 0;  // new ones, both kinds together
  std::uint32_t long_lived = 0;       // connections
};

// What a fault is asked to be.
struct FaultSettings {
  std::chrono::milliseconds duration{10'000};      // until it is undone
  double loss = 0.01;                              // vrrp-loss
  std::chrono::milliseconds delay{500};            // real-server-slow
  bool health_page_too = true;                     // real-server-5xx: the checked page as well
  std::chrono::milliseconds boot_budget{300'000};  // reboot
};

struct Prediction {
  Fault fault = Fault::kDirectorCrash;
  std::vector<Envelope> envelopes;
  std::vector<std::string> notes;  // what the settings will cost, and what cannot be said

  [[nodiscard]] const Envelope* Find(Quantity quantity) const;
};

// kInvalid when the facts do not allow the fault: no backup, no real server, a loss that is none.
Result<Prediction> Predict(Fault fault, const ClusterFacts& cluster, const ProbeFacts& probes,
                           const FaultSettings& settings);
// Several lines: what is done, what should happen, each envelope with its formula, the notes.
std::string PredictionText(const Prediction& prediction);

}  // namespace drover
