// The order of a drill's steps, and the talk with its nodes.

#include "orchestrator/run/drill_steps.h"

#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/local_address.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPulse{1000};

}  // namespace

DrillSteps::DrillSteps(const Prepared& prepared, const CommandLine& line,
                       const DrillRequest& request, const DrillScreen& screen, RunInfo info,
                       SessionOpener open)
    : prepared_(prepared),
      run_(prepared.run),
      line_(line),
      request_(request),
      screen_(screen),
      info_(std::move(info)),
      hosts_(info_, std::move(open), kPulse) {}

DrillEnd DrillSteps::Run() {
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

bool DrillSteps::Stop(int status, const std::string& why, const std::string& hint) {
  if (hosts_.interrupts() > 0) {
    PrintErr("drover: stopped; nothing was injected\n");
    end_.status = kExitInterrupted;
    return false;
  }
  PrintProblem(why, hint);
  end_.status = status;
  return false;
}

Answers DrillSteps::AskAll(const std::map<std::string, TaskAction>& tasks, milliseconds patience) {
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

std::map<std::string, TaskAction> DrillSteps::ForAll(const TaskAction& action) const {
  std::map<std::string, TaskAction> tasks;
  for (const std::string& host : nodes_) tasks.emplace(host, action);
  return tasks;
}

ClusterStatus DrillSteps::AskStatus(milliseconds patience) {
  ClusterStatus cluster;
  for (auto& [host, answer] : AskAll(ForAll(StatusTask{}), patience)) {
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

std::optional<IpAddress> DrillSteps::AddressOf(const std::string& host) const {
  for (const auto& [address, name] : run_.host_names) {
    if (name == host) return address;
  }
  const auto connection = run_.connections.find(host);
  return connection == run_.connections.end() ? std::nullopt
                                              : ResolveAddress(connection->second.address);
}

Status DrillSteps::Keep() {
  if (!folder_) {
    const std::string path = line_.drill.evidence.empty()
                                 ? DrillsFolder(ProcessEnvironment) + "/" + journal_.id
                                 : line_.drill.evidence;
    auto made = EvidenceFolder::Make(path);
    if (!made) return Fail(made.error());
    folder_ = *std::move(made);
  }
  // Later than that they have been put on the prober's clock.
  if (!log_) journal_.moments = timeline_.Moments(began_us_ == 0 ? WallNow() : began_us_);
  return folder_->Write("journal.json", EncodeJournal(journal_));
}

void DrillSteps::Reach(DrillPhase phase) {
  journal_.phase = phase;
  if (const Status kept = Keep(); !kept) PrintProblem(kept.error().message);
}

void DrillSteps::Pause(milliseconds span) {
  const auto until = Clock::now() + span;
  while (Clock::now() < until) [[maybe_unused]] const auto event = hosts_.Next(until);
}

}  // namespace drover
