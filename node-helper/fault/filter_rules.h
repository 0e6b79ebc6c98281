// Rulesets of nft that keep packets away for a while: a rule applies only as long as an element of
// a set is there, and the kernel removes the element when its time is over.
//
// Pure. All rules live in tables of one name, which belong to nobody else.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/address.h"
#include "protocol/service_key.h"

namespace drover {

inline constexpr const char* kFilterTable = "drover_drill";
// Our qdisc, and the class of it that waits.
inline constexpr std::uint32_t kDelayHandle = 0xd0a;
inline constexpr std::uint32_t kDelayBand = 4;

// A connection that must live on: the orchestrator's SSH, seen from here.
struct SshWay {
  Endpoint here;
  Endpoint there;
  bool operator==(const SshWay&) const = default;
};

// What is spared and for how long it goes.
struct FilterFrame {
  std::vector<std::string> interfaces;
  std::chrono::milliseconds duration{0};
  std::optional<SshWay> ssh;
  std::optional<Endpoint> marker;  // datagrams to it pass
};

struct Filter {
  std::string ruleset;
  std::vector<std::string> families;
  bool operator==(const Filter&) const = default;
};

// Everything, ARP too, both ways. The neighbours of the SSH connection may still resolve its
// address here.
Filter IsolationFilter(const FilterFrame& frame);
// Adverts, both ways.
Filter VrrpFilter(const FilterFrame& frame);
// So many millionths of the adverts that come in: lost at the sender, it would know.
Filter VrrpLossFilter(const FilterFrame& frame, std::uint32_t loss_ppm);
// UDP of these ports, both ways.
Filter UdpFilter(const FilterFrame& frame, const std::vector<std::uint16_t>& ports);
// What the services send goes through the band that waits.
Filter DelayFilter(const FilterFrame& frame, const std::vector<SocketKey>& services);
// What comes for the services goes to a port of this node.
Filter RedirectFilter(const FilterFrame& frame, const std::vector<SocketKey>& services,
                      std::uint16_t port);

}  // namespace drover
