#include "node-helper/daemon/reapply.h"

#include <algorithm>

#include "node-helper/converge/plan.h"

namespace drover {
namespace {

constexpr int kMaxPasses = 3;  // some settings change others, so a second look is needed
constexpr std::chrono::seconds kFirstDelay{1};
constexpr std::chrono::seconds kLongestDelay{60};

bool Knows(const DesiredState& observed, const Sysctl& sysctl) {
  return std::any_of(observed.sysctls.begin(), observed.sysctls.end(),
                     [&](const Sysctl& known) { return known.key == sysctl.key; });
}

// Sysctls that are not there (their interface is missing) would make the whole plan impossible.
DesiredState WithoutUnknownSysctls(DesiredState state, const DesiredState& observed,
                                   std::vector<std::string>& failures) {
  std::erase_if(state.sysctls, [&](const Sysctl& sysctl) {
    if (Knows(observed, sysctl) || sysctl.key.starts_with("net/ipv4/vs/")) return false;
    failures.push_back("sysctl " + SysctlKeyForPeople(sysctl.key) + ": not there (yet)");
    return true;
  });
  return state;
}

// True when something was changed.
bool PassFor(Kernel& kernel, const OwnerRecord& record, ReapplyReport& report) {
  const auto fail = [&](const Error& error) {
    report.failures.push_back(error.In(record.owner).message);
    return false;
  };
  const auto observed = kernel.Observe(SysctlKeys(record.state));
  if (!observed) return fail(observed.error());
  const auto plan =
      Plan(WithoutUnknownSysctls(record.state, *observed, report.failures), *observed);
  if (!plan) return fail(plan.error());
  bool changed = false;
  for (const Change& change : *plan) {
    if (const Status applied = kernel.Apply(change); !applied) {
      fail(applied.error());
    } else {
      report.done.push_back(change);
      changed = true;
    }
  }
  return changed;
}

}  // namespace

ReapplyReport Reapply(Kernel& kernel, const std::vector<OwnerRecord>& records) {
  ReapplyReport report;
  for (const OwnerRecord& record : records) {
    std::vector<std::string> before = report.failures;
    for (int pass = 0; pass < kMaxPasses; ++pass) {
      report.failures = before;  // only what still fails in the last pass counts
      if (!PassFor(kernel, record, report)) break;
    }
  }
  return report;
}

std::chrono::seconds RetryDelay(int failures) {
  std::chrono::seconds delay = kFirstDelay;
  for (int i = 1; i < failures && delay < kLongestDelay; ++i) delay *= 2;
  return std::min(delay, kLongestDelay);
}

}  // namespace drover
