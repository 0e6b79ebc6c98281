// Nodes on one simulated network, each with a Station on surroundings that keep state: links,
// addresses with their lifetime, what was announced and asked. Time is a number that only the test
// turns.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node-helper/speaker/station.h"

namespace drover {

class FakeNode : public Surroundings {
 public:
  static constexpr int kLoopback = 1;
  static constexpr int kEth0 = 2;

  FakeNode(std::string primary, std::uint8_t number);

  [[nodiscard]] std::optional<LinkFact> FindLink(const std::string& interface) const override;
  [[nodiscard]] bool HasAddress(int index, const Prefix& prefix) const override;
  [[nodiscard]] bool IsLocal(const IpAddress& address) const override;
  [[nodiscard]] bool Delivers(const IpAddress& address) const override;
  [[nodiscard]] std::vector<Prefix> AddressesOf(int index, Family family) const override;
  [[nodiscard]] bool IsOwnMac(const MacAddress& mac) const override;
  [[nodiscard]] int LoopbackIndex() const override { return kLoopback; }
  drover::Status SetAddress(int index, const Prefix& prefix,
                            std::chrono::milliseconds lease) override;
  drover::Status RemoveAddress(int index, const Prefix& prefix) override;
  drover::Status SendAdvert(int index, const vrrp::Route& route,
                            const vrrp::Advertisement& advertisement,
                            vrrp::ChecksumForm form) override;
  void Announce(int index, const MacAddress& mac, const IpAddress& address) override;
  void Ask(int index, const MacAddress& mac, const std::optional<IpAddress>& sender,
           const IpAddress& target) override;
  void NoteForwarding(const std::string& /*interface*/) override {}
  Result<LinkFact> MakeVirtualLink(const LinkFact& parent, const std::string& name,
                                   const MacAddress& mac) override;
  void RemoveVirtualLink(int index) override;
  drover::Status SetLinkUp(int index, bool up) override;

  // --- the test's hands
  void Expire(vrrp::Time now);  // what the kernel does with lifetimes
  [[nodiscard]] bool Has(const std::string& address, int index = kEth0) const;

  struct Sent {
    vrrp::Route route;
    vrrp::Bytes payload;
    std::uint8_t priority = 0;
  };
  std::map<int, LinkFact> links;
  std::map<std::pair<int, Prefix>, std::optional<vrrp::Time>> addresses;  // until when
  std::deque<Sent> sent;
  std::vector<std::string> log;  // "set 10.0.0.100/32 on 2", "advert 150", … in their order
  bool delivers = true;          // packets for the addresses it has
  bool filtered = false;         // adverts are refused by a packet filter
  std::vector<std::string> announced;
  std::vector<std::string> asked;
  std::string primary;
  vrrp::Time now{};

 private:
  int next_index_ = 10;
};

// Several nodes; a packet arrives in the moment in which it is sent.
class FakeLan {
 public:
  struct Node {
    explicit Node(const std::string& primary, std::uint8_t number)
        : around(primary, number), station(std::make_unique<Station>(around)) {}
    FakeNode around;
    std::unique_ptr<Station> station;
    bool frozen = false;
    bool deaf = false;
    std::optional<vrrp::Time> planned;
    std::vector<SpeakerEvent> events;
  };

  Node& Add(const std::string& primary);
  void Run(std::chrono::milliseconds time);
  // A turn of a node's loop, now.
  void Turn(Node& node);
  [[nodiscard]] vrrp::Time now() const { return now_; }
  // Called after everything that happens.
  std::function<void()> check = [] {};

  // Nodes whose eth0 has the address.
  [[nodiscard]] std::vector<std::string> OwnersOf(const std::string& address) const;

 private:
  void Deliver();

  std::vector<std::unique_ptr<Node>> nodes_;
  vrrp::Time now_ = vrrp::Time(std::chrono::seconds(1000));
};

}  // namespace drover
