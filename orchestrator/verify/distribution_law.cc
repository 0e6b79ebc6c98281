#include "orchestrator/verify/distribution_law.h"

#include <algorithm>
#include <numeric>

#include "orchestrator/verify/identity.h"
#include "orchestrator/verify/least_scheduler.h"
#include "orchestrator/verify/wording.h"

namespace drover {
namespace {

using Turns = std::map<std::string, std::uint32_t>;

// Behind so many connections the client's ports come round again, and ip_vs may hand a connection
// with an old port to its old server.
constexpr std::uint32_t kPortsComeRound = 14000;

bool HasThresholds(const ExpectedService& service) {
  return std::any_of(
      service.servers.begin(), service.servers.end(),
      [](const ExpectedServer& server) { return server.destination.upper_threshold > 0; });
}

std::uint32_t CountOf(const ServiceEvidence& evidence, const std::string& name) {
  for (const ServerCount& server : evidence.servers) {
    if (server.name == name) return server.connections;
  }
  return 0;
}

// "rs1 10, rs2 9 and rs3 11".
std::string CountsInWords(const ServiceEvidence& evidence) {
  std::vector<std::string> words;
  for (const ServerCount& server : evidence.servers) {
    words.push_back(server.name + " " + std::to_string(server.connections));
  }
  return JoinNames(words);
}

std::vector<std::string> NamesThatAnswered(const ServiceEvidence& evidence) {
  std::vector<std::string> names;
  for (const ServerCount& server : evidence.servers) {
    if (server.connections > 0) names.push_back(server.name);
  }
  return names;
}

std::vector<std::string> WithoutFailures(const std::vector<std::string>& sequence) {
  std::vector<std::string> answered;
  std::copy_if(sequence.begin(), sequence.end(), std::back_inserter(answered),
               [](const std::string& name) { return name != kNoAnswer; });
  return answered;
}

std::string RemedyForTurns(const std::string& service, const ServiceEvidence& evidence) {
  std::string remedy =
      "If other clients used " + service +
      " during the probe, their connections take turns too and this check cannot hold: repeat it "
      "in a quiet moment. Otherwise compare scheduler, weights and persistence on the director "
      "(ipvsadm -Ln) with the playbook; a rollout puts them right.";
  if (evidence.connections > kPortsComeRound) {
    remedy +=
        " With more than 14000 connections the probe's ports come round again, and ip_vs may keep "
        "such a connection on its old server: probe with fewer.";
  }
  return remedy;
}

// True when each server's count is what whole rounds plus one begun round can give.
bool CountsAreEven(const ServiceEvidence& evidence, const Turns& turns) {
  std::uint32_t round = 0;
  for (const auto& [name, share] : turns) round += share;
  const std::uint32_t answered = evidence.connections - evidence.failed;
  const std::uint32_t whole = answered / round;
  const std::uint32_t rest = answered % round;
  return std::all_of(turns.begin(), turns.end(), [&](const auto& turn) {
    const std::uint32_t count = CountOf(evidence, turn.first);
    return count >= whole * turn.second &&
           count <= whole * turn.second + std::min(rest, turn.second);
  });
}

// The first connection that is not the one a round earlier, in words.
std::string FirstBreak(const std::vector<std::string>& sequence, const Turns& turns) {
  std::size_t round = 0;
  for (const auto& [name, share] : turns) round += share;
  Turns used;
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    const std::string& name = sequence[i];
    if (name == kNoAnswer) continue;
    const std::string nth = "connection " + std::to_string(i + 1) + " went to " + name;
    if (i >= round && sequence[i - round] != kNoAnswer && sequence[i - round] != name) {
      return nth + " where it was the turn of " + sequence[i - round];
    }
    const auto share = turns.find(name);
    if (i < round && ++used[name] > (share == turns.end() ? 0 : share->second)) {
      return nth + " again before the others had had their turn";
    }
  }
  return "the turns do not repeat";
}

Finding AllOnOne(const std::string& law, const ServiceEvidence& evidence, const std::string& name) {
  Finding finding;
  finding.rule = law + "-distribution";
  finding.host = name;
  finding.message = evidence.service + ": all " + Counted(evidence.connections, "connection") +
                    " went to " + name + ", though " + law + " must take turns";
  finding.why = "One server carries the whole load and the others idle.";
  finding.remedy =
      "Usual reasons: the service on the director is persistent or has another scheduler or lost "
      "its other real servers (compare ipvsadm -Ln with the playbook), or this client sends "
      "straight to " +
      name +
      " because that host answers ARP for the virtual address. When that was just put right, the "
      "client may keep the wrong MAC for a while: delete its entry there (ip neigh del VIP dev "
      "INTERFACE) and verify again.";
  return finding;
}

// A word for each way in which turns can go wrong, the plainest first.
std::optional<Finding> JudgeTurns(const ExpectedService& service, const ServiceEvidence& evidence) {
  const Turns turns = TurnsPerRound(service);
  if (RoundOf(evidence.sequence, turns)) return std::nullopt;
  // A failed connection may never have reached the director and then took no turn.
  if (evidence.failed > 0 && RoundOf(WithoutFailures(evidence.sequence), turns))
    return std::nullopt;

  const std::vector<std::string> answered = NamesThatAnswered(evidence);
  const bool complete = evidence.failed == 0;
  if (answered.size() == 1 && turns.size() > 1 && complete) {
    return AllOnOne(service.scheduler, evidence, answered.front());
  }
  Finding finding;
  finding.remedy = RemedyForTurns(evidence.service, evidence);
  finding.rule = service.scheduler + "-distribution";
  std::vector<std::string> idle;
  for (const auto& [name, share] : turns) {
    if (CountOf(evidence, name) == 0) idle.push_back(name);
  }
  if (complete && !idle.empty()) {
    finding.host = idle.size() == 1 ? idle.front() : "";
    finding.message = evidence.service + ": " + JoinNames(idle) + " took none of " +
                      Counted(evidence.connections, "connection") + " (" + CountsInWords(evidence) +
                      ")";
    finding.why = "The director does not use this server, so the others carry its load.";
    finding.remedy =
        "See on the director whether the server is in the table with a weight above 0 (ipvsadm "
        "-Ln); a rollout puts the table right.";
    return finding;
  }
  if (complete && !CountsAreEven(evidence, turns)) {
    finding.message = evidence.service + ": the shares of " +
                      Counted(evidence.connections, "connection") + " are not those of " +
                      service.scheduler + ": " + CountsInWords(evidence);
    finding.why = "Some servers carry more than their share.";
    return finding;
  }
  finding.rule = service.scheduler + "-order";
  finding.message = evidence.service + ": the servers do not take turns as " + service.scheduler +
                    " must: " + FirstBreak(evidence.sequence, turns) + " (" +
                    CountsInWords(evidence) + ")";
  finding.why =
      "Somebody else's connections came in between, or the director does not schedule as asked.";
  return finding;
}

Finding SeveralOwners(const ServiceEvidence& evidence) {
  return {.rule = "several-owners",
          .host = "",
          .message = evidence.service + ": several hosts answered (" + CountsInWords(evidence) +
                     "), though one at a time has the address",
          .why = "Open connections break whenever the network believes another one.",
          .remedy =
              "When the address moved during the probe, repeat it. Otherwise the hosts do "
              "not hear each other: see the findings about ARP and owners."};
}

std::optional<Finding> JudgeOneServer(const ExpectedService& service,
                                      const ServiceEvidence& evidence) {
  if (NamesThatAnswered(evidence).size() < 2) return std::nullopt;
  if (service.own) return SeveralOwners(evidence);
  const std::string law = service.persistent ? "persistence" : service.scheduler;
  Finding finding;
  finding.rule = service.persistent ? "persistence" : service.scheduler + "-distribution";
  finding.message = evidence.service + ": connections of one client went to several servers (" +
                    CountsInWords(evidence) + "), though " + law +
                    " keeps a client on one real server";
  finding.why = "Whatever a server remembers about a client (log-in, basket) gets lost.";
  finding.remedy =
      "Compare scheduler and persistence on the director (ipvsadm -Ln) with the playbook; a "
      "rollout "
      "puts them right. If a server's weight was changed or it left the table during the probe, "
      "repeat it.";
  return finding;
}

std::optional<Finding> JudgeHeaviest(const ExpectedService& service,
                                     const ServiceEvidence& evidence) {
  std::uint32_t heaviest = 0;
  std::string name;
  // The kernel's list begins with the server that was added last, and the first one wins ties.
  for (const ExpectedServer& server : service.servers) {
    if (server.destination.weight > 0 && server.destination.weight >= heaviest) {
      heaviest = server.destination.weight;
      name = server.name;
    }
  }
  const std::uint32_t answered = evidence.connections - evidence.failed;
  const bool held = std::any_of(
      service.servers.begin(), service.servers.end(), [&](const ExpectedServer& server) {
        // The playbook's order need not be the table's: then any of the heaviest will do.
        const bool may =
            server.name == name || (!service.order_seen && server.destination.weight == heaviest);
        return may && CountOf(evidence, server.name) == answered;
      });
  if (held) return std::nullopt;
  Finding finding;
  finding.rule = service.scheduler + "-distribution";
  finding.host = name;
  finding.message =
      evidence.service + ": " + service.scheduler + " must send every connection to " + name +
      ", the server with the highest weight, but they fell so: " + CountsInWords(evidence);
  finding.why = "Servers that should only stand by carry load.";
  finding.remedy =
      "Compare the weights on the director (ipvsadm -Ln) with the playbook; a rollout puts them "
      "right.";
  return finding;
}

}  // namespace

bool IsPredicted(LawKind kind) {
  return kind == LawKind::kHashed || kind == LawKind::kLeast || kind == LawKind::kShares;
}

Law LawOf(const ExpectedService& service) {
  const std::string& name = service.scheduler;
  if (TurnsPerRound(service).empty()) {
    return {LawKind::kNobody, "no real server has a weight above 0: nobody should answer"};
  }
  if (service.own) return {LawKind::kOneServer, "exact: whoever has the VIP"};
  if (service.persistent) return {LawKind::kOneServer, "exact: persistent"};
  if (HasThresholds(service)) {
    return {LawKind::kMembership, "members only: connection thresholds may skip a server"};
  }
  if (name == "rr" || name == "wrr") return {LawKind::kTurns, "exact: " + name};
  if (name == "sh" || name == "mh" || name == "dh") return {LawKind::kHashed, "exact: " + name};
  if (ChoosesByOpenConnections(name)) return {LawKind::kLeast, name};
  if (name == "fo" || name == "ovf") return {LawKind::kHeaviest, "exact: " + name};
  if (name == "twos") return {LawKind::kShares, name};
  return {LawKind::kMembership,
          "members only: " + name + " chooses by the connections that all clients have open"};
}

Turns TurnsPerRound(const ExpectedService& service) {
  std::uint32_t divisor = 0;
  for (const ExpectedServer& server : service.servers) {
    divisor = std::gcd(divisor, server.destination.weight);
  }
  Turns turns;
  for (const ExpectedServer& server : service.servers) {
    const std::uint32_t weight = server.destination.weight;
    if (weight == 0) continue;
    turns[server.name] += service.scheduler == "wrr" ? weight / divisor : 1;
  }
  return turns;
}

std::optional<std::vector<std::string>> RoundOf(const std::vector<std::string>& sequence,
                                                const Turns& turns) {
  std::size_t length = 0;
  for (const auto& [name, share] : turns) length += share;
  if (length == 0) return std::nullopt;
  // The kernel walks its list in an order of its own, so any order will do as long as it stays.
  std::vector<std::string> round(std::min(length, sequence.size()));
  Turns left = turns;
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    if (sequence[i] == kNoAnswer) continue;
    std::string& turn = round[i % length];
    if (turn.empty()) {
      const auto share = left.find(sequence[i]);
      if (share == left.end() || share->second == 0) return std::nullopt;
      --share->second;
      turn = sequence[i];
    } else if (turn != sequence[i]) {
      return std::nullopt;
    }
  }
  return round;
}

std::optional<Finding> JudgeDistribution(const ExpectedService& service, const Law& law,
                                         const ServiceEvidence& evidence) {
  if (evidence.failed == evidence.connections) return std::nullopt;
  switch (law.kind) {
    case LawKind::kTurns:
      return JudgeTurns(service, evidence);
    case LawKind::kOneServer:
      return JudgeOneServer(service, evidence);
    case LawKind::kHeaviest:
      return JudgeHeaviest(service, evidence);
    case LawKind::kHashed:
    case LawKind::kLeast:
    case LawKind::kShares:
    case LawKind::kMembership:
    case LawKind::kNobody:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace drover
