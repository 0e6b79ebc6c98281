#include "node-helper/tasks/probe_neighbours.h"

#include <algorithm>

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kMaxWindow{10000};
constexpr std::uint32_t kMaxRounds = 20;
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
    peers_.push_back({peer.name, link.local && link.on_link ? MacText(link.mac) : ""});
  }
  if (!AnyOnLink()) return;
  auto tap = NeighbourTap::Open();
  if (tap) {
    tap_.emplace(std::move(*tap));
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

void NeighbourProbe::AskRound() {
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
    AskRound();
    const auto end = Clock::now() + WindowOf(task_);
    while (Clock::now() < end) {
      if (abandoned() || IsAnswered()) return;
      Count(tap_->Hear(std::min(end, Clock::now() + kLook)));
    }
  }
}

void NeighbourProbe::Listen() {
  if (tap_) Count(tap_->HearNow());
}

void NeighbourProbe::Count(const std::vector<ClaimHeard>& claims) {
  const auto fits = [](const ClaimHeard& claim, const Target& target) {
    return target.link.on_link && claim.interface_index == target.link.index &&
           claim.address == target.address && claim.mac != MacText(target.link.mac);
  };
  for (const ClaimHeard& claim : claims) {
    for (std::size_t i = 0; i < vips_.size(); ++i) {
      if (fits(claim, vips_[i])) ++answers_[i].answers[claim.mac];
    }
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      if (peers_[i].mac.empty() && fits(claim, peer_targets_[i])) peers_[i].mac = claim.mac;
    }
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
