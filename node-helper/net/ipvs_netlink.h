// The table of ip_vs and its sync daemons through generic netlink: list them, change them.
//
// One thread at a time. The bytes are made by ipvs_codec and ipvs_sync_codec. ip_vs is loaded when
// the first service is added or the first daemon is started, never by looking.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "node-helper/net/netlink_socket.h"
#include "protocol/change.h"
#include "protocol/desired_state.h"
#include "protocol/result.h"

namespace drover {

class IpvsNetlink {
 public:
  static Result<IpvsNetlink> Open();

  // Every service with its destinations, in the order in which they were added; empty without
  // ip_vs.
  Result<std::vector<VirtualService>> List();
  // The sync daemons that run; empty without ip_vs.
  Result<std::vector<SyncDaemon>> ListSyncDaemons();

  Status Apply(const AddService& add);
  Status Apply(const EditService& edit);
  Status Apply(const RemoveService& remove);
  Status Apply(const AddDestination& add);
  Status Apply(const EditDestination& edit);
  Status Apply(const RemoveDestination& remove);
  Status Apply(const StartSyncDaemon& start);
  Status Apply(const StopSyncDaemon& stop);

  // Loads ip_vs unless the kernel has it.
  Status Load();
  // Whether Load would find something to load.
  Status CanLoad();

 private:
  explicit IpvsNetlink(std::unique_ptr<NetlinkSocket> socket) : socket_(std::move(socket)) {}
  Result<std::vector<Destination>> ListDestinations(const ServiceKey& key);
  // Sends one request; nothing when ip_vs is not there.
  Result<std::optional<Verdict>> Request(const Bytes& payload,
                                         std::chrono::seconds patience = NetlinkSocket::kPatience);
  Result<bool> Runs(SyncRole role);
  // Kernels that do not know a wrapping pass over the attributes that ask for it, and say nothing.
  Status CheckWrapping(const ServiceKey& key, const Destination& wanted);

  std::unique_ptr<NetlinkSocket> socket_;
  std::optional<std::uint16_t> family_;  // as last seen; looked up again by both lists
  std::set<Wrapping> wraps_;             // found to be as they were asked for
};

}  // namespace drover
