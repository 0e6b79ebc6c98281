// A drill before its fault: nodes reached, locked and looked at, gates judged, the prediction
// shown.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "orchestrator/drill/capture.h"
#include "orchestrator/report/drill_words.h"
#include "orchestrator/run/drill_blackout.h"
#include "orchestrator/run/drill_steps.h"
#include "orchestrator/run/drill_store.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"
#include "protocol/version.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLockLease{15000};
constexpr milliseconds kReconnectLimit{4000};
constexpr milliseconds kTrial{1500};

bool ProcessLives(std::int64_t pid) {
  return pid > 0 && (kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

// "10.0.0.1/24 on eth0" of a snapshot's addresses.
std::string InterfaceWith(const NodeSnapshot& snapshot, const IpAddress& address) {
  const std::string begin = address.ToString() + "/";
  for (const SnapshotSection& section : snapshot.sections) {
    if (section.name != "addresses") continue;
    for (const std::string& line : section.lines) {
      const std::size_t at = line.find(" on ");
      const bool fits = line.find(begin) != std::string::npos && at != std::string::npos;
      if (fits) return line.substr(at + 4, line.find(' ', at + 4) - at - 4);
    }
  }
  return "";
}

}  // namespace

void DrillSteps::TellOfInterrupted() {
  for (const InterruptedDrill& one : FindInterrupted(DrillsFolder(ProcessEnvironment))) {
    interrupted_.push_back(one);
    Say("Drill " + one.journal.id + " was interrupted (" +
        std::string(ToString(one.journal.phase)) + "); its nodes are looked at.");
  }
}

void DrillSteps::CloseInterrupted() {
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

Status DrillSteps::WriteJournalAt(const std::string& path, const DrillJournal& journal) {
  auto folder = EvidenceFolder::Make(path);
  if (!folder) return Fail(folder.error());
  return (*folder)->Write("journal.json", EncodeJournal(journal));
}

bool DrillSteps::Connect() {
  milliseconds patience = kAskPatience;
  for (const auto& [host, state] : run_.states) {
    const auto connection = run_.connections.find(host);
    if (state.empty() || connection == run_.connections.end()) continue;
    hosts_.AddSeat(host, connection->second);
    patience = std::max(patience, 3 * connection->second.connect_timeout);
    nodes_.push_back(host);
  }
  if (nodes_.empty()) return Stop(kExitError, "this playbook gives no host anything to drill");
  cluster_ = AskStatus(patience);
  // From here on nobody waits long for a node that a fault may have cut off.
  for (const std::string& host : nodes_) {
    HostConnection quick = run_.connections.at(host);
    quick.connect_timeout = std::min(quick.connect_timeout, kReconnectLimit);
    quick.connect_retries = 0;
    hosts_.AddSeat(host, quick);
  }
  if (hosts_.interrupts() > 0) return Stop(kExitInterrupted, "");
  for (const HostStatus& host : cluster_.hosts) {
    if (host.gave_no_answer()) {
      return Stop(kExitUnreachable, host.host + ": " + host.error->message,
                  "a drill needs all nodes");
    }
  }
  return ChooseProber();
}

bool DrillSteps::ChooseProber() {
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

bool DrillSteps::Plan() {
  auto setup = PlanDrill(run_, cluster_, request_, info_.run_id);
  if (!setup) return Stop(kExitError, setup.error().message);
  setup_ = *std::move(setup);
  Say(DrillHead(request_.fault, setup_.target, ServiceText(setup_), prober_, setup_.router.peer,
                info_.run_id));
  return true;
}

bool DrillSteps::Lock() {
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

bool DrillSteps::LookAtAll() {
  for (const std::string& host : nodes_) {
    const WallUs before = WallNow();
    const auto answers = AskAll({{host, DrillLookTask{}}}, kAskPatience);
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
  if (!look_.silent.contains(setup_.target)) LookAtTarget();
  if (hosts_.interrupts() > 0) return Stop(kExitInterrupted, "");
  cluster_ = AskStatus();
  timeline_.SetClocks(look_.clocks);
  CloseInterrupted();
  return true;
}

// What the fault would meet there takes its time, so it is not asked together with the clock.
void DrillSteps::LookAtTarget() {
  const auto address = AddressOf(setup_.target);
  if (setup_.order.interfaces.empty() && address) {
    const std::string link = InterfaceWith(snapshots_[setup_.target].before, *address);
    if (!link.empty()) setup_.order.interfaces = {link};
  }
  const DrillLookTask look{.order = setup_.order};
  const auto answers = AskAll({{setup_.target, look}}, kAskPatience);
  const auto ground = DetailOf<DrillGround>(answers.at(setup_.target));
  if (ground) {
    look_.grounds[setup_.target] = *ground;
  } else {
    look_.silent.emplace(setup_.target, ground.error());
  }
}

std::optional<Endpoint> DrillSteps::ControlEndpoint() const {
  if (!request_.control_probe) return std::nullopt;
  const std::string host =
      setup_.target == setup_.router.master ? setup_.router.peer : setup_.router.master;
  const auto address = host.empty() ? std::nullopt : AddressOf(host);
  if (!address) return std::nullopt;
  return Endpoint{*address, setup_.endpoint.port};
}

bool DrillSteps::TryProbes() {
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

void DrillSteps::FindMacs() {
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

bool DrillSteps::PassGates() {
  look_.fault = request_.fault;
  look_.target = setup_.target;
  look_.router = setup_.router;
  look_.advert_interval = setup_.settings.advert_interval;
  look_.service = setup_.service;
  look_.sync = setup_.sync;
  look_.settle = request_.settle;
  look_.no_drill = NoDrillHere(ProcessEnvironment);
  look_.blackout = BlackoutToday(request_, line_.playbook, ProcessEnvironment);
  const auto deadline = Clock::now() + request_.gate_patience;
  while (true) {
    look_.cluster = cluster_;
    journal_.gates = JudgeGates(look_);
    const bool green = std::all_of(journal_.gates.begin(), journal_.gates.end(),
                                   [](const Gate& gate) { return gate.green; });
    if (green || Clock::now() >= deadline || hosts_.interrupts() > 0) break;
    Pause(kAskAgain);
    cluster_ = AskStatus();
  }
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

void DrillSteps::FillJournal() {
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

bool DrillSteps::Foretell() {
  auto prediction = Predict(request_.fault, setup_.facts, journal_.probes, journal_.settings);
  if (!prediction) return Stop(kExitError, prediction.error().message);
  journal_.prediction = *prediction;
  guarded_ = *std::move(prediction);
  for (Envelope& envelope : journal_.prediction.envelopes) {
    if (envelope.quantity != Quantity::kOutage || !request_.max_outage) continue;
    const double most = Milliseconds(*request_.max_outage).count();
    if (envelope.most && *envelope.most <= most) continue;
    envelope.most = most;
    if (envelope.least > most) {
      envelope.least = 0;
      envelope.least_is_law = false;
    }
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

bool DrillSteps::Agreed() {
  if (!screen_.ask) return true;
  if (screen_.ask(std::string(ToString(request_.fault)) + " is going to be injected on " +
                  setup_.target + ".")) {
    return true;
  }
  PrintErr("drover: nothing was injected\n");
  end_.status = hosts_.interrupts() > 0 ? kExitInterrupted : kExitError;
  return false;
}

}  // namespace drover
