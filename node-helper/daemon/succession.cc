#include "node-helper/daemon/succession.h"

#include <algorithm>

namespace drover {
namespace {

// Until it takes over; it may still not come to that.
constexpr std::chrono::seconds kPatience{30};
// Less than the other one lingers: what it does not take any more it would route back to us.
constexpr std::chrono::milliseconds kMargin{500};

}  // namespace

std::vector<VrrpInstance> LingeringUntilTold(const DesiredState& wants) {
  std::vector<VrrpInstance> instances = wants.vrrp_instances;
  if (wants.sync_daemons.empty()) return instances;
  for (VrrpInstance& instance : instances) {
    if (instance.linger.count() > 0) instance.linger = std::max(instance.linger, kUntilTold);
  }
  return instances;
}

void Succession::Ahead(const std::string& instance, const TakeoverAhead& takeover, Time now) {
  courses_.insert_or_assign(instance, Course{takeover, now + kPatience});
}

void Succession::Moved(const std::string& instance, const InstanceMoved& moved, Time at) {
  const auto course = courses_.find(instance);
  if (course == courses_.end()) return;
  if (moved.to == "master") {
    course->second.until = at + kUntilTold - kMargin;
  } else {
    courses_.erase(course);
  }
}

std::vector<PassedOn> Succession::Wanted(const DesiredState& wants, Time now) const {
  std::vector<PassedOn> passed;
  if (wants.sync_daemons.empty()) return passed;
  for (const VrrpInstance& instance : wants.vrrp_instances) {
    const auto course = courses_.find(instance.name);
    if (course == courses_.end() || now >= course->second.until) continue;
    for (const VirtualService& service : wants.services) {
      const auto* key = std::get_if<SocketKey>(&service.key);
      if (key == nullptr || key->transport != Transport::kTcp) continue;
      const IpAddress& master = course->second.takeover.master;
      if (key->port == 0 || key->address.family() != master.family()) continue;
      if (!instance.Holds(key->address)) continue;
      passed.push_back({*key, master, course->second.takeover.interface});
    }
  }
  return passed;
}

std::optional<Succession::Time> Succession::Deadline(Time now) const {
  std::optional<Time> earliest;
  for (const auto& [instance, course] : courses_) {
    if (course.until <= now) continue;
    if (!earliest || course.until < *earliest) earliest = course.until;
  }
  return earliest;
}

}  // namespace drover
