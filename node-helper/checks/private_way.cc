#include "node-helper/checks/private_way.h"

#include <ifaddrs.h>

#include <cerrno>
#include <fstream>

#include "node-helper/checks/socket_address.h"
#include "node-helper/store/descriptor.h"

namespace drover {
namespace {

bool AcceptsLocal(const std::string& interface) {
  std::ifstream file("/proc/sys/net/ipv4/conf/" + interface + "/accept_local");
  int value = 0;
  return file >> value && value != 0;
}

}  // namespace

Result<IpAddress> OwnAddressTowards(const IpAddress& server, const IpAddress& vip) {
  const Descriptor fd(
      ::socket(server.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!fd.valid()) return Fail(ErrnoError(errno, "socket"));
  // Sends nothing; the kernel only looks for the route.
  const SocketAddress to({server, 9});
  if (::connect(fd.get(), to.get(), to.size()) != 0) {
    return Fail(ErrnoError(errno, "route to " + server.ToString()));
  }
  SocketAddress own;
  if (::getsockname(fd.get(), own.fill(), own.fill_size()) != 0) {
    return Fail(ErrnoError(errno, "own address towards " + server.ToString()));
  }
  if (own.address() == vip) {
    return Fail(ErrorCode::kInvalid, "this node's own address towards " + server.ToString() +
                                         " is the VIP: give the VIP a /32 prefix");
  }
  return own.address();
}

std::string DeafnessTo(const IpAddress& vip, const IpAddress& own) {
  if (!vip.is_v4()) return {};
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  bool holds_vip = false;
  std::string interface;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    const IpAddress address = SocketAddress::AddressOf(entry->ifa_addr);
    if (address == vip) holds_vip = true;
    if (address == own && interface.empty()) interface = entry->ifa_name;
  }
  ::freeifaddrs(list);
  // A label ("eth0:1") stands for its interface.
  interface.resize(std::min(interface.find(':'), interface.size()));
  if (!holds_vip || interface.empty() || AcceptsLocal("all") || AcceptsLocal(interface)) return {};
  return "this node holds " + vip.ToString() +
         " itself and drops answers that come from it: set net.ipv4.conf." + interface +
         ".accept_local to 1";
}

}  // namespace drover
