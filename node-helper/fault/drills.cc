#include "node-helper/fault/drills.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "node-helper/drill/probe_address.h"
#include "node-helper/drill/probe_packet.h"
#include "node-helper/fault/drill_guard.h"
#include "node-helper/fault/fault_hands.h"
#include "node-helper/fault/fault_plan.h"
#include "node-helper/fault/node_snapshot.h"
#include "node-helper/fault/process_table.h"
#include "node-helper/install/daemon_lock.h"
#include "node-helper/store/files.h"
#include "node-helper/store/systemd.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLockPatience{2000};
constexpr milliseconds kLook{5};
constexpr milliseconds kSeenPatience{2000};
constexpr milliseconds kLeavePatience{1500};
constexpr std::int64_t kMicrosPerMilli = 1000;
constexpr std::size_t kMostReason = 400;
constexpr std::chrono::seconds kTimerLater{5};

template <typename Condition>
bool WaitFor(milliseconds patience, const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

std::string TimerOf(const std::string& id) { return "drover-drill-" + id; }

DrillState StateOf(const DrillJournal* journal, const std::string& id, DrillBoard& board) {
  DrillState state;
  state.drill_id = id;
  const BoardPage& page = board.page();
  if (journal != nullptr && page.undone == 0) state.guards = journal->guards;
  state.injected = page.injected != 0;
  state.undone = page.undone != 0;
  state.undone_by = ToString(static_cast<UndoneBy>(page.undone_by.load()));
  state.injected_us = page.injected;
  state.undone_us = page.undone;
  state.residue = board.Residue();
  return state;
}

// Sends the text that puts the injection on the prober's clock.
class Marker {
 public:
  explicit Marker(const std::optional<Endpoint>& to) {
    if (!to) return;
    to_ = ProbeAddressOf(to->address, to->port);
    socket_.Reset(::socket(to->address.is_v4() ? AF_INET : AF_INET6,
                           SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Says nothing; but the neighbour is known when it matters.
    Send("", 0);
  }
  void Tell(const std::string& text) {
    const auto bytes = EncodeProbeMarker({text});
    Send(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

 private:
  void Send(const char* bytes, std::size_t size) {
    if (!socket_.valid()) return;
    (void)::sendto(socket_.get(), bytes, size, MSG_NOSIGNAL, to_.get(), to_.length);
  }
  Descriptor socket_;
  ProbeAddress to_;
};

}  // namespace

std::string NoDrillReason(const std::string& root) {
  for (const char* path : {"/run/drover/no-drill", "/etc/drover/no-drill"}) {
    const auto text = ReadWholeFile(root + path);
    if (!text && text.error().code == ErrorCode::kNotFound) continue;
    std::string reason = text ? ToUtf8(*text).substr(0, kMostReason) : text.error().message;
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    while (!reason.empty() && reason.back() == ' ') reason.pop_back();
    return reason.empty() ? std::string(path) + " is there" : reason;
  }
  return "";
}

std::vector<std::string> Drills::GuardsFor(const FaultOrder& order,
                                           const std::vector<FaultStep>& steps) const {
  std::vector<std::string> guards;
  if (!steps.empty() && std::all_of(steps.begin(), steps.end(), IsKernelTimed)) {
    guards.emplace_back("kernel");
  }
  guards.emplace_back("guardian");
  guards.emplace_back("watchman");
  if (SystemdRuns()) {
    guards.emplace_back("systemd");
  } else if (!HitsTheDaemon(order.fault) && RunningDaemon("")) {
    // Under systemd the daemon may not do what undoing needs.
    guards.emplace_back("daemon");
  }
  return guards;
}

std::vector<std::string> Drills::Obstacles(const FaultOrder& order,
                                           std::vector<FaultStep>& steps) const {
  if (::geteuid() != 0) return {"drills need root"};
  FaultPlan plan = PlanFault(order, parts_, OwnSshWay(), std::nullopt);
  steps = std::move(plan.steps);
  return std::move(plan.obstacles);
}

Result<DrillGround> Drills::Look(const std::optional<FaultOrder>& order) {
  DrillGround ground;
  ground.no_drill = NoDrillReason("");
  ground.leftovers = journals_.Ids();
  if (order) {
    std::vector<FaultStep> steps;
    ground.obstacles = Obstacles(*order, steps);
    ground.guards = GuardsFor(*order, steps);
  }
  auto snapshot = TakeNodeSnapshot(parts_);
  if (!snapshot) return Fail(snapshot.error());
  ground.snapshot = std::move(*snapshot);
  ground.clock_us = std::chrono::duration_cast<std::chrono::microseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count();
  return ground;
}

void Drills::ForgetOldBoards() const {
  constexpr std::string_view kEnding = ".board";
  const auto alive = journals_.Ids();
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(parts_.run_directory + "/drill", error)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(kEnding)) continue;
    const std::string id = name.substr(0, name.size() - kEnding.size());
    if (std::find(alive.begin(), alive.end(), id) != alive.end()) continue;
    [[maybe_unused]] const Status gone = RemoveFileIfThere(entry.path().string());
  }
}

Status Drills::StartGuards(const DrillJournal& journal, DrillBoard& board) const {
  const std::string& id = journal.task.order.drill_id;
  for (const GuardRole role : {GuardRole::kGuardian, GuardRole::kWatchman}) {
    if (const Status started = StartGuard(parts_, id, role); !started) {
      return Fail(started.error().In(std::string(ToString(role))));
    }
    if (!WaitFor(kSeenPatience, [&] { return board.Lives(role); })) {
      return Fail(ErrorCode::kInternal,
                  "the " + std::string(ToString(role)) + " does not show that it lives");
    }
  }
  if (!SystemdRuns()) return {};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(journal.task.order.duration) +
                       std::chrono::ceil<std::chrono::seconds>(journal.task.lease) + kTimerLater;
  return RunTool(parts_,
                 {"systemd-run", "--quiet", "--collect", "--unit=" + TimerOf(id),
                  "--on-active=" + std::to_string(seconds.count()),
                  "--timer-property=AccuracySec=100ms", parts_.program, "drill", "undo", id});
}

Result<DrillState> Drills::Arm(const DrillArmTask& task) {
  const std::string& id = task.order.drill_id;
  if (const std::string reason = NoDrillReason(""); !reason.empty()) {
    return Fail(ErrorCode::kDenied, "this node takes no drills: " + reason);
  }
  const auto others = journals_.Ids();
  if (!others.empty()) {
    return Fail(ErrorCode::kExists, "drill " + others[0] + " is not undone yet on this node");
  }
  DrillJournal journal;
  journal.boot_id = parts_.boot_id();
  journal.task = task;
  const auto obstacles = Obstacles(task.order, journal.steps);
  if (!obstacles.empty()) return Fail(ErrorCode::kInvalid, obstacles[0]);
  journal.guards = GuardsFor(task.order, journal.steps);
  ForgetOldBoards();
  auto board = DrillBoard::Create(parts_.run_directory, id);
  if (!board) return Fail(board.error());
  (*board)->page().lease = task.lease.count() * kMicrosPerMilli;
  (*board)->Renew();
  if (const Status saved = journals_.Save(journal); !saved) {
    [[maybe_unused]] const Status gone =
        RemoveFileIfThere(DrillBoard::PathOf(parts_.run_directory, id));
    return Fail(saved.error());
  }
  if (const Status started = StartGuards(journal, **board); !started) {
    [[maybe_unused]] const bool undone =
        UndoDrill(parts_, journal, **board, UndoneBy::kOrder, nullptr);
    return Fail(started.error());
  }
  (*board)->Renew();
  return StateOf(&journal, id, **board);
}

// Processes may have come and gone since it was armed: what undoing needs is on the disk, and known
// to the guards, before anything is done.
Status Drills::PlanAgain(DrillJournal& journal, DrillBoard& board,
                         const std::optional<Endpoint>& marker) const {
  FaultPlan plan = PlanFault(journal.task.order, parts_, OwnSshWay(), marker);
  if (!plan.obstacles.empty()) return Fail(ErrorCode::kInvalid, plan.obstacles[0]);
  if (plan.steps == journal.steps) return {};
  journal.steps = std::move(plan.steps);
  if (const Status saved = journals_.Save(journal); !saved) return saved;
  const std::int64_t generation = ++board.page().generation;
  for (std::size_t i = 0; i < kGuardRoles; ++i) {
    if (!WaitFor(kSeenPatience, [&] { return board.page().seen.at(i) >= generation; })) {
      return Fail(ErrorCode::kTimeout, "the guards did not take up the newest plan in time");
    }
  }
  return {};
}

Status Drills::DoAll(const DrillJournal& journal, DrillBoard& board) const {
  FaultHands hands(parts_, journal.task.order.drill_id);
  for (const FaultStep& step : journal.steps) {
    if (const Status done = hands.Do(step, board.page().deadline); !done) return done;
  }
  return {};
}

Result<DrillState> Drills::Inject(const DrillInjectTask& task) {
  auto board = DrillBoard::Open(parts_.run_directory, task.drill_id);
  auto journal = journals_.Load(task.drill_id);
  if (board && (*board)->page().undone != 0) {
    return Fail(
        ErrorCode::kTimeout,
        "the drill was ended already, by: " +
            std::string(ToString(static_cast<UndoneBy>((*board)->page().undone_by.load()))));
  }
  if (!board || !journal)
    return Fail(ErrorCode::kNotFound, "drill " + task.drill_id + " is not armed");
  BoardPage& page = (*board)->page();
  if (page.began != 0) return Fail(ErrorCode::kExists, "the fault was injected already");
  (*board)->Renew();
  if (const Status planned = PlanAgain(*journal, **board, task.marker); !planned) {
    return Fail(planned.error());
  }
  for (const GuardRole role : {GuardRole::kGuardian, GuardRole::kWatchman}) {
    if (!(*board)->Lives(role)) {
      return Fail(ErrorCode::kInternal,
                  "the " + std::string(ToString(role)) + " is gone; nothing was injected");
    }
  }
  Marker marker(task.marker);
  if (!(*board)->Lock(kLockPatience)) {
    return Fail(ErrorCode::kTimeout, "somebody else is at work on this drill");
  }
  if (page.undone != 0) {
    (*board)->Unlock();
    return Fail(ErrorCode::kTimeout, "the lease was over before the fault was injected");
  }
  const std::int64_t duration = journal->task.order.duration.count() * kMicrosPerMilli;
  page.deadline = BoardNow() + duration;
  page.began = BoardNow();
  // What others carry out begins with the order: a service may end long before its script has.
  const auto by_others = [](const FaultStep& step) {
    return step.kind == StepKind::kYield || step.kind == StepKind::kService;
  };
  const bool ordered = std::all_of(journal->steps.begin(), journal->steps.end(), by_others);
  const auto begins = [&] {
    marker.Tell(task.drill_id + " injected");
    page.injected = BoardNow();
  };
  if (ordered) begins();
  const Status done = DoAll(*journal, **board);
  if (done && !ordered) begins();
  if (done && ordered) page.deadline = BoardNow() + duration;
  (*board)->Unlock();
  if (!done) {
    [[maybe_unused]] const bool undone =
        UndoDrill(parts_, *journal, **board, UndoneBy::kOrder, nullptr);
    return Fail(done.error());
  }
  return StateOf(&*journal, task.drill_id, **board);
}

Result<DrillState> Drills::Undo(const DrillUndoTask& task) {
  auto journal = journals_.Load(task.drill_id);
  auto board = DrillBoard::Open(parts_.run_directory, task.drill_id);
  if (!journal && !board) {
    // Never armed here, or so long ago that nobody knows: there is nothing to undo.
    DrillState state;
    state.drill_id = task.drill_id;
    state.undone = true;
    return state;
  }
  if (!board) {
    (void)LookAfterDrills(parts_, /*may_guard=*/true);
    board = DrillBoard::Open(parts_.run_directory, task.drill_id);
    if (!board) return Fail(board.error());
  } else if (journal) {
    (void)UndoDrill(parts_, *journal, **board, UndoneBy::kOrder, nullptr);
  }
  if (SystemdRuns()) {
    [[maybe_unused]] const Status stopped =
        RunTool(parts_, {"systemctl", "stop", TimerOf(task.drill_id) + ".timer"});
  }
  if ((*board)->page().undone != 0) {
    // Nothing of the drill is left running when this is answered.
    (void)WaitFor(kLeavePatience, [&] { return HelpersWith({"guard", task.drill_id}).empty(); });
  }
  return StateOf(journal ? &*journal : nullptr, task.drill_id, **board);
}

void Drills::Heard(const std::string& run_id) {
  if (run_id.empty() || run_id.find('/') != std::string::npos) return;
  const auto board = DrillBoard::Open(parts_.run_directory, run_id);
  if (board && (*board)->page().undone == 0) (*board)->Renew();
}

}  // namespace drover
