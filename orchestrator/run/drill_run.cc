#include "orchestrator/run/drill_run.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <random>

#include "orchestrator/drill/capture.h"
#include "orchestrator/report/drill_words.h"
#include "orchestrator/run/drill_evidence.h"
#include "orchestrator/run/drill_probes.h"
#include "orchestrator/run/drill_store.h"
#include "orchestrator/run/drill_watch.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/interrupt.h"
#include "orchestrator/run/local_address.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"
#include "protocol/version.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPulse{1000};
constexpr milliseconds kLockLease{15000};
constexpr milliseconds kFaultLease{5000};
constexpr milliseconds kAskPatience{15000};
constexpr milliseconds kConnectLimit{4000};
constexpr milliseconds kTrial{1500};
constexpr milliseconds kBaseline{3000};
constexpr milliseconds kHealPatience{60000};
constexpr milliseconds kFailbackSettle{2000};
constexpr milliseconds kFailbackPatience{30000};
constexpr milliseconds kProbesBeyond{30000};
constexpr int kSnapshotLooks = 4;  // what is on its way back may need a moment
constexpr milliseconds kSnapshotAgain{1000};
constexpr std::uint16_t kMarkerPorts = 47000;
constexpr std::uint16_t kMarkerPortCount = 1000;

using Answers = std::map<std::string, Result<TaskResult>>;

std::mt19937& Random() {
  static std::mt19937 random{std::random_device{}()};
  return random;
}

// What an answer says, or why there is none.
template <typename Detail>
Result<Detail> DetailOf(const Result<TaskResult>& answer) {
  if (!answer) return Fail(answer.error());
  if (answer->status == TaskStatus::kFailed) {
    return Fail(answer->code.value_or(ErrorCode::kInternal), answer->message);
  }
  if (const auto* detail = std::get_if<Detail>(&answer->detail)) return *detail;
  return Fail(ErrorCode::kInternal, "the helper answered something else");
}

bool ProcessLives(std::int64_t pid) {
  return pid > 0 && (kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

// Everything that one drill needs, in the order in which it goes.
class DrillRun {
 public:
  DrillRun(const Prepared& prepared, const CommandLine& line, const DrillRequest& request,
           const DrillScreen& screen, RunInfo info, SessionOpener open)
      : prepared_(prepared),
        run_(prepared.run),
        line_(line),
        request_(request),
        screen_(screen),
        info_(std::move(info)),
        hosts_(info_, std::move(open), kPulse) {}

  DrillHosts& hosts() { return hosts_; }

  DrillEnd Run() {
    TellOfInterrupted();
    const bool ready = Connect() && Plan() && Lock() && LookAtAll() && TryProbes() && PassGates() &&
                       Foretell() && Agreed() && Prepare();
    if (ready) Drill();
    if (drilled_) LookAfter();
    Unlock();
    if (drilled_ || refused_) Conclude();
    end_.thread_left_behind = !hosts_.Close();
    return std::move(end_);
  }

 private:
  void Say(const std::string& text) { screen_.say(text); }

  bool Stop(int status, const std::string& why, const std::string& hint = "") {
    if (hosts_.interrupts() > 0) {
      PrintErr("drover: stopped; nothing was injected\n");
      end_.status = kExitInterrupted;
      return false;
    }
    PrintProblem(why, hint);
    end_.status = status;
    return false;
  }

  // --- asking

  // One task each, to the end; whoever does not answer in time has an error.
  Answers AskAll(const std::map<std::string, TaskAction>& tasks, milliseconds patience) {
    std::map<std::uint32_t, std::string> open;
    for (const auto& [seat, action] : tasks) open[hosts_.Send(seat, action)] = seat;
    Answers answers;
    const auto deadline = Clock::now() + patience;
    const int interrupts = hosts_.interrupts();
    while (!open.empty()) {
      auto event = hosts_.Next(deadline);
      if (!event && (Clock::now() >= deadline || hosts_.interrupts() > interrupts)) break;
      auto* answer = event ? std::get_if<SeatAnswer>(&*event) : nullptr;
      if (answer == nullptr || open.erase(answer->task) == 0) continue;
      answers.emplace(answer->seat, std::move(answer->result));
    }
    for (const auto& [task, seat] : open) {
      answers.emplace(seat, Fail(ErrorCode::kTimeout, "no answer"));
      hosts_.Drop(seat, "no answer");
    }
    return answers;
  }

  std::map<std::string, TaskAction> ForAll(const TaskAction& action) const {
    std::map<std::string, TaskAction> tasks;
    for (const std::string& host : nodes_) tasks.emplace(host, action);
    return tasks;
  }

  ClusterStatus AskStatus() {
    ClusterStatus cluster;
    for (auto& [host, answer] : AskAll(ForAll(StatusTask{}), kAskPatience)) {
      HostStatus one{.host = host, .needs_daemon = run_.states.at(host).needs_daemon()};
      auto status = DetailOf<NodeStatus>(answer);
      if (status) {
        one.status = *std::move(status);
      } else {
        one.error = status.error();
      }
      cluster.hosts.push_back(std::move(one));
    }
    return cluster;
  }

  // --- before

  void TellOfInterrupted() {
    for (const InterruptedDrill& one : FindInterrupted(DrillsFolder(ProcessEnvironment))) {
      interrupted_.push_back(one);
      Say("Drill " + one.journal.id + " was interrupted (" +
          std::string(ToString(one.journal.phase)) + "); its nodes are looked at.");
    }
  }

  // An interrupted drill of these nodes is closed when none of them holds anything of it.
  void CloseInterrupted() {
    for (InterruptedDrill& one : interrupted_) {
      const std::vector<std::string>& nodes = one.journal.nodes;
      const bool all_seen =
          !nodes.empty() && std::all_of(nodes.begin(), nodes.end(), [&](const std::string& node) {
            return look_.grounds.contains(node);
          });
      if (!all_seen) continue;
      std::vector<std::string> left;
      for (const auto& [host, ground] : look_.grounds) {
        const bool holds = std::find(ground.leftovers.begin(), ground.leftovers.end(),
                                     one.journal.id) != ground.leftovers.end();
        if (holds) left.push_back(host + " still holds its journal");
      }
      Say("Drill " + one.journal.id + ": " +
          (left.empty() ? "interrupted, clean" : "interrupted, " + left.front()));
      if (!left.empty()) continue;
      DrillJournal& journal = one.journal;
      journal.phase = DrillPhase::kJudged;
      journal.finished_us = WallNow();
      journal.facts.aborted = "its orchestrator died";
      journal.facts.snapshots_compared = true;  // no node holds anything of it any more
      journal.verdict = JudgeDrill(journal.prediction, journal.measured, journal.facts);
      const Status kept = WriteJournalAt(one.path, journal);
      if (kept) {
        KeepDrill(one.path);
      } else {
        PrintProblem(kept.error().message);
      }
    }
  }

  static Status WriteJournalAt(const std::string& path, const DrillJournal& journal) {
    auto folder = EvidenceFolder::Make(path);
    if (!folder) return Fail(folder.error());
    return (*folder)->Write("journal.json", EncodeJournal(journal));
  }

  bool Connect() {
    for (const auto& [host, state] : run_.states) {
      const auto connection = run_.connections.find(host);
      if (state.empty() || connection == run_.connections.end()) continue;
      HostConnection quick = connection->second;
      quick.connect_timeout = std::min(quick.connect_timeout, kConnectLimit);
      quick.connect_retries = 0;
      hosts_.AddSeat(host, quick);
      nodes_.push_back(host);
    }
    if (nodes_.empty()) return Stop(kExitError, "this playbook gives no host anything to drill");
    cluster_ = AskStatus();
    if (hosts_.interrupts() > 0) return Stop(kExitInterrupted, "");
    for (const HostStatus& host : cluster_.hosts) {
      if (host.gave_no_answer()) {
        return Stop(kExitUnreachable, host.host + ": " + host.error->message,
                    "a drill needs all nodes");
      }
    }
    return ChooseProber();
  }

  bool ChooseProber() {
    prober_ = request_.prober;
    for (const std::string& host : prepared_.inventory.HostsOf("probes")) {
      if (prober_.empty() && run_.connections.contains(host)) prober_ = host;
    }
    if (prober_.empty() || prober_ == info_.control_host) {
      prober_ = info_.control_host.empty() ? "control host" : info_.control_host;
      HostConnection local{.host = prober_, .kind = HostConnection::Kind::kLocal};
      hosts_.AddSeat(kProberSeat, local);
      return true;
    }
    const auto connection = run_.connections.find(prober_);
    if (connection == run_.connections.end()) {
      return Stop(kExitError, "prober \"" + prober_ + "\" is in no play of this playbook",
                  "the control host probes when --prober is left out");
    }
    hosts_.AddSeat(kProberSeat, connection->second);
    prober_is_local_ = false;
    return true;
  }

  bool Plan() {
    auto setup = PlanDrill(run_, cluster_, request_, info_.run_id);
    if (!setup) return Stop(kExitError, setup.error().message);
    setup_ = *std::move(setup);
    Say(DrillHead(request_.fault, setup_.target, ServiceText(setup_), prober_, setup_.router.peer,
                  info_.run_id));
    return true;
  }

  bool Lock() {
    locked_ = true;
    const BeginTask begin{.lease = kLockLease, .revert = false};
    for (const auto& [host, answer] : AskAll(ForAll(begin), kAskPatience)) {
      Result<NodeGround> ground = DetailOf<NodeGround>(answer);
      if (ground) continue;
      const auto* held = answer ? std::get_if<NodeGround>(&answer->detail) : nullptr;
      const bool ours_and_dead =
          held != nullptr && held->holder && held->holder->run.control_host == info_.control_host &&
          held->holder->run.command.starts_with("drill") && !ProcessLives(held->holder->run.pid);
      if (ours_and_dead) {
        BeginTask over = begin;
        over.take_over = held->holder->run.run_id;
        ground = DetailOf<NodeGround>(AskAll({{host, over}}, kAskPatience).at(host));
        if (ground) continue;
      }
      return Stop(kExitFailed, host + ": " + ground.error().message);
    }
    return hosts_.interrupts() == 0 || Stop(kExitInterrupted, "");
  }

  bool LookAtAll() {
    std::map<std::string, TaskAction> tasks = ForAll(DrillLookTask{});
    const bool ordered = request_.fault == Fault::kHandover || request_.fault == Fault::kFailback;
    if (!ordered) tasks[setup_.target] = DrillLookTask{.order = setup_.order};
    for (const std::string& host : nodes_) {
      const WallUs before = WallNow();
      const auto answers = AskAll({{host, tasks.at(host)}}, kAskPatience);
      const WallUs after = WallNow();
      const auto ground = DetailOf<DrillGround>(answers.at(host));
      if (!ground) {
        look_.silent.emplace(host, ground.error());
        continue;
      }
      const std::chrono::microseconds half((after - before) / 2);
      look_.clocks[host] = {std::chrono::microseconds(ground->clock_us - before) - half, half};
      snapshots_[host].before = ground->snapshot;
      look_.grounds[host] = *ground;
    }
    if (hosts_.interrupts() > 0) return Stop(kExitInterrupted, "");
    cluster_ = AskStatus();
    timeline_.SetClocks(look_.clocks);
    CloseInterrupted();
    return true;
  }

  // The address of a node as the inventory has it.
  [[nodiscard]] std::optional<IpAddress> AddressOf(const std::string& host) const {
    for (const auto& [address, name] : run_.host_names) {
      if (name == host) return address;
    }
    const auto connection = run_.connections.find(host);
    return connection == run_.connections.end() ? std::nullopt
                                                : ResolveAddress(connection->second.address);
  }

  // Somebody whom the fault does not touch, and whom no director stands before.
  [[nodiscard]] std::optional<Endpoint> ControlEndpoint() const {
    if (!request_.control_probe) return std::nullopt;
    const std::string host =
        setup_.target == setup_.router.master ? setup_.router.peer : setup_.router.master;
    const auto address = host.empty() ? std::nullopt : AddressOf(host);
    if (!address) return std::nullopt;
    return Endpoint{*address, setup_.endpoint.port};
  }

  bool TryProbes() {
    FindMacs();
    const std::vector<ProbeRunSeries> wanted = SeriesFor(setup_, request_, ControlEndpoint());
    const ProbeRunTask task{.prober = prober_,
                            .series = wanted,
                            .duration = kTrial,
                            .vips = {setup_.vip},
                            .capture = true};
    const milliseconds patience = kTrial + kAskPatience + std::chrono::seconds(20);
    const auto outcome =
        DetailOf<ProbeRunOutcome>(AskAll({{kProberSeat, task}}, patience).at(kProberSeat));
    if (hosts_.interrupts() > 0) return Stop(kExitInterrupted, "");
    if (!outcome) return Stop(kExitFailed, "prober " + prober_ + ": " + outcome.error().message);
    const auto log = DecodeProbeLog(
        {reinterpret_cast<const std::uint8_t*>(outcome->log.data()), outcome->log.size()});
    if (!log) return Stop(kExitFailed, "prober " + prober_ + ": " + log.error().message);
    trial_ = JudgeTrial(wanted, *log);
    if (!outcome->capture.empty()) {
      const auto seen = ReadCapture(outcome->capture, log->header.started_wall_us);
      sees_owner_ =
          seen && std::any_of(seen->claims.begin(), seen->claims.end(),
                              [&](const ClaimSeen& claim) { return claim.address == setup_.vip; });
    }
    return true;
  }

  // Who is who on the prober's link; without them a report shows MACs.
  void FindMacs() {
    ProbeTask task{.vips = {setup_.vip}, .arp_window = milliseconds(300), .arp_rounds = 1};
    for (const std::string& host : nodes_) {
      if (const auto address = AddressOf(host)) task.peers.push_back({host, *address});
    }
    const auto outcome =
        DetailOf<ProbeOutcome>(AskAll({{kProberSeat, task}}, kAskPatience).at(kProberSeat));
    if (!outcome) return;
    for (const PeerMac& peer : outcome->peers) {
      MacAddress mac{};
      const int read = std::sscanf(peer.mac.c_str(), "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0],
                                   &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]);
      if (read == static_cast<int>(mac.size())) journal_.macs[peer.name] = mac;
    }
  }

  // --- gates and prediction

  bool PassGates() {
    look_.fault = request_.fault;
    look_.target = setup_.target;
    look_.router = setup_.router;
    look_.advert_interval = setup_.settings.advert_interval;
    look_.service = setup_.service;
    look_.sync = setup_.sync;
    look_.settle = request_.settle;
    look_.cluster = cluster_;
    look_.no_drill = NoDrillHere(ProcessEnvironment);
    journal_.gates = JudgeGates(look_);
    journal_.gates.push_back(
        {"service answers", trial_.trouble.empty(),
         trial_.trouble.empty() ? setup_.endpoint.ToString() + " from " + prober_ : trial_.trouble,
         ""});
    bool all_well = true;
    for (Gate& gate : journal_.gates) {
      const auto forced = request_.forced.find(gate.name);
      if (!gate.green && forced != request_.forced.end() && MayBeForced(gate.name)) {
        gate.forced = forced->second;
      }
      const bool passed = gate.green || !gate.forced.empty();
      if (!passed) journal_.facts.gates.push_back(gate.name + ": " + gate.text);
      all_well = all_well && passed;
    }
    Say(GatesText(journal_.gates, LookOfScreen(ProcessEnvironment).colours));
    for (const auto& [name, reason] : request_.forced) {
      const bool known = std::any_of(journal_.gates.begin(), journal_.gates.end(),
                                     [&](const Gate& gate) { return gate.name == name; });
      if (!known) return Stop(kExitError, "--force: there is no gate \"" + name + "\"");
      if (!MayBeForced(name)) PrintErr("drover: gate \"" + name + "\" cannot be forced\n");
    }
    FillJournal();
    if (all_well) return true;
    Say("Nothing was injected: a gate is red. --force 'NAME=REASON' goes through one all the "
        "same.");
    refused_ = true;
    return false;
  }

  void FillJournal() {
    journal_.drover_version = kVersion;
    journal_.id = info_.run_id;
    journal_.settings = {
        .duration = request_.duration, .loss = request_.loss, .delay = request_.delay};
    journal_.playbook = line_.playbook;
    for (const std::string& one : line_.inventories) {
      journal_.inventory += (journal_.inventory.empty() ? "" : ",") + one;
    }
    journal_.user = info_.user;
    journal_.control_host = info_.control_host;
    journal_.trigger = request_.trigger;
    journal_.target = setup_.target;
    journal_.peer = setup_.router.peer;
    journal_.prober = prober_;
    journal_.instance = setup_.router.instance;
    journal_.nodes = nodes_;
    journal_.service = ServiceText(setup_);
    journal_.vip = setup_.vip;
    journal_.started_us = WallNow();
    journal_.cluster = setup_.facts;
    journal_.probes = FactsOf(trial_.kept);
    journal_.prediction.fault = request_.fault;
  }

  bool Foretell() {
    auto prediction = Predict(request_.fault, setup_.facts, journal_.probes, journal_.settings);
    if (!prediction) return Stop(kExitError, prediction.error().message);
    journal_.prediction = *std::move(prediction);
    for (Envelope& envelope : journal_.prediction.envelopes) {
      if (envelope.quantity != Quantity::kOutage || !request_.max_outage) continue;
      const double most = Milliseconds(*request_.max_outage).count();
      if (envelope.most && *envelope.most <= most) continue;
      envelope.most = most;
      envelope.worked += "; no more than max_outage allows";
    }
    if (!sees_owner_) {
      std::erase_if(journal_.prediction.envelopes, [](const Envelope& envelope) {
        return envelope.quantity == Quantity::kDoubleOwner;
      });
      journal_.prediction.notes.push_back("Who has the VIP is not seen from " + prober_ +
                                          ": two owners at once would not be noticed.");
    }
    for (const std::string& note : trial_.notes) journal_.prediction.notes.push_back(note);
    Say("Prediction\n" + PredictionText(journal_.prediction));
    return true;
  }

  bool Agreed() {
    if (!screen_.ask) return true;
    if (screen_.ask(std::string(ToString(request_.fault)) + " is going to be injected on " +
                    setup_.target + ".")) {
      return true;
    }
    PrintErr("drover: nothing was injected\n");
    end_.status = hosts_.interrupts() > 0 ? kExitInterrupted : kExitError;
    return false;
  }

  // --- the drill itself

  Status Keep() {
    if (!folder_) {
      const std::string path = line_.drill.evidence.empty()
                                   ? DrillsFolder(ProcessEnvironment) + "/" + journal_.id
                                   : line_.drill.evidence;
      auto made = EvidenceFolder::Make(path);
      if (!made) return Fail(made.error());
      folder_ = *std::move(made);
    }
    journal_.moments = timeline_.Moments(began_us_ == 0 ? WallNow() : began_us_);
    return folder_->Write("journal.json", EncodeJournal(journal_));
  }

  void Reach(DrillPhase phase) {
    journal_.phase = phase;
    if (const Status kept = Keep(); !kept) PrintProblem(kept.error().message);
  }

  bool Prepare() {
    journal_.phase = DrillPhase::kGated;
    if (const Status kept = Keep(); !kept) {
      return Stop(kExitError, kept.error().message, "a drill without a journal is not begun");
    }
    end_.folder = folder_->path();
    return request_.fault != Fault::kFailback || GoAway();
  }

  // A failback begins with the VIP at the other director.
  bool GoAway() {
    const HandoverTask yield{.move = HandoverMove::kYield, .instances = {setup_.router.instance}};
    const auto answer = AskAll({{setup_.router.master, yield}}, kAskPatience);
    const auto& said = answer.at(setup_.router.master);
    drilled_ = true;  // whatever comes now, the VIP has to come back
    if (!said || said->status == TaskStatus::kFailed) {
      journal_.facts.aborted = "the VIP could not be handed over before: " +
                               (said ? said->message : said.error().message);
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

  [[nodiscard]] DrillOrders OrdersFor(const std::optional<Endpoint>& marker) const {
    const std::string& instance = setup_.router.instance;
    const HandoverTask yield{.move = HandoverMove::kYield, .instances = {instance}};
    const HandoverTask back{.move = HandoverMove::kReturn, .instances = {instance}};
    const std::string& master = setup_.router.master;
    if (request_.fault == Fault::kHandover) {
      return {.arm = {}, .inject = {{master, yield}}, .undo = {{master, back}}};
    }
    if (request_.fault == Fault::kFailback) {
      return {.arm = {}, .inject = {{master, back}}, .undo = {}};
    }
    milliseconds lease = kFaultLease;
    if (CutsTheWay(request_.fault)) lease += request_.duration;
    return {.arm = {{setup_.target, DrillArmTask{setup_.order, lease}}},
            .inject = {{setup_.target, DrillInjectTask{info_.run_id, marker}}},
            .undo = {{setup_.target, DrillUndoTask{info_.run_id}}}};
  }

  [[nodiscard]] std::optional<Endpoint> MarkerEndpoint() const {
    const auto target = AddressOf(setup_.target);
    const auto address = prober_is_local_ ? (target ? LocalAddressTowards(*target) : std::nullopt)
                                          : AddressOf(prober_);
    if (!address) return std::nullopt;
    const auto port = static_cast<std::uint16_t>(kMarkerPorts + Random()() % kMarkerPortCount);
    return Endpoint{*address, port};
  }

  [[nodiscard]] CourseSettings CourseFor() const {
    CourseSettings course{
        .prediction = journal_.prediction,
        .arms = request_.fault != Fault::kHandover && request_.fault != Fault::kFailback,
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
    return course;
  }

  void Drill() {
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
                                          course.heal_patience + kProbesBeyond,
                              .markers = marker,
                              .vips = {setup_.vip}};
    DrillWatch watch(
        setup_, whole_, OrdersFor(marker), course, hosts_, timeline_,
        {.tell =
             [this](const std::string& text) { Say("  " + ClockOfDay(WallNow()) + "  " + text); },
         .live = [this](const DrillCourse& at) { ShowLive(at); },
         .reached = [this](DrillPhase phase) { Reach(phase); }});
    watched_ = watch.Run(probes);
    screen_.live("");
    TakeWatched();
  }

  void ShowLive(const DrillCourse& course) {
    const auto spent = Clock::now() - course.state_since();
    screen_.live(LiveLine(ToString(course.state()), std::chrono::duration_cast<milliseconds>(spent),
                          course.bad(), course.sent()));
  }

  void TakeWatched() {
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
    journal_.moments = timeline_.Moments(began_us_);
    journal_.lag = watched_.probes.lag;
    if (!watched_.probes.void_reason.empty()) {
      journal_.facts.voids.push_back(watched_.probes.void_reason);
    }
    PlaceInjection();
  }

  // On the prober's clock: by the target's marker, else by ours.
  void PlaceInjection() {
    if (!watched_.injected) return;
    journal_.injected = ProbeTime(watched_.ordered_at - began_us_);
    for (const ProbeMarker& marker : log_->markers) {
      if (marker.text == info_.run_id + " injected") journal_.injected = marker.at;
    }
    for (const auto& [at, sample] : watched_.samples) {
      journal_.redundancy.push_back(sample);
      journal_.redundancy.back().at = ProbeTime(at - began_us_);
    }
    if (!watched_.undone) return;
    const DrillState& state = *watched_.undone;
    journal_.undone = ProbeTime(watched_.undone_at - began_us_);
    const bool one_clock = state.injected_us != 0 && state.undone_us > state.injected_us;
    if (one_clock) {
      journal_.undone = *journal_.injected + ProbeTime(state.undone_us - state.injected_us);
    }
  }

  // --- after

  void LookAfter() {
    if (watched_.left) return;
    if (request_.fault == Fault::kFailback && !watched_.injected) BringBack();
    for (int look = 0; look < kSnapshotLooks; ++look) {
      if (look > 0) Pause(kSnapshotAgain);
      left_.clear();
      bool all = true;
      for (const auto& [host, answer] : AskAll(ForAll(DrillLookTask{}), kAskPatience)) {
        const auto ground = DetailOf<DrillGround>(answer);
        if (!ground) {
          all = false;
          left_.push_back(host + " could not be looked at: " + ground.error().message);
          continue;
        }
        SnapshotPair& pair = snapshots_[host];
        pair.after = ground->snapshot;
        for (const std::string& one : DifferencesOf(pair.before, *pair.after)) {
          left_.push_back(host + ": " + one);
        }
        const bool holds = std::find(ground->leftovers.begin(), ground->leftovers.end(),
                                     info_.run_id) != ground->leftovers.end();
        if (holds) left_.push_back(host + " still holds the drill's journal");
      }
      journal_.facts.snapshots_compared = all;
      if (all && left_.empty()) break;
    }
    for (const std::string& one : left_) journal_.facts.residue.push_back(one);
  }

  void BringBack() {
    const HandoverTask back{.move = HandoverMove::kReturn};
    [[maybe_unused]] const auto told = AskAll({{setup_.router.master, back}}, kAskPatience);
    const auto deadline = Clock::now() + kFailbackPatience;
    while (Clock::now() < deadline &&
           !IsHome(AskStatus(), {.vip = setup_.vip, .master = setup_.router.master})) {
      Pause(kSnapshotAgain);
    }
  }

  void Pause(milliseconds span) {
    const auto until = Clock::now() + span;
    while (Clock::now() < until) [[maybe_unused]] const auto event = hosts_.Next(until);
  }

  void Unlock() {
    if (!locked_) return;
    [[maybe_unused]] const auto told = AskAll(ForAll(ReleaseTask{}), kAskPatience);
  }

  void Conclude() {
    if (log_) {
      auto analysis = Analyse(journal_, *log_, watched_.probes.capture);
      if (analysis) {
        end_.analysis = *std::move(analysis);
        journal_.measured = end_.analysis.measured;
        for (const std::string& one : end_.analysis.voids) journal_.facts.voids.push_back(one);
        journal_.facts.control_probe_clean = end_.analysis.control_clean;
      } else {
        journal_.facts.voids.push_back(analysis.error().message);
      }
    } else if (drilled_ && !journal_.facts.aborted) {
      journal_.facts.voids.emplace_back("the prober's log is missing");
    }
    if (refused_) journal_.facts.snapshots_compared = true;  // nothing was touched
    journal_.verdict = JudgeDrill(journal_.prediction, journal_.measured, journal_.facts);
    if (refused_) {
      // Its reasons are the gates; what was not measured is no reason.
      journal_.verdict.reasons.clear();
      for (const std::string& gate : journal_.facts.gates) {
        journal_.verdict.reasons.push_back("gate: " + gate);
      }
    }
    journal_.finished_us = WallNow();
    Reach(DrillPhase::kJudged);
    KeepEvidence();
    end_.status = ExitCodeOf(journal_.verdict.kind);
    end_.journal = journal_;
    if (watched_.left) {
      PrintErr("drover: " + setup_.target + " undoes the fault by itself, within " +
               std::to_string(request_.duration.count() / 1000 + 1) +
               " s of its injection; \"drover drill run\" or \"drover status\" tells\n");
    }
  }

  void KeepEvidence() {
    if (!folder_) return;
    end_.folder = folder_->path();
    std::vector<std::pair<std::string, std::string>> files = {
        {"snapshots.json", EncodeSnapshots(snapshots_)}};
    if (watched_.has_probes) {
      files.emplace_back("probe.dplg", watched_.probes.log);
      if (!watched_.probes.capture.empty()) {
        files.emplace_back("capture.pcap", watched_.probes.capture);
      }
    }
    for (const auto& [name, bytes] : files) {
      if (const Status kept = folder_->Write(name, bytes); !kept) {
        PrintProblem(kept.error().message);
      }
    }
  }

  const Prepared& prepared_;
  const CompiledRun& run_;
  const CommandLine& line_;
  const DrillRequest& request_;
  const DrillScreen& screen_;
  RunInfo info_;
  DrillHosts hosts_;
  std::vector<std::string> nodes_;
  std::string prober_;
  bool prober_is_local_ = true;
  ClusterStatus cluster_;
  DrillSetup setup_;
  GateLook look_;
  ProbeTrial trial_;
  bool sees_owner_ = false;
  WholeCluster whole_;
  DrillTimeline timeline_;
  DrillWatched watched_;
  DrillSnapshots snapshots_;
  std::vector<std::string> left_;
  std::optional<ProbeLog> log_;
  WallUs began_us_ = 0;
  DrillJournal journal_;
  std::unique_ptr<EvidenceFolder> folder_;
  std::vector<InterruptedDrill> interrupted_;
  bool locked_ = false;
  bool drilled_ = false;
  bool refused_ = false;
  DrillEnd end_;
};

}  // namespace

std::string NewDrillId(Fault fault) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 24> date{};
  std::array<char, 8> tail{};
  std::strftime(date.data(), date.size(), "%Y%m%d-%H%M%S", &utc);
  std::snprintf(tail.data(), tail.size(), "%04x", static_cast<unsigned>(Random()() & 0xffffU));
  return std::string(date.data()) + "-" + std::string(ToString(fault)) + "-" + tail.data();
}

DrillEnd RunDrill(const Prepared& prepared, const CommandLine& line, const DrillRequest& request,
                  const DrillScreen& screen) {
  const auto helper = FindHelper(line.helper_path);
  if (!helper) {
    PrintProblem(helper.error().message);
    return {.status = kExitError};
  }
  SurviveBrokenPipes();
  RunInfo info = WhoRuns();
  info.run_id = NewDrillId(request.fault);
  info.owner = prepared.run.owner;
  info.playbook = prepared.run.playbook;
  info.playbook_hash = prepared.run.playbook_hash;
  info.command = "drill " + std::string(ToString(request.fault));
  DrillRun drill(prepared, line, request, screen, info, OpenerOf(line, *helper));
  const auto interrupt =
      InterruptWatch::Start([&drill](int /*count*/) { drill.hosts().Interrupt(); });
  if (!interrupt) {
    PrintProblem(interrupt.error().message);
    return {.status = kExitError};
  }
  return drill.Run();
}

}  // namespace drover
