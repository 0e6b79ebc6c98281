// How many probes per second one core sends: `prober_rate [seconds]` drives each kind at rising
// rates against a responder on loopback, with real-time priority, and prints the lag and the
// processor time of the prober's thread. Not a test: its numbers depend on who else computes.

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

#include "node-helper/drill/prober.h"
#include "tests/node-helper/drill/probe_bench.h"

namespace drover {
namespace {

double ThreadSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void Drive(const char* name, std::vector<ProbeRunSeries> series, int seconds) {
  std::int64_t rate = 0;
  for (const ProbeRunSeries& one : series) rate += std::chrono::seconds(1) / one.period;
  const ProberSettings settings{
      .name = "rate", .series = std::move(series), .duration = std::chrono::seconds(seconds)};
  const double before = ThreadSeconds();
  const auto stop = StopEvent::Create();
  const auto run = RunProber(settings, *stop);
  if (!run) {
    std::printf("%-28s %s\n", name, run.error().message.c_str());
    return;
  }
  ProbeTime p50{0};
  ProbeTime p99{0};
  std::uint64_t unsent = 0;
  std::uint64_t planned = 0;
  for (const SeriesLag& lag : run->lag) {
    p50 = std::max(p50, lag.p50);
    p99 = std::max(p99, lag.p99);
    unsent += lag.unsent;
    planned += lag.planned;
  }
  const auto log = DecodeProbeLog(run->log);
  std::uint64_t ok = 0;
  for (const ProbeRecord& record : log->records) ok += record.fate == ProbeFate::kOk ? 1 : 0;
  std::printf(
      "%-28s %7ld/s  ok %6.2f %%  lag p50 %5ld us p99 %6ld us  unsent %lu  cpu %5.1f %%  "
      "log %.1f B/probe  %s\n",
      name, static_cast<long>(rate), 100.0 * static_cast<double>(ok) / static_cast<double>(planned),
      static_cast<long>(p50.count()), static_cast<long>(p99.count()), unsent,
      100 * (ThreadSeconds() - before) / seconds,
      static_cast<double>(run->log.size()) / static_cast<double>(planned),
      run->void_reason.empty() ? "" : "VOID");
}

ProbeRunSeries Of(ProbeKind kind, const Endpoint& target, int per_second) {
  ProbeRunSeries series{.name = std::string(ToString(kind)), .kind = kind, .target = target};
  series.period = ProbeTime(1'000'000 / per_second);
  series.connections = kind == ProbeKind::kLongLived ? 200 : 1;
  return series;
}

int Main(int seconds) {
  const Endpoint any{IpAddress::V4({127, 0, 0, 1}), 0};
  ResponderThread server({.name = "rs1", .udp = {any}, .http = {any}});
  if (!server.ok()) {
    std::printf("no responder: %s\n", server.error().c_str());
    return 1;
  }
  const Endpoint udp = server.responder().udp().front();
  const Endpoint http = server.responder().http().front();
  for (const int rate : {1000, 5000, 20000}) {
    Drive("path", {Of(ProbeKind::kPath, udp, rate)}, seconds);
  }
  for (const int rate : {1000, 2000, 5000}) {
    Drive("connect", {Of(ProbeKind::kConnect, http, rate)}, seconds);
  }
  for (const int rate : {1000, 5000, 10000}) {
    Drive("long-lived, 200 connections", {Of(ProbeKind::kLongLived, http, rate)}, seconds);
  }
  Drive("all four kinds, 1000/s each",
        {Of(ProbeKind::kPath, udp, 1000), Of(ProbeKind::kConnect, http, 1000),
         Of(ProbeKind::kConnectDefaults, http, 1000), Of(ProbeKind::kLongLived, http, 1000)},
        seconds);
  return 0;
}

}  // namespace
}  // namespace drover

int main(int argc, char** argv) { return drover::Main(argc > 1 ? std::atoi(argv[1]) : 3); }
