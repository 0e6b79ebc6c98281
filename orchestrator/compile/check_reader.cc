#include "orchestrator/compile/check_reader.h"

#include <algorithm>

#include "orchestrator/compile/program_words.h"
#include "pattern/pattern.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLeastSpan{100};
constexpr milliseconds kMostSpan{3600000};
const std::vector<std::string> kKinds = {"tcp", "http", "https", "udp",
                                         "dns", "ping", "smtp",  "script"};
const std::vector<std::string> kTiming = {"interval", "fast_interval", "timeout",
                                          "fall",     "rise",          "jitter",
                                          "initial",  "port",          "through_vip"};

std::optional<int> StatusNumber(const std::string& text) {
  const auto number = ReadInteger(Value(text));
  if (!number || *number < 100 || *number > 599) return std::nullopt;
  return static_cast<int>(*number);
}

// 200, "200-299".
std::optional<StatusRange> ReadStatus(const Argument& item) {
  const auto text = ReadText(item);
  if (!text) return std::nullopt;
  const std::size_t dash = text->find('-');
  const auto first = StatusNumber(text->substr(0, dash));
  const auto last = dash == std::string::npos ? first : StatusNumber(text->substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return StatusRange{*first, *last};
}

void ReadStatuses(Arguments& entry, HttpCheck& http) {
  if (!entry.Has("status")) return;
  http.status.clear();
  for (const Argument* item : entry.Several("status")) {
    const auto range = ReadStatus(*item);
    if (range) {
      http.status.push_back(*range);
    } else {
      entry.Say(item->place,
                "\"status\" takes codes from 100 to 599 and ranges such as "
                "\"200-299\", one or a list, not " +
                    Describe(item->value));
    }
  }
}

void ReadHeaders(Arguments& entry, HttpCheck& http) {
  const Argument* headers = entry.Find("headers");
  if (headers == nullptr) return;
  if (!headers->is_mapping()) {
    entry.Say(headers->place,
              "\"headers\" takes a mapping of names and values, not " + Describe(headers->value));
    return;
  }
  for (const auto& [name, value] : headers->entries) {
    const auto text = ReadText(value);
    if (text) {
      http.headers[name] = *text;
    } else {
      entry.Say(value.place, "header \"" + name + "\" takes a text, not " + Describe(value.value));
    }
  }
}

// The node would only find it out when it asks for the first time.
void ReadBodyRegex(Arguments& entry, HttpCheck& http) {
  const auto regex = entry.Text("body_regex");
  if (!regex) return;
  http.body_regex = *regex;
  if (const auto pattern = Pattern::Compile(*regex); !pattern) {
    entry.Say(entry.PlaceOf("body_regex"), pattern.error().message,
              "\"body_regex\" is Perl-compatible (PCRE2); a sign that stands for itself is written "
              "with a backslash: '\\('");
  }
}

CheckKind ReadHttp(Arguments& entry, bool tls) {
  std::vector<std::string> keys = {"path",       "host",        "headers",      "status",
                                   "body_regex", "body_sha256", "weight_header"};
  if (tls) keys.insert(keys.end(), {"verify", "ca", "sni"});
  entry.CheckKeys(keys, "http");
  HttpCheck http;
  http.tls = tls;
  const auto text = [&](const char* key, std::string& into) {
    if (const auto value = entry.Text(key)) into = *value;
  };
  text("path", http.path);
  text("host", http.host);
  text("body_sha256", http.body_sha256);
  text("weight_header", http.weight_header);
  ReadBodyRegex(entry, http);
  ReadStatuses(entry, http);
  ReadHeaders(entry, http);
  if (tls) {
    http.tls_verify = entry.Bool("verify").value_or(false);
    text("ca", http.tls_ca);
    if (!http.tls_ca.empty() && !http.tls_verify) {
      entry.Say(entry.PlaceOf("ca"), "\"ca\" means nothing without \"verify\"", "add verify: true");
    }
    text("sni", http.sni);
  }
  return http;
}

std::optional<std::string> ReadHex(const std::string& key, Arguments& entry) {
  const auto text = entry.Text(key);
  if (!text) return std::nullopt;
  const bool hex = text->find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (!hex || text->size() % 2 != 0) {
    entry.Say(entry.PlaceOf(key), "\"" + key + "\" takes pairs of hexadecimal digits");
    return std::nullopt;
  }
  std::string bytes;
  for (std::size_t i = 0; i < text->size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(text->substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

CheckKind ReadUdp(Arguments& entry) {
  entry.CheckKeys({"payload", "payload_hex", "expect", "expect_hex"}, "check");
  UdpCheck udp;
  const auto bytes = [&](const std::string& key, std::string& into) {
    if (entry.Has(key) && entry.Has(key + "_hex")) {
      entry.Say(entry.PlaceOf(key + "_hex"),
                "udp takes either \"" + key + "\" or \"" + key + "_hex\"");
    }
    if (const auto text = entry.Text(key)) into = *text;
    if (const auto hex = ReadHex(key + "_hex", entry)) into = *hex;
  };
  bytes("payload", udp.payload);
  bytes("expect", udp.expect);
  return udp;
}

CheckKind ReadDns(Arguments& entry) {
  entry.CheckKeys({"name", "type"}, "check");
  DnsCheck dns;
  if (const auto name = entry.Text("name")) dns.name = *name;
  if (const auto type = entry.OneOf("type", {"A", "AAAA", "NS", "CNAME", "SOA", "MX", "TXT"})) {
    dns.type = *type;
  }
  return dns;
}

// {argv: [...], sets_weight: true}, a list of words, or a text.
CheckKind ReadScript(const Argument& argument, Arguments& arguments) {
  ScriptCheck script;
  if (!argument.is_mapping()) {
    script.argv = ReadProgram(argument, arguments).value_or(std::vector<std::string>());
    return script;
  }
  Arguments entry(argument, "\"script\"", arguments.diagnostics());
  entry.CheckKeys({"argv", "sets_weight"}, "check");
  if (const Argument* argv = entry.Require("argv", "the program and its arguments, as a list")) {
    script.argv = ReadProgram(*argv, entry).value_or(std::vector<std::string>());
  }
  script.sets_weight = entry.Bool("sets_weight").value_or(false);
  return script;
}

// `settings` of the kind, null when nothing stands behind its key.
CheckKind ReadKind(const std::string& word, const Argument& settings, Arguments& arguments) {
  if (word == "script") return ReadScript(settings, arguments);
  if (!settings.is_mapping() && !settings.value.is_null()) {
    arguments.Say(settings.place,
                  "\"" + word + "\" takes a mapping, not " + Describe(settings.value),
                  word == "http" || word == "https" ? "write {path: /}" : "write {}");
    return TcpCheck{};
  }
  Arguments entry(settings, "\"" + word + "\"", arguments.diagnostics());
  if (word == "http" || word == "https") return ReadHttp(entry, word == "https");
  if (word == "udp") return ReadUdp(entry);
  if (word == "dns") return ReadDns(entry);
  if (word == "smtp") {
    entry.CheckKeys({"helo"}, "check");
    return SmtpCheck{entry.Text("helo").value_or("localhost")};
  }
  entry.CheckKeys({}, "check");
  if (word == "ping") return PingCheck{};
  return TcpCheck{};
}

void ReadTiming(Arguments& entry, CheckSettings& check) {
  const auto span = [&](const char* key, milliseconds& into) {
    if (const auto value = entry.Duration(key, kLeastSpan, kMostSpan)) into = *value;
  };
  span("interval", check.interval);
  span("fast_interval", check.fast_interval);
  check.timeout = std::min(check.timeout, check.interval);
  span("timeout", check.timeout);
  if (check.timeout > check.interval) {
    entry.Say(entry.PlaceOf("timeout"), "\"timeout\" is longer than \"interval\"");
  }
  if (check.fast_interval > check.interval) {
    entry.Say(entry.PlaceOf("fast_interval"), "\"fast_interval\" is longer than \"interval\"");
  }
  if (const auto n = entry.Integer("fall", 1, 100)) check.fall = static_cast<int>(*n);
  if (const auto n = entry.Integer("rise", 1, 100)) check.rise = static_cast<int>(*n);
  if (const auto n = entry.Integer("jitter", 0, 50)) check.jitter_percent = static_cast<int>(*n);
  if (const auto word = entry.OneOf("initial", {"auto", "up", "down"})) {
    check.initial = *ParseInitialState(*word);
  }
  if (const auto port = entry.Integer("port", 1, 65535)) {
    check.port = static_cast<std::uint16_t>(*port);
  }
  check.through_vip = entry.Bool("through_vip").value_or(false);
}

// The entry that says the kind; offences: none, or several.
const std::pair<std::string, Argument>* KindEntry(const Argument& argument, Arguments& entry) {
  const std::pair<std::string, Argument>* found = nullptr;
  for (const auto& one : argument.entries) {
    if (std::find(kKinds.begin(), kKinds.end(), one.first) == kKinds.end()) continue;
    if (found != nullptr) {
      entry.Say(one.second.key_place,
                "a check is of one kind, here \"" + found->first + "\" and \"" + one.first + "\"",
                "write a list of checks; a real server is up when all of them say so");
      return found;
    }
    found = &one;
  }
  if (found == nullptr) {
    entry.Say(argument.place, "the check says not what to ask",
              "one of: tcp, http, https, udp, dns, ping, smtp, script");
  }
  return found;
}

}  // namespace

std::optional<CheckSettings> ReadCheck(const Argument& argument, Arguments& arguments) {
  const std::size_t before = arguments.diagnostics().size();
  CheckSettings check;
  if (!argument.is_mapping()) {
    const std::string word = ReadText(argument).value_or("");
    const bool known = std::find(kKinds.begin(), kKinds.end(), word) != kKinds.end();
    if (!known || word == "script") {
      arguments.Say(argument.place, "a check is a mapping, not " + Describe(argument.value),
                    known ? "write {script: {argv: [/path, …]}}" : "write {tcp: {}}");
      return std::nullopt;
    }
    check.kind = ReadKind(word, Argument{}, arguments);
  } else {
    std::vector<std::string> keys = kKinds;
    keys.insert(keys.end(), kTiming.begin(), kTiming.end());
    Arguments entry(argument, "\"check\"", arguments.diagnostics());
    entry.CheckKeys(keys, "check");
    if (const auto* kind = KindEntry(argument, entry)) {
      check.kind = ReadKind(kind->first, kind->second, entry);
    }
    ReadTiming(entry, check);
  }
  if (arguments.diagnostics().size() != before) return std::nullopt;
  if (const Status fine = ValidateCheck(check); !fine) {
    arguments.Say(argument.place, fine.error().message);
    return std::nullopt;
  }
  return check;
}

}  // namespace drover
