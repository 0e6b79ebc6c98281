// A run's hold on this node: the lock, the promise to go back that is made before the first change
// (arming), and the ways in which it ends: confirmed, released, or taken back (go_back.h).
//
// Tasks call BeforeChange and its like right before they change something; sessions say what they
// hear. One thread at a time; everything is read from the disk anew, because sessions of the same
// run, the guard and an operator's unlock may have changed it meanwhile.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/store/run_lock.h"
#include "node-helper/store/store.h"
#include "node-helper/transaction/deadline.h"
#include "node-helper/transaction/pending.h"
#include "node-helper/transaction/undo_part.h"
#include "protocol/transaction.h"

namespace drover {

inline constexpr const char* kRunDirectory = "/run/drover";

// What a transaction works with; main wires it.
struct TransactionParts {
  const Store* store = nullptr;
  std::string run_directory = kRunDirectory;
  NodeClock clock = NodeClock::OfThisNode();
  UndoKit* undo = nullptr;              // null: nothing but the record is remembered
  std::function<Status()> start_guard;  // success: it watches the deadline from now on
  std::function<bool()> has_service;    // the helper's service is installed
};

// Has the id of the run that was confirmed last: its orchestrator may not have got the answer.
std::string ConfirmedFile(const Store& store);

// One thing to do; between two of them a kill leaves a node that comes to its end by itself.
using TransactionStep = std::function<Status()>;

class Transaction {
 public:
  explicit Transaction(const TransactionParts& parts);

  // False for who may not write Drover's memory (not root): his runs take no node and are not taken
  // back; what he changes is his own.
  [[nodiscard]] bool able() const { return able_; }

  // --- who has the node

  // The lock that counts: nothing when there is none, or nothing was heard of its run.
  [[nodiscard]] Result<std::optional<RunLock>> AliveLock() const;
  [[nodiscard]] Result<std::optional<LockHolder>> Holder() const;
  [[nodiscard]] Result<std::optional<Pending>> LoadPending() const { return journal_.Load(); }
  // The next calls are of this run: a program of it has come, which is a word of life.
  void Enter(const RunInfo& run);
  // A word of life: renews what the run `run_id` has, unless it is too late.
  void Heard(const std::string& run_id);
  // The run has, or had, the node in this session.
  [[nodiscard]] bool holds() const { return begun_; }
  // Whether the run may change this node now. kUnreachable: another run has it, or it is going
  // back; kTimeout: this run has lost it.
  [[nodiscard]] Status Admit() const;
  // Locks the node for the run, or renews. What stood in the way is gone already.
  [[nodiscard]] Status Take(const BeginTask& task);
  // The changes of a run that died are this run's from now on.
  [[nodiscard]] Status Adopt(Pending pending);

  // --- changes

  [[nodiscard]] Status BeforeChange();
  [[nodiscard]] Status BeforeFile(const std::string& path);
  [[nodiscard]] Status BeforeService(const std::string& name);
  // After a task that called one of these.
  void ChangeEnded();
  // The run has changed the node and awaits a ConfirmTask.
  [[nodiscard]] bool armed() const;
  // A run is pending that was not heard in time, or goes back already.
  [[nodiscard]] bool late() const;
  // It is this one: what it does must end.
  [[nodiscard]] bool overdue() const;

  // --- how it ends

  // kInvalid in a session that began before the last change; kTimeout when the node goes back.
  [[nodiscard]] Status Confirm();
  // kInvalid when something was changed.
  [[nodiscard]] Status Release();
  // What is to be said about it.
  [[nodiscard]] Result<std::string> Unlock(const std::string& lock_id);

  [[nodiscard]] const NodeClock& clock() const { return parts_.clock; }
  // The steps of Confirm, once it may be done.
  [[nodiscard]] std::vector<TransactionStep> ConfirmSteps() const;

 private:
  [[nodiscard]] Status Arm(const RunLock& lock);
  [[nodiscard]] Status Prepare(Pending& pending) const;
  [[nodiscard]] Status BeforeSubject(UndoSubjects* subjects, const std::string& subject);
  [[nodiscard]] Status Archive() const;
  [[nodiscard]] Status End() const;
  [[nodiscard]] bool Confirmed() const;

  TransactionParts parts_;
  RunLockFile lock_;
  DeadlineFile deadline_;
  PendingJournal journal_;
  bool able_ = true;
  RunInfo run_;
  std::chrono::milliseconds began_;  // this session, by the node's clock
  bool begun_ = false;               // the run was seen to have the lock in this session
  bool changed_ = false;             // in this session
};

}  // namespace drover
