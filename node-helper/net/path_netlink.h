// Tunnel devices and routes in the kernel.
//
// One thread at a time. The bytes are made by path_codec.
#pragma once

#include <memory>
#include <vector>

#include "node-helper/net/netlink_socket.h"
#include "protocol/packet_path.h"
#include "protocol/result.h"

namespace drover {

class PathNetlink {
 public:
  static Result<PathNetlink> Open();

  // Tunnels that are up and take packets from anywhere, whoever made them, and our routes.
  Result<std::vector<PathPart>> List();
  // The kernel loads the module of a tunnel. A route that somebody else has set to the same
  // destination is kExists, and stays.
  Status Add(const PathPart& part);
  Status Replace(const PathPart& part, const PathPart& before);
  Status Remove(const PathPart& part);
  // Whether the kernel has the devices of a tunnel, or their module can be found.
  static Status CanLoad(TunnelKind kind);

 private:
  explicit PathNetlink(std::unique_ptr<NetlinkSocket> socket) : socket_(std::move(socket)) {}
  Status Send(std::uint16_t type, std::uint16_t flags, const Bytes& payload, const PathPart& part);

  std::unique_ptr<NetlinkSocket> socket_;
};

}  // namespace drover
