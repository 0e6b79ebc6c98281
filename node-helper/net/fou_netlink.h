// Receivers of GUE in the kernel.
//
// One thread at a time. The bytes are made by fou_codec. Module fou is loaded when the first one is
// added, never by looking.
#pragma once

#include <memory>
#include <vector>

#include "node-helper/net/netlink_socket.h"
#include "protocol/packet_path.h"
#include "protocol/result.h"

namespace drover {

class FouNetlink {
 public:
  static Result<FouNetlink> Open();

  // Those that take packets at every IPv4 address, whoever made them; empty without the module.
  Result<std::vector<GueReceiver>> List();
  // kExists when the port is taken, whatever by.
  Status Add(const GueReceiver& receiver);
  Status Remove(const GueReceiver& receiver);

  // Whether Add would find the module.
  Status CanLoad();

 private:
  explicit FouNetlink(std::unique_ptr<NetlinkSocket> socket) : socket_(std::move(socket)) {}

  std::unique_ptr<NetlinkSocket> socket_;
};

}  // namespace drover
