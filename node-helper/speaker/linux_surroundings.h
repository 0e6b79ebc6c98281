// The real surroundings of the speaker: rtnetlink, raw and packet sockets, with a copy of links and
// addresses that the news keep up to date.
//
// One thread: the speaker's. Nothing here waits for the network.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node-helper/net/sysctl_files.h"
#include "node-helper/net/vrrp_netlink.h"
#include "node-helper/net/vrrp_socket.h"
#include "node-helper/net/vrrp_tap.h"
#include "node-helper/speaker/surroundings.h"

namespace drover {

class LinuxSurroundings : public Surroundings {
 public:
  static Result<std::unique_ptr<LinuxSurroundings>> Open();

  // --- Surroundings
  [[nodiscard]] std::optional<LinkFact> FindLink(const std::string& interface) const override;
  [[nodiscard]] bool HasAddress(int index, const Prefix& prefix) const override;
  [[nodiscard]] bool IsLocal(const IpAddress& address) const override;
  [[nodiscard]] bool Delivers(const IpAddress& address) const override;
  [[nodiscard]] std::vector<Prefix> AddressesOf(int index, Family family) const override;
  [[nodiscard]] bool IsOwnMac(const MacAddress& mac) const override;
  [[nodiscard]] int LoopbackIndex() const override { return loopback_; }
  Status SetAddress(int index, const Prefix& prefix, std::chrono::milliseconds lease) override;
  Status RemoveAddress(int index, const Prefix& prefix) override;
  Status SendAdvert(int index, const vrrp::Route& route, const vrrp::Advertisement& advertisement,
                    vrrp::ChecksumForm form) override;
  void Announce(int index, const MacAddress& mac, const IpAddress& address) override;
  void Ask(int index, const MacAddress& mac, const std::optional<IpAddress>& sender,
           const IpAddress& target) override;
  void NoteForwarding(const std::string& interface) override;
  Result<LinkFact> MakeVirtualLink(const LinkFact& parent, const std::string& name,
                                   const MacAddress& mac) override;
  void RemoveVirtualLink(int index) override;
  Status SetLinkUp(int index, bool up) override;

  // --- for the loop
  // A turn begins. An advert of this turn that would go out much later is not sent: the process
  // stood still meanwhile.
  void BeginTurn() { turn_began_ = std::chrono::steady_clock::now(); }
  [[nodiscard]] int news_fd() const { return netlink_.news_fd(); }
  // Keeps the copy up to date; also tells which addresses went and whether links changed.
  struct Changes {
    bool links = false;  // or addresses that adverts may be sent from
    std::vector<KernelAddress> gone;
  };
  Changes TakeNews();
  // Opens and closes ears until exactly these are there. Returns which failed, and why.
  std::map<EarWish, std::string> SetEars(const std::vector<EarWish>& wishes);
  [[nodiscard]] const std::map<EarWish, VrrpEar>& ears() const { return ears_; }
  std::map<EarWish, VrrpEar>& ears() { return ears_; }
  VrrpTap& tap() { return tap_; }

 private:
  LinuxSurroundings(VrrpNetlink netlink, VrrpTap tap)
      : netlink_(std::move(netlink)), tap_(std::move(tap)) {}
  Status Load();
  Changes Reload();
  Result<VrrpVoice*> VoiceOf(Family family);

  VrrpNetlink netlink_;
  VrrpTap tap_;
  std::map<EarWish, VrrpEar> ears_;
  std::optional<VrrpVoice> voice4_;
  std::optional<VrrpVoice> voice6_;
  SysctlFiles sysctls_;
  std::map<int, LinkFact> links_;
  std::map<int, std::vector<KernelAddress>> addresses_;
  int loopback_ = 1;
  std::set<int> routers_;  // interfaces that forward IPv6: NA says so
  std::uint16_t packet_id_ = 0;
  std::chrono::steady_clock::time_point turn_began_{};
};

}  // namespace drover
