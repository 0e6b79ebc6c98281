#include "orchestrator/drill/survival.h"

#include <map>
#include <optional>

namespace drover {
namespace {

// One connection's life as far as the probes tell it.
struct Life {
  ProbeTime first{0};
  std::uint64_t requests_before = 0;
  std::uint16_t responder = 0;  // of the last answer before the injection
  bool broken_before = false;
  bool broken_between = false;        // between injection and takeover
  const ProbeRecord* next = nullptr;  // first request at or after the takeover
};

std::map<std::uint32_t, Life> LivesOf(const ProbeLog& log, std::size_t series, ProbeTime injection,
                                      ProbeTime takeover) {
  std::map<std::uint32_t, Life> lives;
  for (const ProbeRecord& record : log.records) {
    if (record.series != series || record.fate == ProbeFate::kUnsent) continue;
    const auto [place, is_new] = lives.try_emplace(record.stream);
    Life& life = place->second;
    if (is_new) life.first = record.planned;
    const bool broken = record.fate == ProbeFate::kError;
    if (record.planned < injection) {
      ++life.requests_before;
      if (record.responder != 0) life.responder = record.responder;
      // A request that was on its way when the fault came may end in the fault.
      if (broken && *record.answered < injection) life.broken_before = true;
      if (broken && *record.answered >= injection) life.broken_between = true;
    } else if (record.planned < takeover) {
      life.broken_between = life.broken_between || broken;
    } else if (life.next == nullptr) {
      life.next = &record;
    }
  }
  return lives;
}

ConnectionAge AgeOf(const Life& life, ProbeTime injection) {
  if (life.requests_before < 2) return ConnectionAge::kNew;
  if (injection - life.first < kYoungConnection) return ConnectionAge::kYoung;
  return ConnectionAge::kOlder;
}

void Count(const Life& life, SurvivalCount& count) {
  ++count.open;
  if (life.broken_between) {
    ++count.reset;
  } else if (life.next == nullptr) {
    ++count.unknown;
  } else if (life.next->fate == ProbeFate::kError) {
    ++count.reset;
  } else if (life.next->fate == ProbeFate::kLost) {
    ++count.silent;
  } else if (life.next->fate == ProbeFate::kWrong ||
             (life.responder != 0 && life.next->responder != life.responder)) {
    ++count.wrong;
  } else {
    ++count.survived;
    count.stalled += life.next->fate == ProbeFate::kLate ? 1 : 0;
  }
}

}  // namespace

std::string_view ToString(ConnectionAge age) {
  switch (age) {
    case ConnectionAge::kNew:
      return "one request";
    case ConnectionAge::kYoung:
      return "younger than 3 s";
    case ConnectionAge::kOlder:
      return "older";
  }
  return "?";
}

SurvivalCount Survival::total() const {
  SurvivalCount sum;
  for (const SurvivalCount& count : by_age) {
    sum.open += count.open;
    sum.survived += count.survived;
    sum.stalled += count.stalled;
    sum.reset += count.reset;
    sum.wrong += count.wrong;
    sum.silent += count.silent;
    sum.unknown += count.unknown;
  }
  return sum;
}

double Survival::share() const {
  const SurvivalCount sum = total();
  const std::uint64_t known = sum.open - sum.unknown;
  if (known == 0) return 1;
  return static_cast<double>(sum.survived) / static_cast<double>(known);
}

Survival SurvivalOf(const ProbeLog& log, std::size_t series, ProbeTime injection,
                    ProbeTime takeover) {
  Survival survival;
  for (const auto& [stream, life] : LivesOf(log, series, injection, takeover)) {
    if (life.requests_before == 0 || life.broken_before) continue;  // was not open
    Count(life, survival.by_age.at(static_cast<std::size_t>(AgeOf(life, injection))));
  }
  return survival;
}

}  // namespace drover
