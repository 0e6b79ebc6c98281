// The history of drills for a terminal, as JSON, and as a page: a trend per fault, and what the
// last verifications found.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/history/trend.h"

namespace drover {

struct HistoryView {
  std::vector<DrillTrend> trends;
  std::vector<DrillRecord> drills;                // the oldest first
  std::vector<VerificationRecord> verifications;  // likewise
};

std::string HistoryText(const HistoryView& view, int columns, bool colours);
// One JSON document with a newline.
std::string HistoryJson(const HistoryView& view);
// One self-contained page.
std::string HistoryHtml(const HistoryView& view, const std::string& title);

// "40 pass, 1 fail".
std::string VerdictsText(const DrillTrend& trend);

}  // namespace drover
