// The phases of a failover, so that one sees which of them took the time:
//
//   injection -> last advert of old -> first advert of new -> first GARP -> first data frame via
//   new director -> first success per client -> last stalled connection resumed.
//
// Pure. All times are of one clock: the prober's packet capture.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/probe_log.h"

namespace drover {

enum class FrameKind : std::uint8_t {
  kAdvert,        // VRRP
  kAnnouncement,  // gratuitous ARP, unsolicited NA
  kData,          // a request that a director forwarded
};

// A frame of the capture; `mac` is the director's.
struct FrameSighting {
  ProbeTime at{0};
  FrameKind kind = FrameKind::kAdvert;
  MacAddress mac{};
};

struct ClientSuccess {
  std::string client;
  ProbeTime at{0};  // of its first success after the outage
};

struct FailoverCapture {
  ProbeTime injection{0};
  MacAddress old_director{};
  std::vector<FrameSighting> frames;
  std::vector<ClientSuccess> clients;
  std::optional<ProbeTime> last_resumed;  // of connections that had stalled
};

struct Milestone {
  std::string name;             // "first advert of new"
  std::optional<ProbeTime> at;  // since the injection, negative before it; none: not seen
  ProbeTime took{0};            // since the one before that was seen, or since the injection
  bool operator==(const Milestone&) const = default;
};

// In the order above, one per client; `took` adds up to the time until the last milestone.
struct Waterfall {
  std::optional<MacAddress> new_director;  // none: nobody else advertised since the injection
  std::vector<Milestone> milestones;
};
Waterfall WaterfallOf(const FailoverCapture& capture);

}  // namespace drover
