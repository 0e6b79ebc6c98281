#include "node-helper/tasks/session.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "node-helper/converge/dry_run_kernel.h"
#include "node-helper/store/files.h"
#include "node-helper/store/session_lock.h"
#include "node-helper/tasks/outcome.h"
#include "node-helper/tasks/restore_record.h"
#include "node-helper/tasks/run_task.h"
#include "node-helper/tasks/transaction_tasks.h"
#include "protocol/codec.h"
#include "protocol/event.h"
#include "protocol/version.h"

namespace drover {
namespace {

constexpr std::chrono::milliseconds kLockPatience{5000};
constexpr std::size_t kReadChunk = 64 * 1024;
constexpr std::size_t kMaxPulseBytes = 4096;

bool IsRegularFile(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

// The kernel as tasks change it: before the first change of a run the node prepares to go back.
class WaryKernel : public Kernel {
 public:
  // `listen` takes the pulses that have come.
  WaryKernel(Kernel& kernel, Transaction& transaction, std::function<void()> listen)
      : kernel_(kernel), transaction_(transaction), listen_(std::move(listen)) {}
  Result<DesiredState> Observe(const std::vector<std::string>& keys) override {
    return kernel_.Observe(keys);
  }
  Status Apply(const Change& change) override {
    listen_();
    const Status ready = transaction_.BeforeChange();
    return ready ? kernel_.Apply(change) : ready;
  }
  Status Rehearse(const Change& change) override { return kernel_.Rehearse(change); }

 private:
  Kernel& kernel_;
  Transaction& transaction_;
  std::function<void()> listen_;
};

TransactionParts WithStore(TransactionParts parts, const Store* store) {
  parts.store = store;
  return parts;
}

// What ended the reading of a line.
enum class LineEnd { kLine, kEndOfInput, kStopped, kTooLong, kBroken };

class Session {
 public:
  explicit Session(const SessionParts& parts)
      : parts_(parts),
        input_is_file_(IsRegularFile(parts.in)),
        transaction_(WithStore(parts.transaction, parts.store)) {
    context_.transaction = &transaction_;
    context_.tell = parts.tell;
    context_.must_end = [this] { return transaction_.overdue(); };
    context_.go_back = parts.go_back;
    context_.go_back.store = parts.store;
    context_.go_back.run_directory = parts.transaction.run_directory;
    context_.go_back.clock = parts.transaction.clock;
    context_.go_back.undo = parts.transaction.undo;
    context_.go_back.restore_record =
        [this](const std::optional<OwnerRecord>& previous, const OwnerRecord& undone,
               std::vector<ChangeText>& done) { return Restore(previous, undone, done); };
    context_.store = parts.store;
    context_.run = parts.run;
    if (parts.ensure_service) {
      context_.ensure_service = [this](bool check) { return EnsureService(check); };
    }
    context_.remove_helper = parts.remove_helper;
    context_.daemon = parts.daemon;
    context_.drills = parts.drills;
    context_.abandoned = [this] { return Abandoned() || transaction_.overdue(); };
    context_.progress = [this](std::uint32_t task, const ProbeProgress& progress) {
      Emit(TaskProgress{task, progress});
    };
    context_.finish_wanted = [this](std::uint32_t task) {
      TakeInput();
      return finish_ == task;
    };
    context_.kernel = [this](bool check) { return KernelFor(check); };
  }

  int Run() {
    Emit(Greeting());
    for (;;) {
      std::string line;
      switch (ReadLine(line)) {
        case LineEnd::kLine:
          break;
        case LineEnd::kEndOfInput:
        case LineEnd::kStopped:
          return 0;
        case LineEnd::kTooLong:
          return EndWith({ErrorCode::kInvalid, "the input has a line of more than " +
                                                   std::to_string(kMaxLineBytes) + " bytes"});
        case LineEnd::kBroken:
          return EndWith({ErrorCode::kInvalid, "the input ends in the middle of a line"});
      }
      const auto order = DecodeOrder(line);
      if (!order) return EndWith(order.error().In("not a program"));
      if (const auto* pulse = std::get_if<Pulse>(&*order)) {
        Heard(pulse->run_id);
        continue;
      }
      if (std::holds_alternative<Finish>(*order)) continue;  // its task has ended already
      const auto& program = std::get<Program>(*order);
      if (Refuses(program)) continue;
      if (const Status locked = Lock(program); !locked) return EndWith(locked.error());
      if (const auto undone = RunProgram(program)) return EndWith(*undone);
      if (transaction_.holds()) lock_.reset();
    }
  }

 private:
  static Hello Greeting() {
    Hello hello;
    hello.protocol = kProtocolVersion;
    hello.version = kVersion;
    utsname names{};
    if (::uname(&names) == 0) {
      hello.host = names.nodename;
      hello.kernel = names.release;
    }
    hello.root = ::geteuid() == 0;
    return hello;
  }

  void Emit(const Event& event) {
    if (output_gone_) return;
    if (!WriteAll(parts_.out, EncodeEvent(event) + "\n", "output")) output_gone_ = true;
  }

  int EndWith(const Error& error) {
    Emit(SessionError{error});
    return 1;
  }

  // Also asked while a task waits. Once true it stays true.
  bool Abandoned() {
    if (abandoned_) return true;
    TakeInput();
    std::array<pollfd, 2> ends = {pollfd{parts_.in, POLLRDHUP, 0}, pollfd{parts_.out, 0, 0}};
    if (input_is_file_) ends[0].fd = -1;
    if (::poll(ends.data(), ends.size(), 0) > 0) {
      const auto closed = [](const pollfd& end) {
        return (end.revents & (POLLHUP | POLLERR | POLLRDHUP | POLLNVAL)) != 0;
      };
      input_gone_ |= closed(ends[0]);
      output_gone_ |= closed(ends[1]);
    }
    if (parts_.signals != nullptr && parts_.signals->Next()) signalled_ = true;
    abandoned_ = input_gone_ || output_gone_ || signalled_;
    return abandoned_;
  }

  void Heard(const std::string& run_id) {
    transaction_.Heard(run_id);
    if (parts_.drills != nullptr) parts_.drills->Heard(run_id);
  }

  // What has come while a task is at work: pulses and its end count at once, the rest is for later.
  void TakeInput() {
    if (input_is_file_) return;
    for (;;) {
      pollfd waiting{parts_.in, POLLIN, 0};
      if (buffer_.size() > kMaxLineBytes || ::poll(&waiting, 1, 0) <= 0) break;
      if ((waiting.revents & POLLIN) == 0) break;
      std::array<char, kReadChunk> chunk;
      const ssize_t got = ::read(parts_.in, chunk.data(), chunk.size());
      if (got < 0) break;
      if (got == 0) {
        input_gone_ = true;
        break;
      }
      buffer_.append(chunk.data(), static_cast<std::size_t>(got));
    }
    TakeShortOrders();
  }

  void TakeShortOrders() {
    for (std::size_t newline = 0;
         (newline = buffer_.find('\n', looked_at_)) != std::string::npos;) {
      const std::size_t length = newline - looked_at_;
      if (length <= kMaxPulseBytes) {
        const auto order = DecodeOrder(std::string_view(buffer_).substr(looked_at_, length));
        const auto* pulse = order ? std::get_if<Pulse>(&*order) : nullptr;
        if (pulse != nullptr) {
          Heard(pulse->run_id);
          buffer_.erase(looked_at_, length + 1);
          continue;
        }
        if (const auto* finish = order ? std::get_if<Finish>(&*order) : nullptr) {
          if (running_ == finish->task) finish_ = finish->task;
          buffer_.erase(looked_at_, length + 1);
          continue;
        }
      }
      looked_at_ = newline + 1;
    }
  }

  // Waits for input or a signal.
  bool WaitForInput() {
    std::array<pollfd, 2> waiting = {
        pollfd{parts_.in, POLLIN, 0},
        pollfd{parts_.signals == nullptr ? -1 : parts_.signals->fd(), POLLIN, 0}};
    while (::poll(waiting.data(), waiting.size(), -1) < 0) {
      if (errno != EINTR) return false;
    }
    return waiting[1].revents == 0;
  }

  LineEnd ReadLine(std::string& line) {
    std::size_t searched = 0;
    for (;;) {
      const std::size_t newline = buffer_.find('\n', searched);
      if (newline != std::string::npos && newline <= kMaxLineBytes) {
        line = buffer_.substr(0, newline);
        buffer_.erase(0, newline + 1);
        looked_at_ -= std::min(looked_at_, newline + 1);
        return LineEnd::kLine;
      }
      searched = buffer_.size();
      if (buffer_.size() > kMaxLineBytes) return LineEnd::kTooLong;
      if (!WaitForInput()) return LineEnd::kStopped;
      std::array<char, kReadChunk> chunk;
      const ssize_t got = ::read(parts_.in, chunk.data(), chunk.size());
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got <= 0) return EndOfInput(line);
      buffer_.append(chunk.data(), static_cast<std::size_t>(got));
    }
  }

  // A last line of a file may lack its newline; from a connection it is half a message.
  LineEnd EndOfInput(std::string& line) {
    if (buffer_.empty()) return LineEnd::kEndOfInput;
    if (!input_is_file_) return LineEnd::kBroken;
    line = std::move(buffer_);
    buffer_.clear();
    return LineEnd::kLine;
  }

  // The session whose run is taken back may hang.
  bool TakesBack(const Program& program) {
    const bool wants = std::any_of(
        program.tasks.begin(), program.tasks.end(),
        [](const Task& task) { return std::holds_alternative<RevertTask>(task.action); });
    if (!wants) return false;
    const auto pending = transaction_.LoadPending();
    return pending && *pending && (*pending)->run.run_id == program.run.run_id;
  }

  // A begin that another run is in the way of is answered at once; that run's session may hold the
  // session lock for long.
  bool Refuses(const Program& program) {
    if (program.tasks.size() != 1 || program.tasks.front().check) return false;
    const Task& task = program.tasks.front();
    const auto* begin = std::get_if<BeginTask>(&task.action);
    if (begin == nullptr) return false;
    transaction_.Enter(program.run);
    auto refusal = RefusalOf(*begin, program.run, context_);
    if (!refusal) return false;
    refusal->task = task.id;
    Emit(TaskStarted{task.id});
    Emit(*std::move(refusal));
    Emit(ProgramDone{false, transaction_.armed()});
    return true;
  }

  Status Lock(const Program& program) {
    if (lock_ || !ChangesTheNode(program)) return {};
    const std::string& directory = parts_.store->directory();
    auto lock = TakesBack(program) ? SessionLock::TakeByForce(directory, program.run)
                                   : SessionLock::Take(directory, program.run, kLockPatience,
                                                       [this] { return Abandoned(); });
    if (lock) {
      lock_ = std::move(*lock);
      return {};
    }
    // Who is not root cannot change what the lock guards; his commands and files are his own.
    if (lock.error().code == ErrorCode::kDenied && ::geteuid() != 0) return {};
    return Fail(lock.error());
  }

  Result<Kernel*> OpenKernel() {
    if (!kernel_) {
      auto opened = parts_.open_kernel();
      if (!opened) return Fail(opened.error());
      kernel_ = std::move(*opened);
      wary_kernel_.emplace(*kernel_, transaction_, [this] { TakeInput(); });
    }
    return kernel_.get();
  }

  Result<Kernel*> KernelFor(bool check) {
    if (const auto opened = OpenKernel(); !opened) return opened;
    if (!check) return &*wary_kernel_;
    if (!dry_kernel_) dry_kernel_.emplace(*kernel_);
    return &*dry_kernel_;
  }

  Status Restore(const std::optional<OwnerRecord>& previous, const OwnerRecord& undone,
                 std::vector<ChangeText>& done) {
    const auto kernel = OpenKernel();
    if (!kernel) return Fail(kernel.error());
    return RestoreRecord(**kernel, *parts_.store, parts_.daemon, previous, undone, done);
  }

  // In check mode it would be done once, by the first task that needs it.
  Result<std::vector<ChangeText>> EnsureService(bool check) {
    if (check && service_foreseen_) return std::vector<ChangeText>{};
    service_foreseen_ |= check;
    if (!check) {
      const auto foreseen = parts_.ensure_service(/*check=*/true);
      if (!foreseen || foreseen->empty()) return foreseen;
      if (const Status ready = transaction_.BeforeChange(); !ready) return Fail(ready.error());
    }
    return parts_.ensure_service(check);
  }

  // The error that ends the session when tasks were left undone.
  std::optional<Error> RunProgram(const Program& program) {
    ProgramCourse course;
    course.run = program.run;
    dry_kernel_.reset();
    transaction_.Enter(program.run);
    if (parts_.drills != nullptr) parts_.drills->Heard(program.run.run_id);
    bool ok = true;
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
      if (Abandoned()) {
        Emit(ProgramDone{false, transaction_.armed()});
        return Interrupted(program.tasks.size() - i);
      }
      const Task& task = program.tasks[i];
      Emit(TaskStarted{task.id});
      running_ = task.id;
      const TaskResult result = RunAdmitted(task, course);
      running_.reset();
      finish_.reset();
      Emit(result);
      if (result.status == TaskStatus::kFailed && !task.ignore_errors) {
        ok = false;
        break;
      }
    }
    Emit(ProgramDone{ok, transaction_.armed()});
    return std::nullopt;
  }

  // A run that has not taken the node may change it only while nobody else has it.
  TaskResult RunAdmitted(const Task& task, ProgramCourse& course) {
    if (ChangesTheNode(task) && !IsAboutTheRun(task.action)) {
      if (const Status admitted = transaction_.Admit(); !admitted) {
        TaskResult refused = Failed(admitted.error());
        refused.task = task.id;
        return refused;
      }
    }
    TaskResult result = RunTask(task, course, context_);
    transaction_.ChangeEnded();
    return result;
  }

  [[nodiscard]] Error Interrupted(std::size_t undone) const {
    const std::string tasks = std::to_string(undone) + (undone == 1 ? " task" : " tasks");
    const std::string why = signalled_     ? "a signal asked the helper to end"
                            : output_gone_ ? "nobody reads the output any more"
                                           : "the input was closed before program_done came";
    return Error{ErrorCode::kUnreachable, why + "; " + tasks + " not begun"};
  }

  const SessionParts& parts_;
  const bool input_is_file_;
  TaskContext context_;
  std::string buffer_;
  std::size_t looked_at_ = 0;  // so much of it has no pulse
  std::optional<SessionLock> lock_;
  Transaction transaction_;
  std::unique_ptr<Kernel> kernel_;
  std::optional<WaryKernel> wary_kernel_;
  std::optional<DryRunKernel> dry_kernel_;
  std::optional<std::uint32_t> running_;
  std::optional<std::uint32_t> finish_;  // the running task is to end
  bool service_foreseen_ = false;
  bool abandoned_ = false;
  bool input_gone_ = false;
  bool output_gone_ = false;
  bool signalled_ = false;
};

}  // namespace

bool ChangesTheNode(const Task& task) {
  return !task.check && !std::holds_alternative<ProbeTask>(task.action) &&
         !std::holds_alternative<WaitForTask>(task.action) &&
         !std::holds_alternative<ProbeRunTask>(task.action) &&
         !std::holds_alternative<DrillLookTask>(task.action) &&
         !std::holds_alternative<DrillUndoTask>(task.action) &&
         !std::holds_alternative<StatusTask>(task.action) &&
         !std::holds_alternative<ObserveTask>(task.action) &&
         !std::holds_alternative<GenerationsTask>(task.action) &&
         !std::holds_alternative<UnlockTask>(task.action);
}

bool ChangesTheNode(const Program& program) {
  return std::any_of(program.tasks.begin(), program.tasks.end(),
                     [](const Task& task) { return ChangesTheNode(task); });
}

int RunSession(const SessionParts& parts) { return Session(parts).Run(); }

}  // namespace drover
