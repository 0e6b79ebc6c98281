// A run as a transaction: begin, check in, probe, confirm, take back. Hosts are played by hand.
#include <gtest/gtest.h>

#include <functional>

#include "orchestrator/rollout/rollout.h"
#include "protocol/helper_upgrade.h"
#include "tests/orchestrator/rollout/run_builder.h"

namespace drover {
namespace {

const SocketKey kWeb{Transport::kTcp, IpAddress::V4({10, 0, 0, 100}), 80};

struct Words {
  std::string operator()(const BeginTask& begin) const {
    return begin.take_over.empty() ? "begin" : "take-over:" + begin.take_over;
  }
  std::string operator()(const ConfirmTask&) const { return "confirm"; }
  std::string operator()(const RevertTask&) const { return "revert"; }
  std::string operator()(const ReleaseTask&) const { return "release"; }
  std::string operator()(const CommandTask&) const { return "work"; }
  std::string operator()(const PruneTask&) const { return "settle"; }
  std::string operator()(const ProbeTask&) const { return "verify"; }
  std::string operator()(const StatusTask&) const { return "status"; }
  std::string operator()(const HandoverTask& handover) const {
    if (handover.move == HandoverMove::kReturn) return "return";
    return handover.with_run ? "yield" : "yield for good";
  }
  template <typename T>
  std::string operator()(const T&) const {
    return "?";
  }
};

std::string WordOf(const Task& task) {
  return std::visit(Words{}, task.action) + (task.check ? "?" : "");
}

// Nodes that keep state: what is asked of them is answered at once unless a test holds it back.
class Nodes {
 public:
  struct Node {
    bool locked = false;
    bool goes_back = true;
    bool armed = false;
    bool changes = true;  // its work changes something
    std::string change = "service tcp 10.0.0.100:80";
    std::string reason;  // of the change
    bool fails = false;  // its work fails
    std::optional<LockHolder> holder;
    std::uint64_t generation = 0;
    std::vector<std::string> masters;
    bool healthy = true;
    int looks_until_master = 1 << 30;      // how often it is asked before its instance is master
    std::map<std::string, Error> refuses;  // by word
  };

  explicit Nodes(const RunBuilder& builder, RolloutOptions options = Full())
      : run_(builder.Build()), rollout_(run_, std::move(options)) {}
  static RolloutOptions Full() {
    RolloutOptions options;
    options.transaction = TransactionMode::kFull;
    options.run.run_id = "run-1";
    return options;
  }

  Node& operator[](const std::string& host) { return nodes_[host]; }
  CompiledRun& run() { return run_; }
  Rollout& rollout() { return rollout_; }
  const RunEnd& end() const { return rollout_.end(); }
  HostEnd end_of(const std::string& host) const { return end().hosts.at(host); }
  std::string log() const { return log_; }
  std::set<SocketKey> answering;               // services, as probed
  std::function<void(const std::string&)> on;  // sees each word of the log

  void Start() { Step(RunStarted{}); }
  void Step(const RolloutEvent& event) {
    for (const RolloutAction& action : rollout_.Step(event)) {
      if (const auto* abort = std::get_if<AbortHost>(&action)) ++connection_[abort->host];
      queue_.push_back(action);
    }
    if (busy_) return;
    busy_ = true;
    while (!queue_.empty()) {
      const RolloutAction action = queue_.front();
      queue_.erase(queue_.begin());
      std::visit([this](const auto& a) { Do(a); }, action);
    }
    busy_ = false;
  }

 private:
  void Say(const std::string& word) {
    log_ += (log_.empty() ? "" : " ") + word;
    if (on) on(word);
  }
  void Do(const SendProgram& send) {
    Node& node = nodes_[send.host];
    // The node finishes its task although nobody listens any more.
    const int connection = connection_[send.host];
    std::string words;
    for (const Task& task : send.program.tasks) words += (words.empty() ? "" : "+") + WordOf(task);
    Say(send.host + ":" + words + (send.fresh ? "!" : ""));
    generation_ = send.program.run.generation;
    const auto tell = [&](const RolloutEvent& event) {
      if (connection_[send.host] == connection) Step(event);
    };
    tell(HostSpoke{send.host, Hello{}});
    for (const Task& task : send.program.tasks) {
      if (const auto error = node.refuses.find(WordOf(task)); error != node.refuses.end()) {
        tell(HostLost{send.host, error->second});
        return;
      }
      TaskResult result = Carry(node, task);
      result.task = task.id;
      const bool failed = result.status == TaskStatus::kFailed;
      tell(HostSpoke{send.host, std::move(result)});
      if (failed) break;
    }
    tell(HostSpoke{send.host, ProgramDone{.ok = true, .armed = node.armed}});
  }
  static TaskResult Carry(Node& node, const Task& task) {
    TaskResult result;
    const auto fail = [&](ErrorCode code, const std::string& message) {
      result.status = TaskStatus::kFailed;
      result.code = code;
      result.message = message;
    };
    if (const auto* begin = std::get_if<BeginTask>(&task.action)) {
      NodeGround ground;
      ground.generation = node.generation;
      if (node.holder && begin->take_over != node.holder->run.run_id) {
        fail(ErrorCode::kExists, "held");
        ground.holder = node.holder;
      } else {
        if (node.holder) ground.adopted_run = node.holder->run.run_id;
        node.armed |= node.holder && node.holder->armed;
        node.holder.reset();
        node.locked = !task.check;
        node.goes_back = begin->revert;
      }
      ground.armed = node.armed;
      ground.masters = node.masters;
      result.detail = ground;
    } else if (std::holds_alternative<StatusTask>(task.action)) {
      NodeStatus status;
      InstanceStatus instance;
      instance.name = "web";
      instance.state = !node.healthy                    ? "fault"
                       : node.looks_until_master-- <= 0 ? "master"
                                                        : "backup";
      status.instances.push_back(instance);
      result.detail = status;
    } else if (std::holds_alternative<HandoverTask>(task.action)) {
      result.status = TaskStatus::kChanged;
    } else if (std::holds_alternative<ReleaseTask>(task.action)) {
      if (node.armed) fail(ErrorCode::kInvalid, "something was changed");
      node.locked = node.armed;
    } else if (std::holds_alternative<ConfirmTask>(task.action) ||
               std::holds_alternative<RevertTask>(task.action)) {
      node.armed = node.locked = false;
    } else {
      node.armed |= node.changes && node.goes_back && !task.check;
      if (node.changes) result.changes.push_back({"change", node.change, "", "", node.reason});
      result.status = node.changes ? TaskStatus::kChanged : TaskStatus::kOk;
      if (node.fails) fail(ErrorCode::kInvalid, "no");
    }
    return result;
  }
  void Do(const ProbeVips& probe) {
    Say(probe.patient ? "probe" : "look");
    std::set<SocketKey> answered;
    for (const SocketKey& service : probe.services) {
      if (answering.contains(service)) answered.insert(service);
    }
    Step(VipsProbed{answered});
  }
  void Do(const WakeAfter& wake) {
    waited += wake.span;
    Step(Woken{});
  }
  void Do(const AskOperator&) {
    Say("ask");
    Step(OperatorSaid{operator_says});
  }
  void Do(const AbortHost& abort) { Say("abort(" + abort.host + ")"); }
  void Do(const CloseHost& close) { Say("close(" + close.host + ")"); }
  void Do(const Shown& shown) {
    if (const auto* play = std::get_if<PlayBanner>(&shown))
      Say("play" + std::to_string(play->play));
    if (const auto* stage = std::get_if<StageReached>(&shown)) {
      stages += (stages.empty() ? "" : " ") + std::string(ToString(stage->stage));
      for (const std::string& host : stage->hosts) stages += ":" + host;
    }
    if (const auto* answer = std::get_if<StageAnswer>(&shown)) {
      stages += " <" + answer->host + (answer->error.empty() ? "" : "!");
    }
    if (const auto* notice = std::get_if<Notice>(&shown)) notices += notice->text + "\n";
  }
  void Do(const FinishRun&) { Say("finish"); }

 public:
  bool operator_says = true;
  std::chrono::milliseconds waited{0};
  std::string notices;
  std::string stages;  // with their hosts, and who answered
  std::uint64_t generation_ = 0;

 private:
  CompiledRun run_;
  Rollout rollout_;
  std::map<std::string, Node> nodes_;
  std::map<std::string, int> connection_;
  std::vector<RolloutAction> queue_;
  bool busy_ = false;
  std::string log_;
};

RunBuilder Two() { return RunBuilder().Play("p", {"a", "b"}).Task("one"); }

TEST(TransactionRun, ChangedHostsAreConfirmedOverNewConnections) {
  Nodes nodes(Two());
  nodes["b"].generation = 6;
  nodes.Start();
  EXPECT_EQ(nodes.log(),
            "a:begin b:begin play0 a:work b:work a:begin! b:begin! a:confirm b:confirm finish");
  EXPECT_EQ(nodes.end().generation, 7U);
  EXPECT_EQ(nodes.generation_, 7U);
  EXPECT_EQ(nodes.end().Count(HostEnd::kConfirmed), 2U);
  EXPECT_FALSE(nodes["a"].locked || nodes["b"].locked);
}

TEST(TransactionRun, EveryStageIsShownWithItsHostsAndTheirAnswers) {
  Nodes nodes(RunBuilder().Play("p", {"a", "b"}).Task("one").Play("q", {"c"}).Task("two"));
  nodes["c"].changes = false;
  nodes.Start();
  EXPECT_EQ(nodes.stages,
            "begin:a:b:c <a <b <c batch_start:a:b work:a:b check_in:a:b <a <b batch_end:a:b "
            "batch_start:c work:c batch_end:c renew:a:b <a <b confirm:a:b release:c <a <b <c");
}

// As after a reboot: it is there, and what it had changed is gone.
TEST(TransactionRun, AHostThatWentBackWhileOthersWereAtWorkTakesTheGroupBack) {
  Nodes nodes(RunBuilder().Play("p", {"a", "b"}).Task("one").Play("q", {"c"}).Task("two"));
  nodes.on = [&](const std::string& word) {
    if (word == "c:work") nodes["a"].armed = false;
  };
  nodes.Start();
  EXPECT_EQ(nodes.log().find("confirm"), std::string::npos) << nodes.log();
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kReverted);
  EXPECT_EQ(nodes.end_of("c"), HostEnd::kReverted);
  EXPECT_EQ(nodes.end().reason, "a went back by itself");
  EXPECT_FALSE(nodes["a"].locked || nodes["b"].locked || nodes["c"].locked);
}

TEST(TransactionRun, AStageSaysWhoAnsweredBadlyAndWhoGoesBack) {
  Nodes nodes(Two());
  nodes.on = [&](const std::string& word) {
    if (word == "b:work") nodes["b"].refuses["begin"] = Error{ErrorCode::kUnreachable, "gone"};
  };
  nodes.Start();
  EXPECT_EQ(nodes.stages,
            "begin:a:b <a <b batch_start:a:b work:a:b check_in:a:b <a <b! revert:a:b <a <b");
}

TEST(TransactionRun, UnchangedHostsAreReleasedOverTheConnectionTheyHave) {
  Nodes nodes(Two());
  nodes["a"].changes = nodes["b"].changes = false;
  nodes.Start();
  EXPECT_EQ(nodes.log(), "a:begin b:begin play0 a:work b:work a:release b:release finish");
  EXPECT_EQ(nodes.end().generation, 0U);
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kUnchanged);
  EXPECT_TRUE(nodes.notices.empty());
}

TEST(TransactionRun, NothingIsChangedBeforeEveryHostHasBegun) {
  Nodes nodes(Two());
  nodes["b"].refuses["begin"] = Error{ErrorCode::kUnreachable, "no route to host"};
  nodes.Start();
  EXPECT_EQ(nodes.log(), "a:begin b:begin play0 a:work a:begin! a:confirm finish");
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kNotReached);
  EXPECT_EQ(nodes.rollout().tallies().at("b"), (Tally{.unreachable = 1}));
}

TEST(TransactionRun, AHostThatAnotherRunHoldsEndsTheRunBeforeAnyChange) {
  Nodes nodes(Two());
  LockHolder holder;
  holder.run.run_id = "other";
  holder.run.user = "anna";
  nodes["b"].holder = holder;
  nodes.Start();
  EXPECT_EQ(nodes.log(), "a:begin b:begin a:release finish");
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kRefused);
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kNotAttempted);
  EXPECT_EQ(nodes.end().holders.at("b").run.user, "anna");
  EXPECT_FALSE(nodes.end().reason.empty());
  EXPECT_FALSE(nodes["a"].locked);
}

TEST(TransactionRun, ADeadRunIsTakenOverWithItsChanges) {
  RolloutOptions options = Nodes::Full();
  options.is_dead = [](const LockHolder& holder) { return holder.run.pid == 77; };
  Nodes nodes(Two(), options);
  nodes["a"].changes = nodes["b"].changes = false;
  LockHolder holder;
  holder.run.run_id = "dead";
  holder.run.pid = 77;
  holder.armed = true;
  nodes["b"].holder = holder;
  nodes.Start();
  EXPECT_EQ(nodes.log(),
            "a:begin b:begin b:take-over:dead play0 a:work b:work b:begin! a:release b:confirm "
            "finish");
  EXPECT_NE(nodes.notices.find("dead"), std::string::npos);
}

TEST(TransactionRun, OneFailedHostTakesTheGroupBack) {
  Nodes nodes(RunBuilder().Play("p", {"a", "b"}).Task("one").Play("q", {"c"}).Task("two"));
  nodes["b"].fails = true;
  nodes.Start();
  EXPECT_EQ(nodes.log(),
            "a:begin b:begin c:begin play0 a:work b:work a:revert b:revert c:release finish");
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kReverted);
  EXPECT_EQ(nodes.end_of("c"), HostEnd::kNotAttempted);
  EXPECT_EQ(nodes.end().reason, "b failed");
}

TEST(TransactionRun, WithoutRollbackAFailureLeavesThingsAsTheyAre) {
  RolloutOptions options = Nodes::Full();
  options.revert = false;
  Nodes nodes(RunBuilder().Play("p", {"a", "b"}).Task("one").Play("q", {"a"}).Task("two"), options);
  nodes["b"].fails = true;
  nodes.Start();
  EXPECT_EQ(nodes.log(),
            "a:begin b:begin play0 a:work b:work play1 a:work a:release b:release finish");
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kConfirmed);
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kKept);
}

TEST(TransactionRun, AHostThatCutItsOwnConnectionTakesTheGroupBack) {
  Nodes nodes(Two());
  nodes.on = [&](const std::string& word) {
    if (word == "b:work") {
      nodes["b"].refuses["begin"] = Error{ErrorCode::kUnreachable, "no answer in 10 s"};
      nodes["b"].refuses["revert"] = Error{ErrorCode::kUnreachable, "no answer in 10 s"};
    }
  };
  nodes.Start();
  EXPECT_EQ(nodes.log(),
            "a:begin b:begin play0 a:work b:work a:begin! b:begin! a:revert b:revert! finish");
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kReverted);
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kGoesBack);
  EXPECT_EQ(nodes.rollout().tallies().at("b").unreachable, 1);
}

CompiledRun& WithService(CompiledRun& run) {
  VirtualService service;
  service.key = kWeb;
  run.states["b"].services.push_back(service);
  return run;
}

TEST(TransactionRun, AServiceThatNoLongerAnswersTakesTheGroupBack) {
  Nodes nodes(Two());
  WithService(nodes.run());
  nodes.answering = {kWeb};
  nodes.on = [&](const std::string& word) {
    if (word == "b:work") nodes.answering.clear();
  };
  nodes.Start();
  EXPECT_EQ(nodes.log(),
            "a:begin b:begin look play0 a:work a:begin! probe b:work b:begin! probe a:revert "
            "b:revert finish");
  EXPECT_NE(nodes.end().reason.find("tcp 10.0.0.100:80"), std::string::npos);
}

TEST(TransactionRun, ServicesThatNothingIsKnownOfAreNamedOnce) {
  Nodes nodes(Two());
  WithService(nodes.run());
  VirtualService dns;
  dns.key = SocketKey{Transport::kUdp, IpAddress::V4({10, 0, 0, 100}), 53};
  nodes.run().states["b"].services.push_back(dns);
  nodes.Start();
  EXPECT_EQ(nodes.notices,
            "not judged between batches: udp 10.0.0.100:53 cannot be asked from here, tcp "
            "10.0.0.100:80 did not answer before the run\n");
}

TEST(TransactionRun, AServiceThatDidNotAnswerBeforeIsNoReason) {
  Nodes nodes(Two());
  WithService(nodes.run());
  nodes.Start();
  EXPECT_EQ(nodes.end().Count(HostEnd::kConfirmed), 2U);
}

TEST(TransactionRun, StopFinishesTheBatchAndConfirmsIt) {
  Nodes nodes(RunBuilder().Play("p", {"a"}).Task("one").Play("q", {"b"}).Task("two"));
  nodes.on = [&](const std::string& word) {
    if (word == "a:work") nodes.Step(StopAsked{});
  };
  nodes.Start();
  EXPECT_EQ(nodes.log(), "a:begin b:begin play0 a:work a:begin! a:confirm b:release finish");
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kConfirmed);
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kNotAttempted);
  EXPECT_TRUE(nodes.rollout().interrupted());
}

TEST(TransactionRun, AbortTakesAllBackAtOnce) {
  Nodes nodes(Two());
  nodes.on = [&](const std::string& word) {
    if (word == "b:begin!") nodes.Step(AbortAsked{});
  };
  nodes.Start();
  EXPECT_NE(nodes.log().find("a:revert"), std::string::npos) << nodes.log();
  EXPECT_NE(nodes.log().find("b:revert!"), std::string::npos) << nodes.log();
  EXPECT_EQ(nodes.end().Count(HostEnd::kReverted), 2U) << nodes.log();
  EXPECT_TRUE(nodes.rollout().finished());
}

TEST(TransactionRun, AHostThatCannotBeToldOfTheEndIsNamed) {
  Nodes nodes(Two());
  nodes["b"].refuses["confirm"] = Error{ErrorCode::kUnreachable, "gone"};
  nodes.Start();
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kConfirmed);
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kGoesBack);
  EXPECT_NE(nodes.end().reason.find("b could not be told"), std::string::npos);
  EXPECT_NE(nodes.log().find("b:confirm b:begin+confirm! finish"), std::string::npos);
}

TEST(TransactionRun, CheckModeOnlyLooks) {
  RolloutOptions options = Nodes::Full();
  options.transaction = TransactionMode::kLook;
  RunBuilder builder = Two();
  for (auto& [host, items] : builder.last().hosts) std::get<Task>(items[0].action).check = true;
  Nodes nodes(builder, options);
  nodes.Start();
  EXPECT_EQ(nodes.log(), "a:begin? b:begin? play0 a:work? b:work? finish");
  EXPECT_FALSE(nodes.end().transaction);
}

TEST(TransactionRun, BeginIsAskedOfNoMoreHostsThanForks) {
  RolloutOptions options = Nodes::Full();
  options.forks = 1;
  Nodes nodes(Two(), options);
  nodes.Start();
  EXPECT_EQ(nodes.end().Count(HostEnd::kConfirmed), 2U) << nodes.log();
}

RunBuilder Three(PlayPolicy policy) {
  return RunBuilder().Play("p", {"a", "b", "c"}).Policy(std::move(policy)).Task("one");
}

TEST(TransactionBatches, EachIsCheckedInBeforeTheNextBegins) {
  Nodes nodes(Three({.serial = {{1, false}, {2, false}}}));
  nodes.Start();
  EXPECT_EQ(nodes.log(),
            "a:begin b:begin c:begin play0 a:work a:begin! play0 b:work c:work b:begin! c:begin! "
            "a:begin b:begin c:begin a:confirm b:confirm c:confirm finish");
}

TEST(TransactionBatches, AFailedBatchStopsTheRunAndNamesWhoWasNotAttempted) {
  Nodes nodes(Three({.serial = {{1, false}}}));
  nodes["b"].fails = true;
  nodes.Start();
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kReverted);
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kReverted);
  EXPECT_EQ(nodes.end_of("c"), HostEnd::kNotAttempted);
  EXPECT_EQ(nodes.log().find("c:work"), std::string::npos);
}

TEST(TransactionBatches, AFailureWithinTheBudgetTakesOnlyItsHostBack) {
  Nodes nodes(Three({.max_fail_percentage = 34}));
  nodes["b"].fails = true;
  nodes.Start();
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kConfirmed);
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kReverted);
  EXPECT_EQ(nodes.end_of("c"), HostEnd::kConfirmed);
  EXPECT_TRUE(nodes.end().reason.empty());
}

TEST(TransactionBatches, AHostThatCannotBeginIsWithinTheBudgetToo) {
  for (const auto& [percentage, kept] : std::map<double, bool>{{33, false}, {34, true}}) {
    Nodes nodes(Three({.max_fail_percentage = percentage}));
    nodes["b"].refuses["begin"] = Error{ErrorCode::kDenied, "sudo: a password is required"};
    nodes.Start();
    EXPECT_EQ(nodes.end_of("a"), kept ? HostEnd::kConfirmed : HostEnd::kReverted) << percentage;
    EXPECT_EQ(nodes.rollout().tallies().at("b"), (Tally{.failed = 1}));
    EXPECT_EQ(nodes.log().find("b:work"), std::string::npos);
  }
}

TEST(TransactionBatches, ThePercentageMustBeExceeded) {
  for (const auto& [percentage, kept] : std::map<double, bool>{{33, false}, {34, true}}) {
    Nodes nodes(Three({.max_fail_percentage = percentage}));
    nodes["b"].fails = true;
    nodes.Start();
    EXPECT_EQ(nodes.end_of("a"), kept ? HostEnd::kConfirmed : HostEnd::kReverted) << percentage;
  }
}

TEST(TransactionBatches, WithoutRollbackABatchOfWhichNobodyComesThroughStopsTheRun) {
  RolloutOptions options = Nodes::Full();
  options.revert = false;
  Nodes nodes(Three({.serial = {{1, false}}}), options);
  nodes["a"].fails = true;
  nodes.Start();
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kKept);
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kNotAttempted);
}

TEST(TransactionBatches, AnUpdateHoldsBehindTheCanaryAndStaggers) {
  PlayPolicy policy;
  policy.update = UpdatePolicy{.canary = 1,
                               .hold = std::chrono::seconds(30),
                               .min_healthy_time = std::chrono::seconds(0),
                               .stagger = std::chrono::seconds(5)};
  Nodes nodes(Three(policy));
  nodes.Start();
  EXPECT_EQ(nodes.waited, std::chrono::seconds(40));
  EXPECT_EQ(nodes.end().Count(HostEnd::kConfirmed), 3U);
}

TEST(TransactionBatches, NobodyWaitsBehindBatchesThatChangedNothing) {
  PlayPolicy policy;
  policy.update = UpdatePolicy{.canary = 1, .hold = std::chrono::seconds(30)};
  Nodes nodes(Three(policy));
  for (const char* host : {"a", "b", "c"}) nodes[host].changes = false;
  nodes.Start();
  EXPECT_EQ(nodes.waited, std::chrono::seconds(0));
}

TEST(TransactionBatches, TheOperatorMayEndTheRunBehindTheCanary) {
  PlayPolicy policy;
  policy.update = UpdatePolicy{
      .canary = 1, .hold_for_operator = true, .min_healthy_time = std::chrono::seconds(0)};
  Nodes nodes(Three(policy));
  nodes.operator_says = false;
  nodes.Start();
  EXPECT_NE(nodes.log().find("ask"), std::string::npos);
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kReverted);
  EXPECT_EQ(nodes.end_of("c"), HostEnd::kNotAttempted);
}

TEST(TransactionBatches, AStopBetweenBatchesConfirmsWhatIsThrough) {
  Nodes nodes(Three({.serial = {{1, false}}}));
  nodes.on = [&](const std::string& word) {
    if (word == "a:begin!") nodes.Step(StopAsked{});
  };
  nodes.Start();
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kConfirmed);
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kNotAttempted);
}

// Directors a and b that share an instance; a is master.
Nodes& AsDirectors(Nodes& nodes) {
  for (const char* host : {"a", "b"}) nodes.run().states[host].vrrp_instances.emplace_back();
  nodes["a"].masters = {"web"};
  return nodes;
}

TEST(TransactionOrder, TheMasterComesLastAndHandsOverBefore) {
  Nodes nodes(Two().Share({"a", "b"}));
  AsDirectors(nodes).Start();
  EXPECT_EQ(nodes.log(),
            "a:begin b:begin play0 b:work b:begin! a:work? a:yield a:work a:begin! a:return "
            "a:begin b:begin a:confirm b:confirm finish");
}

TEST(TransactionOrder, WeightsAndRealServersNeedNoHandover) {
  RunBuilder builder = Two().Share({"a", "b"});
  for (auto& [host, items] : builder.last().hosts) {
    std::get<Task>(items[0].action).action = ConvergeTask{};
  }
  Nodes nodes(builder);
  nodes["a"].change = "real server 10.0.0.1:80 of service tcp 10.0.0.100:80";
  AsDirectors(nodes).Start();
  EXPECT_EQ(nodes.log().find("yield"), std::string::npos) << nodes.log();
}

TEST(TransactionOrder, AnotherVersionOfTheHelperNeedsNoHandoverButAStartOfItsServiceDoes) {
  for (const bool upgrade : {true, false}) {
    RunBuilder builder = Two().Share({"a", "b"});
    for (auto& [host, items] : builder.last().hosts) {
      std::get<Task>(items[0].action).action = ConvergeTask{};
    }
    Nodes nodes(builder);
    nodes["a"].change = "system service drover-node-helper";
    nodes["a"].reason = upgrade ? kHelperUpgrade : "does not run";
    AsDirectors(nodes).Start();
    EXPECT_EQ(nodes.log().find("yield") == std::string::npos, upgrade) << nodes.log();
  }
}

TEST(TransactionOrder, AMasterThatCannotHandOverIsLeftAloneAndTheRunTakenBack) {
  Nodes nodes(Two().Share({"a", "b"}));
  nodes["a"].refuses["yield"] = Error{ErrorCode::kTimeout, "no backup took over"};
  AsDirectors(nodes).Start();
  EXPECT_EQ(nodes.log().find("a:work "), std::string::npos) << nodes.log();
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kReverted);
}

TEST(TransactionOrder, AMasterWhoseBackupDoesNotServeIsMasterAgainAndWasNotTouched) {
  Nodes nodes(Two().Share({"a", "b"}));
  WithService(nodes.run());
  nodes.answering = {kWeb};
  nodes.on = [&](const std::string& word) {
    if (word == "a:yield") nodes.answering.clear();
  };
  AsDirectors(nodes).Start();
  EXPECT_EQ(nodes.log(),
            "a:begin b:begin look play0 b:work b:begin! probe a:work? a:yield probe "
            "a:return+release b:revert finish");
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kNotAttempted);
}

TEST(TransactionOrder, AMasterThatFailsBeforeItChangedAnythingIsMasterAgain) {
  Nodes nodes(Two().Share({"a", "b"}));
  nodes["a"].refuses["work"] = Error{ErrorCode::kInternal, "the helper ended"};
  AsDirectors(nodes).Start();
  EXPECT_NE(nodes.log().find("a:return+"), std::string::npos) << nodes.log();
}

TEST(TransactionOrder, AMasterWithoutABackupIsChangedInPlace) {
  Nodes nodes(RunBuilder().Play("p", {"a"}).Task("one").Share({"a"}));
  nodes.run().states["a"].vrrp_instances.emplace_back();
  nodes["a"].masters = {"web"};
  nodes.Start();
  EXPECT_EQ(nodes.log(), "a:begin play0 a:work a:begin! a:confirm finish");
}

// Two directors and a client that verifies them.
RunBuilder Verified() {
  return Two().Share({"a", "b"}).Play("proof", {"c"}).StartTask("verify").Verify("c", {});
}

TEST(TransactionVerify, ComesWhenTheDirectorsHaveSettled) {
  Nodes nodes(Verified());
  for (const char* host : {"a", "b"}) nodes.run().states[host].vrrp_instances.emplace_back();
  nodes["a"].looks_until_master = 2;
  nodes["c"].changes = false;
  nodes.Start();
  EXPECT_NE(
      nodes.log().find("play1 a:status b:status a:status b:status a:status b:status c:verify"),
      std::string::npos)
      << nodes.log();
  EXPECT_NE(nodes.stages.find("settle:c"), std::string::npos) << nodes.stages;
  EXPECT_EQ(nodes.waited, std::chrono::seconds(1));
}

TEST(TransactionVerify, JudgesDirectorsThatNeverSettleAsTheyAre) {
  Nodes nodes(Verified());
  for (const char* host : {"a", "b"}) nodes.run().states[host].vrrp_instances.emplace_back();
  nodes["c"].changes = false;
  nodes.Start();
  EXPECT_NE(nodes.log().find("c:verify"), std::string::npos) << nodes.log();
  EXPECT_NE(nodes.notices.find("nobody is master of vrrp_instance web"), std::string::npos)
      << nodes.notices;
  EXPECT_EQ(nodes.waited, std::chrono::seconds(60));
}

TEST(TransactionVerify, WaitsForNobodyWhenNothingWasChanged) {
  Nodes nodes(Verified());
  for (const char* host : {"a", "b"}) {
    nodes.run().states[host].vrrp_instances.emplace_back();
    nodes[host].changes = false;
  }
  nodes["c"].changes = false;
  nodes.Start();
  EXPECT_EQ(nodes.log().find("status"), std::string::npos) << nodes.log();
  EXPECT_NE(nodes.log().find("c:verify"), std::string::npos) << nodes.log();
}

TEST(TransactionBatches, ABatchThatDoesNotGetHealthyTakesTheGroupBack) {
  Nodes nodes(Two().Policy({.serial = {{1, false}}}));
  AsDirectors(nodes);
  nodes["b"].healthy = false;
  nodes.Start();
  EXPECT_EQ(nodes.end_of("b"), HostEnd::kReverted);
  EXPECT_EQ(nodes.end_of("a"), HostEnd::kNotAttempted);
  EXPECT_NE(nodes.end().reason.find("not healthy"), std::string::npos) << nodes.end().reason;
}

// Whatever moment the operator chooses, no host is left armed or locked without being named.
TEST(TransactionRun, AbortAtEveryWordLeavesNoHostUnnamed) {
  for (int at = 0; at < 10; ++at) {
    Nodes nodes(Two());
    int words = 0;
    nodes.on = [&](const std::string&) {
      if (words++ == at) nodes.Step(AbortAsked{});
    };
    nodes.Start();
    EXPECT_TRUE(nodes.rollout().finished()) << at;
    for (const char* host : {"a", "b"}) {
      const bool named =
          nodes.end().hosts.contains(host) &&
          (nodes.end_of(host) == HostEnd::kGoesBack || nodes.end_of(host) == HostEnd::kLocked);
      EXPECT_TRUE(named || !(nodes[host].armed || nodes[host].locked))
          << host << " after word " << at << ": " << nodes.log();
    }
  }
}

}  // namespace
}  // namespace drover
