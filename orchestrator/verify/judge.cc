#include "orchestrator/verify/judge.h"

#include <algorithm>

#include "orchestrator/verify/arp_law.h"
#include "orchestrator/verify/connection_law.h"
#include "orchestrator/verify/distribution_law.h"
#include "orchestrator/verify/hash_scheduler.h"
#include "orchestrator/verify/identity.h"
#include "orchestrator/verify/persistence_law.h"
#include "orchestrator/verify/prediction_law.h"
#include "orchestrator/verify/wording.h"

namespace drover {
namespace {

// Nearest rank: the smallest value that at least `percent` of all do not exceed.
std::chrono::microseconds Percentile(const std::vector<std::chrono::microseconds>& sorted,
                                     std::size_t percent) {
  if (sorted.empty()) return std::chrono::microseconds{0};
  const std::size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

std::vector<Answerer> IdentifyAll(const Identifier& identifier,
                                  const std::vector<ProbeConnection>& connections) {
  std::vector<Answerer> answerers;
  answerers.reserve(connections.size());
  for (const ProbeConnection& connection : connections) {
    answerers.push_back(identifier.Identify(connection));
  }
  return answerers;
}

std::vector<std::string> NamesOf(const std::vector<Answerer>& answerers) {
  std::vector<std::string> names;
  names.reserve(answerers.size());
  for (const Answerer& answerer : answerers) names.push_back(answerer.name);
  return names;
}

// The numbers alone, without judging them.
ServiceEvidence Count(const ExpectedService& service, const ProbeServiceResult& result,
                      const std::vector<Answerer>& answerers) {
  ServiceEvidence evidence;
  evidence.service = ToString(ServiceKey(service.key));
  for (const ExpectedServer& server : service.servers) {
    const bool seen = std::any_of(evidence.servers.begin(), evidence.servers.end(),
                                  [&](const ServerCount& s) { return s.name == server.name; });
    if (!seen) evidence.servers.push_back({server.name, 0});
  }
  std::vector<std::chrono::microseconds> times;
  for (std::size_t i = 0; i < answerers.size(); ++i) {
    ++evidence.connections;
    evidence.sequence.push_back(answerers[i].name);
    if (result.connections[i].error) {
      ++evidence.failed;
      continue;
    }
    times.push_back(result.connections[i].total_time);
    for (ServerCount& server : evidence.servers) {
      if (server.name == answerers[i].name) ++server.connections;
    }
  }
  std::sort(times.begin(), times.end());
  evidence.median = Percentile(times, 50);
  evidence.p99 = Percentile(times, 99);
  evidence.max = Percentile(times, 100);
  return evidence;
}

void Append(std::vector<Finding>& all, std::vector<Finding> more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
}

// How many answers nothing tells the server of.
std::size_t CountUnknown(const ServiceEvidence& evidence) {
  return static_cast<std::size_t>(
      std::count(evidence.sequence.begin(), evidence.sequence.end(), kUnknownServer));
}

Finding AnsweredThoughNobodyShould(const ServiceEvidence& evidence) {
  return Finding{.rule = "weight-zero",
                 .host = "",
                 .message = evidence.service + ": " +
                            Counted(evidence.connections - evidence.failed, "connection") +
                            " got an answer, though no real server has a weight above 0",
                 .why = "Drained servers still get clients.",
                 .remedy =
                     "Compare the weights on the director (ipvsadm -Ln) with the playbook; a "
                     "rollout puts them right."};
}

// The law of the distribution; what it is called, and what the reader should know, is filled in.
std::optional<Finding> JudgeByLaw(const ServiceCase& probed, const TableBefore* table,
                                  ServiceEvidence& evidence, std::vector<std::string>& notes) {
  if (!IsPredicted(probed.law.kind)) {
    return JudgeDistribution(probed.service, probed.law, evidence);
  }
  if (evidence.failed == evidence.connections) return std::nullopt;
  Prediction prediction =
      probed.law.kind == LawKind::kHashed  ? JudgeHashing(probed.service, evidence, probed.result)
      : probed.law.kind == LawKind::kLeast ? JudgeLeast(probed.service, evidence, table)
                                           : JudgeShares(probed.service, evidence);
  evidence.law = prediction.law;
  if (!prediction.note.empty()) notes.push_back(prediction.note);
  if (prediction.finding) return prediction.finding;
  const bool one = probed.law.kind == LawKind::kHashed && !HashesPorts(probed.service);
  if (!one) return std::nullopt;
  // Whichever it is, it is one.
  return JudgeDistribution(probed.service, {LawKind::kOneServer, ""}, evidence);
}

const TableBefore* FindTable(const std::vector<TableBefore>& tables, const SocketKey& service) {
  const auto found = std::find_if(tables.begin(), tables.end(), [&](const TableBefore& table) {
    return table.service == service;
  });
  return found == tables.end() ? nullptr : &*found;
}

class ServiceJudge {
 public:
  ServiceJudge(const VerifyExpectation& expectation, const ExpectedService& service,
               const ProbeServiceResult& result, const MacDirectory& macs, const TableBefore* table,
               VerifyReport& report)
      : identifier_(expectation, service, macs),
        answerers_(IdentifyAll(identifier_, result.connections)),
        evidence_(Count(service, result, answerers_)),
        probed_{service, result, answerers_, evidence_, LawOf(service)},
        table_(table),
        report_(report) {
    evidence_.law = probed_.law.text;
  }

  void Run() {
    const auto add = [this](const std::string& law, std::vector<Finding> findings,
                            std::string skipped = "") {
      report_.Add({law, evidence_.service, std::move(findings), std::move(skipped)});
    };
    std::vector<Finding> answers = JudgeFailures(probed_);
    Append(answers, JudgeHttpStatus(probed_));
    add("answers", std::move(answers));
    std::vector<Finding> drained = JudgeWeightZero(probed_, report_.notes);
    std::vector<Finding> odd = JudgeOddities(probed_);
    AddDistribution(!drained.empty());
    const bool answered = evidence_.failed < evidence_.connections;
    if (probed_.law.kind == LawKind::kNobody && answered && drained.empty() && odd.empty()) {
      drained.push_back(AnsweredThoughNobodyShould(evidence_));
    }
    if (!probed_.service.own) add("weight-zero", std::move(drained));
    Append(odd, JudgeTimeToLive(probed_));
    add("reply-path", std::move(odd));
    if (probed_.service.persistent) {
      const auto takers = IdentifyAll(identifier_, probed_.result.later);
      evidence_.later = NamesOf(takers);
      report_.Add(JudgePersistenceEnd(probed_, takers, table_));
    }
    const auto takers = IdentifyAll(identifier_, probed_.result.uploads);
    evidence_.uploads = NamesOf(takers);
    if (!takers.empty() && evidence_.failed > 0) {
      add("segment-size", {}, "small requests failed too");
    } else if (!takers.empty()) {
      add("segment-size", JudgeUploads(probed_, takers, report_.notes));
    } else if (answered && probed_.service.key.transport == Transport::kTcp) {
      add("segment-size", {}, "no HTTP path to send a large request to");
    }
    report_.services.push_back(std::move(evidence_));
  }

 private:
  void AddDistribution(bool drained_answered) {
    const std::size_t unknown = CountUnknown(evidence_);
    const bool foreign = std::any_of(answerers_.begin(), answerers_.end(), [](const Answerer& a) {
      return a.oddity == Oddity::kForeignHost || a.oddity == Oddity::kForeignMac;
    });
    Check check{"distribution", evidence_.service, {}, ""};
    if (unknown > 0) {
      check.skipped = std::to_string(unknown) + " of " +
                      Counted(evidence_.connections - evidence_.failed, "answer") +
                      " do not tell who gave them";
      report_.notes.push_back(
          evidence_.service +
          ": the real server of a connection is told by its MAC on the probe's own network, or by "
          "a page that names the server; neither was there. Give verify an http path whose page "
          "does.");
    } else if (foreign || drained_answered) {
      check.skipped = "somebody answered who should not";
    } else if (auto finding = JudgeByLaw(probed_, table_, evidence_, report_.notes)) {
      check.findings.push_back(*std::move(finding));
    }
    if (!check.skipped.empty()) evidence_.law = "not judged: " + check.skipped;
    report_.Add(std::move(check));
  }

  const Identifier identifier_;
  const std::vector<Answerer> answerers_;
  ServiceEvidence evidence_;
  const ServiceCase probed_;
  const TableBefore* table_;
  VerifyReport& report_;
};

void JudgeRedirects(const std::vector<RedirectsSeen>& redirects, const MacDirectory& macs,
                    VerifyReport& report) {
  Check check{"icmp-redirects", "probe", {}, ""};
  for (const RedirectsSeen& seen : redirects) {
    const std::string host = macs.HostOf(seen.mac).value_or("");
    const std::string who = host.empty() ? seen.from + " (" + seen.mac + ")" : host;
    check.findings.push_back(
        {.rule = "icmp-redirect",
         .host = host,
         .message = who + " told the client " + Counted(seen.count, "time") +
                    " by ICMP redirect to send somewhere else",
         .why = "A client that obeys sends its packets past the director and breaks its "
                "connections.",
         .remedy = "Set net.ipv4.conf.all.send_redirects=0 and the same of the interface and of "
                   "\"default\" on " +
                   who + ", best in the playbook."});
  }
  report.Add(std::move(check));
}

std::string WhyNotAsked(const ExpectedService& service) {
  return service.key.transport == Transport::kUdp
             ? ", nothing tells what to ask: a check {dns: ...} or {udp: {payload, expect}} does"
             : ", only TCP and UDP are";
}

}  // namespace

void VerifyReport::Add(Check check) {
  findings.insert(findings.end(), check.findings.begin(), check.findings.end());
  checks.push_back(std::move(check));
}

VerifyReport Judge(const VerifyExpectation& expectation, const ProbeOutcome& outcome,
                   const std::vector<TableBefore>& tables) {
  VerifyReport report;
  const MacDirectory macs(outcome.peers);
  for (const ExpectedService& service : expectation.services) {
    const auto result =
        std::find_if(outcome.services.begin(), outcome.services.end(),
                     [&](const ProbeServiceResult& r) { return r.service == service.key; });
    if (result == outcome.services.end() || result->connections.empty()) {
      const std::string why = service.key.transport == Transport::kTcp ? "" : WhyNotAsked(service);
      report.notes.push_back(ToString(ServiceKey(service.key)) + ": not probed" + why);
      report.Add({"answers", ToString(ServiceKey(service.key)), {}, "not probed" + why});
      continue;
    }
    ServiceJudge(expectation, service, *result, macs, FindTable(tables, service.key), report).Run();
  }
  JudgeArp(expectation, outcome.arp, macs, report);
  JudgeRedirects(outcome.redirects, macs, report);
  return report;
}

}  // namespace drover
