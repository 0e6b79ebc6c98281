// Writes pages of made-up evidence and the evidence itself, to look at: sample_page FOLDER.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "orchestrator/report/drill_html.h"
#include "orchestrator/report/drill_junit.h"
#include "orchestrator/report/drill_text.h"
#include "orchestrator/report/history_text.h"
#include "sample_drill.h"

namespace drover {
namespace {

void Write(const std::string& folder, const std::string& name, const SampleDrill& sample) {
  const DrillPage page{{sample.journal, sample.analysis, sample.log},
                       {{"journal.json", 18'204, "what was done, predicted and judged"},
                        {"probe.dplg", 412'000, "every probe (raw)"}},
                       std::nullopt};
  std::ofstream(folder + "/" + name + ".html") << DrillHtml(page);
  std::ofstream(folder + "/" + name + ".xml") << DrillJunit(sample.journal);
  const std::string evidence = folder + "/" + sample.journal.id + "-" + name;
  std::filesystem::create_directories(evidence);
  std::ofstream(evidence + "/journal.json") << EncodeJournal(sample.journal);
  const std::vector<std::uint8_t> log = EncodeProbeLog(sample.log);
  std::ofstream(evidence + "/probe.dplg", std::ios::binary)
      .write(reinterpret_cast<const char*>(log.data()), static_cast<std::streamsize>(log.size()));
  std::cout << DrillText(sample.journal, sample.analysis, {}) << "\n";
}

// Two months of nightly drills, the last of them slower, and a handover that never lost anything.
void WriteHistory(const std::string& folder) {
  HistoryView view;
  constexpr std::int64_t kDay = 86'400'000'000;
  for (int i = 0; i < 64; ++i) {
    const double outage = i < 56 ? 262 + i * 37 % 100 : 361 + i * 13 % 60;
    const bool fails = outage > 384;
    view.drills.push_back({.id = "crash" + std::to_string(i),
                           .playbook = "site.yml",
                           .inventory = "production",
                           .target = i % 2 == 0 ? "lb1" : "lb2",
                           .trigger = "schedule nightly-crash",
                           .started_us = 1'760'000'000'000'000 + i * kDay,
                           .verdict = i == 20 ? VerdictKind::kInconclusive
                                      : fails ? VerdictKind::kFail
                                              : VerdictKind::kPass,
                           .reasons = fails
                                          ? std::vector<std::string>{"outage above the prediction"}
                                          : std::vector<std::string>(),
                           .measured = {{Quantity::kOutage, outage, 1, false}},
                           .predicted = PredictedOutage{261, 384, true}});
    if (i % 8 != 0) continue;
    DrillRecord handover = view.drills.back();
    handover.id = "handover" + std::to_string(i);
    handover.fault = Fault::kHandover;
    handover.started_us += 1;
    handover.verdict = VerdictKind::kPass;
    handover.reasons.clear();
    handover.measured.front().value = 0;
    handover.predicted = PredictedOutage{0, 0, false};
    view.drills.push_back(handover);
  }
  view.trends = TrendsOf(view.drills);
  view.verifications = {
      {.id = "v1", .playbook = "site.yml", .at_us = 1'765'000'000'000'000, .connections = 90},
      {.id = "v2",
       .playbook = "site.yml",
       .at_us = 1'765'100'000'000'000,
       .connections = 90,
       .failed = 30,
       .findings = {"arp-owner rs2: answers ARP for 10.77.0.100"}}};
  std::ofstream(folder + "/history.html") << HistoryHtml(view, "Drills");
  std::cout << HistoryText(view, 0, false);
}

}  // namespace
}  // namespace drover

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: sample_page FOLDER\n";
    return 1;
  }
  drover::Write(argv[1], "pass", drover::MakeSampleDrill());
  drover::Write(argv[1], "fail",
                drover::MakeSampleDrill({.outage = std::chrono::milliseconds(5100),
                                         .residue = true,
                                         .shared = std::chrono::milliseconds(1400)}));
  drover::WriteHistory(argv[1]);
  return 0;
}
