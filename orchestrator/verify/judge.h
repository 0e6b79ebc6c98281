// Holds the evidence of a probe against what was expected, and says what is wrong, where, why it
// matters, how to mend it. What the hosts say of themselves is judged by cluster_law.h.
//
// Pure, so that stored evidence can be judged again.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/verify/expectation.h"
#include "protocol/event.h"

namespace drover {

struct Finding {
  std::string rule;     // "rr-distribution", "arp-owner", "no-answer", …
  std::string host;     // whom it is about; may be empty
  std::string message;  // what is wrong
  std::string why;      // what it leads to
  std::string remedy;   // what to do
};

// One law that was held against one thing: a test case of the report.
struct Check {
  std::string law;      // "answers", "distribution", "arp", "counters", …
  std::string subject;  // service, VIP or host
  std::vector<Finding> findings;
  std::string skipped;  // why it could not be judged; empty: it was
};

struct ServerCount {
  std::string name;
  std::uint32_t connections = 0;
};

// Per service: how many connections each real server took, and the latency of answers.
struct ServiceEvidence {
  std::string service;  // "tcp 10.0.0.100:80"
  std::uint32_t connections = 0;
  std::uint32_t failed = 0;
  std::vector<ServerCount> servers;   // in the order of the table
  std::vector<std::string> sequence;  // real server of each connection; "-" where none answered
  std::chrono::microseconds median{0};
  std::chrono::microseconds p99{0};
  std::chrono::microseconds max{0};
  std::string law;  // "exact: rr" or why the distribution is not judged
  // Connections beside these, with a large request; who answered them.
  std::vector<std::string> uploads = {};
  std::vector<std::string> later = {};  // after persistence was over; likewise
};

struct VerifyReport {
  std::vector<ServiceEvidence> services;
  std::vector<std::string> arp;    // one line per VIP: who answered
  std::vector<std::string> notes;  // what could not be checked from here, and why
  std::vector<Finding> findings;   // of all checks, in their order
  std::vector<Check> checks = {};
  [[nodiscard]] bool ok() const { return findings.empty(); }

  // Adds a check, and its findings to the list of all.
  void Add(Check check);
};

// What else is known when the directors were looked at, for one service.
struct TableBefore {
  SocketKey service;
  // Of the active director right before the probe, in the order of the expected servers.
  std::vector<std::uint32_t> active;
  std::vector<std::uint32_t> inactive;
  bool foreign_traffic = false;  // its counters say that others connected meanwhile
};

VerifyReport Judge(const VerifyExpectation& expectation, const ProbeOutcome& outcome,
                   const std::vector<TableBefore>& tables = {});

}  // namespace drover
