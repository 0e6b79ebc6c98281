#include "orchestrator/verify/host_law.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "orchestrator/verify/cluster_law.h"
#include "orchestrator/verify/wording.h"

namespace drover {
namespace {

// The value that counts for packets of an interface: the greater of its own and that of "all"
// (Documentation/networking/ip-sysctl.rst, for those that are looked at here).
std::optional<int> EffectiveSetting(const Observation& seen, const std::string& interface,
                                    const std::string& setting) {
  std::optional<int> effective;
  for (const std::string& scope : {std::string("all"), interface}) {
    for (const Sysctl& sysctl : seen.sysctls) {
      if (sysctl.key != "net/ipv4/conf/" + scope + "/" + setting) continue;
      int value = 0;
      const char* end = sysctl.value.data() + sysctl.value.size();
      if (std::from_chars(sysctl.value.data(), end, value).ec != std::errc()) continue;
      effective = std::max(effective.value_or(value), value);
    }
  }
  return effective;
}

bool Has(const Observation& seen, const IpAddress& address) {
  return std::any_of(seen.addresses.begin(), seen.addresses.end(),
                     [&](const InterfaceAddress& one) { return one.prefix.address == address; });
}

std::string InterfaceOf(const Observation& seen, const IpAddress& address) {
  for (const InterfaceAddress& one : seen.addresses) {
    if (one.prefix.address == address) return one.interface;
  }
  return "";
}

// What one real server is there for: the addresses it is sent to, and the VIPs of packets that come
// with their VIP (direct routing, tunnels).
struct Duties {
  std::set<IpAddress> own;
  std::set<IpAddress> vips;
};

Duties DutiesOf(const VerifyExpectation& expectation, const std::string& host) {
  Duties duties;
  for (const ExpectedService& service : expectation.services) {
    if (service.own) continue;
    for (const ExpectedServer& server : service.servers) {
      if (server.name != host || server.destination.forward == Forwarding::kNat) continue;
      duties.own.insert(server.destination.address);
      duties.vips.insert(service.key.address);
    }
  }
  return duties;
}

std::string RuleOfSysctl(const std::string& resource) {
  if (resource.find("arp_announce") != std::string::npos) return "arp-announce";
  if (resource.find("arp_ignore") != std::string::npos) return "arp-ignore";
  if (resource.find("send_redirects") != std::string::npos) return "send-redirects";
  if (resource.find("rp_filter") != std::string::npos) return "rp-filter";
  return "sysctl";
}

// "arp-filter" of "arp filter ".
std::string RuleOfPart(std::string part) {
  part.pop_back();
  std::replace(part.begin(), part.end(), ' ', '-');
  return part;
}

// "5" of "tun by gre weight 5 thresholds 1/2".
std::string_view WeightIn(std::string_view settings) {
  constexpr std::string_view kWord = "weight ";
  const std::size_t found = settings.find(kWord);
  if (found == std::string_view::npos) return "";
  settings.remove_prefix(found + kWord.size());
  return settings.substr(0, settings.find(' '));
}

std::string RuleOf(const ChangeText& change) {
  const std::string& resource = change.resource;
  const bool changed = change.verb == "change";
  if (resource.starts_with("address ")) {
    return change.verb == "add" ? "address-missing" : "address-stale";
  }
  if (resource.starts_with("sysctl ")) return RuleOfSysctl(resource);
  for (const char* part : {"arp filter ", "tunnel ", "gue receiver ", "route ", "mark "}) {
    if (resource.starts_with(part)) return RuleOfPart(part);
  }
  if (resource.starts_with("service ")) {
    const bool persistence = (change.before + change.after).find("persistent") != std::string::npos;
    return !changed      ? (change.verb == "add" ? "service-missing" : "service-stale")
           : persistence ? "service-persistence"
                         : "service-settings";
  }
  if (resource.starts_with("real server ")) {
    const bool weight = WeightIn(change.before) != WeightIn(change.after);
    return change.verb == "add"      ? "server-missing"
           : change.verb == "remove" ? "server-stale"
           : weight                  ? "server-weight"
                                     : "server-settings";
  }
  return "drift";
}

std::string WhyOf(const std::string& rule) {
  if (rule == "server-weight") {
    return "The real server gets another share of the connections than planned; with weight 0 it "
           "gets none.";
  }
  if (rule == "server-settings") {
    return "Its packets are forwarded or wrapped in a way that it may not take, or it gets more or "
           "fewer connections than it should.";
  }
  if (rule == "service-persistence") {
    return "With persistence a client stays on one real server and the load is not shared out; "
           "without it clients lose what their server remembers.";
  }
  if (rule == "server-missing") return "The others carry the load of this real server.";
  if (rule == "server-stale" || rule == "service-stale") {
    return "Clients are sent where nobody plans to serve them.";
  }
  if (rule == "service-missing") return "The service does not exist while this host is master.";
  if (rule == "send-redirects") {
    return "The director may tell clients to go straight to a real server, which breaks their "
           "connections.";
  }
  if (rule == "tunnel") return "Packets that directors send it wrapped are dropped.";
  if (rule == "gue-receiver") {
    return "Nobody takes the packets that directors send it over UDP: every client that is sent "
           "there waits in vain.";
  }
  if (rule == "route") {
    return "Answers take another way than over the director, and clients drop what comes from the "
           "real server's own address.";
  }
  if (rule == "mark") return "Packets without their mark do not come to the service.";
  return "The host is not what the playbook says; what depends on it may not work, or not after "
         "the next failover.";
}

// "service tcp 10.0.0.100:80" of "real server 10.0.0.11:80 of service tcp 10.0.0.100:80" with the
// inventory's name of the server.
std::string WithName(const VerifyExpectation& expectation, const std::string& resource) {
  constexpr std::string_view kPrefix = "real server ";
  if (!resource.starts_with(kPrefix)) return resource;
  const std::size_t end = resource.find(' ', kPrefix.size());
  const auto endpoint = Endpoint::Parse(resource.substr(kPrefix.size(), end - kPrefix.size()));
  if (!endpoint || end == std::string::npos) return resource;
  const std::string name = ServerName(expectation, endpoint->address);
  return name == endpoint->address.ToString()
             ? resource
             : std::string(kPrefix) + name + " (" + endpoint->ToString() + ")" +
                   resource.substr(end);
}

std::string DriftMessage(const VerifyExpectation& expectation, const std::string& host,
                         const ChangeText& change) {
  const std::string resource = WithName(expectation, change.resource);
  std::string text;
  if (change.verb == "add") {
    text = host + " lacks " + resource + (change.after.empty() ? "" : " (" + change.after + ")");
  } else if (change.verb == "remove") {
    text = host + " has " + resource + (change.before.empty() ? "" : " (" + change.before + ")") +
           ", which it should not";
  } else {
    text = resource + " is \"" + change.before + "\" on " + host + " where it should be \"" +
           change.after + "\"";
  }
  return text;
}

class HostJudge {
 public:
  HostJudge(const VerifyExpectation& expectation, const ClusterEvidence& evidence,
            const std::string& host, const HostEvidence& seen,
            const std::vector<IpAddress>& clients, VerifyReport& report)
      : expectation_(expectation),
        evidence_(evidence),
        host_(host),
        seen_(seen),
        clients_(clients),
        report_(report),
        duties_(DutiesOf(expectation, host)) {}

  void Run() {
    if (seen_.error) {
      const std::string why = "could not be looked at: " + seen_.error->message;
      report_.notes.push_back(host_ + " " + why);
      report_.Add({"as-the-playbook-says", host_, {}, why});
      return;
    }
    const Observation* now = seen_.after ? &*seen_.after : seen_.before ? &*seen_.before : nullptr;
    if (now != nullptr && !duties_.vips.empty()) JudgeRealServer(*now);
    JudgeDrift();
  }

 private:
  void JudgeRealServer(const Observation& now) {
    JudgeVips(now);
    JudgeSilence(now);
    JudgeReturn(now);
  }

  void JudgeVips(const Observation& now) {
    Check check{"vip-on-real-server", host_, {}, ""};
    for (const IpAddress& vip : duties_.vips) {
      if (Has(now, vip)) continue;
      told_.insert("address " + Prefix::Host(vip).ToString() + " on lo");
      check.findings.push_back(
          {.rule = "vip-missing",
           .host = host_,
           .message = host_ + " does not have " + vip.ToString() +
                      ", though the directors send it packets for that address",
           .why = "It drops them: every client that is sent there waits in vain.",
           .remedy = "Set " + Prefix::Host(vip).ToString() + " on lo of " + host_ +
                     " (the real_server module does it, and a rollout puts it back)."});
    }
    report_.Add(std::move(check));
  }

  // IPv4; neighbour discovery answers for the addresses of the card alone.
  void JudgeSilence(const Observation& now) {
    Check check{"vip-hidden", host_, {}, ""};
    const bool v4 = std::any_of(duties_.vips.begin(), duties_.vips.end(),
                                [](const IpAddress& vip) { return vip.is_v4(); });
    const bool may_answer = std::find(expectation_.directors.begin(), expectation_.directors.end(),
                                      host_) != expectation_.directors.end();
    std::set<std::string> interfaces;
    for (const IpAddress& own : duties_.own) {
      if (own.is_v4() && Has(now, own)) interfaces.insert(InterfaceOf(now, own));
    }
    if (!v4 || may_answer || interfaces.empty()) return;
    if (HiddenByFilter(now, check.findings)) {
      report_.Add(std::move(check));
      return;
    }
    for (const std::string& interface : interfaces) {
      const auto ignore = EffectiveSetting(now, interface, "arp_ignore");
      const auto announce = EffectiveSetting(now, interface, "arp_announce");
      if (ignore && *ignore < 1) check.findings.push_back(Ignores(interface, *ignore));
      if (announce && *announce != 2) check.findings.push_back(Announces(interface, *announce));
    }
    report_.Add(std::move(check));
  }

  // True when the playbook or the host hides the VIPs by filters of ARP instead of settings.
  bool HiddenByFilter(const Observation& now, std::vector<Finding>& findings) {
    const auto has = [](const std::vector<PathPart>& path, const IpAddress& vip) {
      return std::any_of(path.begin(), path.end(), [&](const PathPart& part) {
        const auto* filter = std::get_if<ArpFilter>(&part);
        return filter != nullptr && filter->address == vip;
      });
    };
    const auto wanted = evidence_.states.find(host_);
    bool any = false;
    for (const IpAddress& vip : duties_.vips) {
      const bool there = has(now.path, vip);
      any = any || there || (wanted != evidence_.states.end() && has(wanted->second.path, vip));
      if (!any || there || !vip.is_v4()) continue;
      told_.insert("arp filter " + vip.ToString());
      findings.push_back(
          {.rule = "arp-filter",
           .host = host_,
           .message =
               host_ + " has no filter of ARP for " + vip.ToString() + ", or only a part of one",
           .why = "It answers ARP for the virtual address on its lo, or asks in its name: whoever "
                  "hears it bypasses the director.",
           .remedy =
               "A rollout puts the rules back (nft list table arp drover shows them); whoever "
               "flushes the ruleset of " +
               host_ + " should spare that table."});
    }
    return any;
  }

  Finding Ignores(const std::string& interface, int value) {
    told_.insert("arp_ignore");
    return {.rule = "arp-ignore",
            .host = host_,
            .message = "arp_ignore is " + std::to_string(value) + " for " + interface + " of " +
                       host_ + " (the greater of \"all\" and the interface counts), not 1",
            .why = host_ +
                   " answers ARP for the virtual address on its lo: clients that hear it "
                   "bypass the director.",
            .remedy = "Set net.ipv4.conf.all.arp_ignore=1 on " + host_ +
                      "; the real_server module does it, and a rollout puts it back."};
  }

  Finding Announces(const std::string& interface, int value) {
    told_.insert("arp_announce");
    return {.rule = "arp-announce",
            .host = host_,
            .message = "arp_announce is " + std::to_string(value) + " for " + interface + " of " +
                       host_ + " (the greater of \"all\" and the interface counts), not 2",
            .why = "When " + host_ +
                   " has to look for a client it asks in the name of the virtual "
                   "address, and everybody who hears it sends past the director "
                   "from then on. Asking who has the address does not show it.",
            .remedy = "Set net.ipv4.conf.all.arp_announce=2 on " + host_ +
                      "; the real_server module does it, and a rollout puts it back."};
  }

  void JudgeReturn(const Observation& now) {
    Check check{"return-path", host_, {}, ""};
    if (now.routes.empty()) {
      if (clients_.empty()) return;
      check.skipped = "it was not asked for its routes";
    }
    for (const RouteAnswer& route : now.routes) {
      if (!duties_.vips.contains(route.question.from)) continue;
      JudgeRoute(now, route, check.findings);
    }
    report_.Add(std::move(check));
  }

  void JudgeRoute(const Observation& now, const RouteAnswer& route,
                  std::vector<Finding>& findings) {
    const std::string client = route.question.to.ToString();
    const std::string vip = route.question.from.ToString();
    if (!route.reachable) {
      if (!Has(now, route.question.from)) return;  // said already
      findings.push_back(
          {.rule = "return-path",
           .host = host_,
           .message = host_ + " has no route for answers from " + vip + " to " + client,
           .why = "Clients there never get an answer from " + host_ + ".",
           .remedy = "Give " + host_ + " a route (ip route get " + client + " from " + vip + ")."});
      return;
    }
    if (const auto director = DirectorAt(route.gateway)) {
      findings.push_back(
          {.rule = "return-path",
           .host = host_,
           .message =
               host_ + " sends its answers to " + client + " through the director " + *director,
           .why = "The director drops packets that carry its own address as their source, so "
                  "clients get no answer; where it lets them pass they squeeze through it.",
           .remedy =
               "Give " + host_ + " the router of the network as its gateway, not a director."});
    }
    JudgeFilter(now, route, findings);
  }

  std::optional<std::string> DirectorAt(const std::optional<IpAddress>& gateway) const {
    if (!gateway) return std::nullopt;
    for (const std::string& host : expectation_.directors) {
      const HostEvidence* director = evidence_.Of(host);
      if (director != nullptr && director->before && Has(*director->before, *gateway)) return host;
    }
    return std::nullopt;
  }

  // Strict reverse path filtering where answers leave by another card than requests come by.
  void JudgeFilter(const Observation& now, const RouteAnswer& route,
                   std::vector<Finding>& findings) const {
    for (const IpAddress& own : duties_.own) {
      if (own.family() != route.question.to.family() || !own.is_v4()) continue;
      const std::string in = InterfaceOf(now, own);
      const auto filter = in.empty() ? std::nullopt : EffectiveSetting(now, in, "rp_filter");
      if (filter != 1 || route.interface == in) continue;
      findings.push_back(
          {.rule = "rp-filter",
           .host = host_,
           .message = "rp_filter is 1 for " + in + " of " + host_ + ", but its way to " +
                      route.question.to.ToString() + " leads over " + route.interface,
           .why = "The kernel drops what the director sends it for clients there, without a word.",
           .remedy = "Set net.ipv4.conf.all.rp_filter and that of " + in +
                     " to 2 (loose) or 0 on " + host_ + ", or route these clients over " + in +
                     "."});
    }
  }

  // What was told more precisely above is not told again.
  bool IsTold(const ChangeText& change) const {
    return std::any_of(told_.begin(), told_.end(), [&](const std::string& what) {
      return change.resource.find(what) != std::string::npos;
    });
  }

  void JudgeDrift() {
    Check check{"as-the-playbook-says", host_, {}, seen_.not_compared};
    for (const ChangeText& change : seen_.drift) {
      if (IsTold(change)) continue;
      const std::string rule = RuleOf(change);
      check.findings.push_back(
          {.rule = rule,
           .host = host_,
           .message =
               DriftMessage(expectation_, host_, change) +
               (change.reason.empty() || change.verb == "change" ? "" : " (" + change.reason + ")"),
           .why = WhyOf(rule),
           .remedy = "A rollout puts it right (drover plan shows all that it would change); if the "
                     "host is as it should be, change the playbook."});
    }
    report_.Add(std::move(check));
  }

  const VerifyExpectation& expectation_;
  const ClusterEvidence& evidence_;
  const std::string& host_;
  const HostEvidence& seen_;
  const std::vector<IpAddress>& clients_;
  VerifyReport& report_;
  const Duties duties_;
  std::set<std::string> told_;
};

}  // namespace

const std::vector<std::string>& InterfaceSettingsToLookAt() {
  static const std::vector<std::string> kSettings = {"arp_announce", "arp_ignore", "rp_filter",
                                                     "send_redirects"};
  return kSettings;
}

void JudgeHosts(const VerifyExpectation& expectation, const ClusterEvidence& evidence,
                const std::vector<IpAddress>& clients, VerifyReport& report) {
  for (const auto& [host, seen] : evidence.hosts) {
    HostJudge(expectation, evidence, host, seen, clients, report).Run();
  }
}

}  // namespace drover
