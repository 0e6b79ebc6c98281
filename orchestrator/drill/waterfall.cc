#include "orchestrator/drill/waterfall.h"

#include <algorithm>

namespace drover {
namespace {

const FrameSighting* FirstAdvertOfAnother(const FailoverCapture& capture) {
  const FrameSighting* first = nullptr;
  for (const FrameSighting& frame : capture.frames) {
    if (frame.kind != FrameKind::kAdvert || frame.mac == capture.old_director) continue;
    if (frame.at < capture.injection || (first != nullptr && frame.at >= first->at)) continue;
    first = &frame;
  }
  return first;
}

// Of the old director, until the new one speaks: after that an old master may be back as backup.
std::optional<ProbeTime> LastAdvertOfOld(const FailoverCapture& capture,
                                         std::optional<ProbeTime> until) {
  std::optional<ProbeTime> last;
  for (const FrameSighting& frame : capture.frames) {
    if (frame.kind != FrameKind::kAdvert || frame.mac != capture.old_director) continue;
    if (until && frame.at > *until) continue;
    if (!last || frame.at > *last) last = frame.at;
  }
  return last;
}

std::optional<ProbeTime> FirstOfNew(const FailoverCapture& capture, const MacAddress& director,
                                    FrameKind kind) {
  std::optional<ProbeTime> first;
  for (const FrameSighting& frame : capture.frames) {
    if (frame.kind != kind || frame.mac != director || frame.at < capture.injection) continue;
    if (!first || frame.at < *first) first = frame.at;
  }
  return first;
}

// Adds milestones in order and counts what each took.
class MilestoneWriter {
 public:
  explicit MilestoneWriter(ProbeTime injection) : injection_(injection), reached_(injection) {}

  void Add(std::string name, std::optional<ProbeTime> at) {
    Milestone milestone{.name = std::move(name)};
    if (at) {
      milestone.at = *at - injection_;
      milestone.took = std::max(ProbeTime(0), *at - reached_);
      reached_ = std::max(reached_, *at);
    }
    milestones_.push_back(std::move(milestone));
  }
  std::vector<Milestone> Take() { return std::move(milestones_); }

 private:
  ProbeTime injection_;
  ProbeTime reached_;
  std::vector<Milestone> milestones_;
};

}  // namespace

Waterfall WaterfallOf(const FailoverCapture& capture) {
  Waterfall waterfall;
  std::optional<ProbeTime> advert;
  std::optional<ProbeTime> announcement;
  std::optional<ProbeTime> data;
  if (const FrameSighting* first = FirstAdvertOfAnother(capture); first != nullptr) {
    waterfall.new_director = first->mac;
    advert = first->at;
    announcement = FirstOfNew(capture, first->mac, FrameKind::kAnnouncement);
    data = FirstOfNew(capture, first->mac, FrameKind::kData);
  }
  MilestoneWriter writer(capture.injection);
  writer.Add("last advert of old", LastAdvertOfOld(capture, advert));
  writer.Add("first advert of new", advert);
  writer.Add("first announcement", announcement);
  writer.Add("first data frame via new director", data);
  std::vector<ClientSuccess> clients = capture.clients;
  std::stable_sort(clients.begin(), clients.end(),
                   [](const ClientSuccess& a, const ClientSuccess& b) { return a.at < b.at; });
  for (const ClientSuccess& client : clients) {
    writer.Add("first success of " + client.client, client.at);
  }
  writer.Add("last stalled connection resumed", capture.last_resumed);
  waterfall.milestones = writer.Take();
  return waterfall;
}

}  // namespace drover
