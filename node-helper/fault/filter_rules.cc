#include "node-helper/fault/filter_rules.h"

#include <array>
#include <cstdio>

namespace drover {
namespace {

// Before all others, so that nothing accepts or counts what is to be gone.
constexpr const char* kPriority = "-500";
constexpr const char* kNeighbourAsks = "nd-neighbor-solicit";
constexpr const char* kNeighbourTells = "nd-neighbor-advert";

std::string FamilyWord(const IpAddress& address) { return address.is_v4() ? "ip" : "ip6"; }

std::string TimeText(std::chrono::milliseconds time) { return std::to_string(time.count()) + "ms"; }

std::string HexOf(const IpAddress& address) {
  std::string text = "0x";
  for (std::size_t i = 0; i < address.size(); ++i) {
    std::array<char, 3> digits{};
    (void)std::snprintf(digits.data(), digits.size(), "%02x", address.data()[i]);
    text += digits.data();
  }
  return text;
}

// Takes the place of an older one in one go.
std::string TableOf(const std::string& family, const std::string& body) {
  const std::string name = family + " " + kFilterTable;
  return "table " + name + "\ndelete table " + name + "\ntable " + name + " {\n" + body + "}\n";
}

std::string AcceptTcp(const Endpoint& from, const Endpoint& to) {
  const std::string family = FamilyWord(from.address);
  return "    " + family + " saddr " + from.address.ToString() + " " + family + " daddr " +
         to.address.ToString() + " tcp sport " + std::to_string(from.port) + " tcp dport " +
         std::to_string(to.port) + " accept\n";
}

std::string SparedIn(const FilterFrame& frame) {
  if (!frame.ssh) return "";
  const SshWay& ssh = *frame.ssh;
  std::string rules = AcceptTcp(ssh.there, ssh.here);
  if (ssh.here.address.is_v4()) {
    return rules + "    arp daddr ip " + ssh.here.address.ToString() + " accept\n";
  }
  // RFC 4861 4.3: the target stands behind the first eight bytes.
  return rules + "    icmpv6 type " + kNeighbourAsks + " @th,64,128 " + HexOf(ssh.here.address) +
         " accept\n    icmpv6 type " + kNeighbourTells + " accept\n";
}

std::string SparedOut(const FilterFrame& frame) {
  std::string rules;
  if (frame.marker) {
    rules += "    " + FamilyWord(frame.marker->address) + " daddr " +
             frame.marker->address.ToString() + " udp dport " + std::to_string(frame.marker->port) +
             " accept\n";
  }
  if (!frame.ssh) return rules;
  const SshWay& ssh = *frame.ssh;
  rules += AcceptTcp(ssh.here, ssh.there);
  if (ssh.here.address.is_v4()) {
    return rules + "    arp saddr ip " + ssh.here.address.ToString() + " accept\n";
  }
  return rules + "    icmpv6 type " + kNeighbourAsks + " accept\n    icmpv6 type " +
         kNeighbourTells + " @th,64,128 " + HexOf(ssh.here.address) + " accept\n";
}

// One chain per interface and direction; a rule is what is to be dropped, "" for everything.
Filter LinkFilter(const FilterFrame& frame, const std::vector<std::string>& in,
                  const std::vector<std::string>& out, bool spare) {
  std::string body = "  set cut { type ifname; flags timeout; elements = {";
  for (std::size_t i = 0; i < frame.interfaces.size(); ++i) {
    body +=
        (i == 0 ? " \"" : ", \"") + frame.interfaces[i] + "\" timeout " + TimeText(frame.duration);
  }
  body += " }; }\n";
  for (std::size_t i = 0; i < frame.interfaces.size(); ++i) {
    const auto chain = [&](const char* hook, const char* match, const std::string& spared,
                           const std::vector<std::string>& rules) {
      if (rules.empty()) return;
      body += std::string("  chain ") + hook + std::to_string(i) + " {\n    type filter hook " +
              hook + " device \"" + frame.interfaces[i] + "\" priority " + kPriority +
              "; policy accept;\n" + spared;
      for (const std::string& rule : rules) {
        body += std::string("    ") + match + " @cut " + rule + " drop\n";
      }
      body += "  }\n";
    };
    chain("ingress", "iifname", spare ? SparedIn(frame) : "", in);
    chain("egress", "oifname", spare ? SparedOut(frame) : "", out);
  }
  return {TableOf("netdev", body), {"netdev"}};
}

// A set that any TCP or UDP packet is in for a while.
std::string TimedProtocols(const FilterFrame& frame) {
  const std::string timeout = " timeout " + TimeText(frame.duration);
  return "  set cut { type inet_proto; flags timeout; elements = { tcp" + timeout + ", udp" +
         timeout + " }; }\n";
}

std::string ProtocolOf(const SocketKey& service) {
  return service.transport == Transport::kUdp ? "udp" : "tcp";
}

}  // namespace

Filter IsolationFilter(const FilterFrame& frame) {
  return LinkFilter(frame, {""}, {""}, /*spare=*/true);
}

Filter VrrpFilter(const FilterFrame& frame) {
  const std::vector<std::string> adverts = {"ip protocol 112", "ip6 nexthdr 112"};
  return LinkFilter(frame, adverts, adverts, /*spare=*/false);
}

Filter VrrpLossFilter(const FilterFrame& frame, std::uint32_t loss_ppm) {
  const std::string chance = " numgen random mod 1000000 < " + std::to_string(loss_ppm);
  return LinkFilter(frame, {"ip protocol 112" + chance, "ip6 nexthdr 112" + chance}, {},
                    /*spare=*/false);
}

Filter UdpFilter(const FilterFrame& frame, const std::vector<std::uint16_t>& ports) {
  std::string list;
  for (const std::uint16_t port : ports) list += (list.empty() ? "" : ", ") + std::to_string(port);
  std::string body = TimedProtocols(frame);
  for (const char* hook : {"input", "output"}) {
    body += std::string("  chain ") + hook + " {\n    type filter hook " + hook + " priority " +
            kPriority + "; policy accept;\n    udp dport { " + list +
            " } meta l4proto @cut drop\n  }\n";
  }
  return {TableOf("inet", body), {"inet"}};
}

Filter DelayFilter(const FilterFrame& frame, const std::vector<SocketKey>& services) {
  std::array<char, 16> band{};
  (void)std::snprintf(band.data(), band.size(), "%x:%x", kDelayHandle, kDelayBand);
  std::string body = TimedProtocols(frame);
  body += std::string("  chain output {\n    type filter hook output priority ") + kPriority +
          "; policy accept;\n";
  for (const SocketKey& service : services) {
    body += "    " + FamilyWord(service.address) + " saddr " + service.address.ToString() + " " +
            ProtocolOf(service) + " sport " + std::to_string(service.port) +
            " meta l4proto @cut meta priority set " + band.data() + "\n";
  }
  return {TableOf("inet", body + "  }\n"), {"inet"}};
}

Filter RedirectFilter(const FilterFrame& frame, const std::vector<SocketKey>& services,
                      std::uint16_t port) {
  std::string body = TimedProtocols(frame);
  body += "  chain prerouting {\n    type nat hook prerouting priority -101; policy accept;\n";
  for (const SocketKey& service : services) {
    body += "    " + FamilyWord(service.address) + " daddr " + service.address.ToString() +
            " tcp dport " + std::to_string(service.port) +
            " meta l4proto @cut redirect to :" + std::to_string(port) + "\n";
  }
  return {TableOf("inet", body + "  }\n"), {"inet"}};
}

}  // namespace drover
