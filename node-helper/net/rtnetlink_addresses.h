// Addresses of interfaces through rtnetlink: list, add, remove.
//
// One thread at a time. The bytes are made by address_codec.
#pragma once

#include <memory>
#include <vector>

#include "node-helper/net/address_codec.h"
#include "node-helper/net/netlink_socket.h"
#include "node-helper/net/sysctl_files.h"
#include "protocol/desired_state.h"
#include "protocol/result.h"

namespace drover {

class RtnetlinkAddresses {
 public:
  static Result<RtnetlinkAddresses> Open();

  // Every address of every interface, without announce.
  Result<std::vector<InterfaceAddress>> List();
  // kExists when it is there already, kInvalid when the interface is not. An IPv6 address that is
  // to be announced or stands alone (/128) skips duplicate address detection: a VIP must answer at
  // once, and during a takeover its old owner may still be heard.
  Status Add(const InterfaceAddress& address);
  // kNotFound when it is not there. Other addresses of the interface stay: where the kernel would
  // take the secondary ones of the same network along, it is told to promote them instead.
  Status Remove(const InterfaceAddress& address);

  // kInvalid naming it when there is no such interface.
  static Result<std::uint32_t> IndexOf(const std::string& interface);

 private:
  explicit RtnetlinkAddresses(std::unique_ptr<NetlinkSocket> socket) : socket_(std::move(socket)) {}
  Result<std::vector<KernelAddress>> ListKernelAddresses();
  Result<bool> HasSecondaries(std::uint32_t index, const Prefix& prefix);

  std::unique_ptr<NetlinkSocket> socket_;
  SysctlFiles sysctls_;
};

}  // namespace drover
