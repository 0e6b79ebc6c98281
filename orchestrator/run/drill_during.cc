// A drill's fault: its orders and its course, and the evidence put on the prober's clock.

#include <algorithm>

#include "orchestrator/drill/outage.h"
#include "orchestrator/report/drill_words.h"
#include "orchestrator/run/drill_steps.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/local_address.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFaultLease{5000};
constexpr milliseconds kBaseline{3000};
constexpr milliseconds kHealPatience{60000};
constexpr milliseconds kFailbackSettle{2000};
// Before a failback the VIP is away for no longer than this, whoever is dead.
constexpr milliseconds kAway{120000};
constexpr milliseconds kProbesBeyond{30000};
constexpr std::uint16_t kMarkerPorts = 47000;
constexpr std::uint16_t kMarkerPortCount = 1000;

std::mt19937& Random() {
  static std::mt19937 random{std::random_device{}()};
  return random;
}

}  // namespace

bool DrillSteps::Prepare() {
  journal_.phase = DrillPhase::kGated;
  if (const Status kept = Keep(); !kept) {
    return Stop(kExitError, kept.error().message, "a drill without a journal is not begun");
  }
  end_.folder = folder_->path();
  return request_.fault != Fault::kFailback || GoAway();
}

bool DrillSteps::GoAway() {
  const std::string& master = setup_.router.master;
  FaultOrder order = setup_.order;
  order.duration = kAway;
  drilled_ = true;  // whatever comes now, the VIP has to come back
  for (const TaskAction& step : {TaskAction(DrillArmTask{order, kFaultLease}),
                                 TaskAction(DrillInjectTask{info_.run_id, std::nullopt})}) {
    const auto state = DetailOf<DrillState>(AskAll({{master, step}}, kAskPatience).at(master));
    if (state) continue;
    journal_.facts.aborted = "the VIP could not be handed over before: " + state.error().message;
    return false;
  }
  Say(setup_.router.master + " has handed the VIP over; it is to come back.");
  const auto deadline = Clock::now() + kFailbackPatience;
  while (Clock::now() < deadline && hosts_.interrupts() == 0) {
    const auto router = FindRouter(AskStatus(), setup_.vip);
    if (router && router->masters.size() == 1 && router->master != setup_.router.master) {
      [[maybe_unused]] const auto none = hosts_.Next(Clock::now() + kFailbackSettle);
      return true;
    }
  }
  journal_.facts.aborted = "nobody took the VIP over";
  return false;
}

DrillOrders DrillSteps::OrdersFor(const std::optional<Endpoint>& marker,
                                  milliseconds duration) const {
  const DrillOrders::Step undo{setup_.target, DrillUndoTask{info_.run_id}};
  if (request_.fault == Fault::kFailback) return {.arm = {}, .inject = {undo}, .undo = {undo}};
  FaultOrder order = setup_.order;
  order.duration = duration;
  milliseconds lease = kFaultLease;
  if (CutsTheWay(request_.fault)) lease += request_.duration;
  return {.arm = {{setup_.target, DrillArmTask{order, lease}}},
          .inject = {{setup_.target, DrillInjectTask{info_.run_id, marker}}},
          .undo = {undo}};
}

std::optional<Endpoint> DrillSteps::MarkerEndpoint() const {
  const auto target = AddressOf(setup_.target);
  const auto address = prober_is_local_ ? (target ? LocalAddressTowards(*target) : std::nullopt)
                                        : AddressOf(prober_);
  if (!address) return std::nullopt;
  const auto port = static_cast<std::uint16_t>(kMarkerPorts + Random()() % kMarkerPortCount);
  return Endpoint{*address, port};
}

CourseSettings DrillSteps::CourseFor() const {
  CourseSettings course{.prediction = guarded_,
                        .arms = request_.fault != Fault::kFailback,
                        .baseline = kBaseline,
                        .duration = request_.duration,
                        .heal_patience = kHealPatience,
                        .series = RolesOf(trial_.kept)};
  std::uniform_int_distribution<std::int64_t> phase(0, setup_.settings.advert_interval.count());
  course.phase = milliseconds(phase(Random()));
  if (const Envelope* handover = journal_.prediction.Find(Quantity::kHandover)) {
    const milliseconds most(static_cast<std::int64_t>(handover->most.value_or(0)));
    course.duration = std::max(course.duration, most + kBaseline);
  }
  if (request_.fault == Fault::kRealServerStop) course.inject_patience = kScriptPatience;
  if (request_.fault == Fault::kReboot) {
    course.undo_patience = journal_.settings.boot_budget;
    course.heal_patience = journal_.settings.boot_budget;
  }
  // A real server comes back by its checks, the preferred director by its delays.
  if (const Envelope* back = journal_.prediction.Find(Quantity::kReturn)) {
    course.heal_patience += milliseconds(static_cast<std::int64_t>(back->most.value_or(0)));
  }
  course.heal_patience += setup_.settings.preempt_delay;
  if (setup_.sync) course.heal_patience += setup_.settings.sync_wait;
  // The end of an outage is known when so many probes behind it were answered.
  const Envelope* outage = journal_.prediction.Find(Quantity::kOutage);
  if (outage != nullptr && outage->most != 0) {
    const auto recovery = journal_.probes.path_period * kRecoveryProbes;
    course.tail = std::max(course.tail, std::chrono::ceil<milliseconds>(recovery));
  }
  return course;
}

void DrillSteps::Drill() {
  drilled_ = true;
  const std::optional<Endpoint> marker = MarkerEndpoint();
  const CourseSettings course = CourseFor();
  whole_ = {.instance = setup_.router.instance,
            .vip = setup_.vip,
            .master = setup_.router.master,
            .directors = setup_.router.members.size(),
            .service = setup_.service,
            .live = LiveServers(cluster_, setup_.router, setup_.service),
            .sync = setup_.sync,
            .advert_interval = setup_.settings.advert_interval};
  timeline_.Begin(cluster_);
  const ProbeRunTask probes{.prober = prober_,
                            .series = trial_.kept,
                            .duration = kBaseline * 5 + course.duration + course.undo_patience +
                                        course.heal_patience + course.tail + kProbesBeyond,
                            .markers = marker,
                            .vips = {setup_.vip}};
  DrillWatch watch(
      setup_, whole_, OrdersFor(marker, course.duration), course, hosts_, timeline_,
      {.tell = [this](const std::string& text) { Say("  " + ClockOfDay(WallNow()) + "  " + text); },
       .live = [this](const DrillCourse& at) { ShowLive(at); },
       .reached = [this](DrillPhase phase) { Reach(phase); }});
  watched_ = watch.Run(probes);
  screen_.live("");
  TakeWatched();
}

void DrillSteps::ShowLive(const DrillCourse& course) {
  const auto spent = Clock::now() - course.state_since();
  screen_.live(LiveLine(ToString(course.state()), std::chrono::duration_cast<milliseconds>(spent),
                        course.bad(), course.sent()));
}

void DrillSteps::TakeWatched() {
  journal_.facts.aborted = watched_.aborted;
  began_us_ = watched_.probes_began;
  if (watched_.left) journal_.facts.aborted = "the operator left it to the nodes";
  for (const std::string& one : watched_.unhealed) journal_.facts.residue.push_back(one);
  if (watched_.undone) {
    journal_.undone_by = watched_.undone->undone_by;
    for (const std::string& one : watched_.undone->residue) {
      journal_.facts.residue.push_back(setup_.target + ": " + one);
    }
  }
  if (!watched_.has_probes) return;
  const std::string& bytes = watched_.probes.log;
  auto log = DecodeProbeLog({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (!log) {
    journal_.facts.voids.push_back("the prober's log cannot be read: " + log.error().message);
    return;
  }
  log_ = *std::move(log);
  const auto clock = look_.clocks.find(prober_);
  const WallUs ahead = clock == look_.clocks.end() ? 0 : clock->second.ahead.count();
  const bool knows = prober_is_local_ || clock != look_.clocks.end();
  if (knows) began_us_ = log_->header.started_wall_us - ahead;
  journal_.lag = watched_.probes.lag;
  if (!watched_.probes.void_reason.empty()) {
    journal_.facts.voids.push_back(watched_.probes.void_reason);
  }
  PlaceInjection();
  std::optional<DrillTimeline::Anchor> anchor;
  // Neither another boot's clock nor the time of the order that came before a failback.
  const bool one_time = request_.fault != Fault::kReboot && request_.fault != Fault::kFailback;
  if (one_time && watched_.fault && watched_.fault->injected_us != 0 && journal_.injected) {
    anchor = {setup_.target, watched_.fault->injected_us, *journal_.injected};
  }
  journal_.moments = timeline_.Moments(began_us_, anchor);
}

void DrillSteps::PlaceInjection() {
  if (!watched_.injected) return;
  journal_.injected = ProbeTime(watched_.ordered_at - began_us_);
  for (const ProbeMarker& marker : log_->markers) {
    if (marker.text == info_.run_id + " injected") journal_.injected = marker.at;
  }
  for (const auto& [at, sample] : watched_.samples) {
    journal_.redundancy.push_back(sample);
    journal_.redundancy.back().at = ProbeTime(at - began_us_);
  }
  // The undoing of a failback is what is measured.
  if (!watched_.undone || request_.fault == Fault::kFailback) return;
  const DrillState& state = *watched_.undone;
  journal_.undone = ProbeTime(watched_.undone_at - began_us_);
  const bool one_clock = state.injected_us != 0 && state.undone_us > state.injected_us;
  if (one_clock) {
    journal_.undone = *journal_.injected + ProbeTime(state.undone_us - state.injected_us);
  }
}

}  // namespace drover
