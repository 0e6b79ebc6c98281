// Program <-> JSON: what the orchestrator sends. One tag per kind of task; a tag is never given a
// second meaning.

#include <array>

#include "protocol/codec.h"
#include "protocol/codec_parts.h"

namespace drover {
namespace {

constexpr std::int64_t kMaxMode = 07777;
constexpr std::int64_t kMaxConnections = 100000;
constexpr std::int64_t kMaxUploads = 1000;
constexpr std::int64_t kMinLeaseMs = 1000;
constexpr std::int64_t kMaxLeaseMs = 3600000;

template <typename Enum, std::size_t N>
struct Words {
  std::array<std::pair<Enum, std::string_view>, N> words;

  [[nodiscard]] std::string_view NameOf(Enum value) const {
    for (const auto& [known, word] : words) {
      if (known == value) return word;
    }
    return "?";
  }
  [[nodiscard]] Result<Enum> Parse(std::string_view text) const {
    for (const auto& [known, word] : words) {
      if (word == text) return known;
    }
    return Fail(ErrorCode::kInvalid, "unknown word \"" + std::string(text) + "\"");
  }
};

constexpr Words<PackageState, 3> kPackageStates = {{{{PackageState::kPresent, "present"},
                                                     {PackageState::kAbsent, "absent"},
                                                     {PackageState::kLatest, "latest"}}}};
constexpr Words<ServiceState, 4> kServiceStates = {{{{ServiceState::kStarted, "started"},
                                                     {ServiceState::kStopped, "stopped"},
                                                     {ServiceState::kRestarted, "restarted"},
                                                     {ServiceState::kReloaded, "reloaded"}}}};

constexpr Words<HandoverMove, 2> kHandoverMoves = {
    {{{HandoverMove::kYield, "yield"}, {HandoverMove::kReturn, "return"}}}};

Json ProbeServiceToJson(const ProbeService& service) {
  Json json = {{"service", KeyToJson(service.service)},
               {"connections", service.connections},
               {"http_path", service.http_path},
               {"timeout_ms", service.timeout.count()},
               {"uploads", service.uploads},
               {"outlast_ms", service.outlast.count()}};
  if (service.question) json["question"] = CheckKindToJson(*service.question);
  return json;
}

struct ActionEncoder {
  Json operator()(const ConvergeTask& task) const {
    return {{"kind", "converge"}, {"state", StateToJson(task.state)}};
  }
  Json operator()(const PruneTask& task) const {
    return {{"kind", "prune"}, {"whole", StateToJson(task.whole)}, {"unsettled", task.unsettled}};
  }
  Json operator()(const CommandTask& task) const {
    return {{"kind", "command"},
            {"argv", task.argv},
            {"chdir", task.chdir},
            {"creates", task.creates},
            {"removes", task.removes},
            {"stdin", EncodeBase64(task.stdin_text)},
            {"reports_change", task.reports_change}};
  }
  Json operator()(const FileTask& task) const {
    Json json = {{"kind", "file"},
                 {"dest", task.dest},
                 {"content", EncodeBase64(task.content)},
                 {"owner", task.attributes.owner},
                 {"group", task.attributes.group},
                 {"backup", task.backup},
                 {"validate", task.validate}};
    if (task.attributes.mode) json["mode"] = *task.attributes.mode;
    return json;
  }
  Json operator()(const PackageTask& task) const {
    return {{"kind", "package"},
            {"names", task.names},
            {"state", kPackageStates.NameOf(task.state)},
            {"update_cache", task.update_cache}};
  }
  Json operator()(const ServiceTask& task) const {
    Json json = {{"kind", "service"}, {"name", task.name}};
    if (task.state) json["state"] = kServiceStates.NameOf(*task.state);
    if (task.enabled) json["enabled"] = *task.enabled;
    return json;
  }
  Json operator()(const WaitForTask& task) const {
    Json json = {{"kind", "wait_for"},
                 {"path", task.path},
                 {"present", task.present},
                 {"delay_ms", task.delay.count()},
                 {"interval_ms", task.interval.count()},
                 {"timeout_ms", task.timeout.count()}};
    if (task.endpoint) json["endpoint"] = task.endpoint->ToString();
    return json;
  }
  Json operator()(const ProbeTask& task) const {
    Json json = {{"kind", "probe"},
                 {"services", Json::array()},
                 {"vips", Json::array()},
                 {"peers", Json::array()},
                 {"arp_window_ms", task.arp_window.count()},
                 {"arp_rounds", task.arp_rounds}};
    for (const ProbeService& service : task.services) {
      json["services"].push_back(ProbeServiceToJson(service));
    }
    for (const IpAddress& vip : task.vips) json["vips"].push_back(vip.ToString());
    for (const ProbePeer& peer : task.peers) {
      json["peers"].push_back({{"name", peer.name},
                               {"address", peer.address.ToString()},
                               {"real_server", peer.real_server}});
    }
    return json;
  }
  Json operator()(const StatusTask&) const { return {{"kind", "status"}}; }
  Json operator()(const HandoverTask& task) const {
    Json json{{"kind", "handover"},
              {"move", kHandoverMoves.NameOf(task.move)},
              {"instances", task.instances},
              {"sync_wait_ms", task.sync_wait.count()}};
    if (task.with_run) json["with_run"] = true;
    return json;
  }
  Json operator()(const BeginTask& task) const {
    return {{"kind", "begin"},
            {"lease_ms", task.lease.count()},
            {"revert", task.revert},
            {"take_over", task.take_over},
            {"expected_digest", task.expected_digest}};
  }
  Json operator()(const ConfirmTask&) const { return {{"kind", "confirm"}}; }
  Json operator()(const RevertTask& task) const {
    return {{"kind", "revert"}, {"reason", task.reason}};
  }
  Json operator()(const ReleaseTask&) const { return {{"kind", "release"}}; }
  Json operator()(const UnlockTask& task) const {
    return {{"kind", "unlock"}, {"lock_id", task.lock_id}};
  }
  Json operator()(const RestoreTask& task) const {
    return {{"kind", "restore"}, {"generation", task.generation}};
  }
  Json operator()(const GenerationsTask&) const { return {{"kind", "generations"}}; }
  Json operator()(const ObserveTask& task) const { return ObserveToJson(task); }
  Json operator()(const DrillLookTask& task) const { return DrillActionToJson(task); }
  Json operator()(const DrillArmTask& task) const { return DrillActionToJson(task); }
  Json operator()(const DrillInjectTask& task) const { return DrillActionToJson(task); }
  Json operator()(const DrillUndoTask& task) const { return DrillActionToJson(task); }
  Json operator()(const ProbeRunTask& task) const { return DrillActionToJson(task); }
  Json operator()(const MaintenanceTask& task) const {
    return {{"kind", "maintenance"},
            {"on", task.on},
            {"maintenance", MaintenanceToJson(task.maintenance)}};
  }
  Json operator()(const UninstallTask&) const { return {{"kind", "uninstall"}}; }
};

void ReadBytes(ObjectReader& reader, std::string_view key, std::string& out) {
  reader.ReadWord(key, out, DecodeBase64);
}

CommandTask ReadCommand(ObjectReader& reader) {
  CommandTask task;
  reader.Read("argv", task.argv);
  reader.Read("chdir", task.chdir);
  reader.Read("creates", task.creates);
  reader.Read("removes", task.removes);
  ReadBytes(reader, "stdin", task.stdin_text);
  reader.Read("reports_change", task.reports_change);
  if (reader.errors().ok() && (task.argv.empty() || task.argv.front().empty())) {
    reader.errors().Add(reader.PathOf("argv"), "names no program");
  }
  return task;
}

FileTask ReadFile(ObjectReader& reader) {
  FileTask task;
  reader.Read("dest", task.dest);
  ReadBytes(reader, "content", task.content);
  reader.Read("owner", task.attributes.owner);
  reader.Read("group", task.attributes.group);
  reader.Read("backup", task.backup);
  reader.Read("validate", task.validate);
  if (reader.Has("mode")) reader.ReadInteger("mode", task.attributes.mode.emplace(), 0, kMaxMode);
  if (reader.errors().ok() && (task.dest.empty() || task.dest.front() != '/')) {
    reader.errors().Add(reader.PathOf("dest"), "must be an absolute path");
  }
  return task;
}

PackageTask ReadPackage(ObjectReader& reader) {
  PackageTask task;
  reader.Read("names", task.names);
  reader.ReadWord("state", task.state,
                  [](std::string_view word) { return kPackageStates.Parse(word); });
  reader.Read("update_cache", task.update_cache);
  return task;
}

ServiceTask ReadService(ObjectReader& reader) {
  ServiceTask task;
  reader.Read("name", task.name);
  if (reader.Has("state")) {
    reader.ReadWord("state", task.state.emplace(),
                    [](std::string_view word) { return kServiceStates.Parse(word); });
  }
  if (reader.Has("enabled")) reader.Read("enabled", task.enabled.emplace());
  return task;
}

WaitForTask ReadWaitFor(ObjectReader& reader) {
  WaitForTask task;
  if (reader.Has("endpoint")) reader.ReadWord("endpoint", task.endpoint.emplace(), Endpoint::Parse);
  reader.Read("path", task.path);
  reader.Read("present", task.present);
  reader.ReadDuration("delay_ms", task.delay);
  reader.ReadDuration("interval_ms", task.interval);
  reader.ReadDuration("timeout_ms", task.timeout);
  return task;
}

ProbeService ProbeServiceFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ProbeService service;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("service", service.service, SocketKeyFromJson);
  reader.ReadInteger("connections", service.connections, 1, kMaxConnections);
  reader.Read("http_path", service.http_path);
  reader.ReadDuration("timeout_ms", service.timeout);
  reader.ReadInteger("uploads", service.uploads, 0, kMaxUploads);
  if (reader.Has("question")) {
    reader.ReadValue("question", service.question.emplace(), CheckKindFromJson);
  }
  reader.ReadDuration("outlast_ms", service.outlast);
  return service;
}

ProbePeer PeerFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ProbePeer peer;
  ObjectReader reader(json, path, errors);
  reader.Read("name", peer.name);
  reader.ReadWord("address", peer.address, IpAddress::Parse);
  reader.Read("real_server", peer.real_server);
  return peer;
}

ProbeTask ReadProbe(ObjectReader& reader) {
  ProbeTask task;
  reader.ReadList("services", task.services, ProbeServiceFromJson);
  reader.ReadList("vips", task.vips, IpAddressFromJson);
  reader.ReadList("peers", task.peers, PeerFromJson);
  reader.ReadDuration("arp_window_ms", task.arp_window);
  reader.ReadInteger("arp_rounds", task.arp_rounds, 0, 100);
  return task;
}

HandoverTask ReadHandover(ObjectReader& reader) {
  HandoverTask task;
  reader.ReadWord("move", task.move,
                  [](std::string_view word) { return kHandoverMoves.Parse(word); });
  reader.Read("instances", task.instances);
  reader.ReadDuration("sync_wait_ms", task.sync_wait);
  if (reader.Has("with_run")) reader.Read("with_run", task.with_run);
  return task;
}

BeginTask ReadBegin(ObjectReader& reader) {
  BeginTask task;
  std::int64_t lease = 0;
  reader.ReadInteger("lease_ms", lease, kMinLeaseMs, kMaxLeaseMs);
  task.lease = std::chrono::milliseconds(lease);
  reader.Read("revert", task.revert);
  reader.Read("take_over", task.take_over);
  reader.Read("expected_digest", task.expected_digest);
  return task;
}

RevertTask ReadRevert(ObjectReader& reader) {
  RevertTask task;
  reader.Read("reason", task.reason);
  return task;
}

UnlockTask ReadUnlock(ObjectReader& reader) {
  UnlockTask task;
  reader.Read("lock_id", task.lock_id);
  return task;
}

RestoreTask ReadRestore(ObjectReader& reader) {
  RestoreTask task;
  reader.ReadInteger("generation", task.generation, 0, kMaxGeneration);
  return task;
}

MaintenanceTask ReadMaintenance(ObjectReader& reader) {
  MaintenanceTask task;
  reader.Read("on", task.on);
  reader.ReadValue("maintenance", task.maintenance, MaintenanceFromJson);
  return task;
}

TaskAction ActionFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ObjectReader reader(json, path, errors);
  std::string kind;
  reader.Read("kind", kind);
  if (kind == "converge") {
    ConvergeTask task;
    reader.ReadValue("state", task.state, StateFromJson);
    return task;
  }
  if (kind == "prune") {
    PruneTask task;
    reader.ReadValue("whole", task.whole, StateFromJson);
    reader.Read("unsettled", task.unsettled);
    return task;
  }
  if (kind == "command") return ReadCommand(reader);
  if (kind == "file") return ReadFile(reader);
  if (kind == "package") return ReadPackage(reader);
  if (kind == "service") return ReadService(reader);
  if (kind == "wait_for") return ReadWaitFor(reader);
  if (kind == "probe") return ReadProbe(reader);
  if (kind == "status") return StatusTask{};
  if (kind == "handover") return ReadHandover(reader);
  if (kind == "begin") return ReadBegin(reader);
  if (kind == "confirm") return ConfirmTask{};
  if (kind == "revert") return ReadRevert(reader);
  if (kind == "release") return ReleaseTask{};
  if (kind == "unlock") return ReadUnlock(reader);
  if (kind == "restore") return ReadRestore(reader);
  if (kind == "generations") return GenerationsTask{};
  if (kind == "observe") return ReadObserve(reader);
  if (kind == "drill_look") return ReadDrillLook(reader);
  if (kind == "drill_arm") return ReadDrillArm(reader);
  if (kind == "drill_inject") return ReadDrillInject(reader);
  if (kind == "drill_undo") return ReadDrillUndo(reader);
  if (kind == "probe_run") return ReadProbeRun(reader);
  if (kind == "maintenance") return ReadMaintenance(reader);
  if (kind == "uninstall") return UninstallTask{};
  errors.Add(reader.PathOf("kind"), "unknown kind of task \"" + kind + "\"");
  return ConvergeTask{};
}

Json TaskToJson(const Task& task) {
  return {{"id", task.id},
          {"name", task.name},
          {"action", std::visit(ActionEncoder{}, task.action)},
          {"check", task.check},
          {"diff", task.diff},
          {"secret", task.secret},
          {"ignore_errors", task.ignore_errors},
          {"timeout_ms", task.timeout.count()}};
}

Task TaskFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Task task;
  ObjectReader reader(json, path, errors);
  reader.ReadInteger("id", task.id, 0, kMaxU32);
  reader.Read("name", task.name);
  reader.ReadValue("action", task.action, ActionFromJson);
  reader.Read("check", task.check);
  reader.Read("diff", task.diff);
  reader.Read("secret", task.secret);
  reader.Read("ignore_errors", task.ignore_errors);
  reader.ReadDuration("timeout_ms", task.timeout);
  return task;
}

Order OrderFromJson(const Json& json, JsonErrors& errors) {
  ObjectReader reader(json, "", errors);
  std::string type;
  reader.Read("type", type);
  if (type == "pulse") {
    Pulse pulse;
    reader.Read("run_id", pulse.run_id);
    return pulse;
  }
  if (type == "finish") {
    Finish finish;
    reader.ReadInteger("task", finish.task, 0, kMaxU32);
    return finish;
  }
  if (errors.ok() && type != "program") {
    errors.Add("type", "\"" + type + "\" is no message that a node takes");
  }
  Program program;
  reader.ReadValue("run", program.run, RunFromJson);
  reader.ReadList("tasks", program.tasks, TaskFromJson);
  return program;
}

}  // namespace

std::string EncodeProgram(const Program& program) {
  Json tasks = Json::array();
  for (const Task& task : program.tasks) tasks.push_back(TaskToJson(task));
  return Dump({{"type", "program"}, {"run", RunToJson(program.run)}, {"tasks", std::move(tasks)}});
}

std::string EncodePulse(const Pulse& pulse) {
  return Dump({{"type", "pulse"}, {"run_id", pulse.run_id}});
}

std::string EncodeFinish(const Finish& finish) {
  return Dump({{"type", "finish"}, {"task", finish.task}});
}

Result<Order> DecodeOrder(std::string_view line) {
  if (line.size() > kMaxLineBytes) return Fail(ErrorCode::kInvalid, "message is too long");
  const Result<Json> json = ParseJson(line);
  if (!json) return Fail(json.error());
  JsonErrors errors;
  Order order = OrderFromJson(*json, errors);
  if (!errors.ok()) return Fail(errors.error());
  return order;
}

Result<Program> DecodeProgram(std::string_view line) {
  auto order = DecodeOrder(line);
  if (!order) return Fail(order.error());
  if (auto* program = std::get_if<Program>(&*order)) return std::move(*program);
  return Fail(ErrorCode::kInvalid, "type: this order is no program");
}

}  // namespace drover
