// Takes away what a fault has set in the kernel, by netlink alone: no program is run, and the
// sockets are open beforehand, so that it works when nothing else does.
//
// One thread at a time.
#pragma once

#include <memory>
#include <string>

#include "node-helper/net/netlink_socket.h"
#include "node-helper/store/descriptor.h"
#include "protocol/result.h"

namespace drover {

class KernelUndo {
 public:
  static Result<std::unique_ptr<KernelUndo>> Open();

  // Our table of that family ("inet", "netdev"); success also when there is none.
  Status RemoveTable(const std::string& family);
  // Our root qdisc of the interface, and no other; success also when there is none.
  Status RemoveQdisc(const std::string& interface);

 private:
  KernelUndo(Descriptor netfilter, std::unique_ptr<NetlinkSocket> route)
      : netfilter_(std::move(netfilter)), route_(std::move(route)) {}

  Descriptor netfilter_;
  std::unique_ptr<NetlinkSocket> route_;
  std::uint32_t sequence_ = 0;
};

}  // namespace drover
