#include "orchestrator/verify/judge.h"

#include <algorithm>

#include "orchestrator/verify/arp_law.h"
#include "orchestrator/verify/connection_law.h"
#include "orchestrator/verify/distribution_law.h"
#include "orchestrator/verify/identity.h"
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

std::vector<Answerer> IdentifyAll(const Identifier& identifier, const ProbeServiceResult& result) {
  std::vector<Answerer> answerers;
  answerers.reserve(result.connections.size());
  for (const ProbeConnection& connection : result.connections) {
    answerers.push_back(identifier.Identify(connection));
  }
  return answerers;
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

void JudgeService(const VerifyExpectation& expectation, const ExpectedService& service,
                  const ProbeServiceResult& result, const MacDirectory& macs,
                  VerifyReport& report) {
  const std::vector<Answerer> answerers =
      IdentifyAll(Identifier(expectation, service, macs), result);
  ServiceEvidence evidence = Count(service, result, answerers);
  const ServiceCase probed{service, result, answerers, evidence, LawOf(service)};
  evidence.law = probed.law.text;

  std::vector<Finding> findings = JudgeFailures(probed);
  Append(findings, JudgeHttpStatus(probed));
  std::vector<Finding> wrong = JudgeWeightZero(probed, report.notes);
  Append(wrong, JudgeOddities(probed));
  const std::size_t unknown = CountUnknown(evidence);
  const bool foreign = std::any_of(answerers.begin(), answerers.end(), [](const Answerer& a) {
    return a.oddity == Oddity::kForeignHost || a.oddity == Oddity::kForeignMac;
  });
  const bool drained_answered = std::any_of(wrong.begin(), wrong.end(), [](const Finding& finding) {
    return finding.rule == "weight-zero";
  });
  const bool answered = evidence.failed < evidence.connections;
  if (unknown > 0) {
    evidence.law = "not judged: " + std::to_string(unknown) + " of " +
                   Counted(evidence.connections - evidence.failed, "answer") +
                   " do not tell who gave them";
    report.notes.push_back(
        evidence.service +
        ": the real server of a connection is told by its MAC on the probe's own network, or by a "
        "page that names the server; neither was there. Give verify an http path whose page does.");
  } else if (foreign || drained_answered) {
    evidence.law = "not judged: somebody answered who should not";
  } else if (auto finding = JudgeDistribution(service, probed.law, evidence)) {
    findings.push_back(*std::move(finding));
  }
  if (probed.law.kind == LawKind::kNobody && answered && wrong.empty()) {
    wrong.push_back(AnsweredThoughNobodyShould(evidence));
  }
  Append(findings, std::move(wrong));
  Append(report.findings, std::move(findings));
  report.services.push_back(std::move(evidence));
}

}  // namespace

VerifyReport Judge(const VerifyExpectation& expectation, const ProbeOutcome& outcome) {
  VerifyReport report;
  const MacDirectory macs(outcome.peers);
  for (const ExpectedService& service : expectation.services) {
    const auto result =
        std::find_if(outcome.services.begin(), outcome.services.end(),
                     [&](const ProbeServiceResult& r) { return r.service == service.key; });
    if (result == outcome.services.end() || result->connections.empty()) {
      report.notes.push_back(ToString(ServiceKey(service.key)) + ": not probed" +
                             (service.key.transport == Transport::kTcp
                                  ? ""
                                  : ", only TCP services are probed with connections"));
      continue;
    }
    JudgeService(expectation, service, *result, macs, report);
  }
  JudgeArp(expectation, outcome.arp, macs, report);
  return report;
}

}  // namespace drover
