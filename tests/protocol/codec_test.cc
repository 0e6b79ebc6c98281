// The wire form: what goes out comes back equal, and everything else is refused with its path.

#include "protocol/codec.h"

#include <gtest/gtest.h>

#include <functional>

#include "protocol/json_reader.h"
#include "tests/protocol/daemon_words.h"

namespace drover {
namespace {

DesiredState RichState() {
  DesiredState state;
  state.addresses = {
      {.interface = "lo", .prefix = *Prefix::Parse("10.0.0.100/32"), .announce = true},
      {.interface = "eth0", .prefix = *Prefix::Parse("2001:db8::5/128")}};
  state.sysctls = {{"net/ipv4/conf/all/arp_ignore", "1"},
                   {"net/ipv4/tcp_rmem", "4096 131072 6291456"}};
  VirtualService web{.key = SocketKey{Transport::kTcp, *IpAddress::Parse("10.0.0.100"), 80},
                     .scheduler = "mh",
                     .scheduler_flags = {"mh-fallback", "mh-port"},
                     .persistence = Persistence{std::chrono::seconds(50), 24, "sip"}};
  web.destinations = {
      {.address = *IpAddress::Parse("10.0.0.1"),
       .port = 80,
       .weight = 3,
       .upper_threshold = 10,
       .lower_threshold = 5},
      {.address = *IpAddress::Parse("10.0.0.2"), .port = 8080, .forward = Forwarding::kNat}};
  VirtualService marked{.key = FwmarkKey{4294967295U, Family::kIpv6}, .scheduler = "wrr"};
  state.services = {web, marked};
  return state;
}

RunInfo RichRun() {
  return {"r1", "demo", "playbooks/demo.yml", "abc", "ops", "control", 42, "rollback --to 3", 7};
}

Program RichProgram() {
  Program program;
  program.run = RichRun();
  const std::string binary("\0\xff\n%", 4);
  std::uint32_t id = 0;
  const auto add = [&](TaskAction action) {
    program.tasks.push_back({.id = id++,
                             .name = "a \"task\"",
                             .action = std::move(action),
                             .check = true,
                             .diff = true,
                             .secret = true,
                             .ignore_errors = true,
                             .timeout = std::chrono::milliseconds(5)});
  };
  add(ConvergeTask{RichState()});
  add(PruneTask{RichState()});
  add(CommandTask{{"nginx", "-t"}, "/tmp", "/a*", "/b", binary, false});
  add(FileTask{"/etc/x", binary, {"root", "adm", 0640U}, true, "nginx -t -c %s"});
  add(FileTask{"/etc/y", "", {}, false, ""});
  add(PackageTask{{"nginx", "curl"}, PackageState::kLatest, true});
  add(ServiceTask{"nginx", ServiceState::kReloaded, true});
  add(ServiceTask{"nginx", std::nullopt, std::nullopt});
  add(WaitForTask{.endpoint = *Endpoint::Parse("[::1]:80"), .path = "", .present = false});
  ProbeTask probe;
  probe.services = {{.service = {Transport::kTcp, *IpAddress::Parse("10.0.0.100"), 80},
                     .connections = 12,
                     .http_path = "/"}};
  probe.services.push_back({.service = {Transport::kUdp, *IpAddress::Parse("10.0.0.100"), 53},
                            .connections = 12,
                            .http_path = "",
                            .question = DnsCheck{"www.example.net", "A"},
                            .outlast = std::chrono::milliseconds(52000)});
  probe.vips = {*IpAddress::Parse("10.0.0.100")};
  probe.peers = {{"rs1", *IpAddress::Parse("10.0.0.1")}};
  add(probe);
  add(ConvergeTask{DaemonState()});
  add(PruneTask{{}, {"web"}});
  add(StatusTask{});
  add(HandoverTask{HandoverMove::kReturn, {"web", "mail"}, std::chrono::milliseconds(5000)});
  add(HandoverTask{.instances = {"web"}, .with_run = true});
  add(BeginTask{std::chrono::seconds(60), false, "r0", "d1"});
  add(ConfirmTask{});
  add(RevertTask{"a host failed"});
  add(ReleaseTask{});
  add(UnlockTask{"r0"});
  add(RestoreTask{3});
  add(GenerationsTask{});
  add(UninstallTask{});
  FaultOrder order{.drill_id = "20261121-vrrp-loss-1",
                   .fault = Fault::kVrrpLoss,
                   .duration = std::chrono::milliseconds(700),
                   .interfaces = {"eth0"},
                   .instances = {"web"},
                   .vips = {*IpAddress::Parse("10.0.0.100")},
                   .services = {{Transport::kUdp, *IpAddress::Parse("10.0.0.100"), 53}},
                   .unit = "nginx",
                   .loss_ppm = 50000,
                   .delay = std::chrono::milliseconds(20),
                   .jump = std::chrono::seconds(-3600),
                   .may_cut_ssh = true};
  add(DrillLookTask{});
  add(DrillLookTask{order});
  add(DrillArmTask{order, std::chrono::milliseconds(600)});
  add(DrillInjectTask{"d1", *Endpoint::Parse("10.0.0.2:7")});
  add(DrillUndoTask{"d1"});
  add(ObserveTask{{"net/ipv4/vs/run_estimation"},
                  {"arp_ignore"},
                  {{*IpAddress::Parse("10.0.0.100"), *IpAddress::Parse("10.0.0.2")}}});
  add(ProbeRunTask{.prober = "control",
                   .series = {{.name = "slow",
                               .kind = ProbeKind::kLongLived,
                               .target = *Endpoint::Parse("10.0.0.100:80"),
                               .source = *IpAddress::Parse("10.0.0.3"),
                               .connections = 50}},
                   .markers = *Endpoint::Parse("10.0.0.2:7"),
                   .vips = {*IpAddress::Parse("2001:db8::1")},
                   .owner_period = std::chrono::milliseconds(50),
                   .capture = false});
  add(MaintenanceTask{false, {"rs1", {*IpAddress::Parse("10.0.0.1")}, "remove", "ann", "ctl", 9}});
  return program;
}

// Short messages keep tests cheap that try something at every place of a message.
std::vector<Program> OneTaskEach() {
  std::vector<Program> programs;
  for (const Task& task : RichProgram().tasks) {
    programs.push_back({.run = {.run_id = "r1", .owner = "demo"}, .tasks = {task}});
  }
  return programs;
}

NodeGround RichGround() {
  NodeGround ground{
      .generation = 6, .digest = "d1", .armed = true, .adopted_run = "r0", .masters = {"web"}};
  ground.holder = LockHolder{RichRun(), 1700000000, std::chrono::milliseconds(900), true};
  return ground;
}

std::vector<Event> RichEvents() {
  TaskResult failed{.task = 7,
                    .status = TaskStatus::kFailed,
                    .message = "service tcp 10.0.0.100:80: no such scheduler",
                    .code = ErrorCode::kNotFound,
                    .changes = {{"add", "service tcp 10.0.0.100:80", "", "rr", "missing"}},
                    .detail = CommandOutcome{137, "out", "err", true},
                    .duration = std::chrono::microseconds(1234)};
  ProbeOutcome outcome;
  outcome.services = {{{Transport::kTcp, *IpAddress::Parse("10.0.0.100"), 80},
                       {{.reply_mac = "02:00:00:00:00:01", .body = "rs1", .http_status = 200},
                        {.error = Error{ErrorCode::kTimeout, "no answer"}}}}};
  outcome.arp = {
      {*IpAddress::Parse("10.0.0.100"), true, false, "eth0", {{"02:00:00:00:00:01", 2}}}};
  outcome.peers = {{"rs1", "02:00:00:00:00:01"}, {"rs2", ""}};
  outcome.services[0].source = "10.0.0.2";
  outcome.services[0].uploads = {{.local_port = 40000, .reply_ttl = 64}};
  outcome.services[0].later = {{.body = "rs2", .local_port = 40001}};
  outcome.arp[0].requests = {{"02:00:00:00:00:03", 1}};
  outcome.redirects = {{"02:00:00:00:00:01", "10.0.0.1", 3}};
  const IpAddress vip = *IpAddress::Parse("10.0.0.100");
  const SocketKey web{Transport::kTcp, vip, 80};
  const Endpoint rs1 = *Endpoint::Parse("10.0.0.11:80");
  // As a kernel may have it: no port 0 without persistence would be ours.
  const Observation seen{
      .addresses = {{"lo", *Prefix::Parse("10.0.0.100/32")}},
      .sysctls = {{"net/ipv4/conf/all/arp_ignore", "1"}},
      .services = {{.key = SocketKey{Transport::kTcp, vip, 0}, .scheduler = "rr"}},
      .traffic = {{web, 1U << 30, 5, 0, {{rs1, 7, 1, 2, 3}}}},
      .routes = {
          {{vip, *IpAddress::Parse("10.0.0.2")}, true, "eth0", *IpAddress::Parse("10.0.0.1")},
          {{vip, *IpAddress::Parse("10.0.0.3")}, false, "", std::nullopt}}};
  return {
      Hello{1, "0.1.0", "rs1", "6.1.0", true},
      TaskStarted{3},
      failed,
      TaskResult{.task = 8, .detail = FileDiff{"/etc/x", "a", std::nullopt, false}},
      TaskResult{.task = 9, .status = TaskStatus::kChanged, .detail = outcome},
      TaskResult{.task = 10, .detail = RichStatus()},
      TaskResult{.task = 11, .status = TaskStatus::kFailed, .detail = RichGround()},
      TaskResult{.task = 12, .detail = GenerationList{{{7, 1700000000, RichRun(), true}}, {}}},
      TaskResult{.task = 13,
                 .detail = DrillGround{{{{"links", {"eth0 up"}}}},
                                       {"no nft"},
                                       {"guardian"},
                                       "sale today",
                                       {"d0"},
                                       1700000000000000}},
      TaskResult{.task = 14,
                 .detail = DrillState{"d1", {"kernel"}, true, true, "order", 5, 9, {"left"}}},
      TaskResult{
          .task = 15,
          .detail = ProbeRunOutcome{std::string("DPLG\0\xff", 6),
                                    "pcap",
                                    {{"path", 10, 1, ProbeTime(1), ProbeTime::max(), ProbeTime(3)}},
                                    "late"}},
      TaskResult{.task = 16, .detail = seen},
      TaskProgress{15, {ProbeTime(7), {{{1, 2, 3, 4, 5, 6}}}, {{2, 0, 0, 0, 0, 0xab}}}},
      ProgramDone{true, true},
      SessionError{{ErrorCode::kDenied, "locked"}}};
}

TEST(Codec, ProgramComesBackEqual) {
  const std::string line = EncodeProgram(RichProgram());
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const Result<Program> program = DecodeProgram(line);
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(*program, RichProgram());
}

TEST(Codec, APulseIsAnOrderButNoProgram) {
  const std::string line = EncodePulse({"r1"});
  const Result<Order> order = DecodeOrder(line);
  ASSERT_TRUE(order) << order.error().message;
  EXPECT_EQ(std::get<Pulse>(*order), Pulse{"r1"});
  EXPECT_FALSE(DecodeProgram(line));
  const Result<Order> program = DecodeOrder(EncodeProgram(RichProgram()));
  ASSERT_TRUE(program);
  EXPECT_EQ(std::get<Program>(*program), RichProgram());
}

TEST(Codec, AFinishIsAnOrder) {
  const Result<Order> order = DecodeOrder(EncodeFinish({7}));
  ASSERT_TRUE(order) << order.error().message;
  EXPECT_EQ(std::get<Finish>(*order), Finish{7});
}

TEST(Codec, ADrillsIdIsAFileName) {
  for (const char* id : {"", "..", "a/b", "A", "a b"}) {
    const std::string line = EncodeProgram({{}, {{.action = DrillUndoTask{id}}}});
    EXPECT_FALSE(DecodeProgram(line)) << id;
  }
}

TEST(Codec, EventsComeBackEqual) {
  for (const Event& event : RichEvents()) {
    const std::string line = EncodeEvent(event);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const Result<Event> back = DecodeEvent(line);
    ASSERT_TRUE(back) << line << ": " << back.error().message;
    EXPECT_EQ(*back, event);
  }
}

TEST(Codec, StateComesBackEqual) {
  const Result<DesiredState> state = DecodeState(EncodeState(RichState(), 2));
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(*state, RichState());
}

TEST(Codec, TruncationAtEveryByteIsAnErrorAndNoCrash) {
  for (const Program& program : OneTaskEach()) {
    const std::string line = EncodeProgram(program);
    for (std::size_t length = 0; length < line.size(); ++length) {
      EXPECT_FALSE(DecodeProgram(std::string_view(line).substr(0, length)));
    }
  }
  for (const Event& event : RichEvents()) {
    const std::string text = EncodeEvent(event);
    for (std::size_t length = 0; length < text.size(); ++length) {
      EXPECT_FALSE(DecodeEvent(std::string_view(text).substr(0, length)));
    }
  }
}

// Every value of a message, replaced by something of another kind, must be refused (or still be
// legal), never crash.
void SpoilEachValue(Json& root, Json& node, const std::function<void(const std::string&)>& decode) {
  if (node.is_structured()) {
    for (auto& child : node) SpoilEachValue(root, child, decode);
  }
  const Json kept = node;
  for (const Json& wrong : {Json(nullptr), Json(-1), Json(1e300), Json("\u0001"), Json::array({1}),
                            Json::object({{"x", 1}}), Json(true), Json(18446744073709551615ULL)}) {
    node = wrong;
    decode(Dump(root));
  }
  node = kept;
}

TEST(Codec, WrongTypesAnywhereNeverCrash) {
  int refused = 0;
  for (const Program& program : OneTaskEach()) {
    Json json = *ParseJson(EncodeProgram(program));
    SpoilEachValue(json, json,
                   [&](const std::string& line) { refused += DecodeProgram(line) ? 0 : 1; });
  }
  for (const Event& event : RichEvents()) {
    Json json = *ParseJson(EncodeEvent(event));
    SpoilEachValue(json, json,
                   [&](const std::string& line) { refused += DecodeEvent(line) ? 0 : 1; });
  }
  EXPECT_GT(refused, 1000);
}

TEST(Codec, ErrorsCarryThePathOfTheValue) {
  struct Case {
    std::string path;
    Json value;
    std::string want;
  };
  const std::vector<Case> cases = {
      {"/type", "hello", "type: \"hello\" is no message that a node takes"},
      {"/surprise", 1, "surprise: unknown key"},
      {"/tasks/0/action/state/services/0/scheduler", 7,
       "tasks[0].action.state.services[0].scheduler: must be a string"},
      {"/tasks/0/action/state/services/0/scheduler", "xx",
       "tasks[0].action.state: service tcp 10.0.0.100:80: unknown scheduler"},
      {"/tasks/0/action/state/addresses/0/prefix", "10.0.0.0/99",
       "tasks[0].action.state.addresses[0].prefix: \"99\" is no prefix length"},
      {"/tasks/2/action/kind", "rm", "tasks[2].action.kind: unknown kind of task \"rm\""},
      {"/tasks/2/action/argv", Json::array(), "tasks[2].action.argv: names no program"},
      {"/tasks/3/action/dest", "etc/x", "tasks[3].action.dest: must be an absolute path"},
      {"/tasks/3/action/mode", 4096, "tasks[3].action.mode: must be an integer from 0 to 4095"},
      {"/tasks/3/action/content", "!!!!", "tasks[3].action.content: no base64 text"},
  };
  for (const Case& c : cases) {
    Json json = *ParseJson(EncodeProgram(RichProgram()));
    json[Json::json_pointer(c.path)] = c.value;
    const Result<Program> program = DecodeProgram(Dump(json));
    ASSERT_FALSE(program) << c.path;
    EXPECT_EQ(program.error().message.substr(0, c.want.size()), c.want);
  }
}

TEST(Codec, AMissingKeyIsNamed) {
  Json json = *ParseJson(EncodeEvent(Hello{1, "0.1.0", "rs1", "6.1.0", true}));
  json.erase("kernel");
  EXPECT_EQ(DecodeEvent(Dump(json)).error().message, "kernel: is missing");
}

TEST(Codec, OutputThatIsNotUtf8IsReplacedNotLost) {
  TaskResult result{.detail = CommandOutcome{0, std::string("a\xff") + "b", "", false}};
  const Result<Event> back = DecodeEvent(EncodeEvent(result));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<CommandOutcome>(std::get<TaskResult>(*back).detail).stdout_text,
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Base64, EveryLengthComesBack) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(*DecodeBase64(EncodeBase64(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
  EXPECT_EQ(EncodeBase64("foob"), "Zm9vYg==");  // RFC 4648, section 10
  for (const std::string text : {"Zg=", "Z===", "Zm9v====", "Zm=v", "Zg==Zg=="})
    EXPECT_FALSE(DecodeBase64(text)) << text;
}

}  // namespace
}  // namespace drover
