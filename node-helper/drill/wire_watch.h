// Watches the links by which VIPs are reached while a drill runs: asks again and again who has each
// VIP, notes who answers or announces one, and keeps the VRRP, ARP and neighbour discovery frames.
//
// A thread of its own; the calls may come from any one other thread. Needs CAP_NET_RAW. The
// questions carry an address of this host, which neighbours may learn: they claim nothing else.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "node-helper/drill/pcap.h"
#include "protocol/address.h"
#include "protocol/mac_address.h"
#include "protocol/result.h"

namespace drover {

struct WireWatchSettings {
  std::vector<IpAddress> vips;
  std::chrono::milliseconds owner_period{100};
  bool capture = true;
};

class WireWatch {
 public:
  static constexpr std::size_t kMaxCaptureBytes = 8 << 20;

  // VIPs that are not on a link of this host are not asked for; a note says so.
  static Result<std::unique_ptr<WireWatch>> Start(const WireWatchSettings& settings);
  ~WireWatch();

  // MACs, other than this host's, that claimed a VIP since the last call.
  std::vector<MacAddress> TakeOwners();
  // Ends the watch.
  struct Seen {
    std::vector<CapturedFrame> frames;  // by time
    std::vector<std::string> notes;     // what could not be seen, each a sentence
  };
  Seen Finish();

 private:
  class Watcher;
  explicit WireWatch(std::unique_ptr<Watcher> watcher);
  std::unique_ptr<Watcher> watcher_;
};

}  // namespace drover
