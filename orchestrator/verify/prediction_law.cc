#include "orchestrator/verify/prediction_law.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "orchestrator/verify/chi_square.h"
#include "orchestrator/verify/hash_scheduler.h"
#include "orchestrator/verify/identity.h"
#include "orchestrator/verify/least_scheduler.h"
#include "orchestrator/verify/wording.h"

namespace drover {
namespace {

// The chance that a right twos is called wrong.
constexpr double kAlpha = 0.001;
constexpr double kLeastExpected = 5;
// A connection that was reset leaves the table after 10 s, so what was replayed ends there.
constexpr std::chrono::seconds kReplayHolds{9};

// The first connection that went elsewhere than told, in words; empty when all went as told. Who
// did not answer may have been sent anywhere.
std::string FirstMiss(const std::vector<std::string>& told, const std::vector<std::string>& seen,
                      std::size_t& misses) {
  std::string first;
  for (std::size_t i = 0; i < seen.size() && i < told.size(); ++i) {
    if (seen[i] == kNoAnswer || seen[i] == told[i]) continue;
    ++misses;
    if (first.empty()) {
      first = "connection " + std::to_string(i + 1) + " went to " + seen[i] +
              (told[i] == kNoAnswer ? ", where none should take it" : ", not to " + told[i]);
    }
  }
  return first;
}

// With sh and mh without a fallback the kernel refuses the clients of a drained server.
std::size_t RefusedByDesign(const std::vector<std::string>& told) {
  return static_cast<std::size_t>(std::count(told.begin(), told.end(), std::string(kNoAnswer)));
}

Finding Elsewhere(const ServiceEvidence& evidence, const std::string& scheduler,
                  const std::string& miss, std::size_t misses) {
  return Finding{
      .rule = scheduler + "-distribution",
      .host = "",
      .message = evidence.service + ": " + std::to_string(misses) + " of " +
                 Counted(evidence.connections, "connection") + " did not go where " + scheduler +
                 " sends them by its table: " + miss,
      .why =
          "The director does not have the table that it should have; after a failover clients "
          "would land on other real servers.",
      .remedy =
          "Compare scheduler, flags, weights and the order of the real servers on the "
          "directors (ipvsadm -Ln) with the playbook; a rollout puts them right."};
}

}  // namespace

Prediction JudgeHashing(const ExpectedService& service, const ServiceEvidence& evidence,
                        const ProbeServiceResult& result) {
  const auto source = IpAddress::Parse(result.source);
  const auto scheduler = HashScheduler::Of(service);
  if (!source || !scheduler) {
    return {std::nullopt, "not judged: no connection went out", ""};
  }
  std::vector<std::string> told;
  for (const ProbeConnection& connection : result.connections) {
    const auto server = scheduler->Choose(*source, connection.local_port);
    told.push_back(server ? service.servers[*server].name : std::string(kNoAnswer));
  }
  std::size_t misses = 0;
  const std::string miss = FirstMiss(told, evidence.sequence, misses);
  Prediction prediction{std::nullopt, "exact: " + service.scheduler + ", each connection predicted",
                        ""};
  if (const std::size_t refused = RefusedByDesign(told); refused > 0) {
    prediction.note = evidence.service + ": " + service.scheduler + " sends " +
                      Counted(refused, "connection") +
                      " of this probe to a real server without weight and refuses them, because "
                      "the service has no " +
                      service.scheduler + "-fallback flag";
  }
  if (misses == 0) return prediction;
  // The order of the playbook need not be that of the table (a server added later stands last).
  if (!service.order_seen) {
    prediction.law = "one server: " + service.scheduler +
                     "; which one depends on the table's order, which was not seen";
    return prediction;
  }
  prediction.finding = Elsewhere(evidence, service.scheduler, miss, misses);
  return prediction;
}

Prediction JudgeLeast(const ExpectedService& service, const ServiceEvidence& evidence,
                      const TableBefore* table) {
  const std::string& name = service.scheduler;
  if (table == nullptr || table->active.size() != service.servers.size()) {
    return {std::nullopt,
            "members only: " + name + " chooses by the connections that all clients have open", ""};
  }
  std::vector<OpenConnections> open;
  bool empty = true;
  for (std::size_t i = 0; i < table->active.size(); ++i) {
    open.push_back({table->active[i], table->inactive[i]});
    empty = empty && table->active[i] + table->inactive[i] == 0;
  }
  const std::vector<std::string> told = ReplayLeast(service, open, evidence.sequence.size());
  std::size_t misses = 0;
  const std::string miss = FirstMiss(told, evidence.sequence, misses);
  if (misses == 0) {
    return {std::nullopt, "exact: " + name + ", replayed from the director's table", ""};
  }
  const bool long_one = evidence.median * evidence.connections > kReplayHolds;
  const bool exact = empty && !table->foreign_traffic && !long_one && evidence.failed == 0;
  if (!exact) {
    const std::string why = table->foreign_traffic ? "other clients connected meanwhile"
                            : !empty   ? "the table held connections that may have ended meanwhile"
                            : long_one ? "the probe took longer than ended connections stay"
                                       : "some connections failed";
    return {std::nullopt, "inexact: " + name + ", " + why,
            evidence.service + ": " + std::to_string(misses) + " of " +
                Counted(evidence.connections, "connection") +
                " went to another real server than the replay of the table tells; " + why};
  }
  return {Elsewhere(evidence, name, miss, misses),
          "exact: " + name + ", replayed from the director's table", ""};
}

Prediction JudgeShares(const ExpectedService& service, const ServiceEvidence& evidence) {
  std::vector<Cell> cells;
  for (const auto& [name, turns] : TurnsPerRound(service)) {
    const auto server =
        std::find_if(evidence.servers.begin(), evidence.servers.end(),
                     [name = name](const ServerCount& one) { return one.name == name; });
    cells.push_back(
        {server == evidence.servers.end() ? 0 : server->connections, static_cast<double>(turns)});
  }
  if (cells.size() < 2) return {std::nullopt, "members only: there is one real server", ""};
  const ChiSquare test = TestShares(cells);
  std::array<char, 96> text{};
  if (test.least_expected < kLeastExpected) {
    return {std::nullopt, "members only: too few connections for a test of shares", ""};
  }
  std::snprintf(text.data(), text.size(), "chi-square %.2f, p %.4f, alpha %.3f", test.statistic,
                test.p_value, kAlpha);
  const std::string law = service.scheduler + " by " + text.data();
  if (test.p_value >= kAlpha) return {std::nullopt, law, ""};
  return {Finding{.rule = service.scheduler + "-distribution",
                  .host = "",
                  .message = evidence.service + ": the shares are not those of " +
                             service.scheduler + " (" + text.data() + ")",
                  .why = "Some servers carry more than their share.",
                  .remedy = "Compare the weights on the director (ipvsadm -Ln) with the playbook; "
                            "servers with many open connections get fewer new ones by design, so "
                            "repeat it in a quiet moment."},
          law, ""};
}

}  // namespace drover
