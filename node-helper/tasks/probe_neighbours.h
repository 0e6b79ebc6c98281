// Who claims the VIPs on the wire, and which MAC each peer has: asked in rounds, everything at
// once, and listened to for as long as the probe runs. Real servers are also made to look for an
// unknown neighbour, because they show only then in whose name they ask.
//
// One thread at a time. Addresses that are on no link of this host cost no time.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/net/link_route.h"
#include "node-helper/net/neighbour_tap.h"
#include "node-helper/net/redirect_tap.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

class NeighbourProbe {
 public:
  // Looks where every address lies; asks nobody yet.
  explicit NeighbourProbe(const ProbeTask& task);

  // How long Ask takes at most; nothing when no address lies on a link.
  [[nodiscard]] std::chrono::milliseconds AskTime() const;
  // Asks for all VIPs and peers that lie on a link; ends early when `abandoned` says so or when
  // nothing is left to wait for.
  void Ask(const std::function<bool()>& abandoned);
  // Counts the claims that were heard meanwhile. A real server that must send an ARP request of its
  // own with the VIP as its sender (arp_announce 0) is caught by that alone.
  void Listen();

  [[nodiscard]] const std::vector<ArpAnswers>& answers() const { return answers_; }
  [[nodiscard]] const std::vector<PeerMac>& peers() const { return peers_; }
  [[nodiscard]] const std::vector<RedirectsSeen>& redirects() const { return redirects_; }
  // What was not seen, and why.
  [[nodiscard]] std::vector<std::string> TakeNotes();

 private:
  struct Target {
    IpAddress address;
    LinkRoute link;
  };
  void Locate(const IpAddress& address, std::vector<Target>& targets);
  void AskRound(bool first);
  void AskEachPeer();
  void PickStrangers();
  void AddStrangers(const LinkRoute& link, const Prefix& network);
  void Provoke();
  void AskFor(const Target& target, bool also_without_sender);
  void Count(const std::vector<ClaimHeard>& claims);
  [[nodiscard]] bool IsAnswered() const;
  [[nodiscard]] bool AnyOnLink() const;
  [[nodiscard]] std::optional<IpAddress> SenderFor(const Target& target) const;

  const ProbeTask& task_;
  std::optional<NeighbourTap> tap_;
  std::vector<Target> vips_;          // one per answers_
  std::vector<Target> peer_targets_;  // one per peers_
  std::vector<ArpAnswers> answers_;
  std::vector<PeerMac> peers_;
  std::optional<RedirectTap> redirect_tap_;
  std::vector<RedirectsSeen> redirects_;
  // Addresses of the VIPs' network that nobody seems to have, with the link; one of them stands for
  // a client that the real servers do not know.
  std::vector<Target> strangers_;
  std::vector<std::string> notes_;
};

}  // namespace drover
