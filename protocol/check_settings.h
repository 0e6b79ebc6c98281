// The words for health checks: how a real server is asked, how many answers make a verdict, and
// what a verdict does to the virtual service.
//
// Values only. Asking is node-helper/checks', the rise/fall machine node-helper/health's business.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/address.h"
#include "protocol/destination.h"
#include "protocol/result.h"
#include "protocol/service_key.h"

namespace drover {

// The connection is accepted.
struct TcpCheck {
  bool operator==(const TcpCheck&) const = default;
};
struct StatusRange {
  int first = 200;  // 100 to 599
  int last = 299;
  auto operator<=>(const StatusRange&) const = default;
};
// GET over a new connection.
struct HttpCheck {
  bool tls = false;
  std::string path = "/";  // with query
  std::string host;        // Host header and SNI; empty: the address
  std::map<std::string, std::string> headers;
  std::vector<StatusRange> status = {StatusRange{}};
  std::string body_regex;     // Perl-compatible (PCRE2, bytes), found anywhere in the first 64 KiB;
                              // empty: not asked
  std::string body_sha256;    // hex, of a body of at most 16 MiB; empty: not asked
  std::string weight_header;  // this header of the answer holds the weight (0 to 65535)
  bool tls_verify = false;    // chain against `tls_ca` or the system's, and the name against `host`
  std::string tls_ca;         // file on the node
  std::string sni;            // empty: `host`, when that is a name
  bool operator==(const HttpCheck&) const = default;
};
// One datagram. An ICMP error is a failure; with `expect` an answer that begins so is needed,
// without it silence until the timeout is a success.
struct UdpCheck {
  std::string payload;  // bytes
  std::string expect;   // bytes
  bool operator==(const UdpCheck&) const = default;
};
// A query over UDP; any answer without error (RCODE 0, or 3: name does not exist, unless an address
// is needed) with our id is a success.
struct DnsCheck {
  std::string name = ".";
  std::string type = "SOA";  // A, AAAA, NS, CNAME, SOA, MX, TXT
  bool operator==(const DnsCheck&) const = default;
};
// ICMP echo.
struct PingCheck {
  bool operator==(const PingCheck&) const = default;
};
// Greeting 220, EHLO (HELO when refused) 250, QUIT.
struct SmtpCheck {
  std::string helo = "localhost";
  bool operator==(const SmtpCheck&) const = default;
};
// Exit 0: up; 1: down; 2 to 255 with `sets_weight`: up with weight (code - 2), else down. The
// target is in DROVER_ADDRESS, DROVER_PORT and DROVER_SERVICE of the environment.
struct ScriptCheck {
  std::vector<std::string> argv;  // no shell
  bool sets_weight = false;
  bool operator==(const ScriptCheck&) const = default;
};
using CheckKind =
    std::variant<TcpCheck, HttpCheck, UdpCheck, DnsCheck, PingCheck, SmtpCheck, ScriptCheck>;
std::string_view KindWord(const CheckKind& kind);  // "tcp", "http", "https", "udp", …

// What holds before the first verdict. kAuto: what the kernel's table says when the helper starts,
// down for a new real server.
enum class InitialState : std::uint8_t { kAuto, kUp, kDown };
std::string_view ToString(InitialState state);  // "auto", "up", "down"
Result<InitialState> ParseInitialState(std::string_view word);

struct CheckSettings {
  CheckKind kind;
  std::chrono::milliseconds interval{2000};    // 100 ms to 1 h
  std::chrono::milliseconds fast_interval{0};  // while in doubt; 0: as interval
  std::chrono::milliseconds timeout{1000};     // at most the interval
  int fall = 3;                                // 1 to 100
  int rise = 2;                                // 1 to 100
  int jitter_percent = 5;                      // 0 to 50
  InitialState initial = InitialState::kAuto;
  std::optional<std::uint16_t> port;  // default: the real server's
  // The packet goes to the service's address, through ip_vs to this one real server (a mark and a
  // private service with one destination), so that its VIP on lo is proven as well. TCP services by
  // address only.
  bool through_vip = false;

  bool operator==(const CheckSettings&) const = default;
};

// What becomes of a real server that is down.
enum class OnFailure : std::uint8_t {
  kRemove,  // out of the table
  kQuiesce  // weight 0: established connections go on, as far as it answers them
};
std::string_view ToString(OnFailure rule);  // "remove", "quiesce"
Result<OnFailure> ParseOnFailure(std::string_view word);

// How one virtual service is watched. A real server is up when all checks say so.
struct ServiceWatch {
  ServiceKey service;
  std::vector<CheckSettings> checks;
  OnFailure on_failure = OnFailure::kQuiesce;
  std::chrono::milliseconds slow_start{0};  // a server that came up reaches its weight in this time
  std::uint32_t quorum = 1;                 // sum of the weights of live servers that it needs
  std::uint32_t hysteresis = 0;
  std::optional<Destination> sorry_server;  // takes the place of all when the quorum is lost

  bool operator==(const ServiceWatch&) const = default;
};

std::string NameOf(const ServiceWatch& watch);  // "checks of tcp 10.0.0.100:80"
// One line: "http / every 2s, fall 3, rise 2".
std::string Summary(const ServiceWatch& watch);
// One sentence for the first offence; limits as at the fields.
// Whether it can stand in a request line of HTTP ("/", "/health?deep=1"): RFC 9112, section 3.2.
Status ValidateHttpPath(std::string_view path);
Status ValidateCheck(const CheckSettings& check);
Status ValidateWatch(const ServiceWatch& watch);

}  // namespace drover
