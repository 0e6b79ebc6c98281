#include "node-helper/speaker/router.h"

#include <algorithm>
#include <utility>

#include "node-helper/net/packet_socket.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using vrrp::State;
using vrrp::Time;

constexpr std::array<std::uint8_t, 4> kGroup4 = {224, 0, 0, 18};
constexpr std::array<std::uint8_t, 16> kGroup6 = {0xff, 0x02, 0, 0, 0, 0, 0, 0,
                                                  0,    0,    0, 0, 0, 0, 0, 0x12};
// What neighbours of the old master still say for a moment after a takeover is no quarrel.
constexpr milliseconds kClaimGrace{500};
// How long the MAC of a second master is waited for.
constexpr milliseconds kMacWait{300};
// The tap takes its address in before the next turn of the loop, and the answer comes fast.
constexpr milliseconds kMacAskDelay{1};
// Adverts of a second master that did not yield after ours; then the rule says what happens.
constexpr int kDeafAfter = 3;
constexpr std::size_t kMaxSecondMasters = 64;

bool Contains(const std::vector<Prefix>& list, const Prefix& prefix) {
  return std::find(list.begin(), list.end(), prefix) != list.end();
}

bool Names(const std::vector<Prefix>& list, const IpAddress& address) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Prefix& prefix) { return prefix.address == address; });
}

// RFC 9568, section 7.3.
MacAddress VirtualMac(std::uint8_t vrid, Family family) {
  const std::uint8_t kind = family == Family::kIpv4 ? 1 : 2;
  return {0x00, 0x00, 0x5e, 0x00, kind, vrid};
}

// At most 15 bytes.
std::string VirtualLinkName(std::uint8_t vrid, Family family, int parent) {
  return std::string(family == Family::kIpv4 ? "vrrp4." : "vrrp6.") + std::to_string(vrid) + "." +
         std::to_string(parent);
}

std::string_view NameOf(vrrp::ChecksumForm form) {
  switch (form) {
    case vrrp::ChecksumForm::kPlain:
      return "rfc9568";
    case vrrp::ChecksumForm::kPseudoHeader:
      return "pseudo_header";
    case vrrp::ChecksumForm::kPseudoHeaderMulticast:
      return "pseudo_header_multicast";
  }
  return "?";
}

std::optional<vrrp::ChecksumForm> ChecksumNamed(std::string_view name) {
  for (const vrrp::ChecksumForm form :
       {vrrp::ChecksumForm::kPlain, vrrp::ChecksumForm::kPseudoHeader,
        vrrp::ChecksumForm::kPseudoHeaderMulticast}) {
    if (NameOf(form) == name) return form;
  }
  return std::nullopt;
}

milliseconds Age(Time then, Time now) {
  return std::chrono::duration_cast<milliseconds>(now - then);
}

}  // namespace

bool SameRouter(const VrrpInstance& left, const VrrpInstance& right) {
  return left.interface == right.interface && left.family() == right.family() &&
         left.vmac == right.vmac;
}

Router::Router(const VrrpInstance& settings, bool grouped, Surroundings& around)
    : settings_(settings),
      grouped_(grouped),
      around_(around),
      spoken_(settings),
      forms_(vrrp::FormOf(settings)),
      instance_(InstanceSettings()) {}

Router::~Router() {
  if (virtual_link_ && !left_behind_) around_.RemoveVirtualLink(virtual_link_->index);
}

vrrp::Settings Router::InstanceSettings() const {
  const vrrp::Form& form = forms_.sent();
  return {.name = settings_.name,
          .version = form.version,
          .vrid = form.vrid,
          .priority = settings_.priority,
          .interval = form.interval,
          .preempt = settings_.preempt,
          .preempt_delay = settings_.preempt_delay,
          .down_adverts = settings_.down_adverts,
          .own_address = own_address_.value_or(IpAddress()),
          .grouped = grouped_};
}

std::vector<Prefix> Router::AllAddresses() const {
  std::vector<Prefix> all = settings_.addresses;
  all.insert(all.end(), settings_.excluded_addresses.begin(), settings_.excluded_addresses.end());
  return all;
}

bool Router::IsNative(const Prefix& prefix) const { return Contains(native_, prefix); }

// --- orders

void Router::Start(const std::optional<RememberedRouter>& remembered, Time now) {
  since_ = now;
  if (const drover::Status prepared = around_.PrepareInterface(settings_.interface); !prepared) {
    Problem(prepared.error().message, now);
  }
  link_ = around_.FindLink(settings_.interface).value_or(LinkFact{});
  MakeVirtualLink(now);
  if (settings_.priority == vrrp::kOwnerPriority && !virtual_link_) {
    for (const Prefix& prefix : AllAddresses()) {
      if (around_.HasAddress(link_.index, prefix)) native_.push_back(prefix);
    }
  }
  UpdateOwnAddress(now);
  UpdateFault(now);
  if (remembered) peer_checksum_ = ChecksumNamed(remembered->checksum);
  if (remembered && remembered->master && told_fault_.empty()) {
    Step(vrrp::Adopted{}, now);
    return;
  }
  RemoveLeftovers(now);
  Step(vrrp::Startup{}, now);
  if (remembered && remembered->held) Step(vrrp::Yield{}, now);
}

void Router::Reconfigure(const VrrpInstance& settings, bool grouped, Time now) {
  const std::vector<Prefix> before = AllAddresses();
  const bool other_lease = settings.lease != settings_.lease;
  settings_ = settings;
  grouped_ = grouped;
  const bool understood = !SpeaksDifferently(spoken_, settings_);
  forms_.Change(vrrp::FormOf(settings_), understood);
  if (understood) spoken_ = settings_;
  UpdateOwnAddress(now);
  instance_.Reconfigure(InstanceSettings(), now);
  Track(tracked_, now);
  if (AllAddresses() != before) ChangeAddresses(before, now);
  if (serving() && other_lease) RefreshLease(now);
}

void Router::SettleForm(Time now) {
  if (!forms_.Settle(now)) return;
  const bool other_id = spoken_.vrid != settings_.vrid;
  spoken_ = settings_;
  instance_.Reconfigure(InstanceSettings(), now);
  Track(tracked_, now);
  if (!virtual_link_ || !other_id) return;
  // The MAC belongs to the id.
  const LinkFact old = *virtual_link_;
  MakeVirtualLink(now);
  if (serving()) {
    (void)around_.SetLinkUp(home().index, true);
    Take(now);
  }
  around_.RemoveVirtualLink(old.index);
}

void Router::Step(const vrrp::InstanceEvent& event, Time now) {
  Carry(instance_.Step(event, now), now);
}

void Router::Track(const TrackedState& state, Time now) {
  tracked_ = state;
  // In a group weights would set members apart (keepalived ignores them there, too).
  const int weight = grouped_ ? 0 : tracked_.weight;
  Step(vrrp::PriorityChanged{vrrp::EffectivePriority(settings_.priority, weight)}, now);
  UpdateFault(now);
}

void Router::SetGroupFault(const std::string& reason, Time now) {
  group_fault_ = reason;
  UpdateFault(now);
}

std::string Router::OwnFault() const {
  if (!link_fault_.empty()) return link_fault_;
  if (!rival_fault_.empty()) return rival_fault_;
  return tracked_.fault;
}

void Router::UpdateFault(Time now) {
  link_fault_ = LinkFault();
  const std::string own = OwnFault();
  const std::string reason = own.empty() ? group_fault_ : own;
  if (reason == told_fault_) return;
  told_fault_ = reason;
  if (reason.empty()) {
    Step(vrrp::FaultCleared{}, now);
    return;
  }
  const bool at_once = !link_fault_.empty() || !rival_fault_.empty();
  Step(vrrp::Faulted{reason, at_once}, now);
  if (instance_.state() == State::kFault) reason_ = reason;
}

std::string Router::LinkFault() const {
  const std::string& name = settings_.interface;
  if (link_.index == 0) return "there is no interface " + name;
  if (!link_.up) return name + " is down";
  if (!link_.carrier) return name + " has no carrier";
  if (settings_.vmac && !virtual_link_) return name + " has no virtual link";
  if (own_address_) return "";
  return name + (settings_.family() == Family::kIpv4 ? " has no IPv4 address to send from"
                                                     : " has no link-local address");
}

void Router::UpdateOwnAddress(Time now) {
  std::optional<IpAddress> address = settings_.source_address;
  if (!address && link_.index != 0) {
    for (const Prefix& prefix : around_.AddressesOf(link_.index, settings_.family())) {
      if (Names(AllAddresses(), prefix.address) && !IsNative(prefix)) continue;
      address = prefix.address;
      break;
    }
  }
  if (address == own_address_) return;
  own_address_ = address;
  instance_.Reconfigure(InstanceSettings(), now);
  Step(vrrp::PriorityChanged{vrrp::EffectivePriority(settings_.priority,
                                                     grouped_ ? 0 : tracked_.weight)},
       now);
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
  for (const Prefix& prefix : AllAddresses()) {
    if (IsNative(prefix) || !around_.HasAddress(home().index, prefix)) continue;
    if (const drover::Status gone = around_.RemoveAddress(home().index, prefix); !gone) {
      Problem(gone.error().message, now);
    }
  }
}

void Router::ChangeAddresses(const std::vector<Prefix>& before, Time now) {
  const std::vector<Prefix> after = AllAddresses();
  if (!serving()) return;
  for (const Prefix& prefix : after) {
    if (Contains(before, prefix)) continue;
    const drover::Status set = around_.SetAddress(home().index, prefix, settings_.lease);
    if (!set) Problem(set.error().message, now);
  }
  for (const Prefix& prefix : before) {
    if (Contains(after, prefix) || IsNative(prefix)) continue;
    (void)around_.RemoveAddress(home().index, prefix);
  }
  announce_.Again(now);
}

// --- what happens

void Router::LookAround(Time now) {
  const int before = link_.index;
  link_ = around_.FindLink(settings_.interface).value_or(LinkFact{});
  if (link_.index != before) {
    virtual_link_.reset();  // it went with its parent
    native_.clear();
    MakeVirtualLink(now);
    (void)around_.PrepareInterface(settings_.interface);
  } else if (virtual_link_ && !around_.FindLink(virtual_link_->name)) {
    MakeVirtualLink(now);
    if (serving()) {
      (void)around_.SetLinkUp(home().index, true);
      for (const Prefix& prefix : AllAddresses()) Repair(prefix, now);
    }
  }
  UpdateOwnAddress(now);
  UpdateFault(now);
}

void Router::AddressGone(int index, const Prefix& prefix, Time now) {
  if (index != home().index || !serving() || !Contains(AllAddresses(), prefix)) return;
  std::erase(native_, prefix);
  Repair(prefix, now);
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

vrrp::Expectation Router::ExpectationOf(const vrrp::Form& form) const {
  return {.version = form.version,
          .vrid = form.vrid,
          .auth = form.auth,
          .password = form.password,
          .interval = form.interval,
          .is_owner =
              instance_.priority() == vrrp::kOwnerPriority && serving() && !instance_.yielding(),
          .own_address = own_address_.value_or(IpAddress()),
          .unicast_peers = settings_.unicast_peers};
}

bool Router::Hear(const vrrp::Received& packet, Time now) {
  if (packet.route.source.family() != settings_.family()) return false;
  if (packet.payload.size() > 1 && !forms_.Knows(packet.payload[1], now)) {
    // Most packets on a link with many routers; the same verdict without the other checks.
    ++refused_[static_cast<std::size_t>(vrrp::Refusal::kVrid)];
    return false;
  }
  std::optional<vrrp::Refusal> refusal;
  for (const vrrp::Form& form : forms_.Accepted(now)) {
    const auto verdict = vrrp::Accept(packet, ExpectationOf(form));
    if (const auto* refused = std::get_if<vrrp::Refusal>(&verdict)) {
      // The reason that came closest: another form may have another id.
      if (!refusal || *refused != vrrp::Refusal::kVrid) refusal = *refused;
      continue;
    }
    const auto& decoded = std::get<vrrp::Decoded>(verdict);
    const vrrp::Advertisement& advertisement = decoded.advertisement;
    forms_.Heard(form, now);
    ++received_;
    heard_at_ = now;
    if (decoded.form) {
      if (*decoded.form != ChecksumToSend()) ++checksum_mismatch_;
      peer_checksum_ = decoded.form;
    }
    const bool was_master = serving() && !instance_.yielding();
    const vrrp::AdvertReceived advert{packet.route.source, advertisement.priority,
                                      advertisement.interval};
    Step(advert, now);
    if (was_master && serving() && advert.priority != vrrp::kReleasePriority) {
      SecondMaster(advert, now);
    }
    return true;
  }
  if (refusal) ++refused_[static_cast<std::size_t>(*refusal)];
  return refusal != vrrp::Refusal::kVrid;
}

void Router::SecondMaster(const vrrp::AdvertReceived& advert, Time now) {
  // Right after a takeover the old master's last advert may still be on its way.
  if (now - since_ < vrrp::Nanoseconds(forms_.sent().interval) + kClaimGrace) return;
  if (second_masters_.size() >= kMaxSecondMasters) second_masters_.clear();
  const int adverts = ++second_masters_[advert.source];
  const vrrp::RivalLog::Advice advice = rivals_.Hear(advert.source.ToString(), now);
  const bool yields = settings_.on_rival == OnRival::kYield && adverts >= kDeafAfter;
  if (advice.report || yields) {
    unknown_ = Unknown{advert.source, yields ? "yielded" : "announced again", now + kMacWait,
                       now + kMacAskDelay};
  }
  if (!yields) return;
  rival_fault_ = advert.source.ToString() + " goes on as a second master";
  rival_fault_until_ = now + vrrp::kYieldFor;
  UpdateFault(now);
}

void Router::HearClaim(const AddressClaim& claim, Time now) {
  if (unknown_ && claim.address == unknown_->source) {
    const Unknown known = *std::exchange(unknown_, std::nullopt);
    Report(known.source, MacText(claim.mac), known.answer, now);
  }
  if (!serving() || instance_.yielding() || now - since_ < kClaimGrace) return;
  if (!Names(AllAddresses(), claim.address) || around_.IsOwnMac(claim.mac)) return;
  if (claim.mac == home().mac) return;  // a peer with the same virtual MAC
  const std::string mac = MacText(claim.mac);
  const vrrp::RivalLog::Advice advice = rivals_.Hear(mac, now);
  const bool yields = settings_.on_rival == OnRival::kYield;
  if (advice.report) Report(claim.address, mac, yields ? "yielded" : "announced again", now);
  if (yields) {
    rival_fault_ = claim.address.ToString() + " is claimed by " + mac;
    rival_fault_until_ = now + vrrp::kYieldFor;
    UpdateFault(now);
  } else if (advice.answer) {
    announce_.Again(now);
  }
}

void Router::Report(const IpAddress& address, const std::string& mac, const std::string& answer,
                    Time now) {
  events_.push_back({settings_.name, now, RivalSeen{address, mac, answer}});
}

void Router::Overslept(vrrp::Nanoseconds late, Time now) {
  const milliseconds lease = serving() ? settings_.lease : milliseconds(0);
  if (vrrp::Overslept(late, lease, instance_.MasterDownInterval())) Step(vrrp::Thawed{}, now);
}

std::optional<Time> Router::Deadline() const {
  std::optional<Time> earliest = instance_.Deadline();
  const auto consider = [&](const std::optional<Time>& time) {
    if (time && (!earliest || *time < *earliest)) earliest = time;
  };
  consider(announce_.Deadline());
  consider(lease_.Deadline());
  consider(probe_.Deadline());
  consider(linger_until_);
  consider(rival_fault_until_);
  if (unknown_) consider(unknown_->ask_at ? unknown_->ask_at : unknown_->until);
  return earliest;
}

void Router::TickProtocol(Time now) {
  if (instance_.Deadline() && now >= *instance_.Deadline()) Step(vrrp::TimerFired{}, now);
}

void Router::TickRest(Time now) {
  if (announce_.Due(now)) AnnounceAll();
  if (lease_.Due(now)) RefreshLease(now);
  if (probe_.Due(now)) Probe();
  if (linger_until_ && now >= *linger_until_) EndLinger();
  if (unknown_ && unknown_->ask_at && now >= *unknown_->ask_at) {
    unknown_->ask_at.reset();
    around_.Ask(link_.index, link_.mac, own_address_, unknown_->source);
  }
  if (unknown_ && now >= unknown_->until) {
    const Unknown silent = *std::exchange(unknown_, std::nullopt);
    Report(silent.source, "", silent.answer, now);
  }
  if (rival_fault_until_ && now >= *rival_fault_until_) {
    rival_fault_until_.reset();
    rival_fault_.clear();
    UpdateFault(now);
  }
}

// --- acting

void Router::Carry(const vrrp::Actions& actions, Time now) {
  for (const vrrp::InstanceAction& action : actions) {
    if (const auto* advert = std::get_if<vrrp::SendAdvert>(&action)) {
      SendAdvert(advert->priority, now);
    } else if (std::holds_alternative<vrrp::TakeAddresses>(action)) {
      Take(now);
    } else if (const auto* release = std::get_if<vrrp::ReleaseAddresses>(&action)) {
      Release(release->linger, now);
    } else if (std::holds_alternative<vrrp::AnnounceAgain>(action)) {
      if (!announced_again_ || now - *announced_again_ >= vrrp::kAnswerEvery) announce_.Again(now);
      announced_again_ = now;
    } else if (std::holds_alternative<vrrp::YieldFailed>(action)) {
      reason_ = "nobody took over";
      Problem("handover: nobody took over, still master", now);
    } else if (const auto* transition = std::get_if<vrrp::Transition>(&action)) {
      Note(*transition, now);
    }
  }
}

void Router::Note(const vrrp::Transition& transition, Time now) {
  since_ = now;
  reason_ = transition.reason;
  ++transitions_;
  second_masters_.clear();
  // Our advert goes out with the virtual MAC already (section 7.2).
  if (transition.to == State::kMaster && virtual_link_) {
    if (const drover::Status up = around_.SetLinkUp(home().index, true); !up) {
      Problem(up.error().message, now);
    }
  }
  events_.push_back({settings_.name, now,
                     InstanceMoved{std::string(ToString(transition.from)),
                                   std::string(ToString(transition.to)), transition.reason}});
}

vrrp::ChecksumForm Router::ChecksumToSend() const {
  switch (settings_.checksum) {
    case VrrpChecksum::kRfc9568:
      return vrrp::ChecksumForm::kPlain;
    case VrrpChecksum::kPseudoHeader:
      return vrrp::ChecksumForm::kPseudoHeader;
    case VrrpChecksum::kAsPeer:
      break;
  }
  return peer_checksum_.value_or(vrrp::ChecksumForm::kPseudoHeader);
}

void Router::SendAdvert(std::uint8_t priority, Time now) {
  if (!own_address_) return;
  const vrrp::Form& form = forms_.sent();
  vrrp::Advertisement advertisement{.version = form.version,
                                    .vrid = form.vrid,
                                    .priority = priority,
                                    .interval = form.interval,
                                    .auth = form.auth,
                                    .password = form.password,
                                    .addresses = {}};
  for (const Prefix& prefix : settings_.addresses) {
    advertisement.addresses.push_back(prefix.address);
  }
  std::vector<IpAddress> destinations = settings_.unicast_peers;
  const bool multicast = destinations.empty();
  if (multicast) {
    destinations = {own_address_->is_v4() ? IpAddress::V4(kGroup4) : IpAddress::V6(kGroup6)};
  }
  // Unicast goes by the parent: neighbours of the virtual link are not known.
  const int index = multicast ? home().index : link_.index;
  for (const IpAddress& destination : destinations) {
    const drover::Status sent =
        around_.SendAdvert(index, {*own_address_, destination}, advertisement, ChecksumToSend());
    if (sent) {
      ++sent_;
    } else {
      Problem(sent.error().message, now);
    }
  }
}

void Router::AdvertiseNow(Time now) {
  if (serving() && !instance_.yielding()) SendAdvert(instance_.priority(), now);
}

void Router::Take(Time now) {
  for (const Prefix& prefix : AllAddresses()) {
    if (IsNative(prefix)) continue;
    const drover::Status set = around_.SetAddress(home().index, prefix, settings_.lease);
    if (!set) Problem(set.error().message, now);
  }
  EndLinger();
  announce_.Begin(settings_.announce, now);
  if (const auto period = vrrp::RefreshPeriod(settings_.lease)) {
    lease_.Begin(*period, now + *period);
  }
  probe_.Begin(vrrp::kProbeInterval, now + vrrp::kProbeInterval);
}

void Router::Release(bool linger, Time now) {
  announce_.Stop();
  lease_.Stop();
  probe_.Stop();
  EndLinger();
  const bool stays = linger && settings_.linger.count() > 0;
  for (const Prefix& prefix : AllAddresses()) {
    if (IsNative(prefix)) continue;
    const Prefix host = Prefix::Host(prefix.address);
    // On lo before it leaves the interface: at no moment is it nobody's.
    if (stays && !around_.HasAddress(around_.LoopbackIndex(), host)) {
      // Lifetimes are whole seconds; a dead helper's must end, too.
      const milliseconds life = std::max(settings_.linger, milliseconds(1000));
      if (around_.SetAddress(around_.LoopbackIndex(), host, life)) on_loopback_.push_back(host);
    }
    if (!around_.HasAddress(home().index, prefix)) continue;
    const drover::Status gone = around_.RemoveAddress(home().index, prefix);
    if (!gone && gone.error().code != ErrorCode::kNotFound) Problem(gone.error().message, now);
  }
  if (stays) {
    linger_until_ = now + settings_.linger;
  } else if (virtual_link_) {
    (void)around_.SetLinkUp(virtual_link_->index, false);
  }
}

void Router::EndLinger() {
  for (const Prefix& prefix : on_loopback_) {
    (void)around_.RemoveAddress(around_.LoopbackIndex(), prefix);
  }
  on_loopback_.clear();
  linger_until_.reset();
  if (virtual_link_ && !serving()) (void)around_.SetLinkUp(virtual_link_->index, false);
}

void Router::RefreshLease(Time now) {
  for (const Prefix& prefix : AllAddresses()) {
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

void Router::AnnounceAll() {
  for (const Prefix& prefix : AllAddresses()) {
    around_.Announce(home().index, home().mac, prefix.address);
  }
}

void Router::Probe() {
  for (const Prefix& prefix : AllAddresses()) {
    around_.Ask(home().index, home().mac, std::nullopt, prefix.address);
  }
}

void Router::Problem(const std::string& text, Time now) {
  if (text == last_problem_) return;
  last_problem_ = text;
  events_.push_back({settings_.name, now, SpeakerProblem{text}});
}

// --- how it is

std::optional<EarWish> Router::Ear() const {
  if (link_.index == 0) return std::nullopt;
  return EarWish{settings_.interface, link_.index, settings_.family(),
                 settings_.unicast_peers.empty()};
}

void Router::AddWatched(std::vector<IpAddress>& addresses) const {
  if (unknown_) addresses.push_back(unknown_->source);
  if (!serving()) return;
  for (const Prefix& prefix : AllAddresses()) addresses.push_back(prefix.address);
}

RememberedRouter Router::Remember() const {
  return {.master = serving() && !instance_.yielding(),
          .held = instance_.held() || instance_.yielding(),
          .checksum = peer_checksum_ ? std::string(NameOf(*peer_checksum_)) : ""};
}

InstanceStatus Router::Describe(Time now) const {
  InstanceStatus status;
  status.name = settings_.name;
  status.interface = settings_.interface;
  status.vrid = forms_.sent().vrid;
  status.version = forms_.sent().version == vrrp::Version::k2 ? 2 : 3;
  status.state = ToString(instance_.state());
  status.reason = reason_;
  status.priority = instance_.priority();
  status.base_priority = settings_.priority;
  status.master = instance_.master();
  status.in_state_for = Age(since_, now);
  if (heard_at_) status.last_heard = Age(*heard_at_, now);
  status.master_down = std::chrono::ceil<milliseconds>(instance_.MasterDownInterval());
  status.yielded = instance_.held() || instance_.yielding();
  status.awaits_sync = instance_.waits_for_permission();
  status.two_phase = forms_.two_phase();
  status.addresses = settings_.addresses;
  if (peer_checksum_) status.peer_checksum = NameOf(*peer_checksum_);
  status.counters = {{"sent", sent_},
                     {"received", received_},
                     {"transitions", transitions_},
                     {"rivals", rivals_.count()},
                     {"checksum_mismatch", checksum_mismatch_},
                     {"repaired", repaired_}};
  for (std::size_t i = 0; i < refused_.size(); ++i) {
    const auto refusal = static_cast<vrrp::Refusal>(i);
    status.counters["refused_" + std::string(ToString(refusal))] = refused_[i];
  }
  return status;
}

}  // namespace drover
