// A drill behind its fault: what is left on the nodes, the verdict, and the evidence.

#include <algorithm>

#include "orchestrator/run/drill_steps.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kSnapshotLooks = 4;  // what is on its way back may need a moment

}  // namespace

void DrillSteps::LookAfter() {
  if (watched_.left) return;
  if (request_.fault == Fault::kFailback && !watched_.injected) BringBack();
  for (int look = 0; look < kSnapshotLooks; ++look) {
    if (look > 0) Pause(kAskAgain);
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

void DrillSteps::BringBack() {
  [[maybe_unused]] const auto told =
      AskAll({{setup_.router.master, DrillUndoTask{info_.run_id}}}, kAskPatience);
  const auto deadline = Clock::now() + kFailbackPatience;
  while (Clock::now() < deadline &&
         !IsHome(AskStatus(), {.vip = setup_.vip, .master = setup_.router.master})) {
    Pause(kAskAgain);
  }
}

void DrillSteps::Unlock() {
  if (!locked_) return;
  [[maybe_unused]] const auto told = AskAll(ForAll(ReleaseTask{}), kAskPatience);
}

void DrillSteps::Conclude() {
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

void DrillSteps::KeepEvidence() {
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

}  // namespace drover
