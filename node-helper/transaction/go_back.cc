#include "node-helper/transaction/go_back.h"

#include <algorithm>
#include <ranges>

#include "node-helper/store/files.h"

namespace drover {

GoingBack::GoingBack(GoBackParts parts)
    : parts_(std::move(parts)), journal_(parts_.store->directory()) {}

Status GoingBack::Load(const std::string& reason) {
  auto pending = journal_.Load();
  if (!pending) return Fail(pending.error());
  pending_ = std::move(*pending);
  if (!pending_) return {};
  if (!pending_->going_back) pending_->reason = reason;
  gone_.run = pending_->run;
  gone_.reason = pending_->reason;
  return {};
}

Status GoingBack::Begin(const std::string& reason) {
  if (const Status loaded = Load(reason); !loaded) return loaded;
  if (!pending_) return {};
  if (const Status marked = Mark(); !marked) return marked;
  return SetRecordBack();
}

Result<std::optional<GoneBack>> GoingBack::Run(const std::string& reason) {
  if (const Status loaded = Load(reason); !loaded) return Fail(loaded.error());
  if (!pending_) return std::optional<GoneBack>();
  if (const Status marked = Mark(); !marked) return Fail(marked.error());
  for (const TransactionStep& step : Steps()) {
    if (const Status done = step(); !done) gone_.left.push_back(done.error().message);
  }
  return std::optional<GoneBack>(gone_);
}

// From here on no word of the orchestrator stops it, and every attempt is counted.
Status GoingBack::Mark() {
  journal_.FreeReserve();
  pending_->going_back = true;
  ++pending_->attempts;
  return journal_.Save(*pending_);
}

std::vector<TransactionStep> GoingBack::Steps() {
  std::vector<TransactionStep> steps;
  steps.emplace_back([this] { return SetRecordBack(); });
  if (!pending_ || parts_.undo == nullptr) {
    steps.emplace_back([this] { return RestoreRecord(); });
  } else {
    const auto is_of = [](const UndoSubjects* subjects, const CapturedText& captured) {
      return subjects != nullptr && captured.part == subjects->name();
    };
    UndoSubjects* const files = parts_.undo->files.get();
    UndoSubjects* const services = parts_.undo->services.get();
    std::vector<TransactionStep> of_services;
    // In the order of the kit, not of the capture: another version may have another order.
    for (const auto& part : parts_.undo->parts) {
      for (const CapturedText& captured : pending_->captured) {
        if (captured.part != part->name()) continue;
        steps.emplace_back([this, captured] { return RestorePart(captured); });
      }
    }
    for (const CapturedText& captured : std::views::reverse(pending_->captured)) {
      if (is_of(files, captured)) {
        steps.emplace_back([this, captured, files] { return RestoreSubject(files, captured); });
      } else if (is_of(services, captured)) {
        of_services.emplace_back(
            [this, captured, services] { return RestoreSubject(services, captured); });
      }
    }
    std::ranges::move(of_services, std::back_inserter(steps));
    steps.emplace_back([this] { return RestoreRecord(); });
  }
  steps.emplace_back([this] { return TakeServiceAway(); });
  steps.emplace_back([this] { return ForgetGeneration(); });
  steps.emplace_back([this] { return Conclude(); });
  return steps;
}

// What the run made is put aside first, because it has to be removed yet.
Status GoingBack::SetRecordBack() {
  const auto undone = journal_.LoadUndone();
  if (!undone) return Fail(undone.error());
  if (!*undone) {
    const auto current = parts_.store->Load(pending_->run.owner);
    if (!current) return Fail(current.error());
    if (const Status kept = journal_.SaveUndone(*current); !kept) return kept;
  }
  if (pending_->previous) return parts_.store->Save(*pending_->previous);
  return parts_.store->Remove(pending_->run.owner);
}

Status GoingBack::RestorePart(const CapturedText& captured) {
  const auto text = journal_.TextOf(captured);
  if (!text) return Fail(text.error().In(captured.part));
  for (const auto& part : parts_.undo->parts) {
    if (part->name() != captured.part) continue;
    const Status restored = part->Restore(*text, gone_.done);
    return restored ? restored : Status(Fail(restored.error().In(captured.part)));
  }
  return {};
}

Status GoingBack::RestoreSubject(UndoSubjects* subjects, const CapturedText& captured) {
  const std::string what = captured.part + " " + captured.subject;
  const auto text = journal_.TextOf(captured);
  if (!text) return Fail(text.error().In(what));
  const Status restored = subjects->Restore(captured.subject, *text, gone_.done);
  return restored ? restored : Status(Fail(restored.error().In(what)));
}

Status GoingBack::RestoreRecord() {
  if (!parts_.restore_record) return {};
  const auto undone = journal_.LoadUndone();
  if (!undone) return Fail(undone.error());
  OwnerRecord record;
  record.owner = pending_->run.owner;
  if (*undone) record = **undone;
  return parts_.restore_record(pending_->previous, record, gone_.done);
}

Status GoingBack::TakeServiceAway() {
  if (pending_->had_service || !parts_.remove_service) return {};
  const auto records = parts_.store->LoadAll();
  if (!records) return Fail(records.error());
  if (!records->empty()) return {};
  return parts_.remove_service(gone_.done);
}

// A confirm that was cut short may have kept one.
Status GoingBack::ForgetGeneration() {
  const std::string confirmed = ConfirmedFile(*parts_.store);
  if (ReadWholeFile(confirmed).value_or("") == pending_->run.run_id + "\n") {
    if (const Status removed = RemoveFileIfThere(confirmed); !removed) return removed;
  }
  return parts_.store->GenerationsOf(pending_->run.owner).ForgetRun(pending_->run.run_id);
}

Status GoingBack::Conclude() {
  if (!gone_.left.empty()) {
    pending_->left = gone_.left;
    return journal_.Save(*pending_);
  }
  if (const Status dropped = journal_.Drop(); !dropped) return dropped;
  const RunLockFile lock_file(parts_.store->directory());
  const auto lock = lock_file.Load();
  if (!lock) return Fail(lock.error());
  if (*lock && (*lock)->run.run_id != pending_->run.run_id) return {};
  if (const Status unlocked = lock_file.Remove(); !unlocked) return unlocked;
  return DeadlineFile(parts_.run_directory, parts_.clock).Remove();
}

std::string SummaryOf(const GoneBack& gone) {
  std::string text =
      gone.complete() ? "went back to what it was" : "could not go back fully to what it was";
  text += " before the run of " + gone.run.user + " on " + gone.run.control_host + " (" +
          (gone.run.command.empty() ? gone.run.owner : gone.run.command) + "): " + gone.reason;
  for (const std::string& sentence : gone.left) text += "; open: " + sentence;
  return text;
}

}  // namespace drover
