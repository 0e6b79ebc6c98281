// Builds expectations and evidence for the tests of verify: a cluster of two directors, three real
// servers and a database host, and probes of it written as "rs1 rs2 rs3 -".
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "orchestrator/verify/judge.h"

namespace drover::verify_test {

inline const SocketKey kWeb{Transport::kTcp, *IpAddress::Parse("10.0.0.100"), 80};

inline ExpectedServer Server(const std::string& name, const std::string& address,
                             std::uint32_t weight = 1, Forwarding forward = Forwarding::kDr) {
  return {
      name,
      {.address = *IpAddress::Parse(address), .port = 80, .forward = forward, .weight = weight}};
}

inline ExpectedService Service(const std::string& scheduler = "rr") {
  return {.key = kWeb,
          .scheduler = scheduler,
          .persistent = false,
          .servers = {Server("rs1", "10.0.0.11"), Server("rs2", "10.0.0.12"),
                      Server("rs3", "10.0.0.13")},
          .scheduler_flags = {}};
}

inline VerifyExpectation Expect(ExpectedService service = Service()) {
  return {.services = {std::move(service)},
          .directors = {"lb1", "lb2"},
          .real_servers = {"rs1", "rs2", "rs3"}};
}

inline std::string Mac(const std::string& host) {
  static const std::vector<std::string> kHosts = {"lb1", "lb2", "rs1", "rs2", "rs3", "db1"};
  for (std::size_t i = 0; i < kHosts.size(); ++i) {
    if (kHosts[i] == host) return "02:00:00:00:00:0" + std::to_string(i + 1);
  }
  return host;  // spelled as a MAC
}

// What one connection showed: MAC of `by_mac`'s host and a page of `page`'s.
inline ProbeConnection Answer(const std::string& by_mac, const std::string& page = "") {
  ProbeConnection connection;
  connection.reply_mac = by_mac.empty() ? "" : Mac(by_mac);
  connection.body = page;
  connection.http_status = page.empty() ? 0 : 200;
  connection.connect_time = std::chrono::microseconds(200);
  connection.total_time = std::chrono::microseconds(1000);
  return connection;
}

inline ProbeConnection NoAnswer(const std::string& why = "timed out after 2 s") {
  ProbeConnection connection;
  connection.error = Error{ErrorCode::kTimeout, why};
  return connection;
}

// "rs1 rs2 - rs1": who answered each connection by its own MAC; "-" nobody did.
inline std::vector<ProbeConnection> Connections(const std::string& sequence, int times = 1) {
  std::vector<ProbeConnection> connections;
  for (int i = 0; i < times; ++i) {
    std::istringstream words(sequence);
    for (std::string word; words >> word;) {
      connections.push_back(word == "-" ? NoAnswer() : Answer(word));
    }
  }
  return connections;
}

inline ProbeOutcome Outcome(std::vector<ProbeConnection> connections) {
  ProbeOutcome outcome;
  outcome.services = {{kWeb, std::move(connections)}};
  outcome.arp = {{.vip = kWeb.address,
                  .on_link = true,
                  .local = false,
                  .interface = "eth0",
                  .answers = {{Mac("lb1"), 4}}}};
  for (const char* host : {"lb1", "lb2", "rs1", "rs2", "rs3", "db1"}) {
    outcome.peers.push_back({host, Mac(host), "eth0"});
  }
  return outcome;
}

// "rule@host" of each finding, in order, with blanks between.
inline std::string Rules(const VerifyReport& report) {
  std::string rules;
  for (const Finding& finding : report.findings) {
    rules += (rules.empty() ? "" : " ") + finding.rule;
    if (!finding.host.empty()) rules += "@" + finding.host;
  }
  return rules;
}

}  // namespace drover::verify_test
