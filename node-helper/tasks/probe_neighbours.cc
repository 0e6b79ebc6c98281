#include "node-helper/tasks/probe_neighbours.h"

#include <algorithm>

#include "node-helper/net/neighbour_frame.h"
#include "protocol/mac_text.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kMaxWindow{10000};
constexpr std::uint32_t kMaxRounds = 20;
constexpr std::uint32_t kStrangers = 8;
constexpr int kSmallestNetwork = 28;  // smaller ones are likely to be full
constexpr std::size_t kMaxRedirecters = 64;
constexpr std::size_t kBurst = 64;  // questions between two looks at the answers
constexpr milliseconds kLook{200};  // how often it is asked whether somebody still waits

milliseconds WindowOf(const ProbeTask& task) { return std::min(task.arp_window, kMaxWindow); }

std::uint32_t RoundsOf(const ProbeTask& task) {
  return std::clamp<std::uint32_t>(task.arp_rounds, 1, kMaxRounds);
}

}  // namespace

NeighbourProbe::NeighbourProbe(const ProbeTask& task) : task_(task) {
  for (const IpAddress& vip : task.vips) {
    Locate(vip, vips_);
    const LinkRoute& link = vips_.back().link;
    answers_.push_back({.vip = vip,
                        .on_link = link.on_link,
                        .local = link.local,
                        .interface = link.on_link ? link.interface : "",
                        .answers = {}});
  }
  for (const ProbePeer& peer : task.peers) {
    Locate(peer.address, peer_targets_);
    const LinkRoute& link = peer_targets_.back().link;
    // This host itself will not answer its own question.
    peers_.push_back({peer.name, link.local && link.on_link ? MacText(link.mac) : "",
                      link.on_link ? link.interface : ""});
  }
  if (!AnyOnLink()) return;
  auto tap = NeighbourTap::Open();
  if (tap) {
    tap_.emplace(std::move(*tap));
    auto redirects = RedirectTap::Open();
    if (redirects) redirect_tap_.emplace(std::move(*redirects));
    return;
  }
  notes_.push_back("ARP and neighbour discovery were not asked: " + tap.error().message);
  for (ArpAnswers& answer : answers_) answer.on_link = false;
}

void NeighbourProbe::Locate(const IpAddress& address, std::vector<Target>& targets) {
  Target target{address, {}};
  if (auto link = FindLinkRoute(address)) {
    target.link = std::move(*link);
  } else {
    notes_.push_back("where " + address.ToString() + " lies: " + link.error().message);
  }
  targets.push_back(std::move(target));
}

bool NeighbourProbe::AnyOnLink() const {
  const auto on_link = [](const Target& target) { return target.link.on_link; };
  return std::any_of(vips_.begin(), vips_.end(), on_link) ||
         std::any_of(peer_targets_.begin(), peer_targets_.end(), on_link);
}

// Nothing is left to wait for: no VIP, whose window is always heard to its end, and every peer
// known.
bool NeighbourProbe::IsAnswered() const {
  for (const Target& vip : vips_) {
    if (vip.link.on_link) return false;
  }
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (peer_targets_[i].link.on_link && peers_[i].mac.empty()) return false;
  }
  return true;
}

// An address that the neighbours may learn: never a VIP, or the question itself would claim it.
std::optional<IpAddress> NeighbourProbe::SenderFor(const Target& target) const {
  for (const IpAddress& own : target.link.addresses) {
    if (std::find(task_.vips.begin(), task_.vips.end(), own) == task_.vips.end()) return own;
  }
  return std::nullopt;
}

void NeighbourProbe::AskFor(const Target& target, bool also_without_sender) {
  const auto sender = SenderFor(target);
  Status sent;
  if (sender) sent = tap_->Ask(target.link, sender, target.address);
  if (sent && (also_without_sender || !sender)) {
    sent = tap_->Ask(target.link, std::nullopt, target.address);
  }
  if (!sent)
    notes_.push_back("asking for " + target.address.ToString() + ": " + sent.error().message);
}

// Hosts that answer only when they are asked alone, as behind a switch that answers for others.
void NeighbourProbe::AskEachPeer() {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    const auto mac = ParseMac(peers_[i].mac);
    if (!mac || !peer_targets_[i].link.on_link || peer_targets_[i].link.local) continue;
    for (const Target& vip : vips_) {
      if (!vip.link.on_link || vip.link.index != peer_targets_[i].link.index) continue;
      if (!vip.address.is_v4()) continue;
      const Status sent = tap_->Ask(vip.link, SenderFor(vip), vip.address, *mac);
      if (!sent) notes_.push_back("asking " + peers_[i].name + ": " + sent.error().message);
    }
  }
}

// Candidates from the upper end of the network, where addresses are given out last. They are asked
// for in the form of duplicate detection; who answers is struck out in Count.
void NeighbourProbe::PickStrangers() {
  const bool wanted = std::any_of(task_.peers.begin(), task_.peers.end(),
                                  [](const ProbePeer& peer) { return peer.real_server; });
  if (!wanted) return;
  for (const Target& vip : vips_) {
    if (!vip.link.on_link || !vip.address.is_v4()) continue;
    for (const Prefix& network : vip.link.networks) {
      if (network.length > kSmallestNetwork || !network.Contains(vip.address)) continue;
      AddStrangers(vip.link, network);
      break;
    }
    if (!strangers_.empty()) return;  // one network is enough: the setting is the host's
  }
}

void NeighbourProbe::AddStrangers(const LinkRoute& link, const Prefix& network) {
  const std::uint8_t* bytes = network.address.data();
  const std::uint32_t address = std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
                                std::uint32_t{bytes[2]} << 8 | bytes[3];
  const std::uint32_t broadcast = address | (0xffffffffU >> network.length);
  for (std::uint32_t i = 1; i <= kStrangers; ++i) {
    const std::uint32_t one = broadcast - i;
    const IpAddress candidate =
        IpAddress::V4({static_cast<std::uint8_t>(one >> 24), static_cast<std::uint8_t>(one >> 16),
                       static_cast<std::uint8_t>(one >> 8), static_cast<std::uint8_t>(one)});
    const auto is_it = [&](const auto& known) { return known.address == candidate; };
    if (std::any_of(vips_.begin(), vips_.end(), is_it) ||
        std::any_of(task_.peers.begin(), task_.peers.end(), is_it) ||
        std::find(link.addresses.begin(), link.addresses.end(), candidate) !=
            link.addresses.end()) {
      continue;
    }
    const Status sent = tap_->Ask(link, std::nullopt, candidate);
    if (sent) strangers_.push_back({candidate, link});
  }
}

// A question to the VIP, straight to a real server, from a client that it cannot know: it has to
// look for him, and with arp_announce 0 or 1 it does so in the name of the VIP.
void NeighbourProbe::Provoke() {
  if (strangers_.empty()) return;
  const Target& stranger = strangers_.front();
  if (!redirect_tap_) return;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    const auto mac = ParseMac(peers_[i].mac);
    if (!task_.peers[i].real_server || !mac || peer_targets_[i].link.local ||
        peer_targets_[i].link.index != stranger.link.index) {
      continue;
    }
    for (const Target& vip : vips_) {
      if (!vip.link.on_link || !vip.address.is_v4()) continue;
      const Status sent = redirect_tap_->Send(stranger.link.index, *mac,
                                              EchoRequest(stranger.address, vip.address));
      if (!sent) notes_.push_back("provoking " + peers_[i].name + ": " + sent.error().message);
    }
  }
}

void NeighbourProbe::AskRound(bool first) {
  if (first) {
    PickStrangers();
  } else {
    AskEachPeer();
    Provoke();
  }
  for (const Target& vip : vips_) {
    if (vip.link.on_link) AskFor(vip, /*also_without_sender=*/true);
  }
  std::size_t asked = 0;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (!peer_targets_[i].link.on_link || !peers_[i].mac.empty()) continue;
    AskFor(peer_targets_[i], /*also_without_sender=*/false);
    if (++asked % kBurst == 0) Listen();
  }
}

milliseconds NeighbourProbe::AskTime() const {
  return tap_ ? WindowOf(task_) * RoundsOf(task_) : milliseconds{0};
}

void NeighbourProbe::Ask(const std::function<bool()>& abandoned) {
  if (!tap_) return;
  for (std::uint32_t round = 0; round < RoundsOf(task_); ++round) {
    AskRound(/*first=*/round == 0);
    const auto end = Clock::now() + WindowOf(task_);
    while (Clock::now() < end) {
      if (abandoned() || IsAnswered()) return;
      Count(tap_->Hear(std::min(end, Clock::now() + kLook)));
    }
  }
}

void NeighbourProbe::Listen() {
  if (tap_) Count(tap_->HearNow());
  while (redirect_tap_) {
    const auto redirect = redirect_tap_->Hear();
    if (!redirect) break;
    const std::string from = redirect->from.ToString();
    const auto seen = std::find_if(
        redirects_.begin(), redirects_.end(),
        [&](const RedirectsSeen& one) { return one.mac == redirect->mac && one.from == from; });
    if (seen != redirects_.end()) {
      ++seen->count;
    } else if (redirects_.size() < kMaxRedirecters) {
      redirects_.push_back({redirect->mac, from, 1});
    }
  }
}

void NeighbourProbe::Count(const std::vector<ClaimHeard>& claims) {
  const auto fits = [](const ClaimHeard& claim, const Target& target) {
    return target.link.on_link && claim.interface_index == target.link.index &&
           claim.address == target.address && claim.mac != MacText(target.link.mac);
  };
  for (const ClaimHeard& claim : claims) {
    for (std::size_t i = 0; i < vips_.size(); ++i) {
      if (!fits(claim, vips_[i])) continue;
      ++answers_[i].answers[claim.mac];
      if (claim.asks_for_other) ++answers_[i].requests[claim.mac];
    }
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      if (peers_[i].mac.empty() && fits(claim, peer_targets_[i])) peers_[i].mac = claim.mac;
    }
    std::erase_if(strangers_, [&](const Target& stranger) { return fits(claim, stranger); });
  }
}

std::vector<std::string> NeighbourProbe::TakeNotes() {
  if (tap_) {
    if (const std::uint32_t drops = tap_->TakeDrops(); drops > 0) {
      notes_.push_back(std::to_string(drops) + " ARP packets came too fast and were not looked at");
    }
  }
  return std::move(notes_);
}

}  // namespace drover
