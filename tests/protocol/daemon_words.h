// Values of the words for VRRP, checks and status with every field away from its default, for the
// tests of their codecs and rules.
#pragma once

#include "protocol/desired_state.h"
#include "protocol/node_status.h"

namespace drover {

inline IpAddress Ip(const char* text) { return *IpAddress::Parse(text); }

inline VrrpInstance WebInstance() {
  using std::chrono::milliseconds;
  return VrrpInstance{.name = "web",
                      .interface = "eth0",
                      .version = 2,
                      .vrid = 51,
                      .priority = 150,
                      .advert_interval = milliseconds(2000),
                      .down_adverts = 4,
                      .preempt = false,
                      .preempt_delay = milliseconds(3000),
                      .addresses = {*Prefix::Parse("10.0.0.100/24"), *Prefix::Parse("10.0.0.101")},
                      .excluded_addresses = {*Prefix::Parse("2001:db8::100/128")},
                      .unicast_peers = {Ip("10.0.0.12")},
                      .source_address = Ip("10.0.0.11"),
                      .password = "1111",
                      .checksum = VrrpChecksum::kRfc9568,
                      .vmac = true,
                      .announce = {.count = 3,
                                   .delay = milliseconds(100),
                                   .refresh = milliseconds(60000),
                                   .refresh_count = 2},
                      .lease = milliseconds(2000),
                      .linger = milliseconds(50),
                      .on_rival = OnRival::kYield,
                      .sync_wait = milliseconds(0),
                      .track = {{"uplink", -10}, {"proxy", 0}}};
}

inline ServiceKey WebKey() { return SocketKey{Transport::kTcp, Ip("10.0.0.100"), 80}; }

inline CheckSettings CheckOf(CheckKind kind) {
  using std::chrono::milliseconds;
  CheckSettings check;
  check.kind = std::move(kind);
  check.interval = milliseconds(5000);
  check.fast_interval = milliseconds(500);
  check.timeout = milliseconds(700);
  check.fall = 1;
  check.rise = 4;
  check.jitter_percent = 0;
  check.initial = InitialState::kUp;
  check.port = 8081;
  return check;
}

// One check of every kind.
inline ServiceWatch WebWatch() {
  ServiceWatch watch{.service = WebKey(),
                     .on_failure = OnFailure::kRemove,
                     .slow_start = std::chrono::milliseconds(30000),
                     .quorum = 2,
                     .hysteresis = 1,
                     .sorry_server = Destination{.address = Ip("10.0.0.9"), .port = 80}};
  watch.checks = {CheckOf(TcpCheck{}),
                  CheckOf(HttpCheck{.tls = true,
                                    .path = "/health?x=1",
                                    .host = "www.example.org",
                                    .headers = {{"X-Probe", "1"}},
                                    .status = {{200, 204}, {301, 301}},
                                    .body_regex = "ok$",
                                    .body_sha256 = std::string(64, 'a'),
                                    .weight_header = "X-Weight",
                                    .tls_verify = true,
                                    .tls_ca = "/etc/ca.pem",
                                    .sni = "sni.example.org"}),
                  CheckOf(HttpCheck{}),
                  CheckOf(UdpCheck{std::string("\0\xff", 2), "ok"}),
                  CheckOf(DnsCheck{"example.org", "A"}),
                  CheckOf(PingCheck{}),
                  CheckOf(SmtpCheck{"me.example.org"}),
                  CheckOf(ScriptCheck{{"/usr/bin/test", "-e", "/x"}, true})};
  return watch;
}

inline std::vector<Tracker> Trackers() {
  using std::chrono::milliseconds;
  std::vector<Tracker> trackers;
  const auto add = [&](const char* name, TrackerTarget target) {
    trackers.push_back(Tracker{.name = name,
                               .target = std::move(target),
                               .interval = milliseconds(250),
                               .timeout = milliseconds(200),
                               .rise = 2,
                               .fall = 3});
  };
  add("uplink", InterfaceTracker{"eth1"});
  add("proxy", ProcessTracker{"haproxy", 2});
  add("flag", FileTracker{"/run/flag"});
  add("script", ScriptTracker{{"/bin/check", "-q"}});
  add("service", ServiceTracker{FwmarkKey{7, Family::kIpv6}});
  return trackers;
}

// All that the daemon carries out.
inline DesiredState DaemonState() {
  DesiredState state;
  VrrpInstance other = WebInstance();
  other.name = "mail";
  other.vrid = 52;
  state.sync_daemons = {{.role = SyncRole::kBackup,
                         .interface = "eth1",
                         .sync_id = 11,
                         .group = Ip("224.0.0.82"),
                         .port = 8849,
                         .ttl = 2,
                         .max_length = 1400}};
  state.vrrp_instances = {WebInstance(), other};
  state.vrrp_groups = {{.name = "pair", .instances = {"web", "mail"}, .track = {{"uplink", 0}}}};
  state.trackers = Trackers();
  state.watches = {WebWatch()};
  state.metrics = {{"127.0.0.1:9630"}};
  return state;
}

inline NodeStatus RichStatus() {
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  NodeStatus status;
  status.host = "lb1";
  status.version = "0.2.0";
  status.pid = 77;
  status.running_for = milliseconds(5000);
  status.repairs = 3;
  status.problems = {"sysctl net.x: not there"};
  status.instances = {{.name = "web",
                       .interface = "eth0",
                       .vrid = 51,
                       .version = 3,
                       .state = "backup",
                       .reason = "started",
                       .group = "pair",
                       .priority = 140,
                       .base_priority = 150,
                       .master = Ip("10.0.0.12"),
                       .in_state_for = milliseconds(4000),
                       .last_heard = milliseconds(20),
                       .master_down = milliseconds(3609),
                       .yielded = true,
                       .awaits_sync = true,
                       .preempts = true,
                       .two_phase = true,
                       .addresses = {*Prefix::Parse("10.0.0.100/32")},
                       .peer_checksum = "pseudo_header",
                       .counters = {{"sent", 5}, {"refused_ttl", 1}}}};
  ServerStatus server{
      .endpoint = *Endpoint::Parse("10.0.0.21:80"),
      .forward = Forwarding::kTun,
      .up = false,
      .wanted = 2,
      .weight = 0,
      .in_table = true,
      .active = 4,
      .inactive = 5,
      .templates = 6,
      .drained = Maintenance{"rs1", {Ip("10.0.0.21")}, "remove", "ann", "ctl", 1700000000},
      .checks = {{"http", false, true, "status 500", microseconds(900)}}};
  status.services = {{.service = WebKey(),
                      .scheduler = "rr",
                      .watched = true,
                      .has_quorum = false,
                      .sorry = true,
                      .connections = 99,
                      .servers = {server}}};
  status.trackers = {{"uplink", true, true, "has carrier"}};
  status.sync = SyncStatus{{"master", "backup"}, 10, {{"10.0.0.12", 12, 0.5, milliseconds(700)}}};
  status.maintenance = {*server.drained, {"lb1", {}, "maintenance", "ann", "ctl", 1700000001}};
  status.holder = LockHolder{.since = 1700000000, .expires_in = milliseconds(12000), .armed = true};
  status.events = {{1700000000000000, 5000000, "vrrp", "vrrp_instance web", "backup: started"}};
  return status;
}

}  // namespace drover
