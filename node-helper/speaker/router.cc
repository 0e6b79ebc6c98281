#include "node-helper/speaker/router.h"

#include <algorithm>
#include <utility>

namespace drover {
namespace {

using std::chrono::milliseconds;
using vrrp::State;
using vrrp::Time;

constexpr std::array<std::uint8_t, 4> kGroup4 = {224, 0, 0, 18};
constexpr std::array<std::uint8_t, 16> kGroup6 = {0xff, 0x02, 0, 0, 0, 0, 0, 0,
                                                  0,    0,    0, 0, 0, 0, 0, 0x12};
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

// --- orders

void Router::Start(const std::optional<RememberedRouter>& remembered, Time now) {
  since_ = now;
  around_.NoteForwarding(settings_.interface);
  link_ = around_.FindLink(settings_.interface).value_or(LinkFact{});
  MakeVirtualLink(now);
  if (settings_.priority == vrrp::kOwnerPriority && !virtual_link_) {
    for (const Prefix& prefix : settings_.AllAddresses()) {
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
  const std::vector<Prefix> before = settings_.AllAddresses();
  const bool other_lease = settings.lease != settings_.lease;
  wishes_changed_ = true;
  settings_ = settings;
  grouped_ = grouped;
  const bool understood = !SpeaksDifferently(spoken_, settings_);
  forms_.Change(vrrp::FormOf(settings_), understood);
  if (understood) spoken_ = settings_;
  UpdateOwnAddress(now);
  instance_.Reconfigure(InstanceSettings(), now);
  Track(tracked_, now);
  if (settings_.AllAddresses() != before) ChangeAddresses(before, now);
  if (serving() && other_lease) RefreshLease(now);
}

void Router::SettleForm(Time now) {
  if (!forms_.Settle(now)) return;
  wishes_changed_ = true;
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
  TellOfTakeover(now);
}

void Router::Track(const TrackedState& state, Time now) {
  tracked_ = state;
  // In a group weights would set members apart (keepalived ignores them there, too).
  const int weight = grouped_ ? 0 : tracked_.weight;
  Step(vrrp::PriorityChanged{vrrp::EffectivePriority(settings_.priority, weight)}, now);
  UpdateFault(now);
}

void Router::SetDeaf(const std::string& reason, Time now) {
  deaf_ = reason;
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
  if (!deaf_.empty()) return deaf_;
  if (settings_.vmac && !virtual_link_) return name + " has no virtual link";
  if (settings_.source_address && !around_.IsLocal(*settings_.source_address)) {
    return "source address " + settings_.source_address->ToString() + " is not on this node";
  }
  if (own_address_) return "";
  return name + (settings_.family() == Family::kIpv4 ? " has no IPv4 address to send from"
                                                     : " has no link-local address");
}

void Router::UpdateOwnAddress(Time now) {
  std::optional<IpAddress> address = settings_.source_address;
  if (!address && link_.index != 0) {
    for (const Prefix& prefix : around_.AddressesOf(link_.index, settings_.family())) {
      if (settings_.Holds(prefix.address) && !IsNative(prefix)) continue;
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

// --- what happens

void Router::LookAround(Time now) {
  wishes_changed_ = true;
  const int before = link_.index;
  link_ = around_.FindLink(settings_.interface).value_or(LinkFact{});
  if (link_.index != before) {
    virtual_link_.reset();  // it went with its parent
    native_.clear();
    MakeVirtualLink(now);
    around_.NoteForwarding(settings_.interface);
  } else if (virtual_link_ && !around_.FindLink(virtual_link_->name)) {
    MakeVirtualLink(now);
    if (serving()) {
      (void)around_.SetLinkUp(home().index, true);
      for (const Prefix& prefix : settings_.AllAddresses()) Repair(prefix, now);
    }
  }
  UpdateOwnAddress(now);
  UpdateFault(now);
}

void Router::AddressGone(int index, const Prefix& prefix, Time now) {
  if (index != home().index || !serving() || !Lists(prefix)) return;
  std::erase(native_, prefix);
  Repair(prefix, now);
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
          .unicast_peers = form.peers};
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

void Router::Overslept(vrrp::Nanoseconds late, Time now) {
  const milliseconds lease = serving() ? settings_.lease : milliseconds(0);
  if (vrrp::Overslept(late, lease, instance_.MasterDownInterval())) Step(vrrp::Thawed{}, now);
}

std::optional<Time> Router::Deadline() const {
  std::optional<Time> earliest = instance_.Deadline();
  const auto consider = [&](const std::optional<Time>& time) {
    if (time && (!earliest || *time < *earliest)) earliest = time;
  };
  consider(settling_ ? settling_->look_at : announce_.Deadline());
  consider(lease_.Deadline());
  consider(probe_.Deadline());
  consider(linger_until_);
  consider(leave_at_);
  consider(rival_fault_until_);
  if (unknown_) consider(unknown_->ask_at ? unknown_->ask_at : unknown_->until);
  return earliest;
}

void Router::TickProtocol(Time now) {
  if (instance_.Deadline() && now >= *instance_.Deadline()) Step(vrrp::TimerFired{}, now);
}

void Router::TickRest(Time now) {
  if (settling_ && now >= settling_->look_at) LookWhetherSettled(now);
  if (!settling_ && announce_.Due(now)) AnnounceAll();
  if (lease_.Due(now)) RefreshLease(now);
  if (probe_.Due(now)) Probe();
  if (leave_at_ && now >= *leave_at_) Leave();
  if (linger_until_ && now >= *linger_until_) EndLinger();
  if (unknown_ && unknown_->ask_at && now >= *unknown_->ask_at) {
    unknown_->ask_at.reset();
    around_.Ask(link_.index, link_.mac, own_address_, unknown_->source);
  }
  if (unknown_ && now >= unknown_->until) {
    const Unknown silent = *std::exchange(unknown_, std::nullopt);
    wishes_changed_ = true;
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
      announce_.Answer(now);
    } else if (std::holds_alternative<vrrp::YieldFailed>(action)) {
      reason_ = "nobody took over";
      Problem("handover: nobody took over, still master", now);
    } else if (const auto* transition = std::get_if<vrrp::Transition>(&action)) {
      Note(*transition, now);
    }
  }
}

void Router::TellOfTakeover(Time now) {
  if (told_predecessor_ == instance_.predecessor()) return;
  told_predecessor_ = instance_.predecessor();
  if (!told_predecessor_) return;
  events_.push_back({settings_.name, now, TakeoverAhead{*told_predecessor_, link_.name}});
}

void Router::Note(const vrrp::Transition& transition, Time now) {
  since_ = now;
  wishes_changed_ = true;
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
  std::vector<IpAddress> destinations = form.peers;
  const bool multicast = destinations.empty();
  if (multicast) {
    destinations = {own_address_->is_v4() ? IpAddress::V4(kGroup4) : IpAddress::V6(kGroup6)};
  }
  // Unicast goes by the parent: neighbours of the virtual link are not known.
  const int index = multicast ? home().index : link_.index;
  const std::string unsent_before = std::exchange(unsent_, "");
  for (const IpAddress& destination : destinations) {
    const drover::Status sent =
        around_.SendAdvert(index, {*own_address_, destination}, advertisement, ChecksumToSend());
    if (sent) {
      ++sent_;
    } else {
      unsent_ = sent.error().message;
      Problem(unsent_, now);
    }
  }
  if (!unsent_before.empty() && unsent_.empty()) {
    last_problem_.clear();
    events_.push_back({settings_.name, now, SpeakerProblem{unsent_before, /*over=*/true}});
  }
}

void Router::AdvertiseNow(Time now) {
  if (serving() && !instance_.yielding()) SendAdvert(instance_.priority(), now);
}

void Router::Problem(const std::string& text, Time now) {
  if (text == last_problem_) return;
  last_problem_ = text;
  events_.push_back({settings_.name, now, SpeakerProblem{text}});
}

// --- how it is

std::optional<EarWish> Router::Ear() const {
  if (link_.index == 0) return std::nullopt;
  return EarWish{settings_.interface, link_.index, settings_.family(), forms_.Multicast()};
}

void Router::AddWatched(std::vector<IpAddress>& addresses) const {
  if (unknown_) addresses.push_back(unknown_->source);
  if (!serving()) return;
  for (const Prefix& prefix : settings_.AllAddresses()) addresses.push_back(prefix.address);
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
  status.preempts = instance_.preempts();
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
