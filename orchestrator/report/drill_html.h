// A drill as one page: the verdict first, then what it rests on.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/report/drill_charts.h"

namespace drover {

// A file beside the page.
struct EvidenceFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::string what;
};

struct DrillPage {
  DrillPicture picture;
  std::vector<EvidenceFile> files;
  // Judged again: the verdict that was stored, when it was another one.
  std::optional<DrillVerdict> stored;
};

std::string DrillHtml(const DrillPage& page);

// "good", "bad" or "odd": the look of a verdict.
std::string_view LookOf(VerdictKind kind);
// "261 to 384 ms" of an envelope.
std::string PredictedText(const Envelope& predicted);
// "312 ms +- 1 ms", "at least 4 s", "-" where nothing was measured.
std::string MeasuredText(const Comparison& comparison);

}  // namespace drover
