#include "node-helper/tasks/restore_record.h"

#include <algorithm>

#include "node-helper/converge/converge.h"
#include "node-helper/converge/plan.h"
#include "node-helper/store/maintenance.h"
#include "node-helper/store/ownership.h"
#include "node-helper/tasks/daemon_changes.h"
#include "node-helper/tasks/overlay.h"

namespace drover {
namespace {

constexpr const char* kReason = "as before the run";

void Append(std::vector<ChangeText>& list, std::vector<ChangeText> more) {
  for (ChangeText& text : more) {
    text.reason = kReason;
    list.push_back(std::move(text));
  }
}

Status Take(const ConvergeReport& report, std::vector<ChangeText>& done) {
  std::vector<ChangeText> texts;
  for (const Change& change : report.done) texts.push_back(Describe(change));
  Append(done, std::move(texts));
  return report.error ? Status(Fail(*report.error)) : Status();
}

template <typename T>
void AddMissing(std::vector<T>& list, const std::vector<T>& more) {
  for (const T& resource : more) {
    const bool named = std::any_of(list.begin(), list.end(),
                                   [&](const T& have) { return NameOf(have) == NameOf(resource); });
    if (!named) list.push_back(resource);
  }
}

// What stays on the node: what the record before the run names, and what Drover found there.
DesiredState Staying(const DesiredState& wanted, const OwnerRecord& undone) {
  DesiredState whole = WithVirtualAddresses(wanted);
  const DesiredState adopted = Adopted(undone);
  AddMissing(whole.addresses, adopted.addresses);
  AddMissing(whole.services, adopted.services);
  AddMissing(whole.sync_daemons, adopted.sync_daemons);
  AddMissing(whole.path, adopted.path);
  return whole;
}

}  // namespace

Status RestoreRecord(Kernel& kernel, const Store& store, DaemonLink* daemon,
                     const std::optional<OwnerRecord>& previous, const OwnerRecord& undone,
                     std::vector<ChangeText>& done) {
  const auto records = store.LoadAll();
  if (!records) return Fail(records.error());
  std::vector<OwnerRecord> others = *records;
  std::erase_if(others, [&](const OwnerRecord& record) { return record.owner == undone.owner; });
  const DesiredState wanted = previous ? previous->state : DesiredState();
  Status first;
  const auto note = [&first](const Status& status) {
    if (first && !status) first = status;
  };
  Overlay overlay;
  const bool daemon_runs = daemon != nullptr && daemon->Runs();
  if (daemon_runs) {
    auto reloaded = daemon->Reload();
    if (reloaded) {
      overlay = std::move(*reloaded);
    } else {
      note(Fail(reloaded.error()));
    }
  }
  const auto observed = kernel.Observe(SysctlKeys(wanted));
  if (!observed) return Fail(observed.error());
  const auto maintenance = LoadMaintenance(store).value_or(std::vector<Maintenance>{});
  note(Take(Converge(kernel, Overlaid(wanted, overlay, *observed, maintenance)), done));
  note(Take(
      Prune(kernel, HeldAlone(undone, others), Staying(wanted, undone), undone.original_sysctls),
      done));
  Append(done, DaemonChanges(undone.state, wanted));
  Append(done, DaemonRemovals(undone.state, wanted));
  if (daemon_runs && (wanted.needs_daemon() || undone.state.needs_daemon())) {
    note(daemon->SettleForms({}));
  }
  return first;
}

}  // namespace drover
