// Who answered a connection: told by the MAC that its SYN-ACK came from (direct routing: the real
// server itself) and by the page that it delivered (the only sign where answers pass a router or
// the director).
//
// Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orchestrator/verify/expectation.h"
#include "protocol/event.h"

namespace drover {

inline constexpr std::string_view kNoAnswer = "-";       // in a sequence: the connection failed
inline constexpr std::string_view kUnknownServer = "?";  // in a sequence: nothing tells who it was

// MACs and the hosts they belong to, as the probe resolved them.
class MacDirectory {
 public:
  explicit MacDirectory(const std::vector<PeerMac>& peers);

  // The one host with this MAC; nothing when none or several have it (proxy ARP, a router).
  [[nodiscard]] std::optional<std::string> HostOf(const std::string& mac) const;
  // True when the probe knows the host's MAC, so that it is on the probe's network.
  [[nodiscard]] bool Knows(const std::string& host) const;
  // The same for the network of one interface of the probe: a host has another MAC on each.
  [[nodiscard]] bool KnowsOn(const std::string& interface, const std::string& host) const;

 private:
  std::map<std::string, std::vector<std::string>> hosts_;  // by MAC
  std::set<std::pair<std::string, std::string>> known_;    // host and interface
};

// What does not fit about the way an answer came.
enum class Oddity {
  kNone,
  kPageContradictsMac,  // frames from one real server, the page of another
  kThroughDirector,     // direct routing, but the answer came from a director's MAC
  kThroughOther,        // direct routing and the server is on the network, but another MAC answered
  kForeignHost,         // a known host that is not in the table
  kForeignMac,          // a MAC of no known host, though all real servers' MACs are known
};

// VRRP's own MACs: some director, but they do not say which.
bool IsVirtualRouterMac(const std::string& mac);

// Who answered one connection.
struct Answerer {
  std::string name;       // host, or kNoAnswer, or kUnknownServer
  bool expected = false;  // name is in the service's table
  Oddity oddity = Oddity::kNone;
  std::string by_mac;   // host of the MAC, or the MAC itself
  std::string by_page;  // real server that the page names; empty: none or several
};

// Tells the answerers of one service apart.
class Identifier {
 public:
  Identifier(const VerifyExpectation& expectation, const ExpectedService& service,
             const MacDirectory& macs);
  [[nodiscard]] Answerer Identify(const ProbeConnection& connection) const;

 private:
  [[nodiscard]] const ExpectedServer* Find(const std::string& name) const;
  [[nodiscard]] Answerer ByPage(Answerer answer) const;
  [[nodiscard]] Answerer ByForeignMac(Answerer answer) const;

  const VerifyExpectation& expectation_;
  const ExpectedService& service_;
  const MacDirectory& macs_;
};

// The one server whose name (or its first label) or address stands in the page as a word of its
// own; empty when there is none or more than one.
std::string ServerNamedIn(std::string_view page, const std::vector<ExpectedServer>& servers);

}  // namespace drover
