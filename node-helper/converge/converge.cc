#include "node-helper/converge/converge.h"

#include <functional>

#include "node-helper/converge/plan.h"

namespace drover {
namespace {

using Planner = std::function<Result<std::vector<Change>>(const DesiredState& observed)>;

bool IsStale(const Error& error) {
  return error.code == ErrorCode::kExists || error.code == ErrorCode::kNotFound;
}

// Applies `plan` up to the first refusal, which goes into the report.
void ApplyAll(Kernel& kernel, const std::vector<Change>& plan, ConvergeReport& report) {
  for (const Change& change : plan) {
    const Status applied = kernel.Apply(change);
    if (!applied) {
      report.failed = change;
      report.error = applied.error();
      return;
    }
    report.done.push_back(change);
  }
}

// Until a plan is empty: observe, plan, apply. A stale observation (somebody else was faster) is a
// reason for another round, every other refusal ends it.
ConvergeReport Run(Kernel& kernel, const std::vector<std::string>& keys, const Planner& planner) {
  ConvergeReport report;
  for (int round = 1;; ++round) {
    const Result<DesiredState> observed = kernel.Observe(keys);
    if (!observed) {
      report.error = observed.error();
      return report;
    }
    const Result<std::vector<Change>> plan = planner(*observed);
    if (!plan) {
      report.error = plan.error();
      return report;
    }
    if (plan->empty()) return report;
    if (round > kMaxRounds) {
      report.failed = plan->front();
      report.error = Error{
          ErrorCode::kInternal,
          Describe(plan->front()).resource + ": does not settle; it was changed back " +
              std::to_string(kMaxRounds) + " times (another program, or a setting that sets it)"};
      return report;
    }
    ApplyAll(kernel, *plan, report);
    if (!report.error) continue;
    if (!IsStale(*report.error) || round == kMaxRounds) return report;
    report.failed.reset();
    report.error.reset();
  }
}

}  // namespace

ConvergeReport Converge(Kernel& kernel, const DesiredState& desired) {
  return Run(kernel, SysctlKeys(desired),
             [&desired](const DesiredState& observed) { return Plan(desired, observed); });
}

ConvergeReport Prune(Kernel& kernel, const DesiredState& owned, const DesiredState& whole,
                     const std::map<std::string, std::string>& original_sysctls) {
  return Run(kernel, SysctlKeys(owned),
             [&](const DesiredState& observed) -> Result<std::vector<Change>> {
               return PlanPrune(owned, whole, observed, original_sysctls);
             });
}

}  // namespace drover
