// The core and the kernel: what is looked at and repaired, and what checks change in ip_vs.
#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "node-helper/checks/target.h"
#include "node-helper/converge/plan.h"
#include "node-helper/daemon/core.h"
#include "node-helper/store/session_lock.h"

namespace drover {
namespace {

constexpr std::chrono::seconds kRepeatWindow{60};
constexpr int kToldPerWindow = 5;
constexpr std::uint32_t kPrivateMask = 0xffff0000;
constexpr std::array kRetried = {"records", "speaker", "metrics"};

// What was wrong and what was done about it, in words.
std::string RepairText(const Change& change) {
  const ChangeText text = Describe(change);
  if (text.verb == "add") return "was gone; set again (" + text.after + ")";
  if (text.verb == "remove") return "was there (" + text.before + "); removed";
  return "was " + text.before + "; set to " + text.after + " again";
}

}  // namespace

Result<Kernel*> DaemonCore::OpenKernel() {
  if (!kernel_) {
    auto opened = parts_.open_kernel();
    if (!opened) {
      SetProblem("kernel", opened.error().message);
      return Fail(opened.error());
    }
    kernel_ = std::move(*opened);
    ClearProblems("kernel");
  }
  return kernel_.get();
}

void DaemonCore::ObserveOnly(Time now) {
  const auto kernel = OpenKernel();
  if (!kernel) return;
  reconciler_.Look(
      **kernel, DesiredState{}, [](const Change&) { return false; }, now);
}

// Private services of a process that was killed.
void DaemonCore::FindLeftovers() {
  for (const VirtualService& service : reconciler_.observed().services) {
    const auto* mark = std::get_if<FwmarkKey>(&service.key);
    if (mark == nullptr || (mark->mark & kPrivateMask) != kFirstPrivateMark) continue;
    const bool used = std::any_of(private_services_.begin(), private_services_.end(),
                                  [&](const auto& other) { return other.key == service.key; });
    if (!used) leaving_.push_back(service);
  }
}

std::map<ServiceKey, std::vector<Endpoint>> DaemonCore::InTable() const {
  std::map<ServiceKey, std::vector<Endpoint>> in_use;
  for (const VirtualService& service : reconciler_.observed().services) {
    for (const Destination& destination : service.destinations) {
      if (destination.weight > 0) in_use[service.key].push_back(destination.endpoint());
    }
  }
  return in_use;
}

DesiredState DaemonCore::WantedNow() const {
  DesiredState wanted = pools_.Apply(wants_);
  wanted.services.insert(wanted.services.end(), private_services_.begin(), private_services_.end());
  return wanted;
}

bool DaemonCore::IsOfHealth(const Change& change) const {
  const auto has_key = [](const ServiceKey& key) {
    return [&key](const VirtualService& service) { return service.key == key; };
  };
  const auto key_of = [](const auto& action) -> const ServiceKey* {
    using Action = std::decay_t<decltype(action)>;
    if constexpr (requires { action.service.key; }) {
      return &action.service.key;
    } else if constexpr (std::is_same_v<Action, AddDestination> ||
                         std::is_same_v<Action, EditDestination> ||
                         std::is_same_v<Action, RemoveDestination>) {
      return &action.service;
    } else {
      return nullptr;
    }
  };
  const ServiceKey* key = std::visit(key_of, change.action);
  if (key == nullptr) return false;
  if (std::any_of(private_services_.begin(), private_services_.end(), has_key(*key))) return true;
  const bool of_service = std::holds_alternative<AddService>(change.action) ||
                          std::holds_alternative<EditService>(change.action) ||
                          std::holds_alternative<RemoveService>(change.action);
  const auto& there = reconciler_.observed().services;
  return !of_service && pools_.decides(*key) &&
         std::any_of(there.begin(), there.end(), has_key(*key));
}

void DaemonCore::ApplyHealth(Time now) {
  UpdatePools(now);
  const auto kernel = OpenKernel();
  if (!kernel) return;
  RemovePrivate(**kernel);
  reconciler_.ApplyQuickly(**kernel, WantedNow(),
                           [this](const Change& change) { return IsOfHealth(change); });
}

void DaemonCore::RemovePrivate(Kernel& kernel) {
  for (const VirtualService& service : leaving_) {
    [[maybe_unused]] const Status gone = kernel.Apply({RemoveService{service}, "no longer asked"});
  }
  leaving_.clear();
}

void DaemonCore::Look(Time now) {
  const auto lock = SessionLock::TakeBriefly(parts_.store->directory());
  const bool session = !lock && lock.error().code == ErrorCode::kUnreachable;
  if (session_at_work_ && !session) {
    [[maybe_unused]] const Status read = Reload(now);
  } else {
    RetryProblems(now);
  }
  session_at_work_ = session;
  ApplyHealth(now);
  const auto kernel = OpenKernel();
  if (!kernel) return;
  if (session) {
    reconciler_.Look(
        **kernel, WantedNow(), [this](const Change& change) { return IsOfHealth(change); }, now);
    SeeWhetherAllIsSet();
  } else {
    const LookReport report = reconciler_.Look(**kernel, WantedNow(), nullptr, now);
    TellRepairs(report, now);
    TellFailures(report.failures);
    fresh_ = false;
  }
  MayPreempt(now);
}

// Once everything has been set, by whom ever, what is found missing later is drift.
void DaemonCore::SeeWhetherAllIsSet() {
  const auto plan = Plan(WantedNow(), reconciler_.observed());
  if (plan && plan->empty()) fresh_ = false;
}

// Records that could not be read, a speaker or a socket that could not be made.
void DaemonCore::RetryProblems(Time now) {
  const bool any = std::any_of(kRetried.begin(), kRetried.end(),
                               [&](const char* source) { return problems_.contains(source); });
  if (!any) {
    retries_ = 0;
    next_retry_ = now + RetryDelay(1);
  } else if (now >= next_retry_) {
    next_retry_ = now + RetryDelay(++retries_ + 1);
    [[maybe_unused]] const Status read = Reload(now);
  }
}

// A tug of war with another program does not fill the log.
void DaemonCore::TellRepairs(const LookReport& report, Time now) {
  for (const Change& change : report.done) {
    if (fresh_) {
      parts_.events->Add("daemon", Describe(change).resource, "set as recorded");
      continue;
    }
    ++repairs_;
    const std::string resource = Describe(change).resource;
    Repeats& repeats = repeats_[resource];
    if (now - repeats.since > kRepeatWindow) repeats = Repeats{now, 0};
    if (++repeats.times > kToldPerWindow) continue;
    std::string text = RepairText(change);
    if (repeats.times == kToldPerWindow) text += "; this repeats and is no longer told for a while";
    parts_.events->Add("drift", resource, text, true);
  }
}

void DaemonCore::TellFailures(const std::vector<std::string>& failures) {
  if (failures == last_failures_) return;
  for (const std::string& failure : failures) {
    if (std::find(last_failures_.begin(), last_failures_.end(), failure) != last_failures_.end()) {
      continue;
    }
    parts_.events->Add("daemon", "", "cannot be set: " + failure, true);
  }
  if (failures.empty()) parts_.events->Add("daemon", "", "everything that was recorded is set");
  last_failures_ = failures;
}

}  // namespace drover
