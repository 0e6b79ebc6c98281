#include "node-helper/tasks/converge_task.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "node-helper/converge/converge.h"
#include "node-helper/converge/plan.h"
#include "node-helper/store/maintenance.h"
#include "node-helper/store/ownership.h"
#include "node-helper/tasks/daemon_changes.h"
#include "node-helper/tasks/outcome.h"
#include "node-helper/tasks/overlay.h"

namespace drover {
namespace {

// The record of the run's owner and those of everybody else.
struct Records {
  OwnerRecord own;
  std::vector<OwnerRecord> others;
};

Result<Records> LoadRecords(const Store& store, const std::string& owner) {
  auto all = store.LoadAll();
  if (!all) {
    Error error = all.error();
    if (error.code == ErrorCode::kDenied) error.message += "; this needs root (become: true)";
    return Fail(std::move(error));
  }
  Records records;
  records.own.owner = owner;
  for (OwnerRecord& record : *all) {
    if (record.owner == owner) {
      records.own = std::move(record);
    } else {
      records.others.push_back(std::move(record));
    }
  }
  return records;
}

std::vector<ChangeText> InWords(const std::vector<Change>& changes) {
  std::vector<ChangeText> texts;
  for (const Change& change : changes) texts.push_back(Describe(change));
  return texts;
}

TaskResult FromReport(const ConvergeReport& report) {
  std::vector<ChangeText> done = InWords(report.done);
  if (report.ok()) return Succeeded(std::move(done));
  Error error = *report.error;
  const std::size_t count = done.size();
  if (count > 0) {
    error.message += " (" + std::to_string(count) + (count == 1 ? " change" : " changes") +
                     " before it " + (count == 1 ? "was" : "were") + " made)";
  }
  return Failed(std::move(error), std::move(done));
}

Status SaveIfDifferent(TaskContext& context, OwnerRecord record, const OwnerRecord& old,
                       const RunInfo& run) {
  if (SameContent(record, old)) return {};
  if (const Status ready = BeforeChange(context); !ready) return ready;
  record.run = run;
  return context.store->Save(record);
}

// What can be told beforehand: settings, interfaces and modules that are not there.
Status Rehearse(Kernel& kernel, const DesiredState& wanted, const DesiredState& observed) {
  const auto plan = Plan(wanted, observed);
  if (!plan) return Fail(plan.error());
  for (const Change& change : *plan) {
    const auto* add = std::get_if<AddAddress>(&change.action);
    if (add != nullptr && HasTunnel(wanted, add->address.interface)) continue;  // it comes first
    if (const Status possible = kernel.Rehearse(change); !possible) return possible;
  }
  return {};
}

void Append(std::vector<ChangeText>& list, std::vector<ChangeText> more) {
  std::move(more.begin(), more.end(), std::back_inserter(list));
}

bool DaemonRuns(const TaskContext& context) {
  return context.daemon != nullptr && context.daemon->Runs();
}

// Tells the daemon of a record that was saved. Without daemon parts it only has to know; a daemon
// that cannot be asked then does not keep the kernel from being set, and looks by itself later.
Result<Overlay> OverlayFor(const DesiredState& wanted, bool record_changed,
                           const TaskContext& context, std::string& note) {
  if (!DaemonRuns(context)) {
    if (!wanted.needs_daemon()) return Overlay{};
    return Fail(ErrorCode::kInternal,
                "the helper's daemon does not run, which has to carry this out");
  }
  const bool reload = wanted.needs_daemon() || record_changed;
  auto overlay = reload ? context.daemon->Reload() : context.daemon->ReadOverlay();
  if (overlay || wanted.needs_daemon()) return overlay;
  note = overlay.error().message;
  return Overlay{};
}

// What --check assumes: the overlay as it is now.
Overlay OverlayNow(const TaskContext& context) {
  if (!DaemonRuns(context)) return {};
  return context.daemon->ReadOverlay().value_or(Overlay{});
}

std::set<std::string> ResourcesOf(const std::vector<Change>& changes) {
  std::set<std::string> resources;
  for (const Change& change : changes) resources.insert(Describe(change).resource);
  return resources;
}

// What this run brought about, in the order of its plan: the daemon, which was told of the record
// first, may have set some of it before the session looked.
void AddWhatTheDaemonDid(Kernel& kernel, const DesiredState& effective, const DesiredState& before,
                         ConvergeReport& report) {
  auto planned = Plan(effective, before);
  if (!planned) return;
  if (report.error) {
    const auto observed = kernel.Observe(SysctlKeys(effective));
    const auto left = observed ? Plan(effective, *observed) : Result<std::vector<Change>>(planned);
    if (!left) return;
    const std::set<std::string> undone = ResourcesOf(*left);
    std::erase_if(*planned,
                  [&](const Change& change) { return undone.contains(Describe(change).resource); });
  }
  const std::set<std::string> told = ResourcesOf(*planned);
  for (Change& change : report.done) {
    if (!told.contains(Describe(change).resource)) planned->push_back(std::move(change));
  }
  report.done = std::move(*planned);
}

// Sets the kernel's part, then waits until what the daemon was told has come to something.
// `before`: what the kernel had before the daemon was told something new; null when it was not.
TaskResult SetAndSettle(Kernel& kernel, const DesiredState& wanted, const DesiredState& effective,
                        const DesiredState* before, const std::vector<Maintenance>& maintenance,
                        const TaskContext& context, bool check) {
  ConvergeReport report = Converge(kernel, effective);
  if (before != nullptr) AddWhatTheDaemonDid(kernel, effective, *before, report);
  ExplainWeights(report.done, wanted, maintenance);
  TaskResult result = FromReport(report);
  if (check || !wanted.needs_daemon() || result.status == TaskStatus::kFailed) return result;
  const auto open = context.daemon->WaitSettled(SettlePatience(wanted), context.abandoned);
  if (!open) return Failed(open.error(), std::move(result.changes));
  for (const std::string& sentence : *open) {
    result.message += (result.message.empty() ? "" : "; ") + sentence;
  }
  return result;
}

// The daemon lets go of what was forgotten, and instances speak in their new form.
Status EndRunOfDaemon(const PruneTask& task, const OwnerRecord& before, const OwnerRecord& now,
                      const TaskContext& context) {
  if (!DaemonRuns(context)) return {};
  const bool needed = before.state.needs_daemon() || now.state.needs_daemon();
  if (!needed && SameContent(before, now)) return {};
  const auto reloaded = context.daemon->Reload();
  // A daemon that has nothing to carry out for this owner reads the records again by itself.
  if (!needed) return {};
  if (!reloaded) return Fail(reloaded.error());
  return context.daemon->SettleForms(task.unsettled);
}

}  // namespace

std::chrono::milliseconds SettlePatience(const DesiredState& state) {
  using std::chrono::milliseconds;
  constexpr milliseconds kMost{30000};
  constexpr milliseconds kTablesAgree{5000};  // connection tables of directors that are well
  milliseconds patience{1000};
  for (const VrrpInstance& instance : state.vrrp_instances) {
    // RFC 9568, section 6.1: the skew is less than an interval (version 2: than a second).
    const milliseconds skew = std::max(instance.advert_interval, milliseconds{1000});
    const milliseconds down = instance.advert_interval * instance.down_adverts + skew;
    // It may find a lower master and replace it: then the roles change once more.
    const milliseconds replaces =
        instance.preempt ? down + instance.preempt_delay : milliseconds{0};
    const milliseconds tables = std::min(instance.sync_wait, kTablesAgree);
    patience = std::max(patience, down + replaces + tables + milliseconds{1000});
  }
  for (const ServiceWatch& watch : state.watches) {
    for (const CheckSettings& check : watch.checks) {
      const milliseconds verdict =
          check.interval * std::max(check.rise, check.fall) + check.timeout + milliseconds{500};
      patience = std::max(patience, verdict + verdict * check.jitter_percent / 100);
    }
  }
  return std::min(patience, kMost);
}

TaskResult RunConvergeTask(const ConvergeTask& task, bool check, const ProgramCourse& course,
                           TaskContext& context) {
  if (task.state.empty()) return Succeeded();
  const auto kernel = context.kernel(check);
  if (!kernel) return Failed(kernel.error());
  const auto records = LoadRecords(*context.store, course.run.owner);
  if (!records) return Failed(records.error());
  const auto observed = (*kernel)->Observe(SysctlKeys(task.state));
  if (!observed) return Failed(observed.error());
  // What the kernel would refuse anyway is neither begun nor recorded.
  if (const Status possible = Rehearse(**kernel, task.state, *observed); !possible) {
    return Failed(possible.error());
  }
  const auto maintenance = LoadMaintenance(*context.store);
  if (!maintenance) return Failed(maintenance.error());
  const auto claimed = Claim(records->own, task.state, *observed, records->others);
  if (!claimed) return Failed(claimed.error());
  if (!check) {
    const Status saved = SaveIfDifferent(context, *claimed, records->own, course.run);
    if (!saved) return Failed(saved.error().In("nothing was changed"));
  }
  std::vector<ChangeText> changes;
  if (task.state.needs_daemon() && context.ensure_service) {
    auto installed = context.ensure_service(check);
    if (!installed) return Failed(installed.error());
    Append(changes, std::move(*installed));
  }
  std::string note;
  const bool record_changed = !SameContent(*claimed, records->own);
  const auto overlay = check ? Result<Overlay>(OverlayNow(context))
                             : OverlayFor(task.state, record_changed, context, note);
  if (!overlay) return Failed(overlay.error(), std::move(changes));
  Append(changes, DaemonChanges(records->own.state, task.state));
  const bool told = !check && record_changed && DaemonRuns(context);
  TaskResult result =
      SetAndSettle(**kernel, task.state, Overlaid(task.state, *overlay, *observed, *maintenance),
                   told ? &*observed : nullptr, *maintenance, context, check);
  Append(changes, std::move(result.changes));
  result.changes = std::move(changes);
  if (result.status == TaskStatus::kOk && !result.changes.empty()) {
    result.status = TaskStatus::kChanged;
  }
  if (result.message.empty()) result.message = note;
  return result;
}

TaskResult RunPruneTask(const PruneTask& task, bool check, const ProgramCourse& course,
                        TaskContext& context) {
  const auto records = LoadRecords(*context.store, course.run.owner);
  if (!records) return Failed(records.error());
  std::vector<ChangeText> changes;
  const DesiredState mine = HeldAlone(records->own, records->others);
  if (!mine.empty()) {
    const auto kernel = context.kernel(check);
    if (!kernel) return Failed(kernel.error());
    TaskResult pruned = FromReport(
        Prune(**kernel, mine, WithVirtualAddresses(task.whole), records->own.original_sysctls));
    if (pruned.status == TaskStatus::kFailed) return pruned;
    changes = std::move(pruned.changes);
    Append(changes, DaemonRemovals(mine, task.whole));
  }
  const OwnerRecord concluded = Conclude(records->own, task.whole, course.run.generation);
  if (!check) {
    const Status saved = SaveIfDifferent(context, concluded, records->own, course.run);
    if (!saved) return Failed(saved.error(), std::move(changes));
  }
  const bool keeps = check ? !task.whole.empty() : !concluded.state.empty();
  if (keeps && context.ensure_service) {
    auto installed = context.ensure_service(check);
    if (!installed) {
      return Failed(installed.error().In("the state is set but would not survive a reboot"),
                    std::move(changes));
    }
    Append(changes, std::move(*installed));
  }
  if (!check) {
    const Status told = EndRunOfDaemon(task, records->own, concluded, context);
    if (!told) return Failed(told.error(), std::move(changes));
  }
  return Succeeded(std::move(changes));
}

Status ReleaseOwner(Kernel& kernel, const Store& store, const std::string& owner,
                    std::vector<ChangeText>& changes) {
  const auto records = LoadRecords(store, owner);
  if (!records) return Fail(records.error());
  const DesiredState mine = HeldAlone(records->own, records->others);
  const ConvergeReport report =
      Prune(kernel, mine, Adopted(records->own), records->own.original_sysctls);
  for (ChangeText& text : InWords(report.done)) {
    text.reason = "made for " + owner;
    changes.push_back(std::move(text));
  }
  if (report.error) return Fail(*report.error);
  if (const Status removed = store.Remove(owner); !removed) return removed;
  for (ChangeText& text : DaemonRemovals(mine, DesiredState())) {
    text.reason = "made for " + owner;
    changes.push_back(std::move(text));
  }
  return {};
}

}  // namespace drover
