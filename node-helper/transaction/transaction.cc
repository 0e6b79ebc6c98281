#include "node-helper/transaction/transaction.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "node-helper/store/files.h"
#include "node-helper/store/ownership.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

std::string Seconds(milliseconds time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count()) + " s";
}

bool IsEmpty(const OwnerRecord& record) { return record.generation == 0 && record.state.empty(); }

// What a generation is about, whoever made it.
bool SameState(const OwnerRecord& left, const OwnerRecord& right) {
  return left.state == right.state && left.original_sysctls == right.original_sysctls &&
         left.adopted == right.adopted;
}

// An error other than missing rights is told by the first who writes.
bool MayWrite(const std::string& directory) {
  if (::geteuid() == 0) return true;
  const Status made = MakeDirectories(directory, 0700);
  if (!made) return made.error().code != ErrorCode::kDenied;
  return ::access(directory.c_str(), W_OK | X_OK) == 0 || errno != EACCES;
}

std::string JoinedLines(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += (text.empty() ? "" : "; ") + sentence;
  return text;
}

}  // namespace

std::string ConfirmedFile(const Store& store) { return store.directory() + "/confirmed"; }

Transaction::Transaction(const TransactionParts& parts)
    : parts_(parts),
      lock_(parts.store->directory()),
      deadline_(parts.run_directory, parts.clock),
      journal_(parts.store->directory()),
      able_(MayWrite(parts.store->directory())),
      began_(parts.clock.since_boot()) {}

// --- who has the node

Result<std::optional<RunLock>> Transaction::AliveLock() const {
  auto lock = lock_.Load();
  if (!lock || !*lock) return lock;
  const auto left = deadline_.Left((*lock)->run.run_id);
  if (!left || left->count() == 0) return std::optional<RunLock>();
  return lock;
}

Result<std::optional<LockHolder>> Transaction::Holder() const {
  const auto lock = AliveLock();
  if (!lock) return Fail(lock.error());
  if (!*lock) return std::optional<LockHolder>();
  LockHolder holder;
  holder.run = (*lock)->run;
  holder.since = (*lock)->since;
  holder.expires_in = deadline_.Left(holder.run.run_id).value_or(milliseconds{0});
  holder.armed = journal_.exists();
  return std::optional<LockHolder>(std::move(holder));
}

void Transaction::Enter(const RunInfo& run) {
  if (run.run_id != run_.run_id) begun_ = false;
  run_ = run;
  Heard(run.run_id);
}

void Transaction::Heard(const std::string& run_id) {
  if (run_id.empty() || !able_) return;
  const auto lock = lock_.Load();
  if (!lock || !*lock || (*lock)->run.run_id != run_id) return;
  begun_ |= run_id == run_.run_id;
  if (journal_.exists()) {
    const auto pending = journal_.Load();
    const auto left = deadline_.Left();
    const bool in_time = left && left->count() > 0;
    if (!pending || !*pending || (*pending)->going_back || !in_time) return;
  }
  // One that cannot be written leaves the old one: the node goes back too early, never too late.
  [[maybe_unused]] const Status renewed = deadline_.Renew(run_id, (*lock)->lease);
}

Status Transaction::Admit() const {
  if (!able_) return {};
  const auto lock = lock_.Load();
  if (!lock) return Fail(lock.error());
  const auto pending = journal_.Load();
  if (!pending) return Fail(pending.error());
  const auto alive = AliveLock();
  if (!alive) return Fail(alive.error());
  const bool mine = *lock && (*lock)->run.run_id == run_.run_id;
  if (*alive && !mine) {
    const auto holder = Holder();
    if (!holder) return Fail(holder.error());
    if (*holder) return Fail(ErrorCode::kUnreachable, LockedText(**holder, parts_.clock.wall()));
  }
  if (mine && *pending && ((*pending)->going_back || !*alive)) {
    return Fail(ErrorCode::kTimeout, "this node heard nothing of the run for " +
                                         Seconds((*lock)->lease) +
                                         " and goes back to what it was before");
  }
  if (mine) return {};
  if (begun_) {
    return Fail(ErrorCode::kTimeout,
                "this run has lost the node: its lock was taken away or has expired");
  }
  if (*pending) {
    return Fail(
        ErrorCode::kUnreachable,
        "this node goes back to what it was before the run of " + (*pending)->run.user + " on " +
            (*pending)->run.control_host + ", which was not confirmed" +
            ((*pending)->left.empty() ? "" : "; still open: " + JoinedLines((*pending)->left)) +
            "; try again when it has");
  }
  return {};
}

Status Transaction::Take(const BeginTask& task) {
  const auto old = lock_.Load();
  if (!old) return Fail(old.error());
  RunLock lock;
  lock.run = run_;
  const bool renewed = *old && (*old)->run.run_id == run_.run_id;
  lock.since = renewed ? (*old)->since : parts_.clock.wall();
  lock.lease = task.lease;
  lock.revert = task.revert;
  // The deadline first: a lock without one counts for nothing.
  if (const Status timed = deadline_.Renew(run_.run_id, task.lease); !timed) return timed;
  if (const Status saved = lock_.Save(lock); !saved) return saved;
  begun_ = true;
  return {};
}

Status Transaction::Adopt(Pending pending) {
  pending.run = run_;
  return journal_.Save(pending);
}

// --- changes

Status Transaction::BeforeChange() {
  if (run_.run_id.empty() || !able_) return {};
  const auto lock = lock_.Load();
  if (!lock) return Fail(lock.error());
  const bool mine = *lock && (*lock)->run.run_id == run_.run_id;
  if (!mine && !begun_) return {};  // a run that takes no node: nothing to go back to
  if (const Status admitted = Admit(); !admitted) return admitted;
  const auto left = deadline_.Left(run_.run_id);
  if ((*lock)->revert && (!left || left->count() == 0)) {
    return Fail(ErrorCode::kTimeout, "nothing was heard of the run for " + Seconds((*lock)->lease) +
                                         "; nothing more is changed");
  }
  const auto pending = journal_.Load();
  if (!pending) return Fail(pending.error());
  if (!*pending && (*lock)->revert) {
    if (changed_) {
      return Fail(ErrorCode::kTimeout, "this node has gone back to what it was before the run");
    }
    const Status armed = Arm(**lock);
    if (!armed)
      return Fail(armed.error().In("nothing was changed, this node could not prepare to go back"));
  }
  changed_ = true;
  return deadline_.NoteChange();
}

Status Transaction::Arm(const RunLock& lock) {
  Pending pending;
  pending.run = lock.run;
  pending.since = parts_.clock.wall();
  const auto previous = parts_.store->Load(lock.run.owner);
  if (!previous) return Fail(previous.error());
  if (!IsEmpty(*previous)) pending.previous = *previous;
  pending.had_service = !parts_.has_service || parts_.has_service();
  Status prepared = Prepare(pending);
  if (prepared) prepared = journal_.Save(pending);
  if (prepared && parts_.start_guard) prepared = parts_.start_guard();
  if (prepared) return {};
  // Nothing was changed: without the promise there is nothing to keep.
  [[maybe_unused]] const Status dropped = journal_.Drop();
  return prepared;
}

Status Transaction::Prepare(Pending& pending) const {
  if (const Status cleared = journal_.Drop(); !cleared) return cleared;  // what a kill left
  if (const Status room = journal_.Reserve(pending); !room) return room;
  if (parts_.undo == nullptr) return {};
  for (const auto& part : parts_.undo->parts) {
    const auto text = part->Capture();
    if (!text) return Fail(text.error().In(part->name()));
    if (text->empty()) continue;
    const Status kept = journal_.Capture(pending, part->name(), "", *text);
    if (!kept) return kept;
  }
  return {};
}

Status Transaction::BeforeFile(const std::string& path) {
  return BeforeSubject(parts_.undo == nullptr ? nullptr : parts_.undo->files.get(), path);
}

Status Transaction::BeforeService(const std::string& name) {
  return BeforeSubject(parts_.undo == nullptr ? nullptr : parts_.undo->services.get(), name);
}

Status Transaction::BeforeSubject(UndoSubjects* subjects, const std::string& subject) {
  if (const Status before = BeforeChange(); !before || subjects == nullptr) return before;
  auto pending = journal_.Load();
  if (!pending) return Fail(pending.error());
  if (!*pending) return {};
  const std::string part = subjects->name();
  const bool known = std::any_of((*pending)->captured.begin(), (*pending)->captured.end(),
                                 [&](const CapturedText& captured) {
                                   return captured.part == part && captured.subject == subject;
                                 });
  if (known) return {};
  const std::string what = part + " " + subject + ": it could not be remembered";
  const auto text = subjects->Capture(subject);
  if (!text) return Fail(text.error().In(what));
  Status kept = journal_.Capture(**pending, part, subject, *text);
  if (kept) kept = journal_.Save(**pending);
  return kept ? kept : Status(Fail(kept.error().In(what)));
}

void Transaction::ChangeEnded() {
  if (!changed_) return;
  // Without it no session is young enough to confirm: the node goes back.
  if (!deadline_.NoteChange()) [[maybe_unused]]
    const Status removed = deadline_.Remove();
}

bool Transaction::armed() const {
  const auto pending = journal_.Load();
  return pending && *pending && (*pending)->run.run_id == run_.run_id;
}

bool Transaction::late() const {
  if (!able_ || !journal_.exists()) return false;
  const auto pending = journal_.Load();
  if (!pending || !*pending) return false;
  const auto left = deadline_.Left();
  return (*pending)->going_back || !left || left->count() == 0;
}

bool Transaction::overdue() const { return !run_.run_id.empty() && late() && armed(); }

// --- how it ends

bool Transaction::Confirmed() const {
  return ReadWholeFile(ConfirmedFile(*parts_.store)).value_or("") == run_.run_id + "\n";
}

Status Transaction::Confirm() {
  const auto lock = lock_.Load();
  if (!lock) return Fail(lock.error());
  const auto pending = journal_.Load();
  if (!pending) return Fail(pending.error());
  const bool mine = *lock && (*lock)->run.run_id == run_.run_id;
  if (*pending && (*pending)->run.run_id == run_.run_id) {
    const auto left = deadline_.Left();
    if ((*pending)->going_back || !left || left->count() == 0) {
      return Fail(ErrorCode::kTimeout,
                  "too late: this node goes back to what it was before the run");
    }
    if (!mine) return Fail(ErrorCode::kTimeout, "the lock of this run was taken away");
    const auto last_change = deadline_.LastChange();
    if (changed_ || !last_change || began_ <= *last_change) {
      return Fail(ErrorCode::kInvalid,
                  "this session began before the last change; confirm over a new one, which shows "
                  "that the node can still be reached");
    }
  } else if (!mine || (*lock)->revert) {
    if (!Confirmed()) {
      return Fail(ErrorCode::kNotFound,
                  "there is nothing to confirm: this run has not changed the node, or the node has "
                  "gone back");
    }
    return mine ? End() : Status();  // said once more, because the answer was lost
  }
  for (const TransactionStep& step : ConfirmSteps()) {
    if (const Status done = step(); !done) return done;
  }
  return {};
}

std::vector<TransactionStep> Transaction::ConfirmSteps() const {
  const auto note = [this] {
    return WriteFileAtomically(ConfirmedFile(*parts_.store), run_.run_id + "\n", 0600);
  };
  return {[this] { return Archive(); }, note, [this] { return journal_.Drop(); },
          [this] { return lock_.Remove(); }, [this] { return deadline_.Remove(); }};
}

Status Transaction::End() const {
  if (const Status unlocked = lock_.Remove(); !unlocked) return unlocked;
  return deadline_.Remove();
}

Status Transaction::Archive() const {
  auto record = parts_.store->Load(run_.owner);
  if (!record) return Fail(record.error());
  // A run that did not come to its end made no state to go back to.
  if (IsEmpty(*record) || !record->complete) return {};
  const Generations generations = parts_.store->GenerationsOf(run_.owner);
  auto numbers = generations.Numbers();
  if (!numbers) return Fail(numbers.error());
  const auto pending = journal_.Load();
  if (!pending) return Fail(pending.error());
  if (numbers->empty() && *pending && (*pending)->previous) {
    // Made before generations were kept: the first that one may want to go back to.
    const OwnerRecord& previous = *(*pending)->previous;
    if (previous.complete && previous.generation > 0) {
      if (const Status kept = generations.Keep(previous); !kept) return kept;
      numbers->push_back(previous.generation);
    }
  }
  if (!numbers->empty()) {
    const auto newest = generations.Load(numbers->front());
    if (!newest) return Fail(newest.error());
    const bool newer = record->generation > numbers->front();
    if (!newer && SameState(*newest, *record)) return {};
    if (!newer)
      record->generation = std::max(NextGeneration(*record, run_.generation), numbers->front() + 1);
  } else if (record->generation == 0) {
    record->generation = NextGeneration(*record, run_.generation);
  }
  record->run = run_;
  if (const Status saved = parts_.store->Save(*record); !saved) return saved;
  return generations.Keep(*record);
}

Status Transaction::Release() {
  if (!able_) return {};
  const auto lock = lock_.Load();
  if (!lock) return Fail(lock.error());
  if (armed()) {
    return Fail(ErrorCode::kInvalid,
                "this run has changed the node: it can be confirmed or taken back, not released");
  }
  if (!*lock || (*lock)->run.run_id != run_.run_id) return {};
  if (!(*lock)->revert) {
    if (const Status kept = Archive(); !kept) return kept;
  }
  return End();
}

Result<std::string> Transaction::Unlock(const std::string& lock_id) {
  const auto lock = lock_.Load();
  if (!lock) return Fail(lock.error());
  const auto pending = journal_.Load();
  if (!pending) return Fail(pending.error());
  const bool has_lock = *lock && (*lock)->run.run_id == lock_id;
  const bool has_changes = *pending && (*pending)->run.run_id == lock_id;
  if (!has_lock && !has_changes) {
    if (!*lock && !*pending) return Fail(ErrorCode::kNotFound, "this node is not locked");
    const std::string id = *lock ? (*lock)->run.run_id : (*pending)->run.run_id;
    return Fail(ErrorCode::kInvalid, "the lock of this node has another id: " + id);
  }
  if (has_lock) {
    if (const Status removed = lock_.Remove(); !removed) return Fail(removed.error());
  }
  if (!has_changes) return std::string();
  if ((*pending)->going_back && !(*pending)->left.empty()) {
    // It tried and could not: the operator takes over from here.
    if (const Status dropped = journal_.Drop(); !dropped) return Fail(dropped.error());
    return "given up, what could not be put back stays as it is: " + JoinedLines((*pending)->left);
  }
  const auto left = deadline_.Left();
  return "the changes of that run are not confirmed: the node goes back " +
         (left && left->count() > 0 ? "in " + Seconds(*left) : std::string("now"));
}

}  // namespace drover
