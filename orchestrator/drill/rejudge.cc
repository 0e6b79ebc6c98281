#include "orchestrator/drill/rejudge.h"

#include <algorithm>

namespace drover {
namespace {

void AddOnce(std::vector<std::string>& texts, const std::string& text) {
  if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
}

// The rules of today for the facts of then. A bound that somebody asked for stays.
Prediction PredictAgain(const DrillJournal& stored) {
  auto fresh = Predict(stored.prediction.fault, stored.cluster, stored.probes, stored.settings);
  if (!fresh) return stored.prediction;
  for (const Envelope& before : stored.prediction.envelopes) {
    const bool limited = before.worked.find("max_outage") != std::string::npos;
    for (Envelope& now : fresh->envelopes) {
      if (!limited || now.quantity != before.quantity || !before.most) continue;
      now.most = std::min(now.most.value_or(*before.most), *before.most);
      now.worked = before.worked;
    }
  }
  // Two owners are predicted only where the prober would see them.
  if (stored.prediction.Find(Quantity::kDoubleOwner) == nullptr) {
    std::erase_if(fresh->envelopes, [](const Envelope& envelope) {
      return envelope.quantity == Quantity::kDoubleOwner;
    });
  }
  return *std::move(fresh);
}

std::string LineText(const Comparison& line) {
  const Quantity quantity = line.predicted.quantity;
  std::string text(ToString(line.fit));
  if (line.measured) text += " (" + QuantityText(quantity, line.measured->value) + ")";
  return text;
}

const Comparison* Find(const DrillVerdict& verdict, Quantity quantity) {
  for (const Comparison& line : verdict.comparisons) {
    if (line.predicted.quantity == quantity) return &line;
  }
  return nullptr;
}

}  // namespace

DrillJournal Rejudge(const DrillJournal& stored, const DrillAnalysis& analysis,
                     const DrillSnapshots& snapshots) {
  DrillJournal fresh = stored;
  fresh.prediction = PredictAgain(stored);
  fresh.measured = analysis.measured;
  for (const std::string& reason : analysis.voids) AddOnce(fresh.facts.voids, reason);
  fresh.facts.control_probe_clean = analysis.control_clean;
  for (const auto& [host, pair] : snapshots) {
    if (!pair.after) continue;
    for (const std::string& line : DifferencesOf(pair.before, *pair.after)) {
      AddOnce(fresh.facts.residue, host + ": " + line);
    }
  }
  fresh.verdict = JudgeDrill(fresh.prediction, fresh.measured, fresh.facts);
  return fresh;
}

std::vector<std::string> VerdictDifferences(const DrillVerdict& stored, const DrillVerdict& fresh) {
  std::vector<std::string> differences;
  if (stored.kind != fresh.kind) {
    differences.push_back("verdict: stored " + std::string(ToString(stored.kind)) + ", now " +
                          std::string(ToString(fresh.kind)));
  }
  for (const Comparison& now : fresh.comparisons) {
    const std::string name(ToString(now.predicted.quantity));
    const Comparison* then = Find(stored, now.predicted.quantity);
    if (then == nullptr) {
      differences.push_back(name + ": was not predicted then, now " + LineText(now));
    } else if (LineText(*then) != LineText(now)) {
      differences.push_back(name + ": stored " + LineText(*then) + ", now " + LineText(now));
    }
  }
  for (const Comparison& then : stored.comparisons) {
    if (Find(fresh, then.predicted.quantity) == nullptr) {
      differences.push_back(std::string(ToString(then.predicted.quantity)) +
                            ": is not predicted any more");
    }
  }
  return differences;
}

}  // namespace drover
