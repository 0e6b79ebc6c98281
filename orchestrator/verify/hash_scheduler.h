// The schedulers of ip_vs that choose by a hash, built again from the service's table: sh, mh and
// dh. They need no counter and no clock, so the real server of every connection can be told
// beforehand, on any machine.
//
// Pure. Follows net/netfilter/ipvs/ip_vs_{sh,mh,dh}.c as facts: sizes, keys, the order of filling.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "orchestrator/verify/expectation.h"

namespace drover {

// sh-port and mh-port: the connections of one client spread by their ports.
bool HashesPorts(const ExpectedService& service);

class HashScheduler {
 public:
  // Prime sizes that mh can be built with (CONFIG_IP_VS_MH_TAB_INDEX 8 to 17); Debian's and the
  // default is the fifth.
  static constexpr std::uint32_t kDefaultMaglevSize = 4093;

  // Nothing for a service with another scheduler, or without servers.
  static std::optional<HashScheduler> Of(const ExpectedService& service,
                                         std::uint32_t maglev_size = kDefaultMaglevSize);

  // Index in the service's list of the real server that a new connection gets; nothing when the
  // kernel refuses it, because the hash leads to a server without weight and no fallback is asked
  // for.
  [[nodiscard]] std::optional<std::size_t> Choose(const IpAddress& client,
                                                  std::uint16_t port) const;

  // Which server each place of the table belongs to. Two directors with equal tables choose alike.
  [[nodiscard]] const std::vector<std::size_t>& table() const { return table_; }

 private:
  enum class Kind : std::uint8_t { kSource, kMaglev, kDestination };

  HashScheduler() = default;
  void FillBuckets(const ExpectedService& service);
  void FillMaglev(const ExpectedService& service, std::uint32_t size);
  [[nodiscard]] std::size_t PlaceOf(const IpAddress& client, std::uint16_t port,
                                    std::uint32_t offset) const;

  Kind kind_ = Kind::kSource;
  bool by_port_ = false;
  bool falls_back_ = false;
  IpAddress vip_;
  std::vector<bool> in_use_;  // by server: has a weight
  std::vector<std::size_t> table_;
};

}  // namespace drover
