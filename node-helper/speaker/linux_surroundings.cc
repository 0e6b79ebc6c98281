#include "node-helper/speaker/linux_surroundings.h"

#include <algorithm>
#include <utility>

#include "node-helper/net/link_route.h"

namespace drover {
namespace {

// Between deciding on an advert and sending it.
constexpr std::chrono::milliseconds kStale{250};

bool SamePlace(const KernelAddress& a, const KernelAddress& b) {
  return a.interface_index == b.interface_index && a.prefix == b.prefix;
}

bool IsLinkLocal(const IpAddress& address) {
  return !address.is_v4() && address.data()[0] == 0xfe && (address.data()[1] & 0xc0) == 0x80;
}

}  // namespace

Result<std::unique_ptr<LinuxSurroundings>> LinuxSurroundings::Open() {
  Result<VrrpNetlink> netlink = VrrpNetlink::Open();
  if (!netlink) return Fail(netlink.error());
  Result<VrrpTap> tap = VrrpTap::Open();
  if (!tap) return Fail(tap.error());
  std::unique_ptr<LinuxSurroundings> made(
      new LinuxSurroundings(std::move(*netlink), std::move(*tap)));
  if (const Status loaded = made->Load(); !loaded) return Fail(loaded.error());
  return made;
}

Status LinuxSurroundings::Load() {
  const auto links = netlink_.ListLinks();
  if (!links) return Fail(links.error());
  const auto addresses = netlink_.ListAddresses();
  if (!addresses) return Fail(addresses.error());
  links_.clear();
  addresses_.clear();
  for (const LinkFact& link : *links) {
    links_[link.index] = link;
    if (link.name == "lo") loopback_ = link.index;
  }
  for (const KernelAddress& address : *addresses) {
    addresses_[static_cast<int>(address.interface_index)].push_back(address);
  }
  return {};
}

// News were lost: what is not there any more went meanwhile.
LinuxSurroundings::Changes LinuxSurroundings::Reload() {
  const auto before = addresses_;
  Changes changes;
  changes.links = true;
  if (!Load()) return changes;
  for (const auto& [index, addresses] : before) {
    for (const KernelAddress& address : addresses) {
      if (!HasAddress(index, address.prefix)) changes.gone.push_back(address);
    }
  }
  return changes;
}

LinuxSurroundings::Changes LinuxSurroundings::TakeNews() {
  Changes changes;
  bool lost = false;
  for (const NetNews& news : netlink_.TakeNews()) {
    if (const auto* seen = std::get_if<LinkSeen>(&news)) {
      LinkFact& link = links_[seen->link.index];
      changes.links = changes.links || link != seen->link;
      link = seen->link;
    } else if (const auto* gone = std::get_if<LinkGone>(&news)) {
      changes.links = true;
      links_.erase(gone->index);
      addresses_.erase(gone->index);
    } else if (const auto* set = std::get_if<AddressSeen>(&news)) {
      auto& list = addresses_[static_cast<int>(set->address.interface_index)];
      const auto same = [&](const KernelAddress& other) { return SamePlace(other, set->address); };
      if (std::none_of(list.begin(), list.end(), same)) {
        list.push_back(set->address);
        changes.links = true;
      }
    } else if (const auto* removed = std::get_if<AddressGone>(&news)) {
      auto& list = addresses_[static_cast<int>(removed->address.interface_index)];
      if (std::erase_if(list, [&](const KernelAddress& other) {
            return SamePlace(other, removed->address);
          }) == 0) {
        continue;
      }
      changes.links = true;
      changes.gone.push_back(removed->address);
    } else {
      lost = true;
    }
  }
  return lost ? Reload() : changes;
}

std::optional<LinkFact> LinuxSurroundings::FindLink(const std::string& interface) const {
  for (const auto& [index, link] : links_) {
    if (link.name == interface) return link;
  }
  return std::nullopt;
}

bool LinuxSurroundings::HasAddress(int index, const Prefix& prefix) const {
  const auto list = addresses_.find(index);
  return list != addresses_.end() &&
         std::any_of(list->second.begin(), list->second.end(),
                     [&](const KernelAddress& address) { return address.prefix == prefix; });
}

bool LinuxSurroundings::IsLocal(const IpAddress& address) const {
  return std::any_of(addresses_.begin(), addresses_.end(), [&](const auto& entry) {
    return std::any_of(entry.second.begin(), entry.second.end(),
                       [&](const KernelAddress& other) { return other.prefix.address == address; });
  });
}

bool LinuxSurroundings::Delivers(const IpAddress& address) const {
  return address.is_v4() || IsDelivered(address);
}

std::vector<Prefix> LinuxSurroundings::AddressesOf(int index, Family family) const {
  std::vector<Prefix> found;
  const auto list = addresses_.find(index);
  if (list == addresses_.end()) return found;
  for (const KernelAddress& address : list->second) {
    if (address.prefix.address.family() != family) continue;
    // RFC 9568, section 5.1.2.1: adverts come from the link-local address.
    if (family == Family::kIpv6 && !IsLinkLocal(address.prefix.address)) continue;
    found.push_back(address.prefix);
  }
  return found;
}

bool LinuxSurroundings::IsOwnMac(const MacAddress& mac) const {
  return std::any_of(links_.begin(), links_.end(),
                     [&](const auto& entry) { return entry.second.mac == mac; });
}

Status LinuxSurroundings::SetAddress(int index, const Prefix& prefix,
                                     std::chrono::milliseconds lease) {
  if (const Status set = netlink_.SetAddress(index, prefix, lease); !set) return set;
  const KernelAddress address{static_cast<std::uint32_t>(index), prefix, false};
  auto& list = addresses_[index];
  const auto same = [&](const KernelAddress& other) { return SamePlace(other, address); };
  if (std::none_of(list.begin(), list.end(), same)) list.push_back(address);
  return {};
}

Status LinuxSurroundings::RemoveAddress(int index, const Prefix& prefix) {
  std::erase_if(addresses_[index],
                [&](const KernelAddress& address) { return address.prefix == prefix; });
  return netlink_.RemoveAddress(index, prefix);
}

Result<VrrpVoice*> LinuxSurroundings::VoiceOf(Family family) {
  std::optional<VrrpVoice>& voice = family == Family::kIpv4 ? voice4_ : voice6_;
  if (!voice) {
    Result<VrrpVoice> opened = VrrpVoice::Open(family);
    if (!opened) return Fail(opened.error());
    voice = std::move(*opened);
  }
  return &*voice;
}

Status LinuxSurroundings::SendAdvert(int index, const vrrp::Route& route,
                                     const vrrp::Advertisement& advertisement,
                                     vrrp::ChecksumForm form) {
  if (std::chrono::steady_clock::now() - turn_began_ > kStale) {
    return Fail(ErrorCode::kTimeout, "an advert was held back: the process stood still");
  }
  const Result<VrrpVoice*> voice = VoiceOf(route.source.family());
  if (!voice) return Fail(voice.error());
  if (++packet_id_ == 0) packet_id_ = 1;
  const vrrp::Bytes bytes = route.source.is_v4()
                                ? vrrp::EncodeWithIpv4Header(advertisement, route, form, packet_id_)
                                : vrrp::Encode(advertisement, route, form);
  // Unicast may be routed; the interface is the kernel's choice, unless the address says it.
  const bool bound = route.destination.is_multicast() || IsLinkLocal(route.destination);
  return (*voice)->Say(bound ? index : 0, route.source, route.destination, bytes);
}

void LinuxSurroundings::Announce(int index, const MacAddress& mac, const IpAddress& address) {
  const auto link = links_.find(index);
  if (link == links_.end() || !link->second.ethernet) return;
  (void)tap_.Announce(index, mac, address, routers_.count(index) != 0);
}

void LinuxSurroundings::Ask(int index, const MacAddress& mac,
                            const std::optional<IpAddress>& sender, const IpAddress& target) {
  const auto link = links_.find(index);
  if (link == links_.end() || !link->second.ethernet) return;
  (void)tap_.Ask(index, mac, sender, target);
}

void LinuxSurroundings::NoteForwarding(const std::string& interface) {
  const std::optional<LinkFact> link = FindLink(interface);
  if (!link) return;
  const auto forwards = sysctls_.Read("net/ipv6/conf/" + interface + "/forwarding");
  if (forwards && forwards->value_or("0") != "0") routers_.insert(link->index);
}

Result<LinkFact> LinuxSurroundings::MakeVirtualLink(const LinkFact& parent, const std::string& name,
                                                    const MacAddress& mac) {
  const Status made = netlink_.MakeMacvlan(parent.index, name, mac);
  if (!made && made.error().code != ErrorCode::kExists) return Fail(made.error());
  (void)TakeNews();  // so that the copy knows it
  std::optional<LinkFact> link = FindLink(name);
  if (!link && Load()) link = FindLink(name);
  if (!link) return Fail(ErrorCode::kInternal, "link " + name + " was made but is not there");
  if (link->mac != mac) return Fail(ErrorCode::kExists, "link " + name + " is somebody else's");
  const std::string folder = "net/ipv4/conf/" + name + "/";
  // Answers come in here for connections that the kernel routes over the parent.
  (void)sysctls_.Write(Sysctl{folder + "rp_filter", "2"});
  (void)sysctls_.Write(Sysctl{folder + "arp_ignore", "1"});
  (void)sysctls_.Write(Sysctl{folder + "arp_announce", "2"});
  // No link-local address of its own: the virtual router has one name.
  (void)sysctls_.Write(Sysctl{"net/ipv6/conf/" + name + "/addr_gen_mode", "1"});
  return *link;
}

void LinuxSurroundings::RemoveVirtualLink(int index) {
  links_.erase(index);
  addresses_.erase(index);
  (void)netlink_.RemoveLink(index);
}

Status LinuxSurroundings::SetLinkUp(int index, bool up) { return netlink_.SetUp(index, up); }

std::map<EarWish, std::string> LinuxSurroundings::SetEars(const std::vector<EarWish>& wishes) {
  std::erase_if(ears_, [&](const auto& entry) {
    return std::find(wishes.begin(), wishes.end(), entry.first) == wishes.end();
  });
  std::map<EarWish, std::string> problems;
  for (const EarWish& wish : wishes) {
    if (ears_.count(wish) != 0) continue;
    Result<VrrpEar> ear = VrrpEar::Open(wish.interface, wish.index, wish.family, wish.multicast);
    if (ear) {
      ears_.emplace(wish, std::move(*ear));
    } else {
      problems.emplace(wish, ear.error().message);
    }
  }
  return problems;
}

}  // namespace drover
