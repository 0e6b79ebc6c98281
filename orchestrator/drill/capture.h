// The frames of a prober's capture that tell about a virtual router: adverts, and claims of its
// addresses.
//
// Pure: bytes in, values out. A frame that is something else, cut short or broken is passed over;
// only a file that is no pcap is an error. Of VRRP just enough is read to know who speaks for whom:
// checking adverts is the nodes' business.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/address.h"
#include "protocol/probe_log.h"

namespace drover {

inline constexpr std::size_t kMaxCaptureFrame = 65'536;

struct AdvertSeen {
  ProbeTime at{0};
  MacAddress mac{};  // source of the frame
  IpAddress source;
  std::uint8_t vrid = 0;
  std::uint8_t priority = 0;
  bool operator==(const AdvertSeen&) const = default;
};

// A frame that says "this address is at this MAC": every ARP frame with that sender, and neighbour
// advertisements.
struct ClaimSeen {
  ProbeTime at{0};
  MacAddress mac{};  // that is claimed, which need not be the frame's source
  IpAddress address;
  bool announcement = false;  // nobody had asked: gratuitous ARP, unsolicited advertisement
  bool operator==(const ClaimSeen&) const = default;
};

struct CaptureSeen {
  std::vector<AdvertSeen> adverts;
  std::vector<ClaimSeen> claims;
};

// `started_wall_us`: wall time of the capture that is 0 for its ProbeTimes.
Result<CaptureSeen> ReadCapture(std::string_view pcap, std::int64_t started_wall_us);

}  // namespace drover
