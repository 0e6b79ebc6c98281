#include "orchestrator/verify/cluster_law.h"

#include <algorithm>
#include <set>

#include "orchestrator/cluster/cluster_status.h"
#include "orchestrator/verify/wording.h"

namespace drover {
namespace {

bool HasOnCard(const std::optional<Observation>& seen, const IpAddress& vip) {
  return seen && std::any_of(seen->addresses.begin(), seen->addresses.end(),
                             [&](const InterfaceAddress& address) {
                               return address.prefix.address == vip && address.interface != "lo";
                             });
}

const std::vector<std::string>& HoldersOf(const VerifyExpectation& expectation,
                                          const IpAddress& vip) {
  const auto holders = expectation.holders.find(vip);
  return holders == expectation.holders.end() ? expectation.directors : holders->second;
}

// Directors that had the VIP in both looks: at a handover two have it for a moment.
std::vector<std::string> OwnersOf(const VerifyExpectation& expectation,
                                  const ClusterEvidence& evidence, const IpAddress& vip) {
  std::vector<std::string> owners;
  for (const std::string& host : HoldersOf(expectation, vip)) {
    const HostEvidence* seen = evidence.Of(host);
    if (seen == nullptr || !HasOnCard(seen->before, vip)) continue;
    if (!seen->after || HasOnCard(seen->after, vip)) owners.push_back(host);
  }
  return owners;
}

const VirtualService* FindService(const Observation& seen, const ServiceKey& key) {
  const auto found =
      std::find_if(seen.services.begin(), seen.services.end(),
                   [&](const VirtualService& service) { return service.key == key; });
  return found == seen.services.end() ? nullptr : &*found;
}

void TakeWeights(const NodeStatus& status, ExpectedService& service) {
  for (ExpectedServer& server : service.servers) {
    Destination& destination = server.destination;
    const ServerStatus* known = FindServer(status, service.table(), destination.endpoint());
    if (known == nullptr || known->wanted != destination.weight) continue;
    server.last_weight = destination.weight;
    destination.weight = known->weight;
  }
}

// Servers that are not in the table stand behind, without weight: who has left it gets nothing.
void TakeOrder(const VirtualService& table, ExpectedService& service) {
  const auto place = [&](const ExpectedServer& server) {
    const auto& list = table.destinations;
    return std::find_if(list.begin(), list.end(),
                        [&](const Destination& destination) {
                          return destination.endpoint() == server.destination.endpoint();
                        }) -
           list.begin();
  };
  std::stable_sort(
      service.servers.begin(), service.servers.end(),
      [&](const ExpectedServer& a, const ExpectedServer& b) { return place(a) < place(b); });
  service.order_seen = true;
}

// A server with weight 0 by right may be missing from the table: its checks took it out. It has no
// place in the order then.
void DropAbsent(const VirtualService& table, ExpectedService& service) {
  std::erase_if(service.servers, [&](const ExpectedServer& server) {
    return server.destination.weight == 0 &&
           std::none_of(table.destinations.begin(), table.destinations.end(),
                        [&](const Destination& destination) {
                          return destination.endpoint() == server.destination.endpoint();
                        });
  });
}

// The lower priority should give way; nothing when they do not differ.
std::string WhoShouldYield(const ClusterEvidence& evidence, const std::vector<std::string>& owners,
                           const IpAddress& vip) {
  std::string host;
  int least = 256;
  for (const std::string& owner : owners) {
    const auto state = evidence.states.find(owner);
    if (state == evidence.states.end()) continue;
    for (const VrrpInstance& instance : state->second.vrrp_instances) {
      const bool has = std::any_of(instance.addresses.begin(), instance.addresses.end(),
                                   [&](const Prefix& prefix) { return prefix.address == vip; });
      if (!has || static_cast<int>(instance.priority) >= least) continue;
      least = static_cast<int>(instance.priority);
      host = owner;
    }
  }
  return host;
}

Check JudgeOwners(const VerifyExpectation& expectation, const ClusterEvidence& evidence,
                  const IpAddress& vip) {
  Check check{"vip-owner", vip.ToString(), {}, ""};
  const auto& holders = HoldersOf(expectation, vip);
  const bool all_seen = std::all_of(holders.begin(), holders.end(), [&](const std::string& host) {
    const HostEvidence* seen = evidence.Of(host);
    return seen != nullptr && seen->before.has_value();
  });
  if (!all_seen) {
    check.skipped = "not all directors could be looked at";
    return check;
  }
  const std::vector<std::string> owners = OwnersOf(expectation, evidence, vip);
  if (owners.size() == 1 || holders.empty()) return check;
  if (owners.empty()) {
    check.findings.push_back(
        {.rule = "no-master",
         .host = "",
         .message = "none of " + JoinNames(holders) + " has " + vip.ToString(),
         .why = "Clients cannot reach the service at all.",
         .remedy = "See what keeps the directors from it (drover status): a tracker that is down, "
                   "a helper that does not run; a rollout sets what is missing."});
    return check;
  }
  const std::string yielding = WhoShouldYield(evidence, owners, vip);
  check.findings.push_back(
      {.rule = "two-masters",
       .host = yielding,
       .message = JoinNames(owners) + " both have " + vip.ToString() +
                  (yielding.empty() ? "" : "; by its priority " + yielding + " should not"),
       .why = "Clients go to whichever they heard last and lose their connections whenever that "
              "changes; a later failover is left to chance.",
       .remedy = "The directors do not hear each other: look for a firewall, a VLAN or a switch "
                 "that stops VRRP (protocol 112, multicast 224.0.0.18 or the unicast peers) "
                 "between them, and compare id, version and password of the instances."});
  return check;
}

// Services on the VIPs that no playbook state of the host has.
Check JudgeStale(const VerifyExpectation& expectation, const ClusterEvidence& evidence,
                 const std::string& host) {
  Check check{"no-stale-rules", host, {}, ""};
  const HostEvidence* seen = evidence.Of(host);
  const auto state = evidence.states.find(host);
  if (seen == nullptr || !seen->before || state == evidence.states.end()) {
    check.skipped = "its table could not be looked at";
    return check;
  }
  const std::set<IpAddress> vips = expectation.AllVips();
  for (const VirtualService& service : seen->before->services) {
    const auto* key = std::get_if<SocketKey>(&service.key);
    if (key == nullptr || !vips.contains(key->address)) continue;
    const auto& wanted = state->second.services;
    if (std::any_of(wanted.begin(), wanted.end(),
                    [&](const VirtualService& one) { return one.key == service.key; })) {
      continue;
    }
    std::vector<std::string> servers;
    for (const Destination& destination : service.destinations) {
      servers.push_back(ServerName(expectation, destination.address));
    }
    check.findings.push_back(
        {.rule = "service-stale",
         .host = host,
         .message =
             host + " has the service " + ToString(service.key) + " (" + service.scheduler +
             (servers.empty() ? std::string(", no real servers") : " to " + JoinNames(servers)) +
             "), which the playbook does not",
         .why = "As long as " + host +
                " is master it sends clients of that port where nobody plans to serve them; the "
                "other directors do not know it.",
         .remedy = "Remove it (ipvsadm -D " +
                   std::string(key->transport == Transport::kUdp ? "-u " : "-t ") +
                   Endpoint{key->address, key->port}.ToString() + " on " + host +
                   "), or put it into the playbook for all directors."});
  }
  return check;
}

bool OrderMatters(const VirtualService& service) {
  return service.scheduler == "sh" || service.scheduler == "mh" || service.scheduler == "dh";
}

std::map<Endpoint, std::string> SummariesOf(const VirtualService& service) {
  std::map<Endpoint, std::string> summaries;
  for (const Destination& destination : service.destinations) {
    summaries[destination.endpoint()] = Summary(destination);
  }
  return summaries;
}

// In words what `theirs` has otherwise than `mine`; empty when they are equal.
std::string Difference(const VerifyExpectation& expectation, const std::string& mine_host,
                       const VirtualService& mine, const std::string& their_host,
                       const VirtualService& theirs) {
  if (Summary(mine) != Summary(theirs)) {
    return mine_host + " has it as \"" + Summary(mine) + "\", " + their_host + " as \"" +
           Summary(theirs) + "\"";
  }
  const auto here = SummariesOf(mine);
  const auto there = SummariesOf(theirs);
  for (const auto& [endpoint, summary] : here) {
    const std::string name = ServerName(expectation, endpoint.address);
    const auto other = there.find(endpoint);
    if (other == there.end())
      return their_host + " lacks " + name + ", which " + mine_host + " has";
    if (other->second != summary) {
      return name + " is \"" + summary + "\" on " + mine_host + " and \"" + other->second +
             "\" on " + their_host;
    }
  }
  for (const auto& [endpoint, summary] : there) {
    if (!here.contains(endpoint)) {
      return their_host + " has " + ServerName(expectation, endpoint.address) + ", which " +
             mine_host + " lacks";
    }
  }
  if (OrderMatters(mine) && mine.destinations != theirs.destinations) {
    return "the real servers stand in another order on " + their_host + " than on " + mine_host +
           ", and " + mine.scheduler + " fills its table by it";
  }
  return "";
}

// The other directors against the first one that could be looked at: best the active one.
Check JudgeEquality(const VerifyExpectation& expectation, const ClusterEvidence& evidence,
                    const ExpectedService& service) {
  const ServiceKey key = service.table();
  Check check{"equal-rules", ToString(key), {}, ""};
  std::vector<std::pair<std::string, const VirtualService*>> tables;
  const auto active = ActiveDirector(expectation, evidence, service.key.address);
  for (const std::string& host : HoldersOf(expectation, service.key.address)) {
    const HostEvidence* seen = evidence.Of(host);
    if (seen == nullptr || !seen->after) continue;
    const auto place = active == host ? tables.begin() : tables.end();
    tables.insert(place, {host, FindService(*seen->after, key)});
  }
  if (tables.size() < 2) {
    check.skipped = "there are no two directors that could be compared";
    return check;
  }
  const auto& [first, mine] = tables.front();
  for (std::size_t i = 1; i < tables.size(); ++i) {
    const auto& [other, theirs] = tables[i];
    if (mine == nullptr && theirs == nullptr) continue;
    std::string difference = mine == nullptr ? first + " does not have it"
                             : theirs == nullptr
                                 ? other + " does not have it"
                                 : Difference(expectation, first, *mine, other, *theirs);
    if (difference.empty()) continue;
    check.findings.push_back(
        {.rule = "rules-unequal",
         .host = other,
         .message = "the directors differ in " + ToString(key) + ": " + difference,
         .why = "After a failover the service is another one than before: clients land on other "
                "real servers, or on none.",
         .remedy = "Usual reasons: a change by hand on one of them, a rollout with --limit, or "
                   "checks that see a real server differently from there (drover status). A "
                   "rollout puts tables and order right."});
  }
  return check;
}

std::string HostWith(const ClusterEvidence& evidence, const IpAddress& address) {
  for (const auto& [host, seen] : evidence.hosts) {
    if (HasOnCard(seen.before, address)) return host;
  }
  return address.ToString();
}

// The sorry server gets everything while it stands in. It is no real server of the service, so only
// the table knows it.
void TakeSorryServer(const VirtualService& table, const ClusterEvidence& evidence,
                     const NodeStatus& status, ExpectedService& service) {
  const bool stands_in = std::any_of(
      status.services.begin(), status.services.end(),
      [&](const ServiceStatus& one) { return one.service == service.table() && one.sorry; });
  if (!stands_in) return;
  for (const Destination& destination : table.destinations) {
    const bool known = std::any_of(service.servers.begin(), service.servers.end(),
                                   [&](const ExpectedServer& server) {
                                     return server.destination.endpoint() == destination.endpoint();
                                   });
    if (!known) service.servers.push_back({HostWith(evidence, destination.address), destination});
  }
}

std::vector<PacketMark> MarksWithExceptions(const DesiredState& state) {
  std::vector<PacketMark> marks;
  for (const PathPart& part : state.path) {
    const auto* mark = std::get_if<PacketMark>(&part);
    if (mark != nullptr && !mark->except_from.empty()) marks.push_back(*mark);
  }
  return marks;
}

// What is wrong with the exceptions of `host`, by the MACs that another host was heard with.
std::optional<Finding> JudgeException(const std::string& host, const PacketMark& mark,
                                      const std::string& other, const std::vector<PeerMac>& peers) {
  std::vector<std::string> heard;
  for (const PeerMac& peer : peers) {
    if (peer.name == other && !peer.mac.empty()) heard.push_back(peer.mac);
  }
  const bool known =
      std::any_of(mark.except_from.begin(), mark.except_from.end(), [&](const MacAddress& mac) {
        return std::find(heard.begin(), heard.end(), MacText(mac)) != heard.end();
      });
  if (heard.empty() || known) return std::nullopt;
  return Finding{
      .rule = "mark-exception",
      .host = host,
      .message = host + " marks packets for " + ToString(ServiceKey(mark.traffic)) + " that " +
                 other + " (" + JoinNames(heard) + ") sends: its marks leave out other MACs",
      .why = "It balances what " + other +
             " has balanced already; connections go to and fro between them until they fail.",
      .remedy = "Set drover_mac of " + other +
                " in the inventory to the MAC of the card that it forwards with (ip link), and "
                "roll out."};
}

}  // namespace

std::string ServerName(const VerifyExpectation& expectation, const IpAddress& address) {
  for (const ExpectedService& service : expectation.services) {
    for (const ExpectedServer& server : service.servers) {
      if (server.destination.address == address) return server.name;
    }
  }
  return address.ToString();
}

std::optional<std::string> ActiveDirector(const VerifyExpectation& expectation,
                                          const ClusterEvidence& evidence, const IpAddress& vip) {
  const auto owners = OwnersOf(expectation, evidence, vip);
  return owners.size() == 1 ? std::optional(owners.front()) : std::nullopt;
}

VerifyExpectation AsItIsNow(VerifyExpectation expectation, const ClusterEvidence& evidence) {
  const VerifyExpectation wanted = expectation;
  for (ExpectedService& service : expectation.services) {
    const auto active = ActiveDirector(wanted, evidence, service.key.address);
    const HostEvidence* seen = active ? evidence.Of(*active) : nullptr;
    if (seen == nullptr) continue;
    if (seen->status) TakeWeights(*seen->status, service);
    const VirtualService* table =
        seen->before ? FindService(*seen->before, service.table()) : nullptr;
    if (table == nullptr) continue;
    DropAbsent(*table, service);
    if (seen->status) TakeSorryServer(*table, evidence, *seen->status, service);
    TakeOrder(*table, service);
  }
  return expectation;
}

std::vector<TableBefore> TablesBefore(const VerifyExpectation& now,
                                      const ClusterEvidence& evidence) {
  std::vector<TableBefore> tables;
  for (const ExpectedService& service : now.services) {
    const auto active = ActiveDirector(now, evidence, service.key.address);
    const HostEvidence* seen = active ? evidence.Of(*active) : nullptr;
    if (seen == nullptr || !seen->before) continue;
    TableBefore table{.service = service.key, .active = {}, .inactive = {}};
    for (const ServiceTraffic& traffic : seen->before->traffic) {
      if (traffic.service != service.table()) continue;
      for (const ExpectedServer& server : service.servers) {
        const auto known = std::find_if(traffic.servers.begin(), traffic.servers.end(),
                                        [&](const DestinationTraffic& one) {
                                          return one.endpoint == server.destination.endpoint();
                                        });
        const bool is_there = known != traffic.servers.end();
        table.active.push_back(is_there ? known->active : 0);
        table.inactive.push_back(is_there ? known->inactive : 0);
      }
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

void JudgeDirectors(const VerifyExpectation& expectation, const ClusterEvidence& evidence,
                    VerifyReport& report) {
  for (const IpAddress& vip : expectation.AllVips()) {
    report.Add(JudgeOwners(expectation, evidence, vip));
  }
  for (const std::string& host : expectation.directors) {
    report.Add(JudgeStale(expectation, evidence, host));
  }
  for (const ExpectedService& service : expectation.services) {
    if (service.own || HoldersOf(expectation, service.key.address).size() < 2) continue;
    if (expectation.ServedBy(service.table()).front() != &service) continue;
    report.Add(JudgeEquality(expectation, evidence, service));
  }
}

void JudgeExceptions(const ClusterEvidence& evidence, const std::vector<PeerMac>& peers,
                     VerifyReport& report) {
  std::map<std::string, std::vector<PacketMark>> marks;
  for (const auto& [host, state] : evidence.states) marks[host] = MarksWithExceptions(state);
  for (const auto& [host, own] : marks) {
    if (own.empty()) continue;
    Check check{"mark-exceptions", host, {}, ""};
    for (const PacketMark& mark : own) {
      for (const auto& [other, theirs] : marks) {
        const bool shared = std::any_of(theirs.begin(), theirs.end(), [&](const PacketMark& one) {
          return one.traffic == mark.traffic;
        });
        if (other == host || !shared) continue;
        if (auto finding = JudgeException(host, mark, other, peers)) {
          check.findings.push_back(*std::move(finding));
        }
      }
    }
    report.Add(std::move(check));
  }
}

}  // namespace drover
