// The speaker's own rtnetlink: addresses with a lifetime, macvlans, and news of links and
// addresses. It does without libnl and its allocations, because the real-time thread uses it.
//
// One thread at a time. The kernel answers every request before the call returns; nothing waits for
// the network.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "node-helper/net/address_codec.h"
#include "node-helper/net/gratuitous_arp.h"
#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

// An interface as the kernel tells it.
struct LinkFact {
  int index = 0;
  std::string name;
  bool up = false;       // administratively
  bool carrier = false;  // and able to carry packets
  bool ethernet = false;
  MacAddress mac{};
  int parent = 0;  // of a macvlan or VLAN
  bool operator==(const LinkFact&) const = default;
};

struct LinkSeen {
  LinkFact link;
};
struct LinkGone {
  int index = 0;
};
struct AddressSeen {
  KernelAddress address;
};
struct AddressGone {
  KernelAddress address;
};
// News were lost (the queue was full): read everything again.
struct NewsLost {};
using NetNews = std::variant<LinkSeen, LinkGone, AddressSeen, AddressGone, NewsLost>;

class VrrpNetlink {
 public:
  static Result<VrrpNetlink> Open();
  VrrpNetlink(VrrpNetlink&& other) noexcept;
  VrrpNetlink& operator=(VrrpNetlink&& other) noexcept;
  ~VrrpNetlink();

  Result<std::vector<LinkFact>> ListLinks();
  Result<std::vector<KernelAddress>> ListAddresses();

  // Sets the address or gives it its lifetime anew; `lease` 0: for ever. IPv6 without duplicate
  // detection, because an old owner may still be heard during a takeover.
  Status SetAddress(int index, const Prefix& prefix, std::chrono::milliseconds lease);
  // kNotFound when it is not there.
  Status RemoveAddress(int index, const Prefix& prefix);
  // A macvlan in private mode, down. kExists when the name is taken.
  Status MakeMacvlan(int parent, const std::string& name, const MacAddress& mac);
  Status RemoveLink(int index);
  Status SetUp(int index, bool up);

  // Readable when there is news.
  [[nodiscard]] int news_fd() const { return news_; }
  // All news that wait.
  std::vector<NetNews> TakeNews();

 private:
  VrrpNetlink(int ask, int news) : ask_(ask), news_(news) {}
  // 0 or the kernel's errno.
  Result<int> Request(std::uint16_t type, std::uint16_t flags, const Bytes& payload);
  Result<std::vector<Bytes>> List(std::uint16_t type, const Bytes& payload);

  int ask_ = -1;
  int news_ = -1;
  std::uint32_t sequence_ = 0;
};

// Pure: one message (RTM_NEWLINK…) of a list or of the news.
Result<LinkFact> DecodeLink(ByteView payload);

}  // namespace drover
