#include "sample_drill.h"

#include <algorithm>
#include <random>

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr ProbeTime kLength = seconds(36);
constexpr ProbeTime kInjected = milliseconds(10'240);
constexpr ProbeTime kUndone = milliseconds(24'240);
constexpr MacAddress kLb1 = {2, 0, 0, 0, 0, 1};
constexpr MacAddress kLb2 = {2, 0, 0, 0, 0, 2};

// Writes series of records whose answers the outage swallows.
class LogBuilder {
 public:
  LogBuilder(ProbeLog& log, const SampleWish& wish)
      : log_(log), end_(kInjected + wish.outage), resets_(wish.residue) {
    log_.responders = {"", "rs1", "rs2", "rs3"};
    log_.macs = {MacAddress{}, kLb1, kLb2};
  }

  void Series(ProbeSeries series, std::uint32_t streams, ProbeTime first_repetition) {
    const auto number = static_cast<std::uint8_t>(log_.header.series.size());
    log_.header.series.push_back(series);
    std::uint32_t count = 0;
    for (ProbeTime at{0}; at < kLength; at += series.period, ++count) {
      ProbeRecord record{.series = number,
                         .stream = streams == 0 ? 0 : count % streams,
                         .local_port = static_cast<std::uint16_t>(20'000 + count % 30'000),
                         .planned = at,
                         .sent = at + ProbeTime(random_() % 40)};
      Answer(record, series, first_repetition);
      log_.records.push_back(record);
    }
  }

 private:
  void Answer(ProbeRecord& record, const ProbeSeries& series, ProbeTime repetition) {
    ProbeTime passed = record.sent;
    while (passed >= kInjected && passed < end_) {
      if (repetition.count() == 0) {
        record.fate = ProbeFate::kLost;
        return;
      }
      passed += repetition;
      repetition *= 2;
    }
    const auto spread = static_cast<double>(random_() % 1000) / 1000;
    const auto wait = ProbeTime(180 + static_cast<int>(900 * spread * spread * spread * spread));
    record.answered = passed + wait;
    record.fate =
        *record.answered - record.planned > series.deadline ? ProbeFate::kLate : ProbeFate::kOk;
    record.responder = static_cast<std::uint16_t>(1 + record.stream % 3);
    record.mac = passed < kInjected ? 1 : 2;
    // A few connections were too young to be known to the backup.
    if (resets_ && series.kind == ProbeKind::kLongLived && series.name == "idle" &&
        record.stream % 9 == 4 && record.planned >= kInjected) {
      record.fate = ProbeFate::kError;
      record.error = ProbeError::kReset;
    }
  }

  ProbeLog& log_;
  ProbeTime end_;
  bool resets_;
  std::mt19937 random_{7};
};

void FillLog(ProbeLog& log, const SampleWish& wish) {
  log.header.prober = "client";
  LogBuilder builder(log, wish);
  builder.Series({ProbeKind::kPath, "path", "10.77.0.100:7", "", milliseconds(1)}, 0, {});
  builder.Series({ProbeKind::kConnect, "connect", "10.77.0.100:80", "", milliseconds(10)}, 0, {});
  builder.Series({ProbeKind::kConnectDefaults, "connect-defaults", "10.77.0.100:80", "",
                  milliseconds(50), milliseconds(1000)},
                 0, seconds(1));
  builder.Series({ProbeKind::kLongLived, "chatty", "10.77.0.100:80", "", milliseconds(4)}, 25,
                 milliseconds(200));
  builder.Series({ProbeKind::kLongLived, "slow", "10.77.0.100:80", "", milliseconds(40)}, 25,
                 milliseconds(200));
  builder.Series({ProbeKind::kLongLived, "idle", "10.77.0.100:80", "", milliseconds(300)}, 30,
                 milliseconds(200));
}

void FillJournal(DrillJournal& journal, const SampleWish& wish) {
  journal.drover_version = "0.1.0";
  journal.id = "20260131-021500-director-crash-1a2b";
  journal.phase = DrillPhase::kJudged;
  journal.settings.duration = std::chrono::duration_cast<milliseconds>(kUndone - kInjected);
  journal.playbook = "site.yml";
  journal.inventory = "production";
  journal.user = "ada";
  journal.control_host = "bastion";
  journal.trigger = "schedule nightly-crash";
  journal.target = "lb1";
  journal.peer = "lb2";
  journal.prober = "client";
  journal.instance = "web";
  journal.nodes = {"lb1", "lb2", "rs1", "rs2", "rs3"};
  journal.service = "tcp 10.77.0.100:80";
  journal.vip = *IpAddress::Parse("10.77.0.100");
  journal.started_us = 1'769'825'700'000'000;
  journal.finished_us = journal.started_us + 52'000'000;
  journal.cluster.master.name = "web";
  journal.cluster.master.advert_interval = seconds(1);
  journal.cluster.master.priority = 200;
  VrrpInstance backup = journal.cluster.master;
  backup.priority = 100;
  journal.cluster.backups = {backup};
  journal.cluster.sync = {.running = true, .threshold = 3, .period = 0, .refresh = seconds(2)};
  journal.cluster.real_servers = 3;
  journal.probes = {.connections_per_second = 120, .long_lived = 80};
  journal.prediction =
      *Predict(Fault::kDirectorCrash, journal.cluster, journal.probes, journal.settings);
  journal.gates = {{"peer healthy", true, "lb2 is backup and hears lb1", ""},
                   {"rules equal", true, "3 destinations on lb1 and lb2", ""},
                   {"sync converged", true, "412 of 412 connections", ""},
                   {"no drift", true, "no node differs from the playbook", ""},
                   {"error budget", false, "2 of 2 used", "release <freeze> & all"}};
  journal.moments = {
      {milliseconds(9'900), "", "armed: kernel, guardian, daemon", "", ""},
      {kInjected, "lb1", "injected", "", ""},
      {kInjected + wish.outage - milliseconds(18), "lb2", "backup -> master: no advert", "vrrp",
       "vrrp_instance web"},
      {kUndone, "lb1", "undone by the kernel", "", ""},
      {kUndone + milliseconds(310), "lb1", "initialize -> backup", "vrrp", "vrrp_instance web"}};
  journal.injected = kInjected;
  journal.undone = kUndone;
  journal.undone_by = "kernel";
  journal.macs = {{"lb1", kLb1}, {"lb2", kLb2}};
  journal.redundancy = {{kInjected + seconds(2), false, false, false},
                        {kUndone + seconds(1), true, false, false},
                        {kUndone + seconds(3), true, true, true}};
  journal.facts.snapshots_compared = true;
  if (wish.residue) journal.facts.residue = {"lb1: nft: + table inet drover_drill"};
}

void FillCapture(const SampleWish& wish, DrillAnalysis& analysis) {
  const ProbeTime taken = kInjected + wish.outage - milliseconds(16);
  for (ProbeTime at = milliseconds(300); at < kInjected; at += seconds(1)) {
    analysis.frames.push_back({at, FrameKind::kAdvert, kLb1});
  }
  for (ProbeTime at = taken; at < kLength; at += seconds(1)) {
    analysis.frames.push_back({at, FrameKind::kAdvert, kLb2});
  }
  for (const int later : {1, 3, 5}) {
    analysis.frames.push_back({taken + milliseconds(later), FrameKind::kAnnouncement, kLb2});
  }
  analysis.owners = {{kLb1, milliseconds(40), kInjected - milliseconds(10)},
                     {kLb2, taken + milliseconds(1), kLength}};
  if (wish.shared.count() > 0) analysis.owners.front().to = taken + wish.shared;
  analysis.shared = SharedSpans(analysis.owners);
  FailoverCapture capture{.injection = kInjected, .old_director = kLb1, .frames = analysis.frames};
  capture.frames.push_back({taken + milliseconds(14), FrameKind::kData, kLb2});
  capture.clients = {{"path", kInjected + wish.outage}};
  capture.last_resumed = kInjected + milliseconds(6'210);
  analysis.waterfall = WaterfallOf(capture);
}

}  // namespace

SampleDrill MakeSampleDrill(const SampleWish& wish) {
  SampleDrill sample;
  FillJournal(sample.journal, wish);
  FillLog(sample.log, wish);
  sample.analysis = *Analyse(sample.journal, sample.log, "");
  FillCapture(wish, sample.analysis);
  // What only a capture shows.
  auto& measured = sample.analysis.measured;
  measured.erase(std::remove_if(measured.begin(), measured.end(),
                                [](const Measurement& one) {
                                  return one.quantity == Quantity::kTakeovers ||
                                         one.quantity == Quantity::kDoubleOwner;
                                }),
                 measured.end());
  measured.push_back({Quantity::kTakeovers, 1, 0, false});
  measured.push_back({Quantity::kDoubleOwner, static_cast<double>(wish.shared.count()), 0, false});
  sample.journal.measured = measured;
  sample.journal.facts.voids = sample.analysis.voids;
  sample.journal.verdict = JudgeDrill(sample.journal.prediction, measured, sample.journal.facts);
  return sample;
}

}  // namespace drover
