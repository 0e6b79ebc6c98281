// A node in memory for tests of runs: a fake kernel, a store in a folder of its own, a clock that
// the test sets, and undo parts that are entries of maps. Sessions are real ones on files.
//
// A kill is an exception that nobody of ours catches: what was on the disk stays, the rest is gone.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "node-helper/store/files.h"
#include "node-helper/tasks/restore_record.h"
#include "node-helper/tasks/session.h"
#include "node-helper/transaction/guard.h"
#include "protocol/codec.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/fakes/lent_kernel.h"
#include "tests/node-helper/store/samples.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {

struct Killed {};

// Kills at its n-th use; never when the count is 0.
struct Fuse {
  int left = 0;
  void Burn() {
    if (left > 0 && --left == 0) throw Killed();
  }
};

class MapPart : public UndoPart {
 public:
  MapPart(std::map<std::string, std::string>& things, std::string name, const std::string& broken,
          Fuse& fuse)
      : things_(things), name_(std::move(name)), broken_(broken), fuse_(fuse) {}
  [[nodiscard]] std::string name() const override { return name_; }
  Result<std::string> Capture() override {
    fuse_.Burn();
    return things_[name_];
  }
  Status Restore(const std::string& captured, std::vector<ChangeText>& done) override {
    fuse_.Burn();
    if (broken_ == name_) return Fail(ErrorCode::kInternal, "does not work");
    if (things_[name_] != captured) {
      done.push_back({"change", name_, things_[name_], captured, "as before the run"});
    }
    things_[name_] = captured;
    return {};
  }

 private:
  std::map<std::string, std::string>& things_;
  std::string name_;
  const std::string& broken_;
  Fuse& fuse_;
};

// Small files by name; one that is not there is "".
class MapSubjects : public UndoSubjects {
 public:
  MapSubjects(std::string name, std::string folder, Fuse& fuse)
      : name_(std::move(name)), folder_(std::move(folder)), fuse_(fuse) {}
  [[nodiscard]] std::string name() const override { return name_; }
  Result<std::string> Capture(const std::string& subject) override {
    fuse_.Burn();
    return ReadWholeFile(subject).value_or("");
  }
  Status Restore(const std::string& subject, const std::string& captured,
                 std::vector<ChangeText>& done) override {
    fuse_.Burn();
    done.push_back({"change", subject, "", "", "as before the run"});
    if (captured.empty()) return RemoveFileIfThere(subject);
    return WriteFileAtomically(subject, captured, 0644);
  }

 private:
  std::string name_;
  std::string folder_;
  Fuse& fuse_;
};

// Lends the test's kernel and may kill before a change.
class FusedKernel : public LentKernel {
 public:
  FusedKernel(Kernel& kernel, Fuse& fuse) : LentKernel(kernel), fuse_(fuse) {}
  Status Apply(const Change& change) override {
    fuse_.Burn();
    return LentKernel::Apply(change);
  }

 private:
  Fuse& fuse_;
};

class NodeUnderRuns : public ::testing::Test {
 protected:
  NodeUnderRuns() : store_(folder_ / "state"), journal_(store_.directory()) {
    kernel_.SetSysctlValue("net/ipv4/conf/all/arp_ignore", "0");
    clock_.boot_id = [this] { return boot_; };
    clock_.since_boot = [this] { return now_ += std::chrono::milliseconds(1); };
    clock_.wall = [] { return std::int64_t{1700000000}; };
    things_ = {{"firewall", "open"}, {"routing", "default via 10.0.0.1"}};
    kit_.parts.push_back(std::make_unique<MapPart>(things_, "firewall", broken_, capture_fuse_));
    kit_.parts.push_back(std::make_unique<MapPart>(things_, "routing", broken_, capture_fuse_));
    kit_.files = std::make_unique<MapSubjects>("file", folder_.path(), capture_fuse_);
  }

  // --- words of the orchestrator

  static RunInfo RunOf(const std::string& id, const std::string& owner = "web") {
    RunInfo run;
    run.run_id = id;
    run.owner = owner;
    run.user = "ann";
    run.control_host = "ctl";
    run.pid = 7;
    run.command = "rollout";
    return run;
  }
  // Carries out one program in a session of its own; the results.
  std::vector<TaskResult> Session(const RunInfo& run, std::vector<TaskAction> actions,
                                  bool check = false) {
    Program program;
    program.run = run;
    for (TaskAction& action : actions) {
      Task task;
      task.id = static_cast<std::uint32_t>(program.tasks.size() + 1);
      task.action = std::move(action);
      task.check = check;
      program.tasks.push_back(std::move(task));
    }
    return Speak(EncodeProgram(program) + "\n");
  }
  TaskResult One(const RunInfo& run, TaskAction action, bool check = false) {
    const auto results = Session(run, {std::move(action)}, check);
    EXPECT_EQ(results.size(), 1U);
    return results.empty() ? TaskResult() : results.front();
  }
  std::vector<TaskResult> Speak(const std::string& lines) {
    std::ofstream(folder_ / "in") << lines;
    const Descriptor in(::open((folder_ / "in").c_str(), O_RDONLY | O_CLOEXEC));
    const Descriptor out(
        ::open((folder_ / "out").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    SessionParts parts;
    parts.in = in.get();
    parts.out = out.get();
    parts.store = &store_;
    parts.open_kernel = [this]() -> Result<std::unique_ptr<Kernel>> {
      return std::unique_ptr<Kernel>(std::make_unique<FusedKernel>(kernel_, kernel_fuse_));
    };
    parts.transaction = Parts();
    parts.go_back = GoBack();
    RunSession(parts);
    std::istringstream text(ReadWholeFile(folder_ / "out").value());
    std::vector<TaskResult> results;
    for (std::string line; std::getline(text, line);) {
      const Event event = DecodeEvent(line).value();
      if (const auto* result = std::get_if<TaskResult>(&event)) results.push_back(*result);
      if (const auto* done = std::get_if<ProgramDone>(&event)) done_ = *done;
      if (const auto* error = std::get_if<SessionError>(&event))
        ADD_FAILURE() << error->error.message;
    }
    return results;
  }
  TaskResult Begin(const RunInfo& run, BeginTask task = {}) { return One(run, task); }
  // Everything a run does on a node, up to its end.
  TaskResult Change(const RunInfo& run, const DesiredState& state) {
    const auto results = Session(run, {ConvergeTask{state}, PruneTask{state, {}}});
    return results.empty() ? TaskResult() : results.back();
  }
  void Rollout(const std::string& id, const DesiredState& state) {
    ASSERT_EQ(Begin(RunOf(id)).status, TaskStatus::kOk);
    ASSERT_NE(Change(RunOf(id), state).status, TaskStatus::kFailed);
    const TaskResult confirmed = One(RunOf(id), ConfirmTask{});
    ASSERT_EQ(confirmed.status, TaskStatus::kOk) << confirmed.message;
  }

  // --- what happens to the node

  void Wait(std::chrono::milliseconds time) { now_ += time; }
  void Reboot() {
    boot_ += "'";
    now_ = std::chrono::milliseconds(100);
  }
  // What a guard does when it looks now.
  std::optional<GoneBack> Guard() {
    const auto pending = journal_.Load().value();
    const GuardDuty duty = DutyOf(pending, DeadlineFile(folder_ / "run", clock_).Left());
    if (duty.kind != GuardDuty::Kind::kGoBack) return std::nullopt;
    return GoingBack(GoBack()).Run(duty.reason).value();
  }

  // --- how it is

  TransactionParts Parts() {
    TransactionParts parts;
    parts.store = &store_;
    parts.run_directory = folder_ / "run";
    parts.clock = clock_;
    parts.undo = &kit_;
    parts.start_guard = [this] {
      guard_fuse_.Burn();
      ++guards_;
      return guard_fails_ ? Status(Fail(ErrorCode::kInternal, "no process")) : Status();
    };
    parts.has_service = [this] { return has_service_; };
    return parts;
  }
  GoBackParts GoBack() {
    GoBackParts parts;
    parts.store = &store_;
    parts.run_directory = folder_ / "run";
    parts.clock = clock_;
    parts.undo = &kit_;
    parts.restore_record = [this](const auto& previous, const auto& undone, auto& done) {
      FusedKernel kernel(kernel_, kernel_fuse_);
      return RestoreRecord(kernel, store_, nullptr, previous, undone, done);
    };
    parts.remove_service = [this](std::vector<ChangeText>&) {
      has_service_ = false;
      return Status();
    };
    return parts;
  }
  // All that a run may change here.
  struct Look {
    DesiredState kernel;
    DesiredState record;
    std::vector<std::uint64_t> generations;
    std::map<std::string, std::string> things;
    bool operator==(const Look&) const = default;
  };
  Look LookAtAll() {
    return {Canonical(kernel_.Observe({"net/ipv4/conf/all/arp_ignore"}).value()),
            store_.Load("web").value().state, store_.GenerationsOf("web").Numbers().value(),
            things_};
  }
  bool IsFree() {
    return !journal_.exists() && !RunLockFile(store_.directory()).Load().value().has_value();
  }

  const DesiredState first_ = State({Vip("10.0.0.100/32")}, {ArpIgnore("1")}, {Web()});
  const DesiredState second_ = State({Vip("10.0.0.101/32")}, {ArpIgnore("2")}, {});
  TempFolder folder_{"/dev/shm"};  // every step is flushed: a disk would take seconds
  Store store_;
  PendingJournal journal_;
  FakeKernel kernel_;
  NodeClock clock_;
  std::string boot_ = "boot";
  std::chrono::milliseconds now_{1000};
  std::map<std::string, std::string> things_;
  std::string broken_;  // the part that cannot be put back
  UndoKit kit_;
  Fuse capture_fuse_;
  Fuse kernel_fuse_;
  Fuse guard_fuse_;
  int guards_ = 0;
  bool guard_fails_ = false;
  bool has_service_ = true;
  ProgramDone done_;
};

}  // namespace drover
