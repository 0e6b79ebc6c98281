#include "orchestrator/run/drill_timeline.h"

#include <algorithm>

namespace drover {

void DrillTimeline::Begin(const ClusterStatus& cluster) {
  for (const HostStatus& host : cluster.hosts) {
    if (!host.status) continue;
    for (const LoggedEvent& event : host.status->events) {
      known_.emplace(host.host, event.monotonic_us, event.subject, event.text);
    }
  }
}

void DrillTimeline::Add(WallUs at, std::string host, std::string what) {
  entries_.push_back({at, {.host = std::move(host), .what = std::move(what)}});
}

std::vector<std::string> DrillTimeline::Take(const ClusterStatus& cluster) {
  std::vector<std::string> news;
  for (const HostStatus& host : cluster.hosts) {
    if (!host.status) continue;
    for (const LoggedEvent& event : host.status->events) {
      if (!known_.emplace(host.host, event.monotonic_us, event.subject, event.text).second)
        continue;
      const auto clock = clocks_.find(host.host);
      const WallUs ahead = clock == clocks_.end() ? 0 : clock->second.ahead.count();
      entries_.push_back(
          {event.wall_us - ahead,
           {.host = host.host, .what = event.text, .kind = event.kind, .subject = event.subject},
           event.monotonic_us});
      news.push_back(host.host + ": " + (event.subject.empty() ? "" : event.subject + " ") +
                     event.text);
    }
  }
  return news;
}

std::vector<DrillMoment> DrillTimeline::Moments(WallUs start,
                                                const std::optional<Anchor>& anchor) const {
  std::vector<DrillMoment> moments;
  for (const Entry& entry : entries_) {
    moments.push_back(entry.moment);
    DrillMoment& moment = moments.back();
    moment.at = ProbeTime(entry.at - start);
    if (anchor && moment.host == anchor->host && entry.monotonic_us != 0) {
      moment.at = anchor->at + ProbeTime(entry.monotonic_us - anchor->monotonic_us);
    }
  }
  std::stable_sort(moments.begin(), moments.end(),
                   [](const DrillMoment& a, const DrillMoment& b) { return a.at < b.at; });
  return moments;
}

}  // namespace drover
