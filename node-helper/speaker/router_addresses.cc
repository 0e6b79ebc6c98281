// Router: the virtual addresses on the node, and who is told about them.

#include <algorithm>

#include "node-helper/speaker/router.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

// RFC 9568, section 7.3.
MacAddress VirtualMac(std::uint8_t vrid, Family family) {
  const std::uint8_t kind = family == Family::kIpv4 ? 1 : 2;
  return {0x00, 0x00, 0x5e, 0x00, kind, vrid};
}

constexpr std::string_view kLinkPrefix4 = "vrrp4.";
constexpr std::string_view kLinkPrefix6 = "vrrp6.";

// At most 15 bytes.
std::string VirtualLinkName(std::uint8_t vrid, Family family, int parent) {
  return std::string(family == Family::kIpv4 ? kLinkPrefix4 : kLinkPrefix6) + std::to_string(vrid) +
         "." + std::to_string(parent);
}

// How often to look whether the kernel takes packets for new addresses, and for how long; shorter
// than a former master lingers by default.
constexpr milliseconds kSettleLook{1};
constexpr milliseconds kSettle{100};

}  // namespace

bool IsVirtualLinkName(std::string_view name) {
  return name.starts_with(kLinkPrefix4) || name.starts_with(kLinkPrefix6);
}

bool Router::Lists(const Prefix& prefix) const {
  const std::vector<Prefix> all = settings_.AllAddresses();
  return std::find(all.begin(), all.end(), prefix) != all.end();
}

bool Router::IsNative(const Prefix& prefix) const {
  return std::find(native_.begin(), native_.end(), prefix) != native_.end();
}

void Router::MakeVirtualLink(Time now) {
  if (link_.index == 0) return;
  const Family family = settings_.family();
  const std::uint8_t vrid = forms_.sent().vrid;
  const std::string name = VirtualLinkName(vrid, family, link_.index);
  if (!settings_.vmac) {
    // An earlier process may have had one.
    if (const auto old = around_.FindLink(name)) around_.RemoveVirtualLink(old->index);
    return;
  }
  Result<LinkFact> made = around_.MakeVirtualLink(link_, name, VirtualMac(vrid, family));
  if (made) {
    virtual_link_ = std::move(*made);
  } else {
    virtual_link_.reset();
    Problem(made.error().message, now);
  }
}

void Router::RemoveLeftovers(Time now) {
  if (home().index == 0) return;
  for (const Prefix& prefix : settings_.AllAddresses()) {
    if (IsNative(prefix) || !around_.HasAddress(home().index, prefix)) continue;
    if (const drover::Status gone = around_.RemoveAddress(home().index, prefix); !gone) {
      Problem(gone.error().message, now);
    }
  }
}

void Router::ChangeAddresses(const std::vector<Prefix>& before, Time now) {
  if (!serving()) return;
  for (const Prefix& prefix : settings_.AllAddresses()) {
    if (std::find(before.begin(), before.end(), prefix) != before.end()) continue;
    const drover::Status set = around_.SetAddress(home().index, prefix, settings_.lease);
    if (!set) Problem(set.error().message, now);
  }
  settling_ = Settling{.look_at = now, .until = now + kSettle};
  for (const Prefix& prefix : before) {
    if (Lists(prefix) || IsNative(prefix)) continue;
    (void)around_.RemoveAddress(home().index, prefix);
  }
  announce_.Again(now);
}

void Router::Repair(const Prefix& prefix, Time now) {
  const drover::Status set = around_.SetAddress(home().index, prefix, settings_.lease);
  if (!set) {
    Problem(set.error().message, now);
    return;
  }
  ++repaired_;
  announce_.Again(now);
  events_.push_back({settings_.name, now,
                     AddressRepaired{"address " + prefix.ToString() + " on " + home().name}});
}

void Router::Take(Time now) {
  leaving_.clear();
  for (const Prefix& prefix : settings_.AllAddresses()) {
    if (IsNative(prefix)) continue;
    const drover::Status set = around_.SetAddress(home().index, prefix, settings_.lease);
    if (!set) Problem(set.error().message, now);
  }
  EndLinger();
  settling_ = Settling{.look_at = now, .until = now + kSettle};
  announce_.Begin(settings_.announce, now);
  if (const auto period = vrrp::RefreshPeriod(settings_.lease)) {
    lease_.Begin(*period, now + *period);
  }
  probe_.Begin(vrrp::kProbeInterval, now + vrrp::kProbeInterval);
}

void Router::Release(bool linger, Time now) {
  settling_.reset();
  announce_.Stop();
  lease_.Stop();
  probe_.Stop();
  EndLinger();
  const bool stays = linger && settings_.linger.count() > 0;
  for (const Prefix& prefix : settings_.AllAddresses()) {
    if (IsNative(prefix)) continue;
    const Prefix host = Prefix::Host(prefix.address);
    // On lo before it leaves the interface: at no moment is it nobody's.
    if (stays && !around_.HasAddress(around_.LoopbackIndex(), host)) {
      // Lifetimes are whole seconds; a dead helper's must end, too.
      const milliseconds life = std::max(settings_.linger, milliseconds(1000));
      if (around_.SetAddress(around_.LoopbackIndex(), host, life)) on_loopback_.push_back(host);
      if (!prefix.address.is_v4()) {  // as in LookWhetherSettled: lo has it, but not at once
        leaving_.push_back(prefix);
        continue;
      }
    }
    if (!around_.HasAddress(home().index, prefix)) continue;
    const drover::Status gone = around_.RemoveAddress(home().index, prefix);
    if (!gone && gone.error().code != ErrorCode::kNotFound) Problem(gone.error().message, now);
  }
  if (stays) {
    linger_until_ = now + settings_.linger;
    leave_at_ = now + std::min(kSettle, settings_.linger / 2);
  } else if (virtual_link_) {
    (void)around_.SetLinkUp(virtual_link_->index, false);
  }
}

void Router::Leave() {
  for (const Prefix& prefix : leaving_) {
    if (around_.HasAddress(home().index, prefix)) {
      (void)around_.RemoveAddress(home().index, prefix);
    }
  }
  leaving_.clear();
  leave_at_.reset();
}

void Router::EndLinger() {
  Leave();
  for (const Prefix& prefix : on_loopback_) {
    (void)around_.RemoveAddress(around_.LoopbackIndex(), prefix);
  }
  on_loopback_.clear();
  linger_until_.reset();
  if (virtual_link_ && !serving()) (void)around_.SetLinkUp(virtual_link_->index, false);
}

void Router::RefreshLease(Time now) {
  for (const Prefix& prefix : settings_.AllAddresses()) {
    if (IsNative(prefix)) continue;
    const drover::Status set = around_.SetAddress(home().index, prefix, settings_.lease);
    if (!set) Problem(set.error().message, now);
  }
  const auto period = vrrp::RefreshPeriod(settings_.lease);
  if (!period) {
    lease_.Stop();
  } else if (!lease_.Deadline()) {
    lease_.Begin(*period, now + *period);
  }
}

// The kernel takes packets for a new IPv6 address only when a worker of its own has come to it
// (addrconf_dad_work, even without duplicate detection). Who tells the neighbours before that loses
// what they send meanwhile; the old master still serves them.
void Router::LookWhetherSettled(Time now) {
  const std::vector<Prefix> all = settings_.AllAddresses();
  const bool settled = std::all_of(all.begin(), all.end(), [this](const Prefix& prefix) {
    return around_.Delivers(prefix.address);
  });
  if (settled || now >= settling_->until) {
    settling_.reset();
  } else {
    settling_->look_at = now + kSettleLook;
  }
}

void Router::AnnounceAll() {
  for (const Prefix& prefix : settings_.AllAddresses()) {
    around_.Announce(home().index, home().mac, prefix.address);
  }
}

void Router::Probe() {
  for (const Prefix& prefix : settings_.AllAddresses()) {
    around_.Ask(home().index, home().mac, std::nullopt, prefix.address);
  }
}

}  // namespace drover
