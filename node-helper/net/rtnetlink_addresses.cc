#include "node-helper/net/rtnetlink_addresses.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include "node-helper/net/promote_secondaries.h"

namespace drover {
namespace {

std::string NameWithLength(const InterfaceAddress& address) {
  return "address " + address.prefix.ToString() + " on " + address.interface;
}

tl::unexpected<Error> Refused(const InterfaceAddress& address, const Verdict& verdict) {
  const std::string name = NameWithLength(address);
  switch (verdict.error_number) {
    case EEXIST:
      return Fail(ErrorCode::kExists, name + ": it is already there");
    case EADDRNOTAVAIL:
      return Fail(ErrorCode::kNotFound, name + ": it is not there");
    case ENODEV:
      return Fail(ErrorCode::kInvalid, name + ": there is no interface " + address.interface);
    default:
      Error error = ErrnoError(verdict.error_number, name);
      error.message = name + ": " + verdict.Reason();
      return Fail(error);
  }
}

}  // namespace

Result<RtnetlinkAddresses> RtnetlinkAddresses::Open() {
  Result<std::unique_ptr<NetlinkSocket>> socket = NetlinkSocket::Open(NETLINK_ROUTE);
  if (!socket) return Fail(socket.error());
  return RtnetlinkAddresses(std::move(*socket));
}

Result<std::uint32_t> RtnetlinkAddresses::IndexOf(const std::string& interface) {
  const std::uint32_t index = if_nametoindex(interface.c_str());
  if (index == 0) return Fail(ErrorCode::kInvalid, "there is no interface " + interface);
  return index;
}

Result<std::vector<KernelAddress>> RtnetlinkAddresses::ListKernelAddresses() {
  const Result<std::vector<Bytes>> messages = socket_->List(RTM_GETADDR, EncodeListAddresses());
  if (!messages) return Fail(messages.error().In("addresses"));
  std::vector<KernelAddress> addresses;
  for (const Bytes& message : *messages) {
    const Result<std::optional<KernelAddress>> address = DecodeAddress(message);
    if (!address) return Fail(address.error());
    if (address->has_value()) addresses.push_back(**address);
  }
  return addresses;
}

Result<std::vector<InterfaceAddress>> RtnetlinkAddresses::List() {
  const Result<std::vector<KernelAddress>> told = ListKernelAddresses();
  if (!told) return Fail(told.error());
  std::map<std::uint32_t, std::string> names;
  std::vector<InterfaceAddress> addresses;
  for (const KernelAddress& address : *told) {
    std::string& name = names[address.interface_index];
    if (name.empty()) {
      std::array<char, IF_NAMESIZE> buffer{};
      // An interface that vanished since took its addresses along.
      if (if_indextoname(address.interface_index, buffer.data()) == nullptr) continue;
      name = buffer.data();
    }
    addresses.push_back({name, address.prefix});
  }
  return addresses;
}

Status RtnetlinkAddresses::Add(const InterfaceAddress& address) {
  const Result<std::uint32_t> index = IndexOf(address.interface);
  if (!index) return Fail(index.error().In(NameWithLength(address)));
  const bool no_dad = address.announce || address.prefix.length == 128;
  Bytes message = EncodeAddress(*index, address.prefix, no_dad);
  if (address.announce && IsNoSource(address.prefix)) AddLifetimes(kForEver, 0, message);
  const Result<Verdict> verdict = socket_->Request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, message);
  if (!verdict) return Fail(verdict.error().In(NameWithLength(address)));
  if (!verdict->ok()) return Refused(address, *verdict);
  return {};
}

Result<bool> RtnetlinkAddresses::HasSecondaries(std::uint32_t index, const Prefix& prefix) {
  if (!prefix.address.is_v4()) return false;
  const Result<std::vector<KernelAddress>> all = ListKernelAddresses();
  if (!all) return Fail(all.error());
  return std::any_of(all->begin(), all->end(), [&](const KernelAddress& other) {
    return other.interface_index == index && other.secondary &&
           other.prefix.length == prefix.length && other.prefix.address != prefix.address &&
           prefix.Contains(other.prefix.address);
  });
}

Status RtnetlinkAddresses::Remove(const InterfaceAddress& address) {
  const Result<std::uint32_t> index = IndexOf(address.interface);
  if (!index) return Fail(index.error().In(NameWithLength(address)));
  const Result<bool> others = HasSecondaries(*index, address.prefix);
  if (!others) return Fail(others.error());
  PromoteSecondaries promotion(sysctls_, address.interface);
  if (*others) {
    if (const Status held = promotion.Hold(); !held) {
      return Fail(held.error().In(NameWithLength(address) +
                                  ": keeping the other addresses of its network"));
    }
  }
  const Result<Verdict> verdict =
      socket_->Request(RTM_DELADDR, 0, EncodeAddress(*index, address.prefix, /*no_dad=*/false));
  if (!verdict) return Fail(verdict.error().In(NameWithLength(address)));
  if (!verdict->ok()) return Refused(address, *verdict);
  return {};
}

}  // namespace drover
