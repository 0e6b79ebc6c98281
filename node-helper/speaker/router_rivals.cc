// Router: strangers that claim what a master owns.

#include <utility>

#include "node-helper/net/packet_socket.h"
#include "node-helper/speaker/router.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

// What neighbours of the old master still say for a moment after a takeover is no quarrel.
constexpr milliseconds kClaimGrace{500};
// How long the MAC of a second master is waited for.
constexpr milliseconds kMacWait{300};
// The tap takes its address in before the next turn of the loop, and the answer comes fast.
constexpr milliseconds kMacAskDelay{1};
// Adverts of a second master that did not yield after ours; then the rule says what happens.
constexpr int kDeafAfter = 3;
constexpr std::size_t kMaxSecondMasters = 64;

}  // namespace

void Router::SecondMaster(const vrrp::AdvertReceived& advert, Time now) {
  // Right after a takeover the old master's last advert may still be on its way.
  if (now - since_ < vrrp::Nanoseconds(forms_.sent().interval) + kClaimGrace) return;
  if (second_masters_.size() >= kMaxSecondMasters) second_masters_.clear();
  const int adverts = ++second_masters_[advert.source];
  const vrrp::RivalLog::Advice advice = rivals_.Hear(advert.source.ToString(), now);
  const bool yields = settings_.on_rival == OnRival::kYield && adverts >= kDeafAfter;
  if (advice.report || yields) {
    wishes_changed_ = true;
    unknown_ = Unknown{advert.source, yields ? "yielded" : "announced again", now + kMacWait,
                       now + kMacAskDelay};
  }
  if (!yields) return;
  rival_fault_ = advert.source.ToString() + " goes on as a second master";
  rival_fault_until_ = now + vrrp::kYieldFor;
  UpdateFault(now);
}

void Router::HearClaim(int index, const AddressClaim& claim, Time now) {
  // The same address on another link is another matter.
  if (index != link_.index && index != home().index) return;
  if (unknown_ && claim.address == unknown_->source) {
    const Unknown known = *std::exchange(unknown_, std::nullopt);
    wishes_changed_ = true;
    Report(known.source, MacText(claim.mac), known.answer, now);
  }
  if (!serving() || instance_.yielding() || now - since_ < kClaimGrace) return;
  if (!settings_.Holds(claim.address) || around_.IsOwnMac(claim.mac)) return;
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

}  // namespace drover
