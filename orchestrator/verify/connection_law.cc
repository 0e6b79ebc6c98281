#include "orchestrator/verify/connection_law.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "orchestrator/verify/wording.h"
#include "protocol/program.h"

namespace drover {
namespace {

bool IsRefused(const Error& error) { return error.message.find("refused") != std::string::npos; }

// "timed out after 2 s (7), connection refused (3)", the most frequent first.
std::string ErrorsInWords(const ProbeServiceResult& result) {
  std::map<std::string, std::size_t> counts;
  for (const ProbeConnection& connection : result.connections) {
    if (connection.error) ++counts[connection.error->message];
  }
  std::vector<std::pair<std::size_t, std::string>> sorted;
  for (const auto& [message, count] : counts) sorted.emplace_back(count, message);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (sorted.size() > 3) sorted.resize(3);
  if (sorted.size() == 1) return sorted.front().second;
  std::string text;
  for (const auto& [count, message] : sorted) {
    text += (text.empty() ? "" : ", ") + message + " (" + std::to_string(count) + ")";
  }
  return text;
}

// Servers that should have answered at least once and never did.
std::vector<std::string> SilentServers(const ServiceCase& probed) {
  std::vector<std::string> silent;
  for (const auto& [name, turns] : TurnsPerRound(probed.service)) {
    const auto& servers = probed.evidence.servers;
    const bool answered = std::any_of(servers.begin(), servers.end(), [&](const ServerCount& s) {
      return s.name == name && s.connections > 0;
    });
    if (!answered) silent.push_back(name);
  }
  return silent;
}

// Whose turn each failed connection was; empty when the turns do not tell.
std::map<std::string, std::size_t> FailuresByTurn(const ServiceCase& probed) {
  if (probed.law.kind != LawKind::kTurns) return {};
  const auto round = RoundOf(probed.evidence.sequence, TurnsPerRound(probed.service));
  if (!round || round->empty()) return {};
  const std::vector<std::string> silent = SilentServers(probed);
  const auto& sequence = probed.evidence.sequence;
  std::map<std::string, std::size_t> failures;
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    if (sequence[i] != kNoAnswer) continue;
    const std::string& turn = (*round)[i % round->size()];
    if (turn.empty() && silent.size() != 1) return {};
    ++failures[turn.empty() ? silent.front() : turn];
  }
  return failures;
}

// A server that took the connection and then failed is known by its MAC.
std::map<std::string, std::size_t> FailuresByMac(const ServiceCase& probed) {
  std::map<std::string, std::size_t> failures;
  for (std::size_t i = 0; i < probed.answerers.size(); ++i) {
    const Answerer& answerer = probed.answerers[i];
    if (!probed.result.connections[i].error) continue;
    if (TurnsPerRound(probed.service).count(answerer.by_mac) == 0) return {};
    ++failures[answerer.by_mac];
  }
  return failures;
}

// Nobody is behind the owner of the address.
std::string RemedyOfOwner(bool all_refused) {
  return all_refused
             ? "Whoever has the address is up, but nobody listens there: start the service on it "
               "(ss -ltn), and give the instance a tracker of the process, so that a host without "
               "it gives the address away."
             : "Look whether a host has the address (the findings about its owner), whether the "
               "service runs there, and whether a firewall stops it.";
}

void ExplainFailures(const ServiceCase& probed, bool all_failed, Finding& finding) {
  const auto& connections = probed.result.connections;
  const bool all_refused =
      std::all_of(connections.begin(), connections.end(), [](const ProbeConnection& connection) {
        return !connection.error || IsRefused(*connection.error);
      });
  const std::string where = finding.host.empty() ? "each real server" : finding.host;
  if (probed.service.own) {
    finding.remedy = RemedyOfOwner(all_refused);
  } else if (all_failed && all_refused) {
    finding.remedy =
        "A refusal comes from a host that has the address but nobody listening: look whether the "
        "virtual service is in the director's table (ipvsadm -Ln) and whether the service runs on "
        "the real servers and listens on the virtual address (ss -ltn).";
  } else if (all_refused) {
    finding.remedy = "The host is up but nobody listens there: start the service on " + where +
                     " and let it listen on the virtual address, not only on its own (ss -ltn).";
  } else if (all_failed) {
    finding.remedy =
        "Look whether a director has the virtual address and the virtual service (ipvsadm -Ln), "
        "and whether the real servers are up and have the virtual address on lo.";
  } else {
    finding.remedy = "Look on " + where +
                     " whether the host is up, the service runs, the virtual address is on lo "
                     "(direct routing drops the packets without it), and no firewall or rp_filter "
                     "stops them; drain it (weight 0) meanwhile.";
  }
}

std::string OddityRule(Oddity oddity) {
  switch (oddity) {
    case Oddity::kPageContradictsMac:
      return "wrong-page";
    case Oddity::kThroughDirector:
    case Oddity::kThroughOther:
      return "reply-path";
    case Oddity::kForeignHost:
    case Oddity::kForeignMac:
      return "wrong-host";
    case Oddity::kNone:
      break;
  }
  return "";
}

Finding DescribeOddity(const std::string& service, const Answerer& answerer, std::size_t count) {
  const std::string answers = service + ": " + Counted(count, "answer");
  Finding finding;
  finding.rule = OddityRule(answerer.oddity);
  finding.host = answerer.by_mac;
  switch (answerer.oddity) {
    case Oddity::kPageContradictsMac:
      finding.message = answers + " came from " + answerer.by_mac +
                        "'s network card, but the page names " + answerer.by_page;
      finding.why = "Nobody can tell from the page who served it; counts by page would be wrong.";
      finding.remedy = "Put a page on " + answerer.by_mac +
                       " that names that host, or look whether it is a copy of " +
                       answerer.by_page + "; two hosts with one MAC would look the same.";
      break;
    case Oddity::kThroughDirector:
      finding.message = answers + (answerer.by_page.empty() ? "" : " of " + answerer.by_page) +
                        " came back through the director " + answerer.by_mac +
                        ", though direct routing lets replies bypass it";
      finding.why =
          "All answers squeeze through the director, and it drops them as soon as it filters "
          "packets that carry its own address.";
      finding.remedy =
          "Look whether the director forwards by NAT (ipvsadm -Ln shows Masq instead of Route) and "
          "whether the real server's route to the client leads over the director (ip route get); "
          "or the director itself serves the port.";
      break;
    case Oddity::kThroughOther:
      finding.message = answers + " of " + answerer.by_page + " came from another network card (" +
                        answerer.by_mac + ") than that of " + answerer.by_page;
      finding.why = "Replies take a way that nobody planned, through a router or a second card.";
      finding.remedy = "Look on " + answerer.by_page +
                       " at the route to this client (ip route get) and at its network cards.";
      break;
    case Oddity::kForeignHost:
      finding.message =
          answers + " came from " + answerer.by_mac + ", which is no real server of this service";
      finding.why = "Clients are served by a host that was not meant to serve them.";
      finding.remedy = "Remove " + answerer.by_mac +
                       " from the director's table or put it into the playbook; if it is in no "
                       "table, it has the virtual address and answers ARP for it.";
      break;
    case Oddity::kForeignMac:
      finding.host.clear();
      finding.message = answers + " came from the network card " + answerer.by_mac +
                        ", which belongs to no known host";
      finding.why = "Clients are served by a host that was not meant to serve them.";
      finding.remedy =
          "Find the host with this card (ip neigh, the switch's table). It may be "
          "another card of a real server; else it must give up the virtual address.";
      break;
    case Oddity::kNone:
      break;
  }
  return finding;
}

}  // namespace

std::vector<Finding> JudgeFailures(const ServiceCase& probed) {
  const std::size_t total = probed.result.connections.size();
  const std::size_t failed = probed.evidence.failed;
  if (failed == 0 || probed.law.kind == LawKind::kNobody) return {};
  Finding finding;
  finding.rule = "no-answer";
  if (failed == total) {
    finding.message = probed.evidence.service + ": no answer to any of " +
                      Counted(total, "connection") + ": " + ErrorsInWords(probed.result);
    finding.why = "The service is down for clients.";
    const auto turns = TurnsPerRound(probed.service);
    if (turns.size() == 1) finding.host = turns.begin()->first;
    ExplainFailures(probed, /*all_failed=*/true, finding);
    return {finding};
  }
  finding.message = probed.evidence.service + ": " + std::to_string(failed) + " of " +
                    Counted(total, "connection") +
                    " got no answer: " + ErrorsInWords(probed.result);
  auto failures = FailuresByMac(probed);
  if (failures.empty()) failures = FailuresByTurn(probed);
  const std::vector<std::string> silent = SilentServers(probed);
  if (failures.size() == 1) {
    finding.host = failures.begin()->first;
  } else if (failures.empty() && silent.size() == 1) {
    finding.host = silent.front();
  }
  const bool must_all_answer =
      probed.law.kind == LawKind::kTurns && total >= TurnsPerRound(probed.service).size();
  if (!silent.empty() && must_all_answer) {
    finding.message += "; " + JoinNames(silent) + " never answered";
  } else if (!failures.empty()) {
    std::vector<std::string> words;
    for (const auto& [name, count] : failures)
      words.push_back(name + " (" + std::to_string(count) + ")");
    finding.message += "; it was the turn of " + JoinNames(words);
  }
  finding.why = "Clients that the director sends there wait or fail.";
  ExplainFailures(probed, /*all_failed=*/false, finding);
  if (!probed.service.checked) {
    finding.why +=
        " Nobody asks the real servers of this service whether they serve, so ip_vs goes on "
        "sending connections to one that does not.";
    finding.remedy +=
        " Give the service a check (check: {tcp: {}} in the playbook): then a real "
        "server that stops leaves the table by itself.";
  }
  return {finding};
}

std::vector<Finding> JudgeHttpStatus(const ServiceCase& probed) {
  std::map<std::pair<std::string, int>, std::size_t> counts;
  for (std::size_t i = 0; i < probed.answerers.size(); ++i) {
    const int status = probed.result.connections[i].http_status;
    if (status == 0 || (status >= 200 && status < 400)) continue;
    ++counts[{probed.answerers[i].name, status}];
  }
  std::vector<Finding> findings;
  for (const auto& [key, count] : counts) {
    const auto& [name, status] = key;
    const bool known = name != kUnknownServer;
    Finding finding;
    finding.rule = "http-status";
    finding.host = known ? name : "";
    finding.message = probed.evidence.service + ": " + Counted(count, "answer") +
                      (known ? " of " + name : "") + " had the HTTP status " +
                      std::to_string(status);
    finding.why = "The connection works, but clients get an error page.";
    finding.remedy = status == 404 ? "Look whether the path that verify asks for exists on " +
                                         (known ? name : "the real servers") + "."
                                   : "See the log of the web server on " +
                                         (known ? name : "the real servers") + ".";
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding> JudgeWeightZero(const ServiceCase& probed, std::vector<std::string>& notes) {
  const auto turns = TurnsPerRound(probed.service);
  std::vector<Finding> findings;
  for (const ServerCount& server : probed.evidence.servers) {
    if (server.connections == 0 || turns.count(server.name) > 0) continue;
    const std::string what = probed.evidence.service + ": " + server.name +
                             " has weight 0 but took " +
                             Counted(server.connections, "new connection");
    if (probed.service.persistent) {
      notes.push_back(what +
                      "; with persistence a client that was there before may return "
                      "(net.ipv4.vs.expire_quiescent_template=1 ends that)");
      continue;
    }
    Finding finding;
    finding.rule = "weight-zero";
    finding.host = server.name;
    finding.message = what;
    finding.why = "A drained server still gets clients and cannot be stopped without losing them.";
    finding.remedy =
        "Compare its weight on the director (ipvsadm -Ln) with the playbook; if it is 0 there, the "
        "client reaches the server without the director: see who answers ARP for the address.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding> JudgeTimeToLive(const ServiceCase& probed) {
  // What systems begin with; anything else was counted down by a router.
  constexpr std::array kInitial = {32, 64, 128, 255};
  std::map<std::pair<std::string, int>, std::size_t> counts;
  for (std::size_t i = 0; i < probed.answerers.size(); ++i) {
    const int ttl = probed.result.connections[i].reply_ttl;
    const Answerer& answerer = probed.answerers[i];
    const bool own_card = answerer.expected && answerer.by_mac == answerer.name;
    const bool initial = std::find(kInitial.begin(), kInitial.end(), ttl) != kInitial.end();
    if (ttl != 0 && own_card && !initial) ++counts[{answerer.name, ttl}];
  }
  std::vector<Finding> findings;
  for (const auto& [key, count] : counts) {
    const auto& [name, ttl] = key;
    findings.push_back(
        {.rule = "reply-ttl",
         .host = name,
         .message = probed.evidence.service + ": " + Counted(count, "answer") + " of " + name +
                    " came in with a time to live of " + std::to_string(ttl) +
                    ", so a router has touched them",
         .why = "With direct routing answers go straight to the client; a detour costs time and "
                "depends on one more host.",
         .remedy = "Look on " + name + " at the route to this client (ip route get)."});
  }
  return findings;
}

std::vector<Finding> JudgeUploads(const ServiceCase& probed, const std::vector<Answerer>& answerers,
                                  std::vector<std::string>& notes) {
  std::vector<Finding> findings;
  std::map<int, std::size_t> refused;
  for (std::size_t i = 0; i < answerers.size(); ++i) {
    const ProbeConnection& upload = probed.result.uploads[i];
    if (upload.error) {
      const std::string host = probed.service.servers.size() == 1
                                   ? probed.service.servers.front().name
                                   : answerers[i].by_mac;
      findings.push_back(
          {.rule = "segment-size",
           .host = host,
           .message = probed.evidence.service + ": a request of " +
                      std::to_string(kUploadBytes / 1024) +
                      " KiB in full segments got no answer (" + upload.error->message +
                      "), though small ones do",
           .why = "Clients that send much (uploads, long forms) hang.",
           .remedy = "A part of the way takes only smaller packets: compare the MTU of all links "
                     "from the client over the director to " +
                     (host.empty() ? std::string("the real servers") : host) +
                     " (tunnels need room for their header), let ICMP \"fragmentation needed\" "
                     "pass, and turn large receive offload off on the director (ethtool -K "
                     "INTERFACE lro off)."});
    } else if (upload.http_status >= 400) {
      ++refused[upload.http_status];
    }
  }
  for (const auto& [status, count] : refused) {
    notes.push_back(
        probed.evidence.service + ": " + Counted(count, "large request") +
        " was answered with HTTP " + std::to_string(status) +
        ": the server did not have to read it, so it proves little about full segments");
  }
  return findings;
}

std::vector<Finding> JudgeOddities(const ServiceCase& probed) {
  using Key = std::tuple<Oddity, std::string, std::string>;
  std::map<Key, std::size_t> counts;
  for (const Answerer& answerer : probed.answerers) {
    if (answerer.oddity == Oddity::kNone) continue;
    ++counts[{answerer.oddity, answerer.by_mac, answerer.by_page}];
  }
  std::vector<Finding> findings;
  for (const auto& [key, count] : counts) {
    Answerer answerer;
    std::tie(answerer.oddity, answerer.by_mac, answerer.by_page) = key;
    findings.push_back(DescribeOddity(probed.evidence.service, answerer, count));
  }
  return findings;
}

}  // namespace drover
