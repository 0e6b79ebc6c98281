#include "orchestrator/drill/measure.h"

#include <algorithm>
#include <set>

namespace drover {
namespace {

// Moments of other hosts are put on the prober's clock by the hosts' own clocks.
constexpr ProbeTime kClockSlack = std::chrono::milliseconds(50);
constexpr int kAdvertHold = 4;  // intervals: one more than makes a backup take over

double Ms(ProbeTime time) { return Milliseconds(time).count(); }

bool IsControl(const ProbeSeries& series) { return series.name == kControlSeries; }

// Collects what could be measured.
class Measurer {
 public:
  explicit Measurer(const DrillEvidence& evidence)
      : evidence_(evidence),
        journal_(evidence.journal),
        log_(evidence.log),
        from_(evidence.injection - kMarkerSlack) {
    faulty_until_ = journal_.undone.value_or(evidence.analysis.length);
  }

  std::vector<Measurement> Run() {
    Gap();
    Connections();
    LongLived();
    Owners();
    Takeovers();
    ByTheNodes();
    if (const auto redundancy = RedundancyAfter(journal_.redundancy, evidence_.injection)) {
      Add({Quantity::kRedundancy, Ms(redundancy->value), Ms(redundancy->resolution)});
    }
    return std::move(measured_);
  }

 private:
  void Add(const Measurement& measurement) { measured_.push_back(measurement); }

  // The worst client counts.
  void Gap() {
    const std::vector<std::size_t> series = GapSeries(log_);
    if (series.empty()) return;
    Measurement outage{.quantity = Quantity::kOutage};
    std::uint64_t bad = 0;
    for (const std::size_t i : series) {
      const ProbeTime period = log_.header.series[i].period;
      const auto found = LongestOf(FindOutages(PointsOf(log_, i), period, from_));
      outage.uncertainty = std::max(outage.uncertainty, Ms(period));
      bad = std::max(bad, TallyOf(log_, i, from_, ProbeTime::max()).bad());
      if (!found || Ms(found->at_least()) < outage.value) continue;
      outage.value = Ms(found->at_least());
      outage.at_least = !found->gap();
    }
    Add(outage);
    Add({Quantity::kBadProbes, static_cast<double>(bad)});
  }

  void Connections() {
    std::uint64_t failed = 0;
    bool any = false;
    std::optional<Measurement> stall;
    for (std::size_t i = 0; i < log_.header.series.size(); ++i) {
      const ProbeSeries& series = log_.header.series[i];
      const bool defaults = series.kind == ProbeKind::kConnectDefaults;
      if (IsControl(series) || (series.kind != ProbeKind::kConnect && !defaults)) continue;
      any = true;
      const ProbeTally tally = TallyOf(log_, i, from_, ProbeTime::max());
      failed += tally.lost + tally.error;
      if (defaults) stall = std::max(stall.value_or(Measurement{}), Slowest(i), ByValue);
    }
    if (any) Add({Quantity::kFailedConnections, static_cast<double>(failed)});
    if (!stall) return;
    stall->quantity = Quantity::kConnectStall;
    Add(*stall);
  }

  static bool ByValue(const Measurement& a, const Measurement& b) { return a.value < b.value; }

  // The slowest answer since the injection; at least as long as one was waited for in vain.
  [[nodiscard]] Measurement Slowest(std::size_t series) const {
    Measurement slowest;
    for (const ProbeRecord& record : log_.records) {
      if (record.series != series || record.planned < from_) continue;
      const bool lost = record.fate == ProbeFate::kLost;
      const bool answered = record.fate == ProbeFate::kOk || record.fate == ProbeFate::kLate;
      if (!lost && !answered) continue;
      const double took = lost ? Ms(log_.header.series[series].deadline) : Ms(*record.latency());
      if (took < slowest.value) continue;
      slowest.value = took;
      slowest.at_least = lost;
    }
    return slowest;
  }

  void LongLived() {
    SurvivalCount sum;
    std::uint64_t resets = 0;
    Measurement stall{.quantity = Quantity::kEstablishedStall};
    bool any = false;
    for (std::size_t i = 0; i < log_.header.series.size(); ++i) {
      if (log_.header.series[i].kind != ProbeKind::kLongLived) continue;
      any = true;
      if (const auto& survival = evidence_.analysis.series[i].survival) {
        const SurvivalCount count = survival->total();
        sum.open += count.open;
        sum.survived += count.survived;
        sum.unknown += count.unknown;
      }
      resets += ResetsOf(i);
      for (const ProbeRecord& record : log_.records) {
        const bool lived = record.fate == ProbeFate::kOk || record.fate == ProbeFate::kLate;
        if (record.series != i || record.planned < from_ || !lived) continue;
        stall.value = std::max(stall.value, Ms(*record.latency()));
      }
    }
    if (!any) return;
    Add({Quantity::kResets, static_cast<double>(resets)});
    Add(stall);
    if (sum.open == sum.unknown) return;
    Add({Quantity::kSurvival,
         static_cast<double>(sum.survived) / static_cast<double>(sum.open - sum.unknown)});
  }

  // Connections that had answered once and ended by an error since the injection.
  [[nodiscard]] std::uint64_t ResetsOf(std::size_t series) const {
    std::set<std::uint32_t> open;
    std::set<std::uint32_t> reset;
    for (const ProbeRecord& record : log_.records) {
      if (record.series != series) continue;
      if (record.fate == ProbeFate::kOk || record.fate == ProbeFate::kLate) {
        open.insert(record.stream);
      } else if (record.fate == ProbeFate::kError && *record.answered >= from_ &&
                 open.contains(record.stream)) {
        reset.insert(record.stream);
      }
    }
    return reset.size();
  }

  void Owners() {
    if (evidence_.analysis.owners.empty()) return;
    ProbeTime shared{0};
    for (const TimeSpan& span : evidence_.analysis.shared) {
      if (span.to > from_) shared += span.to - std::max(span.from, from_);
    }
    const double uncertainty = shared.count() == 0 ? 0 : Ms(kOwnerPeriod);
    Add({Quantity::kDoubleOwner, Ms(shared), uncertainty});
  }

  // Speakers that begin to advertise while the fault lasts; where no advert reaches the prober
  // (unicast, another link), what the directors say themselves.
  void Takeovers() {
    const std::vector<AdvertSeen> adverts = AdvertsOf(journal_, evidence_.capture);
    std::vector<OwnerSighting> others;
    for (const AdvertSeen& advert : adverts) {
      const MacAddress speaker = SpeakerOf(advert);
      if (speaker != evidence_.old_director) others.push_back({advert.at, speaker});
    }
    std::uint64_t takeovers = 0;
    std::optional<ProbeTime> first;
    const auto count = [&](ProbeTime at) {
      if (at < from_ || at >= faulty_until_) return;
      ++takeovers;
      if (!first || at < *first) first = at;
    };
    if (evidence_.old_director != MacAddress{}) {
      const ProbeTime hold =
          std::chrono::duration_cast<ProbeTime>(journal_.cluster.master.advert_interval) *
          kAdvertHold;
      for (const OwnerInterval& owner : OwnersOf(others, hold)) count(owner.from);
    } else {
      for (const DrillMoment& moment : journal_.moments) {
        const bool won =
            moment.kind == "vrrp" && moment.what.find("-> master") != std::string::npos;
        const bool stays =
            moment.host == journal_.target && journal_.prediction.fault != Fault::kFailback;
        if (won && !stays) count(std::max(moment.at, from_));
      }
    }
    Add({Quantity::kTakeovers, static_cast<double>(takeovers)});
    if (first) Add({Quantity::kHandover, std::max(0.0, Ms(*first - evidence_.injection))});
  }

  // What only the nodes' event logs tell.
  void ByTheNodes() {
    const Fault fault = journal_.prediction.fault;
    const char* alarm = fault == Fault::kSyncCut ? "sync" : "rival";
    MeasureMoment(Quantity::kDetection, First(alarm, "", ""));
    MeasureMoment(Quantity::kRepair, Last("drift", journal_.target));
    MeasureMoment(Quantity::kQuiesce, First("check", "", " is down"));
    if (!journal_.undone || !Wanted(Quantity::kReturn)) return;
    for (const DrillMoment& moment : journal_.moments) {
      const bool is_return = moment.kind == "check" &&
                             moment.at >= *journal_.undone - kClockSlack &&
                             moment.what.find(" is up") != std::string::npos;
      if (!is_return) continue;
      Add({Quantity::kReturn, std::max(0.0, Ms(moment.at - *journal_.undone)), Ms(kClockSlack)});
      return;
    }
    Add({Quantity::kReturn, Ms(evidence_.analysis.length - *journal_.undone), 0, true});
  }

  [[nodiscard]] bool Wanted(Quantity quantity) const {
    return journal_.prediction.Find(quantity) != nullptr;
  }

  // What was not seen while the fault lasted took longer than it did.
  void MeasureMoment(Quantity quantity, std::optional<ProbeTime> at) {
    if (!Wanted(quantity)) return;
    const ProbeTime end = at.value_or(faulty_until_);
    Add({quantity, std::max(0.0, Ms(end - evidence_.injection)), at ? Ms(kClockSlack) : 0, !at});
  }

  [[nodiscard]] bool InFault(const DrillMoment& moment) const {
    return moment.at >= evidence_.injection - kClockSlack && moment.at < faulty_until_;
  }

  [[nodiscard]] std::optional<ProbeTime> First(std::string_view kind, std::string_view host,
                                               std::string_view text) const {
    for (const DrillMoment& moment : journal_.moments) {
      const bool fits = InFault(moment) && moment.kind == kind &&
                        (host.empty() || moment.host == host) &&
                        moment.what.find(text) != std::string::npos;
      if (fits) return moment.at;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<ProbeTime> Last(std::string_view kind, std::string_view host) const {
    std::optional<ProbeTime> last;
    for (const DrillMoment& moment : journal_.moments) {
      if (InFault(moment) && moment.kind == kind && moment.host == host) last = moment.at;
    }
    return last;
  }

  const DrillEvidence& evidence_;
  const DrillJournal& journal_;
  const ProbeLog& log_;
  ProbeTime from_;
  ProbeTime faulty_until_{0};
  std::vector<Measurement> measured_;
};

}  // namespace

MacAddress SpeakerOf(const AdvertSeen& advert) {
  // RFC 9568, section 7.3: 00-00-5E-00-01-{VRID}, or 02 for IPv6.
  const bool is_virtual = advert.mac[0] == 0 && advert.mac[1] == 0 && advert.mac[2] == 0x5e &&
                          advert.mac[3] == 0 && (advert.mac[4] == 1 || advert.mac[4] == 2);
  if (!is_virtual) return advert.mac;
  MacAddress speaker{0x02};
  constexpr std::size_t kTail = 5;
  const std::size_t tail = std::min(kTail, advert.source.size());
  std::copy_n(advert.source.data() + advert.source.size() - tail, tail, speaker.end() - tail);
  return speaker;
}

std::vector<AdvertSeen> AdvertsOf(const DrillJournal& journal, const CaptureSeen& capture) {
  std::vector<AdvertSeen> adverts;
  for (const AdvertSeen& advert : capture.adverts) {
    const bool ours = advert.vrid == journal.cluster.master.vrid &&
                      advert.source.family() == journal.cluster.master.family();
    if (ours) adverts.push_back(advert);
  }
  std::stable_sort(adverts.begin(), adverts.end(),
                   [](const AdvertSeen& a, const AdvertSeen& b) { return a.at < b.at; });
  return adverts;
}

std::vector<std::size_t> GapSeries(const ProbeLog& log) {
  std::vector<std::size_t> paths;
  std::vector<std::size_t> bare;
  for (std::size_t i = 0; i < log.header.series.size(); ++i) {
    const ProbeSeries& series = log.header.series[i];
    if (series.name == kControlSeries) continue;
    if (series.kind == ProbeKind::kPath) paths.push_back(i);
    if (series.kind == ProbeKind::kConnect && series.name.starts_with(kConnectSeries)) {
      bare.push_back(i);
    }
  }
  return paths.empty() ? bare : paths;
}

std::vector<Measurement> MeasureDrill(const DrillEvidence& evidence) {
  return Measurer(evidence).Run();
}

}  // namespace drover
