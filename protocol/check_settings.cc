#include "protocol/check_settings.h"

#include <algorithm>
#include <array>

#include "protocol/words.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxText = 4096;  // of payloads, paths and patterns
constexpr std::size_t kMaxUdpPayload = 1400;
constexpr std::array kDnsTypes = {"A", "AAAA", "NS", "CNAME", "SOA", "MX", "TXT"};
constexpr std::size_t kSha256Hex = 64;

Error Offence(std::string text) { return Error{ErrorCode::kInvalid, std::move(text)}; }

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// What goes into a request line or header as it is must not be able to end it.
Status OneLine(std::string_view text, std::string_view what) {
  if (text.size() <= kMaxText && !HasControl(text)) return {};
  return Fail(Offence(std::string(what) + " has control characters or more than 4096 bytes"));
}

Status ValidateHttp(const HttpCheck& check) {
  if (const Status fine = ValidateHttpPath(check.path); !fine) return fine;
  for (const auto& [text, what] :
       {std::pair<std::string_view, std::string_view>{check.host, "host"},
        {check.body_regex, "body_regex"},
        {check.weight_header, "weight_header"},
        {check.sni, "sni"}}) {
    if (const Status fine = OneLine(text, what); !fine) return fine;
  }
  for (const auto& [name, value] : check.headers) {
    const bool odd = name.empty() || name.find_first_of(" :\t") != std::string::npos;
    if (odd || HasControl(name) || !OneLine(value, name)) {
      return Fail(Offence("\"" + name + "\" cannot be a header"));
    }
  }
  if (check.status.empty()) return Fail(Offence("no status would be right"));
  for (const StatusRange& range : check.status) {
    if (range.first < 100 || range.last > 599 || range.first > range.last) {
      return Fail(Offence("status " + std::to_string(range.first) + "-" +
                          std::to_string(range.last) + ", not inside 100-599"));
    }
  }
  const std::string& sum = check.body_sha256;
  if (!sum.empty() && (sum.size() != kSha256Hex ||
                       sum.find_first_not_of("0123456789abcdef") != std::string::npos)) {
    return Fail(Offence("body_sha256 is not 64 hexadecimal digits in lower case"));
  }
  if (!check.tls_ca.empty() && !check.tls_ca.starts_with('/')) {
    return Fail(Offence("the CA file must have an absolute path"));
  }
  if (!check.tls && (check.tls_verify || !check.tls_ca.empty() || !check.sni.empty())) {
    return Fail(Offence("TLS settings go with https"));
  }
  return {};
}

Status ValidateDns(const DnsCheck& check) {
  if (std::find(kDnsTypes.begin(), kDnsTypes.end(), check.type) == kDnsTypes.end()) {
    return Fail(Offence("\"" + check.type +
                        "\" is no DNS type known here (A, AAAA, NS, CNAME, SOA, "
                        "MX, TXT)"));
  }
  std::string_view rest = check.name;
  if (rest == ".") return {};
  if (rest.ends_with('.')) rest.remove_suffix(1);
  bool fine = !rest.empty() && rest.size() <= 253 && !HasControl(rest);
  while (fine && !rest.empty()) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    fine = dot >= 1 && dot <= 63;  // RFC 1035, section 2.3.4
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  if (fine) return {};
  return Fail(Offence("\"" + check.name + "\" is no DNS name"));
}

Status ValidateKind(const CheckKind& kind) {
  if (const auto* http = std::get_if<HttpCheck>(&kind)) return ValidateHttp(*http);
  if (const auto* dns = std::get_if<DnsCheck>(&kind)) return ValidateDns(*dns);
  if (const auto* udp = std::get_if<UdpCheck>(&kind)) {
    if (udp->payload.size() > kMaxUdpPayload || udp->expect.size() > kMaxUdpPayload) {
      return Fail(Offence("payload and expect have 1400 bytes at most"));
    }
  }
  if (const auto* smtp = std::get_if<SmtpCheck>(&kind)) {
    if (smtp->helo.empty() || smtp->helo.find(' ') != std::string::npos) {
      return Fail(Offence("\"" + smtp->helo + "\" cannot be a helo name"));
    }
    return OneLine(smtp->helo, "helo");
  }
  if (const auto* script = std::get_if<ScriptCheck>(&kind)) {
    if (script->argv.empty() || !script->argv.front().starts_with('/')) {
      return Fail(Offence("a script needs the absolute path of its program"));
    }
  }
  return {};
}

Status ValidateTiming(const CheckSettings& check) {
  const auto span = [](milliseconds value, std::string_view what) -> Status {
    if (value >= milliseconds(100) && value <= std::chrono::hours(1)) return {};
    return Fail(Offence(std::string(what) + " is " + DurationText(value) + ", not 100ms to 3600s"));
  };
  const auto count = [](int value, std::string_view what) -> Status {
    if (value >= 1 && value <= 100) return {};
    return Fail(Offence(std::string(what) + " is " + std::to_string(value) + ", not 1 to 100"));
  };
  if (const Status fine = span(check.interval, "interval"); !fine) return fine;
  if (check.fast_interval != milliseconds(0)) {
    if (const Status fine = span(check.fast_interval, "fast_interval"); !fine) return fine;
    if (check.fast_interval > check.interval) {
      return Fail(Offence("fast_interval is longer than interval"));
    }
  }
  if (const Status fine = span(check.timeout, "timeout"); !fine) return fine;
  if (check.timeout > check.interval) {
    return Fail(Offence("timeout " + DurationText(check.timeout) + " is longer than interval " +
                        DurationText(check.interval)));
  }
  if (const Status fine = count(check.fall, "fall"); !fine) return fine;
  if (const Status fine = count(check.rise, "rise"); !fine) return fine;
  if (check.jitter_percent < 0 || check.jitter_percent > 50) {
    return Fail(Offence("jitter is " + std::to_string(check.jitter_percent) + " %, not 0 to 50"));
  }
  return {};
}

}  // namespace

std::string_view KindWord(const CheckKind& kind) {
  struct Speaker {
    std::string_view operator()(const TcpCheck&) const { return "tcp"; }
    std::string_view operator()(const HttpCheck& http) const { return http.tls ? "https" : "http"; }
    std::string_view operator()(const UdpCheck&) const { return "udp"; }
    std::string_view operator()(const DnsCheck&) const { return "dns"; }
    std::string_view operator()(const PingCheck&) const { return "ping"; }
    std::string_view operator()(const SmtpCheck&) const { return "smtp"; }
    std::string_view operator()(const ScriptCheck&) const { return "script"; }
  };
  return std::visit(Speaker{}, kind);
}

std::string_view ToString(InitialState state) {
  switch (state) {
    case InitialState::kAuto:
      return "auto";
    case InitialState::kUp:
      return "up";
    case InitialState::kDown:
      return "down";
  }
  return "?";
}

Result<InitialState> ParseInitialState(std::string_view word) {
  return ParseOneOf(word, {InitialState::kAuto, InitialState::kUp, InitialState::kDown},
                    "initial state");
}

std::string_view ToString(OnFailure rule) {
  switch (rule) {
    case OnFailure::kRemove:
      return "remove";
    case OnFailure::kQuiesce:
      return "quiesce";
  }
  return "?";
}

Result<OnFailure> ParseOnFailure(std::string_view word) {
  return ParseOneOf(word, {OnFailure::kRemove, OnFailure::kQuiesce}, "answer to a failure");
}

std::string NameOf(const ServiceWatch& watch) { return "checks of " + ToString(watch.service); }

std::string Summary(const ServiceWatch& watch) {
  std::string text;
  for (const CheckSettings& check : watch.checks) {
    text += (text.empty() ? "" : ", ") + std::string(KindWord(check.kind));
    if (const auto* http = std::get_if<HttpCheck>(&check.kind)) text += " " + http->path;
    text += " every " + DurationText(check.interval) + " timeout " + DurationText(check.timeout) +
            " fall " + std::to_string(check.fall) + " rise " + std::to_string(check.rise);
    if (check.through_vip) text += " through the VIP";
  }
  text += text.empty() ? "no checks" : "";
  text += "; on failure " + std::string(ToString(watch.on_failure));
  if (watch.slow_start.count() != 0) text += ", slow start " + DurationText(watch.slow_start);
  if (watch.quorum != 1) text += ", quorum " + std::to_string(watch.quorum);
  if (watch.sorry_server) text += ", sorry server " + watch.sorry_server->endpoint().ToString();
  return text;
}

Status ValidateHttpPath(std::string_view path) {
  const auto fail = [&](std::string_view why) {
    return Fail(Offence("the path \"" + std::string(path) + "\" " + std::string(why)));
  };
  if (!path.starts_with('/') || path.find(' ') != std::string::npos) {
    return fail("must start with / and have no blanks");
  }
  const bool plain =
      std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!plain) return fail("has more than plain characters; write others as %20");
  if (path.size() > kMaxText) return fail("has more than 4096 bytes");
  return {};
}

Status ValidateCheck(const CheckSettings& check) {
  if (const Status fine = ValidateTiming(check); !fine) return fine;
  if (check.port == 0) return Fail(Offence("the port must not be 0"));
  return ValidateKind(check.kind);
}

Status ValidateWatch(const ServiceWatch& watch) {
  const std::string name = NameOf(watch);
  const auto* key = std::get_if<SocketKey>(&watch.service);
  for (const CheckSettings& check : watch.checks) {
    if (const Status fine = ValidateCheck(check); !fine) return Fail(fine.error().In(name));
    const bool asks_tcp = std::holds_alternative<TcpCheck>(check.kind) ||
                          std::holds_alternative<HttpCheck>(check.kind) ||
                          std::holds_alternative<SmtpCheck>(check.kind);
    if (!check.through_vip) continue;
    if (key == nullptr || key->transport != Transport::kTcp || !asks_tcp || check.port) {
      return Fail(Offence("through_vip goes with tcp, http, https and smtp checks of a TCP service "
                          "by address, on its own port")
                      .In(name));
    }
  }
  if (watch.sorry_server && watch.sorry_server->address.family() != FamilyOf(watch.service) &&
      watch.sorry_server->forward != Forwarding::kTun) {
    return Fail(Offence("the sorry server is of the other family").In(name));
  }
  if (watch.slow_start < milliseconds(0) || watch.slow_start > std::chrono::hours(1)) {
    return Fail(Offence("slow_start is longer than an hour").In(name));
  }
  return {};
}

}  // namespace drover
