#include "orchestrator/drill/analysis.h"

#include <algorithm>

#include "orchestrator/drill/measure.h"

namespace drover {
namespace {

bool IsSlow(const ProbeRecord& record, ProbeTime injection, ProbeTime takeover) {
  if (!record.answered || *record.answered < injection) return false;
  const bool waited = record.planned < takeover && *record.answered >= takeover;
  return record.fate == ProbeFate::kLate || (record.fate == ProbeFate::kOk && waited);
}

// Builds the analysis step by step: later steps use what earlier ones found.
class Analyst {
 public:
  Analyst(const DrillJournal& journal, const ProbeLog& log, CaptureSeen capture)
      : journal_(journal), log_(log), capture_(std::move(capture)) {
    for (const ProbeRecord& record : log.records) {
      analysis_.length =
          std::max({analysis_.length, record.planned, record.answered.value_or(record.planned)});
    }
    // Without one nothing is "during" it.
    injection_ = journal.injected.value_or(analysis_.length + ProbeTime(1));
    from_ = journal.injected ? injection_ - kMarkerSlack : injection_;
  }

  DrillAnalysis Run() {
    FindOwners();
    FindSpeakers();
    for (std::size_t i = 0; i < log_.header.series.size(); ++i) analysis_.series.push_back(Of(i));
    FindSurvivors();
    if (journal_.injected) {
      DrawWaterfall();
      analysis_.measured =
          MeasureDrill({journal_, log_, capture_, analysis_, injection_, old_director_});
    }
    return std::move(analysis_);
  }

 private:
  void FindOwners() {
    std::vector<OwnerSighting> sightings;
    for (const ClaimSeen& claim : capture_.claims) {
      if (claim.address == journal_.vip) sightings.push_back({claim.at, claim.mac});
    }
    analysis_.owners = OwnersOf(std::move(sightings), kOwnerHold);
    analysis_.shared = SharedSpans(analysis_.owners);
  }

  void FindSpeakers() {
    adverts_ = AdvertsOf(journal_, capture_);
    for (const AdvertSeen& advert : adverts_) {
      if (advert.at <= injection_) old_director_ = SpeakerOf(advert);
    }
  }

  SeriesAnalysis Of(std::size_t i) {
    SeriesAnalysis one{.series = log_.header.series[i]};
    one.before = TallyOf(log_, i, ProbeTime::min(), from_);
    one.during = TallyOf(log_, i, from_, ProbeTime::max());
    const std::vector<ProbePoint> points = PointsOf(log_, i);
    one.outage = LongestOf(FindOutages(points, one.series.period, from_));
    one.brown_outs = FindBrownOuts(points, one.outage ? &*one.outage : nullptr);
    one.time_to_clean = TimeToClean(points, from_);
    one.lag = LagOf(log_, i);
    if (one.lag.is_void) analysis_.voids.push_back(one.lag.reason);
    if (one.series.name == kControlSeries) analysis_.control_clean = one.during.bad() == 0;
    return one;
  }

  // When the slowest client was served again; the injection where there was no gap.
  [[nodiscard]] ProbeTime Takeover() const {
    ProbeTime takeover = injection_;
    for (const std::size_t i : GapSeries(log_)) {
      const auto& outage = analysis_.series[i].outage;
      if (outage && outage->next_ok) takeover = std::max(takeover, *outage->next_ok);
    }
    return takeover;
  }

  void FindSurvivors() {
    if (!journal_.injected) return;
    const ProbeTime takeover = Takeover();
    for (std::size_t i = 0; i < analysis_.series.size(); ++i) {
      if (analysis_.series[i].series.kind != ProbeKind::kLongLived) continue;
      analysis_.series[i].survival = SurvivalOf(log_, i, injection_, takeover);
    }
  }

  void DrawWaterfall() {
    FailoverCapture capture{.injection = injection_, .old_director = old_director_};
    for (const AdvertSeen& advert : adverts_) {
      capture.frames.push_back({advert.at, FrameKind::kAdvert, SpeakerOf(advert)});
    }
    for (const ClaimSeen& claim : capture_.claims) {
      if (claim.address != journal_.vip || !claim.announcement) continue;
      capture.frames.push_back({claim.at, FrameKind::kAnnouncement, claim.mac});
    }
    const ProbeTime takeover = Takeover();
    for (const ProbeRecord& record : log_.records) {
      const ProbeKind kind = log_.header.series[record.series].kind;
      if (kind == ProbeKind::kLongLived) {
        if (!IsSlow(record, injection_, takeover)) continue;
        capture.last_resumed =
            std::max(capture.last_resumed.value_or(ProbeTime(0)), *record.answered);
      } else if (record.mac != 0 && record.fate == ProbeFate::kOk) {
        capture.frames.push_back({record.sent, FrameKind::kData, log_.macs[record.mac]});
      }
    }
    for (const std::size_t i : GapSeries(log_)) {
      const SeriesAnalysis& one = analysis_.series[i];
      if (one.outage && one.outage->next_ok) {
        capture.clients.push_back({one.series.name, *one.outage->next_ok});
      }
    }
    analysis_.waterfall = WaterfallOf(capture);
    for (const FrameSighting& frame : capture.frames) {
      if (frame.kind != FrameKind::kData) analysis_.frames.push_back(frame);
    }
    std::stable_sort(analysis_.frames.begin(), analysis_.frames.end(),
                     [](const FrameSighting& a, const FrameSighting& b) { return a.at < b.at; });
  }

  const DrillJournal& journal_;
  const ProbeLog& log_;
  CaptureSeen capture_;
  std::vector<AdvertSeen> adverts_;
  MacAddress old_director_{};
  ProbeTime injection_{0};
  ProbeTime from_{0};
  DrillAnalysis analysis_;
};

}  // namespace

Result<DrillAnalysis> Analyse(const DrillJournal& journal, const ProbeLog& log,
                              std::string_view capture) {
  if (log.header.series.empty()) return Fail(ErrorCode::kInvalid, "the probe log has no series");
  CaptureSeen seen;
  if (!capture.empty()) {
    auto read = ReadCapture(capture, log.header.started_wall_us);
    if (!read) return Fail(read.error().In("capture"));
    seen = *std::move(read);
  }
  return Analyst(journal, log, std::move(seen)).Run();
}

}  // namespace drover
