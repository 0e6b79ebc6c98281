// Event <-> JSON: what the helper answers. One tag per kind of event.

#include <algorithm>
#include <array>

#include "protocol/codec.h"
#include "protocol/codec_parts.h"

namespace drover {
namespace {

constexpr std::array kStatuses = {TaskStatus::kOk, TaskStatus::kChanged, TaskStatus::kSkipped,
                                  TaskStatus::kFailed};

Result<TaskStatus> ParseStatus(std::string_view word) {
  for (const TaskStatus status : kStatuses) {
    if (ToString(status) == word) return status;
  }
  return Fail(ErrorCode::kInvalid, "unknown status \"" + std::string(word) + "\"");
}

Json ToJson(const Error& error) {
  return {{"code", ToString(error.code)}, {"message", error.message}};
}

Error ErrorFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Error error;
  std::string code;
  ObjectReader reader(json, path, errors);
  reader.Read("code", code);
  reader.Read("message", error.message);
  error.code = ErrorCodeFromString(code);
  return error;
}

Json ToJson(const ChangeText& change) {
  return {{"verb", change.verb},
          {"resource", change.resource},
          {"before", change.before},
          {"after", change.after},
          {"reason", change.reason}};
}

ChangeText ChangeFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ChangeText change;
  ObjectReader reader(json, path, errors);
  reader.Read("verb", change.verb);
  reader.Read("resource", change.resource);
  reader.Read("before", change.before);
  reader.Read("after", change.after);
  reader.Read("reason", change.reason);
  return change;
}

Json ToJson(const ProbeConnection& connection) {
  Json json = {
      {"reply_mac", connection.reply_mac},         {"body", connection.body},
      {"http_status", connection.http_status},     {"connect_us", connection.connect_time.count()},
      {"total_us", connection.total_time.count()}, {"local_port", connection.local_port},
      {"reply_ttl", connection.reply_ttl}};
  if (connection.error) json["error"] = ToJson(*connection.error);
  return json;
}

ProbeConnection ConnectionFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ProbeConnection connection;
  ObjectReader reader(json, path, errors);
  reader.Read("reply_mac", connection.reply_mac);
  reader.Read("body", connection.body);
  reader.ReadInteger("http_status", connection.http_status, 0, 999);
  reader.ReadDuration("connect_us", connection.connect_time);
  reader.ReadDuration("total_us", connection.total_time);
  reader.ReadInteger("local_port", connection.local_port, 0, kMaxU16);
  reader.ReadInteger("reply_ttl", connection.reply_ttl, 0, kMaxU8);
  if (reader.Has("error")) reader.ReadValue("error", connection.error.emplace(), ErrorFromJson);
  return connection;
}

Json ToJson(const ProbeOutcome& outcome) {
  Json json = {{"kind", "probe"},
               {"services", Json::array()},
               {"arp", Json::array()},
               {"peers", Json::array()}};
  for (const ProbeServiceResult& service : outcome.services) {
    const auto connection = [](const ProbeConnection& one) { return ToJson(one); };
    json["services"].push_back({{"service", KeyToJson(service.service)},
                                {"connections", ListToJson(service.connections, connection)},
                                {"source", service.source},
                                {"uploads", ListToJson(service.uploads, connection)},
                                {"later", ListToJson(service.later, connection)}});
  }
  for (const ArpAnswers& arp : outcome.arp) {
    json["arp"].push_back({{"vip", arp.vip.ToString()},
                           {"on_link", arp.on_link},
                           {"local", arp.local},
                           {"interface", arp.interface},
                           {"answers", arp.answers},
                           {"requests", arp.requests}});
  }
  for (const PeerMac& peer : outcome.peers)
    json["peers"].push_back(
        {{"name", peer.name}, {"mac", peer.mac}, {"interface", peer.interface}});
  json["redirects"] = ListToJson(outcome.redirects, [](const RedirectsSeen& seen) {
    return Json{{"mac", seen.mac}, {"from", seen.from}, {"count", seen.count}};
  });
  return json;
}

ProbeServiceResult ServiceResultFromJson(const Json& json, const std::string& path,
                                         JsonErrors& errors) {
  ProbeServiceResult result;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("service", result.service, SocketKeyFromJson);
  reader.ReadList("connections", result.connections, ConnectionFromJson);
  reader.Read("source", result.source);
  reader.ReadList("uploads", result.uploads, ConnectionFromJson);
  reader.ReadList("later", result.later, ConnectionFromJson);
  return result;
}

std::map<std::string, std::uint32_t> AnswersFromJson(const Json& json, const std::string& path,
                                                     JsonErrors& errors) {
  std::map<std::string, std::uint32_t> answers;
  if (!json.is_object()) {
    errors.Add(path, "must be an object");
    return answers;
  }
  ObjectReader reader(json, path, errors);
  for (const auto& entry : json.items())
    reader.ReadInteger(entry.key(), answers[entry.key()], 0, kMaxU32);
  return answers;
}

ArpAnswers ArpFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ArpAnswers arp;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("vip", arp.vip, IpAddress::Parse);
  reader.Read("on_link", arp.on_link);
  reader.Read("local", arp.local);
  reader.Read("interface", arp.interface);
  reader.ReadValue("answers", arp.answers, AnswersFromJson);
  reader.ReadValue("requests", arp.requests, AnswersFromJson);
  return arp;
}

PeerMac PeerMacFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  PeerMac peer;
  ObjectReader reader(json, path, errors);
  reader.Read("name", peer.name);
  reader.Read("mac", peer.mac);
  reader.Read("interface", peer.interface);
  return peer;
}

RedirectsSeen RedirectsFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  RedirectsSeen seen;
  ObjectReader reader(json, path, errors);
  reader.Read("mac", seen.mac);
  reader.Read("from", seen.from);
  reader.ReadInteger("count", seen.count, 0, kMaxU32);
  return seen;
}

struct DetailEncoder {
  Json operator()(const std::monostate&) const { return nullptr; }
  Json operator()(const CommandOutcome& outcome) const {
    return {{"kind", "command"},
            {"exit_code", outcome.exit_code},
            {"stdout", outcome.stdout_text},
            {"stderr", outcome.stderr_text},
            {"truncated", outcome.truncated}};
  }
  Json operator()(const FileDiff& diff) const {
    Json json = {{"kind", "file"}, {"path", diff.path}, {"binary", diff.binary}};
    if (diff.before) json["before"] = *diff.before;
    if (diff.after) json["after"] = *diff.after;
    return json;
  }
  Json operator()(const ProbeOutcome& outcome) const { return ToJson(outcome); }
  Json operator()(const NodeStatus& status) const {
    return {{"kind", "status"}, {"status", NodeStatusToJson(status)}};
  }
  Json operator()(const NodeGround& ground) const { return GroundToJson(ground); }
  Json operator()(const GenerationList& list) const { return GenerationsToJson(list); }
  Json operator()(const Observation& seen) const { return ObservationToJson(seen); }
  Json operator()(const DrillGround& ground) const { return DrillGroundToJson(ground); }
  Json operator()(const DrillState& state) const { return DrillStateToJson(state); }
  Json operator()(const ProbeRunOutcome& outcome) const { return ProbeRunOutcomeToJson(outcome); }
};

TaskDetail DetailFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  if (json.is_null()) return std::monostate{};
  ObjectReader reader(json, path, errors);
  std::string kind;
  reader.Read("kind", kind);
  if (kind == "command") {
    CommandOutcome outcome;
    reader.ReadInteger("exit_code", outcome.exit_code, 0, 65535);
    reader.Read("stdout", outcome.stdout_text);
    reader.Read("stderr", outcome.stderr_text);
    reader.Read("truncated", outcome.truncated);
    return outcome;
  }
  if (kind == "file") {
    FileDiff diff;
    reader.Read("path", diff.path);
    reader.Read("binary", diff.binary);
    if (reader.Has("before")) reader.Read("before", diff.before.emplace());
    if (reader.Has("after")) reader.Read("after", diff.after.emplace());
    return diff;
  }
  if (kind == "probe") {
    ProbeOutcome outcome;
    reader.ReadList("services", outcome.services, ServiceResultFromJson);
    reader.ReadList("arp", outcome.arp, ArpFromJson);
    reader.ReadList("peers", outcome.peers, PeerMacFromJson);
    reader.ReadList("redirects", outcome.redirects, RedirectsFromJson);
    return outcome;
  }
  if (kind == "status") {
    NodeStatus status;
    reader.ReadValue("status", status, NodeStatusFromJson);
    return status;
  }
  if (kind == "ground") return ReadGround(reader);
  if (kind == "generations") return ReadGenerations(reader);
  if (kind == "observation") return ReadObservation(reader);
  if (kind == "drill_ground") return ReadDrillGround(reader);
  if (kind == "drill_state") return ReadDrillState(reader);
  if (kind == "probe_run") return ReadProbeRunOutcome(reader);
  errors.Add(reader.PathOf("kind"), "unknown kind of result \"" + kind + "\"");
  return std::monostate{};
}

struct EventEncoder {
  Json operator()(const Hello& hello) const {
    return {{"type", "hello"},    {"protocol", hello.protocol}, {"version", hello.version},
            {"host", hello.host}, {"kernel", hello.kernel},     {"root", hello.root}};
  }
  Json operator()(const TaskStarted& started) const {
    return {{"type", "task_started"}, {"task", started.task}};
  }
  Json operator()(const TaskResult& result) const {
    Json json = {{"type", "task_result"},
                 {"task", result.task},
                 {"status", ToString(result.status)},
                 {"message", result.message},
                 {"changes", Json::array()},
                 {"detail", std::visit(DetailEncoder{}, result.detail)},
                 {"duration_us", result.duration.count()}};
    if (result.code) json["code"] = ToString(*result.code);
    for (const ChangeText& change : result.changes) json["changes"].push_back(ToJson(change));
    return json;
  }
  Json operator()(const ProgramDone& done) const {
    return {{"type", "program_done"}, {"ok", done.ok}, {"armed", done.armed}};
  }
  Json operator()(const TaskProgress& progress) const {
    return {{"type", "task_progress"},
            {"task", progress.task},
            {"progress", ProbeProgressToJson(progress.progress)}};
  }
  Json operator()(const SessionError& error) const {
    return {{"type", "error"}, {"error", ToJson(error.error)}};
  }
};

Hello ReadHello(ObjectReader& reader) {
  Hello hello;
  reader.ReadInteger("protocol", hello.protocol, 0, 1000000);
  reader.Read("version", hello.version);
  reader.Read("host", hello.host);
  reader.Read("kernel", hello.kernel);
  reader.Read("root", hello.root);
  return hello;
}

TaskResult ReadTaskResult(ObjectReader& reader) {
  TaskResult result;
  reader.ReadInteger("task", result.task, 0, kMaxU32);
  reader.ReadWord("status", result.status, ParseStatus);
  reader.Read("message", result.message);
  reader.ReadList("changes", result.changes, ChangeFromJson);
  reader.ReadValue("detail", result.detail, DetailFromJson);
  reader.ReadDuration("duration_us", result.duration);
  if (reader.Has("code")) {
    std::string code;
    reader.Read("code", code);
    result.code = ErrorCodeFromString(code);
  }
  return result;
}

Event EventFromJson(const Json& json, JsonErrors& errors) {
  ObjectReader reader(json, "", errors);
  std::string type;
  reader.Read("type", type);
  if (type == "hello") return ReadHello(reader);
  if (type == "task_result") return ReadTaskResult(reader);
  if (type == "task_started") {
    TaskStarted started;
    reader.ReadInteger("task", started.task, 0, kMaxU32);
    return started;
  }
  if (type == "task_progress") {
    TaskProgress progress;
    reader.ReadInteger("task", progress.task, 0, kMaxU32);
    reader.ReadValue("progress", progress.progress, ProbeProgressFromJson);
    return progress;
  }
  if (type == "program_done") {
    ProgramDone done;
    reader.Read("ok", done.ok);
    if (reader.Has("armed")) reader.Read("armed", done.armed);
    return done;
  }
  if (type == "error") {
    SessionError error;
    reader.ReadValue("error", error.error, ErrorFromJson);
    return error;
  }
  errors.Add("type", "\"" + type + "\" is no event");
  return ProgramDone{};
}

}  // namespace

std::string_view ToString(TaskStatus status) {
  switch (status) {
    case TaskStatus::kOk:
      return "ok";
    case TaskStatus::kChanged:
      return "changed";
    case TaskStatus::kSkipped:
      return "skipped";
    case TaskStatus::kFailed:
      return "failed";
  }
  return "?";
}

std::string EncodeEvent(const Event& event) { return Dump(std::visit(EventEncoder{}, event)); }

Result<Event> DecodeEvent(std::string_view line) {
  if (line.size() > kMaxLineBytes) return Fail(ErrorCode::kInvalid, "message is too long");
  const Result<Json> json = ParseJson(line);
  if (!json) return Fail(json.error());
  JsonErrors errors;
  Event event = EventFromJson(*json, errors);
  if (!errors.ok()) return Fail(errors.error());
  return event;
}

}  // namespace drover
