// Writes pages of made-up evidence, to look at: sample_page FOLDER.
#include <fstream>
#include <iostream>

#include "orchestrator/report/drill_html.h"
#include "orchestrator/report/drill_junit.h"
#include "orchestrator/report/drill_text.h"
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
  std::cout << DrillText(sample.journal, sample.analysis, {}) << "\n";
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
  return 0;
}
