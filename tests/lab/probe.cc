// Load for tests in the lab, by the prober and the responder of drills:
//
//   lab_probe serve NAME UDP HTTP                         answers on these endpoints until SIGTERM
//   lab_probe ask HTTP RATE UDP RATE LONG CONNECTIONS     until SIGTERM
//
// `ask` opens RATE new connections per second to HTTP and asks for a page over each, sends RATE
// datagrams per second to UDP, and asks twice a second over each of CONNECTIONS that stay open to
// LONG; a rate of 0 leaves that kind out. It prints "ready" when the first probes are on their way
// and, at its end, one line of JSON with what became of them.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "node-helper/drill/prober.h"
#include "node-helper/drill/responder.h"
#include "protocol/probe_log.h"

namespace drover {
namespace {

// Answered after more than this is late, and lost after that: a SYN that is lost comes again after
// 1 s and after 3 s, a question over a connection after 0.2, 0.6, 1.4, 3, 6.2 and 12.6 s. A
// takeover by VRRP's default timers may take longer than 3 s.
constexpr ProbeTime kDeadline = std::chrono::seconds(1);
constexpr ProbeTime kGiveUp = std::chrono::seconds(4);
constexpr ProbeTime kGiveUpLong = std::chrono::seconds(15);
constexpr auto kLongest = std::chrono::minutes(30);

const StopEvent* stop_event = nullptr;  // for the signal's handler

int Complain(const std::string& text) {
  std::fprintf(stderr, "lab_probe: %s\n", text.c_str());
  return 1;
}

int Serve(std::string name, const Endpoint& udp, const Endpoint& http, const StopEvent& stop) {
  auto responder = Responder::Open({.name = std::move(name), .udp = {udp}, .http = {http}});
  if (!responder) return Complain(responder.error().message);
  std::printf("ready\n");
  std::fflush(stdout);
  const Status served = (*responder)->Run(stop);
  return served ? 0 : Complain(served.error().message);
}

void AddSeries(ProberSettings& settings, const char* name, ProbeKind kind, const Endpoint& target,
               int per_second, std::uint32_t connections) {
  if (per_second <= 0) return;
  settings.series.push_back({.name = name,
                             .kind = kind,
                             .target = target,
                             .period = ProbeTime(std::chrono::seconds(1)) / per_second,
                             .deadline = kDeadline,
                             .give_up = kind == ProbeKind::kLongLived ? kGiveUpLong : kGiveUp,
                             .connections = connections});
}

double PercentileMs(std::vector<ProbeTime> times, double share) {
  if (times.empty()) return 0;
  std::sort(times.begin(), times.end());
  const auto at = static_cast<std::size_t>(static_cast<double>(times.size()) * share);
  return static_cast<double>(times[std::min(at, times.size() - 1)].count()) / 1000;
}

// The longest time between planned moments of probes that were answered.
double LongestGapMs(const std::vector<ProbeTime>& answered) {
  ProbeTime gap{0};
  for (std::size_t i = 1; i < answered.size(); ++i) {
    gap = std::max(gap, answered[i] - answered[i - 1]);
  }
  return static_cast<double>(gap.count()) / 1000;
}

nlohmann::json OfSeries(const ProbeLog& log, std::size_t number) {
  std::map<std::string, int> fates;
  for (const auto fate : {ProbeFate::kOk, ProbeFate::kLost, ProbeFate::kLate, ProbeFate::kError,
                          ProbeFate::kWrong, ProbeFate::kUnsent}) {
    fates[std::string(ToString(fate))] = 0;
  }
  std::map<std::string, int> servers;
  std::vector<ProbeTime> answered, lags, latencies;
  std::vector<double> bad_at;
  for (const ProbeRecord& record : log.records) {
    if (record.series != number) continue;
    ++fates[std::string(ToString(record.fate))];
    lags.push_back(record.fate == ProbeFate::kUnsent ? kGiveUp : record.lag());
    if (record.fate == ProbeFate::kOk || record.fate == ProbeFate::kLate) {
      ++servers[log.responders[record.responder]];
      answered.push_back(record.planned);
      latencies.push_back(*record.latency());
    } else if (bad_at.size() < 20) {
      bad_at.push_back(static_cast<double>(record.planned.count()) / 1e6);
    }
  }
  return {{"fates", fates},
          {"servers", servers},
          {"bad_at_s", bad_at},
          {"gap_ms", LongestGapMs(answered)},
          {"latency_p50_ms", PercentileMs(latencies, 0.5)},
          {"latency_p99_ms", PercentileMs(latencies, 0.99)},
          {"lag_p99_ms", PercentileMs(lags, 0.99)}};
}

int Ask(const std::array<Endpoint, 3>& targets, const std::array<int, 3>& amounts,
        const StopEvent& stop) {
  bool ready = false;
  ProberSettings settings{.name = "lab", .duration = kLongest};
  settings.progress = [&ready](const ProbeProgress&) {
    if (!std::exchange(ready, true)) {
      std::printf("ready\n");
      std::fflush(stdout);
    }
  };
  AddSeries(settings, "http", ProbeKind::kConnect, targets[0], amounts[0], 1);
  AddSeries(settings, "udp", ProbeKind::kPath, targets[1], amounts[1], 8);
  AddSeries(settings, "long", ProbeKind::kLongLived, targets[2], 2 * amounts[2],
            static_cast<std::uint32_t>(amounts[2]));
  const auto run = RunProber(settings, stop);
  if (!run) return Complain(run.error().message);
  const auto log = DecodeProbeLog(run->log);
  if (!log) return Complain(log.error().message);
  nlohmann::json found = nlohmann::json::object();
  for (std::size_t i = 0; i < settings.series.size(); ++i) {
    found[settings.series[i].name] = OfSeries(*log, i);
  }
  std::printf("%s\n", found.dump().c_str());
  return 0;
}

int Main(const std::vector<std::string>& words) {
  auto stop = StopEvent::Create();
  if (!stop) return Complain(stop.error().message);
  stop_event = &*stop;
  std::signal(SIGTERM, [](int) { stop_event->Stop(); });
  const bool serves = words.size() == 4 && words[0] == "serve";
  const bool asks = words.size() == 7 && words[0] == "ask";
  if (!serves && !asks)
    return Complain("serve NAME UDP HTTP, or ask HTTP RATE UDP RATE LONG CONNECTIONS");
  std::array<Endpoint, 3> endpoints;
  std::array<int, 3> amounts{};
  for (std::size_t i = 0; i < (serves ? 2U : 3U); ++i) {
    const std::string& text = words[serves ? 2 + i : 1 + 2 * i];
    const auto parsed = Endpoint::Parse(text);
    if (!parsed) return Complain(text + ": " + parsed.error().message);
    endpoints[i] = *parsed;
    if (asks) amounts[i] = std::atoi(words[2 + 2 * i].c_str());
  }
  return serves ? Serve(words[1], endpoints[0], endpoints[1], *stop)
                : Ask(endpoints, amounts, *stop);
}

}  // namespace
}  // namespace drover

int main(int count, char** arguments) {
  return drover::Main(std::vector<std::string>(arguments + 1, arguments + count));
}
