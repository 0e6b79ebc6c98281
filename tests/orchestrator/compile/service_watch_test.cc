// virtual_service with checks: what the node is told to ask, and what is wrong at its place.
#include "tests/orchestrator/compile/cluster.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string Service(const std::string& more) {
  return "virtual_service: {address: '10.0.0.1:80', real_servers: [rs1, rs2], " + more + "}";
}

ServiceWatch WatchOf(const std::string& more) {
  const auto state = StateOf(Service(more));
  EXPECT_EQ(state.watches.size(), 1U) << more;
  return state.watches.empty() ? ServiceWatch{} : state.watches.front();
}

CheckSettings CheckOf(const std::string& check) {
  const auto watch = WatchOf("check: " + check);
  EXPECT_EQ(watch.checks.size(), 1U) << check;
  return watch.checks.empty() ? CheckSettings{} : watch.checks.front();
}

TEST(ServiceWatchReading, EveryKindOfCheck) {
  EXPECT_EQ(CheckOf("{tcp: {}}").kind, CheckKind(TcpCheck{}));
  EXPECT_EQ(CheckOf("tcp").kind, CheckKind(TcpCheck{}));
  EXPECT_EQ(CheckOf("{ping: }").kind, CheckKind(PingCheck{}));
  EXPECT_EQ(CheckOf("{smtp: {helo: mx.example}}").kind, CheckKind(SmtpCheck{"mx.example"}));
  EXPECT_EQ(CheckOf("{dns: {name: example.com, type: A}}").kind,
            CheckKind(DnsCheck{"example.com", "A"}));
  EXPECT_EQ(CheckOf("{udp: {payload: ping, expect_hex: 00ff}}").kind,
            CheckKind(UdpCheck{"ping", std::string("\0\xff", 2)}));
  EXPECT_EQ(CheckOf("{script: {argv: [/bin/check, -v], sets_weight: true}}").kind,
            CheckKind(ScriptCheck{{"/bin/check", "-v"}, true}));
  EXPECT_EQ(CheckOf("{script: /bin/check -v}").kind,
            CheckKind(ScriptCheck{{"/bin/check", "-v"}, false}));
}

TEST(ServiceWatchReading, EveryWordOfHttp) {
  HttpCheck want;
  want.tls = true;
  want.path = "/health?full=1";
  want.host = "www.example.com";
  want.headers = {{"X-Probe", "drover"}};
  want.status = {{200, 200}, {301, 302}};
  want.body_regex = "^ok";
  want.weight_header = "X-Weight";
  want.tls_verify = true;
  want.tls_ca = "/etc/ssl/ca.pem";
  want.sni = "inner.example.com";
  EXPECT_EQ(CheckOf("{https: {path: '/health?full=1', host: www.example.com, headers: {X-Probe: "
                    "drover}, status: [200, 301-302], body_regex: '^ok', weight_header: X-Weight, "
                    "verify: true, ca: /etc/ssl/ca.pem, sni: inner.example.com}}")
                .kind,
            CheckKind(want));
  const auto status = [](const std::string& text) {
    return std::get<HttpCheck>(CheckOf("{http: {status: " + text + "}}").kind).status;
  };
  EXPECT_EQ(status("200"), (std::vector<StatusRange>{{200, 200}}));
  EXPECT_EQ(status("'200-299'"), (std::vector<StatusRange>{{200, 299}}));
  EXPECT_EQ(status("[200, 301]"), (std::vector<StatusRange>{{200, 200}, {301, 301}}));
}

TEST(ServiceWatchReading, TimesAndCounts) {
  CheckSettings want;
  want.kind = TcpCheck{};
  want.interval = seconds(1);
  want.fast_interval = milliseconds(200);
  want.timeout = milliseconds(500);
  want.fall = 2;
  want.rise = 4;
  want.jitter_percent = 10;
  want.initial = InitialState::kDown;
  want.port = 8080;
  EXPECT_EQ(CheckOf("{tcp: {}, interval: 1s, fast_interval: 200ms, timeout: 500ms, fall: 2, rise: "
                    "4, jitter: 10, initial: down, port: 8080}"),
            want);
}

TEST(ServiceWatchReading, TheDefaultTimeoutFitsAShortInterval) {
  EXPECT_EQ(CheckOf("{tcp: {}, interval: 500ms}").timeout, milliseconds(500));
}

TEST(ServiceWatchReading, WhatStandsBesideTheCheck) {
  const ServiceWatch watch = WatchOf(
      "check: [{tcp: {}}, {http: {path: /}, through_vip: true}], on_failure: remove, slow_start: "
      "30s, quorum: 2, hysteresis: 0, sorry_server: {host: rs3, weight: 5}");
  EXPECT_EQ(watch.checks.size(), 2U);
  EXPECT_TRUE(watch.checks.at(1).through_vip);
  EXPECT_EQ(watch.on_failure, OnFailure::kRemove);
  EXPECT_EQ(watch.slow_start, seconds(30));
  EXPECT_EQ(watch.quorum, 2U);
  ASSERT_TRUE(watch.sorry_server);
  EXPECT_EQ(watch.sorry_server->endpoint().ToString(), "10.0.0.23:80");
  EXPECT_EQ(watch.sorry_server->weight, 5U);
}

const std::string kWeb =
    "    - vrrp_instance: {name: web, interface: eth1, virtual_router_id: 51, addresses: "
    "[10.0.0.1]}\n";

// The answers come from the VIP, which the master has itself.
TEST(ServiceWatchReading, ACheckThroughTheVipNeedsAcceptLocalWhereTheVipIs) {
  const Sysctl wanted{"net/ipv4/conf/eth1/accept_local", "1"};
  const std::string service = "    - " + Service("check: {tcp: {}, through_vip: true}") + "\n";
  for (const std::string& tasks : {kWeb + service, service + kWeb}) {
    const auto run = CompileText("- hosts: lb1\n  tasks:\n" + tasks);
    ASSERT_TRUE(run) << Format(run.error());
    const auto& sysctls = run->states.at("lb1").sysctls;
    EXPECT_EQ(std::count(sysctls.begin(), sysctls.end(), wanted), 1);
    // The service's own task carries it, so that --limit and --tags leave it with its service.
    for (const auto& task : run->plays[0].tasks) {
      const auto* one = std::get_if<Task>(&task.hosts.at("lb1")[0].action);
      const auto* converge = one == nullptr ? nullptr : std::get_if<ConvergeTask>(&one->action);
      if (converge == nullptr) continue;
      const auto& carried = converge->state.sysctls;
      EXPECT_EQ(std::count(carried.begin(), carried.end(), wanted),
                converge->state.watches.empty() ? 0 : 1);
    }
  }
}

TEST(ServiceWatchReading, AcceptLocalIsOnlyImpliedWhereItIsNeededAndNotSaidOtherwise) {
  const std::string through = "    - " + Service("check: {tcp: {}, through_vip: true}") + "\n";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"asked directly", kWeb + "    - " + Service("check: {tcp: {}}") + "\n"},
      {"the VIP is nowhere here", through},
      {"the playbook's own word",
       kWeb + through + "    - sysctl: {net.ipv4.conf.eth1.accept_local: 0}\n"}};
  for (const auto& [name, tasks] : rows) {
    const auto run = CompileText("- hosts: lb1\n  tasks:\n" + tasks);
    ASSERT_TRUE(run) << name << Format(run.error());
    for (const Sysctl& sysctl : run->states.at("lb1").sysctls) {
      EXPECT_TRUE(sysctl.key.find("accept_local") == std::string::npos || sysctl.value == "0")
          << name << ": " << sysctl.key;
    }
  }
}

TEST(ServiceWatchReading, VerifyStillExpectsTheWholeTable) {
  const auto state = StateOf(Service("check: tcp"));
  EXPECT_EQ(state.services.at(0).destinations.size(), 2U);
}

TEST(ServiceWatchReading, EveryOffenceIsSaidAtItsPlace) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"check: {}",
       "82: the check says not what to ask [one of: tcp, http, https, udp, dns, ping, "
       "smtp, script]"},
      {"check: {htp: {}}",
       "83: unknown key \"htp\" of \"check\" [did you mean \"http\"?]\n"
       "site.yml:3:82: the check says not what to ask [one of: tcp, http, "
       "https, udp, dns, ping, smtp, script]"},
      {"check: {tcp: {}, http: {}}",
       "92: a check is of one kind, here \"tcp\" and \"http\" [write a list of checks; a real "
       "server is up when all of them say so]"},
      {"check: 5", "82: a check is a mapping, not 5 [write {tcp: {}}]"},
      {"check: script",
       "82: a check is a mapping, not \"script\" [write {script: {argv: [/path, …]}}]"},
      {"check: {http: /}", "89: \"http\" takes a mapping, not \"/\" [write {path: /}]"},
      {"check: {http: {status: 99}}",
       "98: \"status\" takes codes from 100 to 599 and ranges such as \"200-299\", one or a list, "
       "not 99"},
      {"check: {http: {status: [200, '300-200']}}",
       "104: \"status\" takes codes from 100 to 599 and ranges such as \"200-299\", one or a list, "
       "not \"300-200\""},
      {"check: {http: {url: /}}", "90: unknown key \"url\" of \"http\" [write \"path\"]"},
      {"check: {http: {ca: /x}}",
       "90: unknown key \"ca\" of \"http\" [one of: path, host, headers, status, body_regex, "
       "body_sha256, weight_header]"},
      {"check: {http: {body_regex: 'a(b'}}",
       "102: the regular expression \"a(b\" is wrong at 3: missing closing parenthesis "
       "[\"body_regex\" is Perl-compatible (PCRE2); a sign that stands for itself is written with "
       "a "
       "backslash: '\\(']"},
      {"check: {https: {ca: /etc/ca.pem}}",
       "95: \"ca\" means nothing without \"verify\" [add verify: true]"},
      {"check: {http: {path: x}}", "82: the path \"x\" must start with / and have no blanks"},
      {"check: {tcp: {}, delay_loop: 6}",
       "92: unknown key \"delay_loop\" of \"check\" [write \"interval\"]"},
      {"check: {tcp: {}, interval: 50ms}",
       "102: \"interval\" of \"check\" takes 100ms to 3600s, not 50ms"},
      {"check: {tcp: {}, interval: 1s, timeout: 2s}",
       "115: \"timeout\" is longer than \"interval\""},
      {"check: {tcp: {}, fall: 0}",
       "98: \"fall\" of \"check\" takes a number from 1 to 100, not 0"},
      {"check: {tcp: {}, jitter: 51}",
       "100: \"jitter\" of \"check\" takes a number from 0 to 50, not 51"},
      {"check: {tcp: {}, initial: on}",
       "101: unknown initial \"on\" of \"check\" [one of: auto, up, down]"},
      {"check: {udp: {}, through_vip: true}",
       "82: \"through_vip\" goes with tcp, http, https and smtp checks of a TCP service by "
       "address, "
       "on the service's own port"},
      {"check: {script: check}",
       "91: \"check\" is no absolute path [no shell is run and no path is searched: write "
       "/usr/local/bin/…]"},
      {"check: {dns: {type: XX}}", "95: unknown type \"XX\" of \"dns\" [did you mean \"MX\"?]"},
      {"check: tcp, quorum: 3",
       "95: the quorum can never be reached: all real servers together weigh 2"},
      {"check: tcp, hysteresis: 1", "99: \"hysteresis\" must be less than \"quorum\", which is 1"},
      {"check: tcp, on_failure: drop",
       "99: unknown on_failure \"drop\" of module \"virtual_service\" [one of: quiesce, remove]"},
      {"check: tcp, sorry_server: rs1",
       "101: the sorry server 10.0.0.21:80 is one of the real servers"},
      {"check: tcp, sorry_server: rs9",
       "101: real server \"rs9\" is no host of the inventory and no IP address [did you mean "
       "\"rs1\"?]"},
      {"check: tcp, slow_start: 2h",
       "99: \"slow_start\" of module \"virtual_service\" takes 0s to 3600s, not 7200s"},
      {"sorry_server: rs3", "89: \"sorry_server\" needs \"check\""},
      {"quorum: 1", "83: \"quorum\" needs \"check\""},
  };
  for (const auto& [more, want] : rows) {
    EXPECT_EQ(CompileErrors(OneTask(Service(more))), "site.yml:3:" + want) << more;
  }
}

TEST(ServiceWatchReading, AHashingSchedulerWithoutFallbackIsWarnedAbout) {
  const auto run =
      CompileText(OneTask("virtual_service: {address: '10.0.0.1:80', scheduler: mh, real_servers: "
                          "[rs1], check: tcp}"));
  ASSERT_TRUE(run) << Format(run.error());
  ASSERT_EQ(run->warnings.size(), 1U);
  EXPECT_EQ(run->warnings[0].message,
            "service tcp 10.0.0.1:80: with scheduler mh and without mh-fallback, clients of a real "
            "server that is down are refused");
}

}  // namespace
}  // namespace drover
