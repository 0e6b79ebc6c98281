#include "node-helper/daemon/metrics.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "tests/node-helper/store/samples.h"

namespace drover {
namespace {

NodeStatus Busy() {
  NodeStatus status;
  status.version = "0.1.0";
  for (const char* name : {"web", "d\"n\\s\n"}) {
    InstanceStatus instance;
    instance.name = name;
    instance.state = "master";
    instance.priority = 150;
    instance.last_heard = std::chrono::milliseconds{250};
    instance.counters = {{"sent", 17}, {"transitions", 2}, {"refused_ttl", 3}, {"refused_vrid", 1}};
    status.instances.push_back(instance);
  }
  ServiceStatus service;
  service.service = Web().key;
  service.connections = 123456789012;
  for (const Destination& destination : Web().destinations) {
    ServerStatus server;
    server.endpoint = destination.endpoint();
    server.checks = {CheckStatus{"tcp", true, true, "", std::chrono::microseconds{250}},
                     CheckStatus{"http", false, true, "500", std::chrono::microseconds{1500}}};
    service.servers.push_back(server);
  }
  status.services = {service};
  status.trackers = {TrackerStatus{"uplink", true, true}};
  status.sync = SyncStatus{{"master"}, 10, {SyncPeerStatus{"10.0.0.2", 9, 0.5}}};
  return status;
}

// The rules of the text format: every line is a comment or a sample; HELP and TYPE come once and
// before their samples; samples of a family are together; no series comes twice; it ends with a
// newline.
void ExpectValid(const std::string& page) {
  static const std::regex sample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\\\|\\"|\\n)*",?)*\})? (-?[0-9.]+(e[+-]?[0-9]+)?))re");
  static const std::regex comment(R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))");
  ASSERT_FALSE(page.empty());
  EXPECT_EQ(page.back(), '\n');
  std::set<std::string> typed;
  std::set<std::string> series;
  std::string current;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, comment)) {
      EXPECT_TRUE(match[1] == "TYPE" || !typed.contains(match[2])) << line;
      if (match[1] == "TYPE") {
        EXPECT_TRUE(typed.insert(match[2]).second) << line;
        EXPECT_TRUE(match[3] == "gauge" || match[3] == "counter") << line;
        EXPECT_EQ(match[3] == "counter", match[2].str().ends_with("_total")) << line;
        current = match[2];
      }
      continue;
    }
    ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
    EXPECT_EQ(match[1], current) << line;
    EXPECT_TRUE(series.insert(line.substr(0, line.rfind(' '))).second) << line;
  }
  EXPECT_GT(series.size(), 5U);
}

TEST(Metrics, ThePageIsWellFormedWhateverTheNames) {
  ProcessNumbers numbers;
  numbers.cpu_seconds = 1234.5678;
  numbers.probes = {{"tcp_started", 5}, {"tcp_failed", 1}};
  ExpectValid(MetricsText(Busy(), numbers));
  ExpectValid(MetricsText(NodeStatus(), ProcessNumbers()));
}

TEST(Metrics, NumbersAreThere) {
  const std::string page = MetricsText(Busy(), ProcessNumbers());
  for (const char* line :
       {"drover_vrrp_state{instance=\"web\",state=\"master\"} 1\n",
        "drover_vrrp_state{instance=\"web\",state=\"backup\"} 0\n",
        "drover_vrrp_refused_total{instance=\"web\",reason=\"ttl\"} 3\n",
        "drover_vrrp_sent_total{instance=\"web\"} 17\n",
        "drover_service_connections_total{service=\"tcp 10.0.0.100:80\"} 123456789012\n",
        "check=\"1-http\"} 0.0015\n", "drover_sync_held_ratio{peer=\"10.0.0.2\"} 0.5\n"}) {
    EXPECT_NE(page.find(line), std::string::npos) << line << "\n" << page;
  }
}

TEST(Metrics, RequestsAreReadWholeOrNotAtAll) {
  struct Case {
    const char* text;
    MetricsRequest want;
  };
  const Case cases[] = {
      {"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", MetricsRequest::kMetrics},
      {"GET /metrics?a=b HTTP/1.0\r\n\r\n", MetricsRequest::kMetrics},
      {"GET / HTTP/1.1\r\n\r\n", MetricsRequest::kOther},
      {"POST /metrics HTTP/1.1\r\n\r\n", MetricsRequest::kBad},
      {"\r\n\r\n", MetricsRequest::kBad},
      {"GET /metrics\r\n\r\n", MetricsRequest::kBad},
      {"GET  HTTP/1.1\r\n\r\n", MetricsRequest::kBad},
      {"GET /metrics HTTP/1.1\r\n", MetricsRequest::kIncomplete},
      {"", MetricsRequest::kIncomplete},
  };
  for (const Case& test : cases) {
    std::string received = test.text;
    EXPECT_EQ(TakeHttpRequest(received), test.want) << test.text;
  }
  const std::string response = HttpResponse(200, "text/plain", "body\n");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(response.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(response.ends_with("\r\n\r\nbody\n"));
}

TEST(Metrics, ProcessTimesAreReadBehindNamesWithBlanks) {
  const auto numbers = ParseProcStat(
      "42 (node )helper) S 1 42 42 0 -1 4194304 1000 0 0 0 150 50 0 0 20 0 3 0 100 12345678 256 "
      "18446744073709551615 1 1",
      100, 4096);
  ASSERT_TRUE(numbers);
  EXPECT_DOUBLE_EQ(numbers->cpu_seconds, 2.0);
  EXPECT_EQ(numbers->resident_bytes, 256U * 4096U);
  EXPECT_FALSE(ParseProcStat("", 100, 4096));
  EXPECT_FALSE(ParseProcStat("42 (x) S 1", 100, 4096));
}

}  // namespace
}  // namespace drover
