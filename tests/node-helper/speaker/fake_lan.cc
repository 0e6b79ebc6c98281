#include "tests/node-helper/speaker/fake_lan.h"

#include <algorithm>

#include "node-helper/net/packet_socket.h"

namespace drover {

using vrrp::Time;

FakeNode::FakeNode(std::string primary_address, std::uint8_t number)
    : primary(std::move(primary_address)) {
  links[kLoopback] = {.index = kLoopback, .name = "lo", .up = true, .carrier = true};
  links[kEth0] = {.index = kEth0,
                  .name = "eth0",
                  .up = true,
                  .carrier = true,
                  .ethernet = true,
                  .mac = {2, 0, 0, 0, 0, number}};
  addresses[{kEth0, *Prefix::Parse(primary + "/24")}] = std::nullopt;
}

std::optional<LinkFact> FakeNode::FindLink(const std::string& interface) const {
  for (const auto& [index, link] : links) {
    if (link.name == interface) return link;
  }
  return std::nullopt;
}

bool FakeNode::HasAddress(int index, const Prefix& prefix) const {
  return addresses.count({index, prefix}) != 0;
}

bool FakeNode::IsLocal(const IpAddress& address) const {
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const auto& entry) { return entry.first.second.address == address; });
}

bool FakeNode::Delivers(const IpAddress& address) const { return delivers && IsLocal(address); }

std::vector<Prefix> FakeNode::AddressesOf(int index, Family family) const {
  std::vector<Prefix> found;
  for (const auto& [place, until] : addresses) {
    if (place.first == index && place.second.address.family() == family) {
      found.push_back(place.second);
    }
  }
  return found;
}

bool FakeNode::IsOwnMac(const MacAddress& mac) const {
  return std::any_of(links.begin(), links.end(),
                     [&](const auto& entry) { return entry.second.mac == mac; });
}

drover::Status FakeNode::SetAddress(int index, const Prefix& prefix,
                                    std::chrono::milliseconds lease) {
  if (links.count(index) == 0) return Fail(ErrorCode::kNotFound, "no such device");
  if (!HasAddress(index, prefix)) {
    log.push_back("set " + prefix.ToString() + " on " + links[index].name);
  }
  addresses[{index, prefix}] = lease.count() > 0 ? std::optional(now + lease) : std::nullopt;
  return {};
}

drover::Status FakeNode::RemoveAddress(int index, const Prefix& prefix) {
  if (addresses.erase({index, prefix}) == 0) return Fail(ErrorCode::kNotFound, "not there");
  log.push_back("remove " + prefix.ToString() + " from " + links[index].name);
  return {};
}

drover::Status FakeNode::SendAdvert(int index, const vrrp::Route& route,
                                    const vrrp::Advertisement& advertisement,
                                    vrrp::ChecksumForm form) {
  log.push_back("advert " + std::to_string(advertisement.priority));
  if (!links[index].up || !links[index].carrier) return Fail(ErrorCode::kUnreachable, "no carrier");
  if (filtered) return Fail(ErrorCode::kInternal, "Operation not permitted");
  sent.push_back({route, vrrp::Encode(advertisement, route, form), advertisement.priority});
  return {};
}

void FakeNode::Announce(int index, const MacAddress& mac, const IpAddress& address) {
  announced.push_back(address.ToString() + " at " + MacText(mac));
  log.push_back("announce " + address.ToString() + " on " + links[index].name);
}

void FakeNode::Ask(int /*index*/, const MacAddress& /*mac*/, const std::optional<IpAddress>& sender,
                   const IpAddress& target) {
  asked.push_back(target.ToString() + " for " + (sender ? sender->ToString() : "nobody"));
}

Result<LinkFact> FakeNode::MakeVirtualLink(const LinkFact& parent, const std::string& name,
                                           const MacAddress& mac) {
  if (const auto known = FindLink(name)) return *known;
  const int index = next_index_++;
  links[index] = {
      .index = index, .name = name, .ethernet = true, .mac = mac, .parent = parent.index};
  return links[index];
}

void FakeNode::RemoveVirtualLink(int index) {
  links.erase(index);
  std::erase_if(addresses, [&](const auto& entry) { return entry.first.first == index; });
}

drover::Status FakeNode::SetLinkUp(int index, bool up) {
  log.push_back(links[index].name + (up ? " up" : " down"));
  links[index].up = up;
  links[index].carrier = up;
  return {};
}

void FakeNode::Expire(Time at) {
  now = at;
  std::erase_if(addresses, [&](const auto& entry) { return entry.second && *entry.second <= now; });
}

bool FakeNode::Has(const std::string& address, int index) const {
  return HasAddress(index, *Prefix::Parse(address + "/32"));
}

FakeLan::Node& FakeLan::Add(const std::string& primary) {
  nodes_.push_back(std::make_unique<Node>(primary, static_cast<std::uint8_t>(nodes_.size() + 1)));
  nodes_.back()->around.now = now_;
  return *nodes_.back();
}

void FakeLan::Turn(Node& node) {
  node.around.Expire(now_);
  const auto late = node.planned ? now_ - *node.planned : Time::duration::zero();
  node.station->Overslept(std::max(late, Time::duration::zero()), now_);
  node.station->Tick(now_);
  for (SpeakerEvent& event : node.station->TakeEvents()) node.events.push_back(std::move(event));
  node.planned = node.station->Deadline();
  check();
  Deliver();
}

void FakeLan::Deliver() {
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& from : nodes_) {
      while (!from->around.sent.empty()) {
        const FakeNode::Sent packet = from->around.sent.front();
        from->around.sent.pop_front();
        moved = true;
        for (const auto& to : nodes_) {
          const LinkFact& link = to->around.links[FakeNode::kEth0];
          if (to == from || to->frozen || to->deaf || !link.carrier) continue;
          to->station->Hear(FakeNode::kEth0, {packet.payload, packet.route, 255, std::nullopt},
                            now_);
          to->station->Tick(now_);
          to->planned = to->station->Deadline();
          check();
        }
      }
    }
  }
}

void FakeLan::Run(std::chrono::milliseconds time) {
  const Time end = now_ + time;
  while (now_ < end) {
    Time next = end;
    for (const auto& node : nodes_) {
      if (node->frozen) {
        // Nobody refreshes; the kernel goes on.
        for (const auto& [place, until] : node->around.addresses) {
          if (until && *until > now_) next = std::min(next, *until);
        }
        continue;
      }
      const auto deadline = node->station->Deadline();
      if (deadline) next = std::min(next, std::max(now_, *deadline));
    }
    now_ = next;
    for (const auto& node : nodes_) {
      node->around.Expire(now_);
      const auto deadline = node->station->Deadline();
      if (!node->frozen && deadline && *deadline <= now_) Turn(*node);
    }
    check();
  }
  Deliver();
}

std::vector<std::string> FakeLan::OwnersOf(const std::string& address) const {
  std::vector<std::string> owners;
  for (const auto& node : nodes_) {
    if (node->around.Has(address)) owners.push_back(node->around.primary);
  }
  return owners;
}

}  // namespace drover
