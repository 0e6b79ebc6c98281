#include "node-helper/daemon/reconcile.h"

#include <algorithm>
#include <set>

#include "node-helper/converge/plan.h"

namespace drover {
namespace {

constexpr int kMaxPasses = 3;
constexpr std::chrono::seconds kFirstDelay{1};
constexpr std::chrono::seconds kLongestDelay{60};
constexpr std::string_view kIpvsSysctls = "net/ipv4/vs/";

// Sysctls that are not there (their interface is missing) would make the whole plan impossible.
DesiredState WithoutUnknownSysctls(DesiredState state, const DesiredState& observed,
                                   std::vector<std::string>& failures) {
  std::set<std::string> known;
  for (const Sysctl& sysctl : observed.sysctls) known.insert(sysctl.key);
  std::erase_if(state.sysctls, [&](const Sysctl& sysctl) {
    if (known.contains(sysctl.key) || sysctl.key.starts_with(kIpvsSysctls)) return false;
    failures.push_back("sysctl " + SysctlKeyForPeople(sysctl.key) + ": not there (yet)");
    return true;
  });
  return state;
}

}  // namespace

std::chrono::seconds RetryDelay(int failures) {
  std::chrono::seconds delay = kFirstDelay;
  for (int i = 1; i < failures && delay < kLongestDelay; ++i) delay *= 2;
  return std::min(delay, kLongestDelay);
}

LookReport Reconciler::Look(Kernel& kernel, const DesiredState& wanted, const Filter& may_do,
                            Time now) {
  LookReport report;
  for (int pass = 0; pass < kMaxPasses; ++pass) {
    report.failures.clear();  // only what still fails in the last pass counts
    if (!Pass(kernel, wanted, may_do, now, report)) break;
  }
  return report;
}

// True when something was changed, so that another look is worth while.
bool Reconciler::Pass(Kernel& kernel, const DesiredState& wanted, const Filter& may_do, Time now,
                      LookReport& report) {
  auto observed = kernel.Observe(SysctlKeys(wanted));
  if (!observed) {
    report.failures.push_back(observed.error().message);
    return false;
  }
  observed_ = std::move(*observed);
  const auto plan = Plan(WithoutUnknownSysctls(wanted, observed_, report.failures), observed_);
  if (!plan) {
    report.failures.push_back(plan.error().message);
    return false;
  }
  bool changed = false;
  std::set<std::string> touched;
  for (const Change& change : *plan) {
    if (may_do && !may_do(change)) continue;
    const std::string resource = Describe(change).resource;
    touched.insert(resource);
    const auto failing = failing_.find(resource);
    if (failing != failing_.end() && now < failing->second.next_try) {
      report.failures.push_back(failing->second.sentence);
      continue;
    }
    if (const Status applied = kernel.Apply(change); !applied) {
      NoteFailure(resource, applied.error().message, now);
      report.failures.push_back(applied.error().message);
      continue;
    }
    failing_.erase(resource);
    observed_ = Advance(std::move(observed_), change);
    report.done.push_back(change);
    changed = true;
  }
  std::erase_if(failing_, [&](const auto& entry) { return !touched.contains(entry.first); });
  return changed;
}

void Reconciler::NoteFailure(const std::string& resource, const std::string& sentence, Time now) {
  Failing& failing = failing_[resource];
  ++failing.times;
  failing.next_try = now + RetryDelay(failing.times);
  failing.sentence = sentence;
}

LookReport Reconciler::ApplyQuickly(Kernel& kernel, const DesiredState& wanted,
                                    const Filter& may_do) {
  LookReport report;
  DesiredState services;
  services.services = wanted.services;
  const auto plan = Plan(services, observed_);
  if (!plan) return report;
  for (const Change& change : *plan) {
    if (may_do && !may_do(change)) continue;
    if (const Status applied = kernel.Apply(change); !applied) {
      report.failures.push_back(applied.error().message);
      continue;
    }
    observed_ = Advance(std::move(observed_), change);
    report.done.push_back(change);
  }
  return report;
}

}  // namespace drover
