// Health checks <-> JSON.

#include "protocol/codec_parts.h"

namespace drover {
namespace {

struct KindEncoder {
  Json operator()(const TcpCheck&) const { return Json::object(); }
  Json operator()(const HttpCheck& check) const {
    return {{"path", check.path},
            {"host", check.host},
            {"headers", check.headers},
            {"status", ListToJson(check.status,
                                  [](const StatusRange& range) {
                                    return Json{{"first", range.first}, {"last", range.last}};
                                  })},
            {"body_regex", check.body_regex},
            {"body_sha256", check.body_sha256},
            {"weight_header", check.weight_header},
            {"tls_verify", check.tls_verify},
            {"tls_ca", check.tls_ca},
            {"sni", check.sni}};
  }
  Json operator()(const UdpCheck& check) const {
    return {{"payload", EncodeBase64(check.payload)}, {"expect", EncodeBase64(check.expect)}};
  }
  Json operator()(const DnsCheck& check) const {
    return {{"name", check.name}, {"type", check.type}};
  }
  Json operator()(const PingCheck&) const { return Json::object(); }
  Json operator()(const SmtpCheck& check) const { return {{"helo", check.helo}}; }
  Json operator()(const ScriptCheck& check) const {
    return {{"argv", check.argv}, {"sets_weight", check.sets_weight}};
  }
};

StatusRange RangeFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  StatusRange range;
  ObjectReader reader(json, path, errors);
  reader.ReadInteger("first", range.first, 0, 999);
  reader.ReadInteger("last", range.last, 0, 999);
  return range;
}

std::map<std::string, std::string> HeadersFromJson(const Json& json, const std::string& path,
                                                   JsonErrors& errors) {
  std::map<std::string, std::string> headers;
  ObjectReader reader(json, path, errors);
  if (!json.is_object()) return headers;
  for (const auto& entry : json.items()) reader.Read(entry.key(), headers[entry.key()]);
  return headers;
}

HttpCheck ReadHttp(ObjectReader& reader, bool tls) {
  HttpCheck check;
  check.tls = tls;
  check.status.clear();
  reader.Read("path", check.path);
  reader.Read("host", check.host);
  reader.ReadValue("headers", check.headers, HeadersFromJson);
  reader.ReadList("status", check.status, RangeFromJson);
  reader.Read("body_regex", check.body_regex);
  reader.Read("body_sha256", check.body_sha256);
  reader.Read("weight_header", check.weight_header);
  reader.Read("tls_verify", check.tls_verify);
  reader.Read("tls_ca", check.tls_ca);
  reader.Read("sni", check.sni);
  return check;
}

}  // namespace

Json CheckKindToJson(const CheckKind& kind) {
  Json json = std::visit(KindEncoder{}, kind);
  json["kind"] = KindWord(kind);
  return json;
}

CheckKind CheckKindFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ObjectReader reader(json, path, errors);
  std::string kind;
  reader.Read("kind", kind);
  if (kind == "tcp") return TcpCheck{};
  if (kind == "http" || kind == "https") return ReadHttp(reader, kind == "https");
  if (kind == "ping") return PingCheck{};
  if (kind == "udp") {
    UdpCheck check;
    reader.ReadWord("payload", check.payload, DecodeBase64);
    reader.ReadWord("expect", check.expect, DecodeBase64);
    return check;
  }
  if (kind == "dns") {
    DnsCheck check;
    reader.Read("name", check.name);
    reader.Read("type", check.type);
    return check;
  }
  if (kind == "smtp") {
    SmtpCheck check;
    reader.Read("helo", check.helo);
    return check;
  }
  if (kind == "script") {
    ScriptCheck check;
    reader.Read("argv", check.argv);
    reader.Read("sets_weight", check.sets_weight);
    return check;
  }
  errors.Add(reader.PathOf("kind"), "unknown kind of check \"" + kind + "\"");
  return TcpCheck{};
}

Json CheckToJson(const CheckSettings& check) {
  Json json = {{"kind", CheckKindToJson(check.kind)},
               {"interval_ms", check.interval.count()},
               {"fast_interval_ms", check.fast_interval.count()},
               {"timeout_ms", check.timeout.count()},
               {"fall", check.fall},
               {"rise", check.rise},
               {"jitter_percent", check.jitter_percent},
               {"initial", ToString(check.initial)},
               {"through_vip", check.through_vip}};
  if (check.port) json["port"] = *check.port;
  return json;
}

CheckSettings CheckFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  CheckSettings check;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("kind", check.kind, CheckKindFromJson);
  reader.ReadDuration("interval_ms", check.interval);
  reader.ReadDuration("fast_interval_ms", check.fast_interval);
  reader.ReadDuration("timeout_ms", check.timeout);
  reader.ReadInteger("fall", check.fall, 0, kMaxU16);
  reader.ReadInteger("rise", check.rise, 0, kMaxU16);
  reader.ReadInteger("jitter_percent", check.jitter_percent, 0, 100);
  reader.ReadWord("initial", check.initial, ParseInitialState);
  reader.Read("through_vip", check.through_vip);
  if (reader.Has("port")) reader.ReadInteger("port", check.port.emplace(), 1, kMaxU16);
  return check;
}

Json WatchToJson(const ServiceWatch& watch) {
  Json json = {{"service", ServiceKeyToJson(watch.service)},
               {"checks", ListToJson(watch.checks, CheckToJson)},
               {"on_failure", ToString(watch.on_failure)},
               {"slow_start_ms", watch.slow_start.count()},
               {"quorum", watch.quorum},
               {"hysteresis", watch.hysteresis}};
  if (watch.sorry_server) json["sorry_server"] = DestinationToJson(*watch.sorry_server);
  return json;
}

ServiceWatch WatchFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ServiceWatch watch;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("service", watch.service, ServiceKeyFromJson);
  reader.ReadList("checks", watch.checks, CheckFromJson);
  reader.ReadWord("on_failure", watch.on_failure, ParseOnFailure);
  reader.ReadDuration("slow_start_ms", watch.slow_start);
  reader.ReadInteger("quorum", watch.quorum, 0, kMaxU32);
  reader.ReadInteger("hysteresis", watch.hysteresis, 0, kMaxU32);
  if (reader.Has("sorry_server")) {
    reader.ReadValue("sorry_server", watch.sorry_server.emplace(), DestinationFromJson);
  }
  return watch;
}

}  // namespace drover
