#include "orchestrator/run/drill_watch.h"

#include <algorithm>

namespace drover {
namespace {

using std::chrono::milliseconds;

// An answer that takes longer will not come over this connection any more.
constexpr milliseconds kLookPatience{6000};
constexpr milliseconds kOrderPatience{8000};

// The directors; and the target, where its own helper must tell that it mended the fault.
std::set<std::string> LookedAt(const DrillSetup& setup, const Prediction& prediction) {
  std::set<std::string> hosts(setup.router.members.begin(), setup.router.members.end());
  if (prediction.Find(Quantity::kRepair) != nullptr) hosts.insert(setup.target);
  return hosts;
}

}  // namespace

WallUs WallNow() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

DrillWatch::DrillWatch(const DrillSetup& setup, const WholeCluster& whole, DrillOrders orders,
                       CourseSettings settings, DrillHosts& hosts, DrillTimeline& timeline,
                       DrillWatchHooks hooks)
    : setup_(setup),
      whole_(whole),
      orders_(std::move(orders)),
      hosts_(hosts),
      timeline_(timeline),
      hooks_(std::move(hooks)),
      looked_at_(LookedAt(setup, settings.prediction)),
      course_(std::move(settings), Clock::now()),
      interrupts_(hosts.interrupts()) {}

DrillWatched DrillWatch::Run(const ProbeRunTask& probes) {
  probe_task_ = hosts_.Send(kProberSeat, probes);
  sent_[probe_task_] = {Errand::kProbes, kProberSeat, Clock::now()};
  while (course_.state() != CourseState::kOver && !watched_.left) {
    const auto event = hosts_.Next(course_.WakeAt(Clock::now()));
    if (hosts_.interrupts() != interrupts_) Interrupted();
    if (!event) {
      Tell(TimePassed{});
    } else if (const auto* progress = std::get_if<SeatProgress>(&*event)) {
      const WallUs began = WallNow() - progress->progress.at.count();
      watched_.probes_began =
          watched_.probes_began == 0 ? began : std::min(watched_.probes_began, began);
      Tell(ProbesSaid{progress->progress});
    } else {
      Hear(std::get<SeatAnswer>(*event));
    }
    DropSilent();
    hooks_.live(course_);
  }
  watched_.aborted = course_.aborted();
  watched_.unhealed = course_.unhealed();
  return std::move(watched_);
}

void DrillWatch::Interrupted() {
  interrupts_ = hosts_.interrupts();
  if (interrupts_ > 1) {
    watched_.left = true;
    return;
  }
  hooks_.tell("stopping: the fault is undone; again to leave it to the node's own guards");
  Tell(DrillStopped{"stopped by the operator"});
}

void DrillWatch::Tell(const CourseEvent& event) {
  const CourseState before = course_.state();
  const bool aborted = course_.aborted().has_value();
  const auto actions = course_.Step(event, Clock::now());
  if (!aborted && course_.aborted()) hooks_.tell("aborted: " + *course_.aborted());
  if (before == CourseState::kArming && course_.state() == CourseState::kWaiting) {
    hooks_.reached(DrillPhase::kArmed);
  }
  if (before == CourseState::kUndoing && course_.state() == CourseState::kHealing) {
    hooks_.reached(DrillPhase::kUndone);
  }
  Carry(actions);
}

void DrillWatch::Carry(const std::vector<CourseAction>& actions) {
  for (const CourseAction action : actions) {
    switch (action) {
      case CourseAction::kArm:
        Begin(orders_.arm);
        break;
      case CourseAction::kInject:
        // On the disk before it is true: a journal must never know less than the nodes.
        hooks_.reached(DrillPhase::kInjected);
        watched_.injected = true;
        watched_.ordered_at = WallNow();
        timeline_.Add(watched_.ordered_at, setup_.target, "injection ordered");
        hooks_.tell("injecting");
        Begin(orders_.inject);
        break;
      case CourseAction::kUndo:
        hooks_.tell("undoing");
        Begin(orders_.undo);
        break;
      case CourseAction::kLook:
        Look();
        break;
      case CourseAction::kBringHome:
        BringHome();
        break;
      case CourseAction::kEndProbes:
        hosts_.Finish(kProberSeat, probe_task_);
        break;
    }
  }
}

void DrillWatch::Begin(std::vector<DrillOrders::Step> steps) {
  std::reverse(steps.begin(), steps.end());
  steps_ = std::move(steps);
  NextStep();
}

void DrillWatch::NextStep() {
  if (steps_.empty()) return Tell(OrderDone{});
  const DrillOrders::Step step = std::move(steps_.back());
  steps_.pop_back();
  sent_[hosts_.Send(step.host, step.action)] = {Errand::kOrder, step.host, Clock::now()};
}

void DrillWatch::Look() {
  for (const std::string& host : looked_at_) {
    if (hosts_.IsBusy(host)) continue;
    sent_[hosts_.Send(host, StatusTask{})] = {Errand::kLook, host, Clock::now()};
  }
}

// Whoever has the VIP gives it back, and may be master again later.
void DrillWatch::BringHome() {
  ClusterStatus cluster;
  for (const auto& [host, status] : seen_) cluster.hosts.push_back(status);
  const auto router = FindRouter(cluster, setup_.vip);
  if (!router || router->master.empty()) return;
  yielder_ = router->master;
  hooks_.tell(yielder_ + " hands the VIP back");
  const HandoverTask yield{.move = HandoverMove::kYield, .instances = {router->instance}};
  sent_[hosts_.Send(yielder_, yield)] = {Errand::kHome, yielder_, Clock::now()};
}

void DrillWatch::Hear(const SeatAnswer& answer) {
  const auto found = sent_.find(answer.task);
  if (found == sent_.end()) return;
  const Errand errand = found->second.errand;
  sent_.erase(found);
  switch (errand) {
    case Errand::kOrder:
      return HearOrder(answer);
    case Errand::kLook:
      return HearLook(answer);
    case Errand::kHome:
      return HearHome(answer);
    case Errand::kProbes:
      break;
  }
  std::string why;
  if (!answer.result) {
    why = answer.result.error().message;
  } else if (answer.result->status == TaskStatus::kFailed) {
    why = answer.result->message;
  } else if (const auto* outcome = std::get_if<ProbeRunOutcome>(&answer.result->detail)) {
    watched_.probes = *outcome;
    watched_.has_probes = true;
    if (!answer.result->message.empty()) hooks_.tell("prober: " + answer.result->message);
  }
  Tell(ProbesEnded{why});
}

void DrillWatch::HearOrder(const SeatAnswer& answer) {
  if (!answer.result || answer.result->status == TaskStatus::kFailed) {
    steps_.clear();
    const std::string why =
        answer.seat + ": " +
        (answer.result ? answer.result->message : answer.result.error().message);
    // A way that is cut by the fault itself: the order was on the node before its answer was lost.
    const bool cut = !answer.result && course_.state() == CourseState::kInjecting &&
                     CutsTheWay(setup_.order.fault);
    if (cut) return Tell(OrderDone{});
    return Tell(OrderFailed{.why = why, .final = answer.result.has_value()});
  }
  if (const auto* state = std::get_if<DrillState>(&answer.result->detail)) {
    const CourseState at = course_.state();
    if (at == CourseState::kArming) watched_.armed = *state;
    if (at == CourseState::kInjecting) watched_.fault = *state;
    if (at == CourseState::kUndoing) {
      watched_.undone = *state;
      watched_.undone_at = WallNow();
    }
  }
  NextStep();
}

void DrillWatch::HearLook(const SeatAnswer& answer) {
  HostStatus one{.host = answer.seat, .needs_daemon = true};
  if (!answer.result) {
    one.error = answer.result.error();
  } else if (const auto* status = std::get_if<NodeStatus>(&answer.result->detail)) {
    one.status = *status;
  } else {
    one.error = Error{answer.result->code.value_or(ErrorCode::kInternal), answer.result->message};
  }
  for (const std::string& news : timeline_.Take({{one}})) hooks_.tell(news);
  const auto& directors = setup_.router.members;
  if (std::find(directors.begin(), directors.end(), answer.seat) == directors.end()) return;
  seen_[answer.seat] = std::move(one);
  ClusterStatus cluster;
  for (const auto& [host, status] : seen_) cluster.hosts.push_back(status);
  if (seen_.size() < setup_.router.members.size()) return;
  const RedundancySample sample = LookForRedundancy(cluster, whole_);
  watched_.samples.emplace_back(WallNow(), sample);
  Tell(ClusterSeen{sample, IsHome(cluster, whole_)});
}

void DrillWatch::HearHome(const SeatAnswer& answer) {
  if (!answer.result || answer.result->status == TaskStatus::kFailed) {
    hooks_.tell(answer.seat + ": " +
                (answer.result ? answer.result->message : answer.result.error().message));
    return;
  }
  if (yielder_.empty()) return;
  const HandoverTask back{.move = HandoverMove::kReturn};
  sent_[hosts_.Send(std::exchange(yielder_, ""), back)] = {Errand::kHome, answer.seat,
                                                           Clock::now()};
}

void DrillWatch::DropSilent() {
  const auto now = Clock::now();
  std::vector<std::string> silent;
  const bool by_script = setup_.order.fault == Fault::kRealServerStop;
  for (const auto& [task, sent] : sent_) {
    const milliseconds order = by_script ? kScriptPatience : kOrderPatience;
    const milliseconds patience = sent.errand == Errand::kLook ? kLookPatience : order;
    if (sent.errand != Errand::kProbes && now - sent.at > patience) silent.push_back(sent.host);
  }
  for (const std::string& host : silent) hosts_.Drop(host, "no answer");
}

}  // namespace drover
