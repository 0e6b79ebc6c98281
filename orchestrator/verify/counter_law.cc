#include "orchestrator/verify/counter_law.h"

#include <algorithm>
#include <optional>

#include "orchestrator/verify/cluster_law.h"
#include "orchestrator/verify/identity.h"
#include "orchestrator/verify/wording.h"

namespace drover {
namespace {

constexpr const char* kEstimation = "net/ipv4/vs/run_estimation";

const ServiceTraffic* Find(const Observation& seen, const ServiceKey& key) {
  const auto found =
      std::find_if(seen.traffic.begin(), seen.traffic.end(),
                   [&](const ServiceTraffic& traffic) { return traffic.service == key; });
  return found == seen.traffic.end() ? nullptr : &*found;
}

// What was counted between the looks; a service or server that was made anew counts from 0.
std::uint64_t Since(std::uint64_t before, std::uint64_t after) {
  return after >= before ? after - before : after;
}

struct Delta {
  std::uint64_t connections = 0;
  std::uint64_t packets_out = 0;
  std::map<Endpoint, std::uint64_t> servers;
};

std::optional<Delta> DeltaOf(const HostEvidence* host, const ServiceKey& key) {
  if (host == nullptr || !host->before || !host->after) return std::nullopt;
  const ServiceTraffic* before = Find(*host->before, key);
  const ServiceTraffic* after = Find(*host->after, key);
  if (before == nullptr || after == nullptr) return std::nullopt;
  Delta delta;
  delta.connections = Since(before->connections, after->connections);
  delta.packets_out = Since(before->packets_out, after->packets_out);
  for (const DestinationTraffic& server : after->servers) {
    const auto known = std::find_if(
        before->servers.begin(), before->servers.end(),
        [&](const DestinationTraffic& one) { return one.endpoint == server.endpoint; });
    const std::uint64_t had = known == before->servers.end() ? 0 : known->connections;
    delta.servers[server.endpoint] = Since(had, server.connections);
  }
  return delta;
}

bool EstimatorStands(const HostEvidence& host) {
  if (!host.after) return false;
  const auto& sysctls = host.after->sysctls;
  return std::any_of(sysctls.begin(), sysctls.end(), [](const Sysctl& sysctl) {
    return sysctl.key == kEstimation && sysctl.value == "0";
  });
}

bool AllBypass(const ExpectedService& service) {
  return std::none_of(service.servers.begin(), service.servers.end(), [](const ExpectedServer& s) {
    return s.destination.forward == Forwarding::kNat;
  });
}

bool AnyTunnel(const ExpectedService& service) {
  return std::any_of(service.servers.begin(), service.servers.end(), [](const ExpectedServer& s) {
    return s.destination.forward == Forwarding::kTun;
  });
}

class CounterJudge {
 public:
  CounterJudge(const VerifyExpectation& expectation, const ClusterEvidence& evidence,
               const ExpectedService& service, const ProbedTraffic& probed, VerifyReport& report)
      : expectation_(expectation),
        evidence_(evidence),
        service_(service),
        probed_(probed),
        report_(report),
        key_(service.table()),
        check_{"counters", ToString(key_), {}, ""} {}

  void Run() {
    const auto active = ActiveDirector(expectation_, evidence_, service_.key.address);
    const HostEvidence* host = active ? evidence_.Of(*active) : nullptr;
    const auto delta = DeltaOf(host, key_);
    if (!delta) {
      check_.skipped = "the active director could not be looked at before and after";
    } else if (EstimatorStands(*host)) {
      check_.skipped = "net.ipv4.vs.run_estimation is 0 on " + *active + ": counters stand still";
    } else {
      JudgeActive(*active, *delta);
      JudgeStandbys(*active);
    }
    report_.Add(std::move(check_));
  }

 private:
  void JudgeActive(const std::string& host, const Delta& delta) {
    if (delta.connections < probed_.answered) {
      check_.findings.push_back(
          {.rule = "counter-mismatch",
           .host = host,
           .message = check_.subject + ": " + host + " counted " +
                      Counted(delta.connections, "connection") + ", but " +
                      std::to_string(probed_.answered) + " of the probe were answered",
           .why = "Some connections do not pass the director: somebody else has the address, or "
                  "the client reaches a real server past it.",
           .remedy = "See who answers ARP for " + service_.key.address.ToString() +
                     " (the findings about ARP), and which MAC the probing host keeps for it (ip "
                     "neigh)."});
    } else if (delta.connections > probed_.attempted) {
      report_.notes.push_back(check_.subject + ": " +
                              Counted(delta.connections - probed_.attempted, "connection") +
                              " of other clients came in meanwhile (counted by " + host +
                              "): what depends on the order of all connections cannot be exact");
    } else {
      JudgeServers(host, delta);
    }
    if (delta.packets_out > MessagesOfTooBig() && AllBypass(service_) && !IsServer(host)) {
      check_.findings.push_back(
          {.rule = "reply-through-director",
           .host = host,
           .message = check_.subject + ": " + Counted(delta.packets_out, "answer packet") +
                      " went back through " + host + ", though direct routing lets them bypass it",
           .why = "All answers squeeze through the director, and it drops them as soon as it "
                  "filters packets that carry its own address.",
           .remedy = "Look at the real servers' route to the clients (ip route get CLIENT): their "
                     "gateway must not be a director."});
    }
  }

  // A director that is a real server too sends answers of its own.
  [[nodiscard]] bool IsServer(const std::string& host) const {
    return std::any_of(service_.servers.begin(), service_.servers.end(),
                       [&](const ExpectedServer& server) { return server.name == host; });
  }

  // Full packets do not fit into a tunnel. The director tells the client so (ICMP: fragmentation
  // needed), and counts that as an answer: until the client obeys, at most once for every packet of
  // the first window of a large request (RFC 6928: 10).
  [[nodiscard]] std::uint64_t MessagesOfTooBig() const {
    constexpr std::uint64_t kFirstWindow = 10;
    return AnyTunnel(service_) ? kFirstWindow * probed_.uploads : 0;
  }

  // Nobody else connected, so the counts are ours alone.
  void JudgeServers(const std::string& host, const Delta& delta) {
    if (!probed_.all_known || probed_.answered != probed_.attempted) return;
    std::map<std::string, std::uint64_t> counted;
    for (const auto& [endpoint, connections] : delta.servers) {
      counted[ServerName(expectation_, endpoint.address)] += connections;
    }
    for (const auto& [server, connections] : counted) {
      const auto seen = probed_.by_server.find(server);
      const std::uint32_t answered = seen == probed_.by_server.end() ? 0 : seen->second;
      if (connections == answered) continue;
      check_.findings.push_back(
          {.rule = "counter-mismatch",
           .host = server,
           .message = check_.subject + ": " + host + " sent " + Counted(connections, "connection") +
                      " to " + server + ", but " + std::to_string(answered) +
                      " were answered by it",
           .why = "What a real server answers is not what the director sent it: clients reach it "
                  "past the director, or it answers for another one.",
           .remedy = "See who answers ARP for " + service_.key.address.ToString() +
                     ", and whether two hosts have one MAC."});
    }
  }

  void JudgeStandbys(const std::string& active) {
    for (const std::string& host : expectation_.directors) {
      if (host == active) continue;
      const auto delta = DeltaOf(evidence_.Of(host), key_);
      if (!delta || delta->connections == 0) continue;
      check_.findings.push_back(
          {.rule = "standby-traffic",
           .host = host,
           .message = check_.subject + ": " + host + ", which is not the master, scheduled " +
                      Counted(delta->connections, "connection") + " meanwhile",
           .why = "Clients reach a standby: its turns, its persistence and its table are others "
                  "than the master's.",
           .remedy = "See who answers ARP for " + service_.key.address.ToString() +
                     "; clients may keep the MAC of a former master (ip neigh)."});
    }
  }

  const VerifyExpectation& expectation_;
  const ClusterEvidence& evidence_;
  const ExpectedService& service_;
  const ProbedTraffic& probed_;
  VerifyReport& report_;
  const ServiceKey key_;
  Check check_;
};

}  // namespace

void ProbedTraffic::Add(const ServiceEvidence& evidence) {
  attempted += evidence.connections +
               static_cast<std::uint32_t>(evidence.uploads.size() + evidence.later.size());
  uploads += static_cast<std::uint32_t>(evidence.uploads.size());
  const auto take = [this](const std::string& name) {
    if (name == kNoAnswer) return;
    ++answered;
    if (name == kUnknownServer) {
      all_known = false;
    } else {
      ++by_server[name];
    }
  };
  std::for_each(evidence.sequence.begin(), evidence.sequence.end(), take);
  std::for_each(evidence.uploads.begin(), evidence.uploads.end(), take);
  std::for_each(evidence.later.begin(), evidence.later.end(), take);
}

std::optional<std::uint64_t> CountedConnections(const VerifyExpectation& expectation,
                                                const ClusterEvidence& evidence,
                                                const ExpectedService& service) {
  const auto active = ActiveDirector(expectation, evidence, service.key.address);
  const auto delta = DeltaOf(active ? evidence.Of(*active) : nullptr, service.table());
  return delta ? std::optional(delta->connections) : std::nullopt;
}

void JudgeCounters(const VerifyExpectation& expectation, const ClusterEvidence& evidence,
                   const std::map<std::string, ProbedTraffic>& probed, VerifyReport& report) {
  for (const ExpectedService& service : expectation.services) {
    const auto traffic = probed.find(ToString(service.table()));
    if (traffic == probed.end() || service.own) continue;
    if (expectation.ServedBy(service.table()).front() != &service) continue;
    CounterJudge(expectation, evidence, service, traffic->second, report).Run();
  }
}

}  // namespace drover
