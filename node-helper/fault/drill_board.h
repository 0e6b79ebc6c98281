// How the processes of one drill know about each other: a page of memory that they share, as the
// file /run/drover/drill/ID.board. Sessions write how long the lease is and when the fault began,
// guards write that they live, whoever undoes writes that it is done. It is gone after a reboot.
//
// Any process of root, any thread. Values are single words; the lock keeps doing and undoing apart.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/store/descriptor.h"
#include "protocol/result.h"

namespace drover {

// The two processes that undo a fault by themselves. The second one comes a little later, and each
// starts the other anew when it is gone.
enum class GuardRole : std::uint8_t { kGuardian, kWatchman };
inline constexpr std::size_t kGuardRoles = 2;
std::string_view ToString(GuardRole role);  // "guardian", "watchman"

// Who undid a fault; the words are protocol/drill.h's.
enum class UndoneBy : std::int64_t {
  kNobody,
  kOrder,
  kKernel,
  kGuardian,
  kWatchman,
  kSystemd,
  kBoot
};
std::string_view ToString(UndoneBy by);

// Microseconds of CLOCK_MONOTONIC; 0 is "not yet".
using BoardTime = std::int64_t;
BoardTime BoardNow();

// Lies in the shared page as it is.
struct BoardPage {
  std::uint64_t magic = 0;
  std::atomic<std::int64_t> lease{0};  // length, us
  std::atomic<BoardTime> lease_until{0};
  std::atomic<BoardTime> began{0};     // from here on something may have been done
  std::atomic<BoardTime> injected{0};  // all of it is done
  std::atomic<BoardTime> deadline{0};
  std::atomic<BoardTime> undone{0};
  std::atomic<std::int64_t> undone_by{0};
  std::atomic<std::int64_t> generation{0};                    // of the journal
  std::array<std::atomic<std::int64_t>, kGuardRoles> seen{};  // generation that a guard has read
  std::array<std::atomic<BoardTime>, kGuardRoles> beat{};
  std::array<std::atomic<std::int64_t>, kGuardRoles> pid{};
  std::array<char, 2048> residue{};  // written before `undone`; lines
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

class DrillBoard {
 public:
  // Made anew; nobody may use one of the same id.
  static Result<std::unique_ptr<DrillBoard>> Create(const std::string& run_directory,
                                                    const std::string& id);
  // kNotFound when there is none.
  static Result<std::unique_ptr<DrillBoard>> Open(const std::string& run_directory,
                                                  const std::string& id);
  static std::string PathOf(const std::string& run_directory, const std::string& id);
  ~DrillBoard();
  DrillBoard(const DrillBoard&) = delete;
  DrillBoard& operator=(const DrillBoard&) = delete;

  [[nodiscard]] BoardPage& page() { return *page_; }
  void Renew();  // the lease, from now
  // True when it could be had in time; it is given back by Unlock or with the process.
  [[nodiscard]] bool Lock(std::chrono::milliseconds patience);
  void Unlock();
  void WriteResidue(const std::vector<std::string>& residue);
  [[nodiscard]] std::vector<std::string> Residue() const;
  // A guard of this role has shown that it lives within the last moments.
  [[nodiscard]] bool Lives(GuardRole role) const;

 private:
  DrillBoard(Descriptor file, BoardPage* page) : file_(std::move(file)), page_(page) {}
  Descriptor file_;
  BoardPage* page_;
};

// --- what a guard does when (pure)

struct GuardView {
  BoardTime now = 0;
  BoardTime lease_until = 0;
  BoardTime began = 0;
  BoardTime deadline = 0;
  BoardTime undone = 0;
};
enum class GuardAct : std::uint8_t { kWait, kUndo, kLeave };
// The watchman leaves the guardian its time.
GuardAct ActOf(const GuardView& view, GuardRole role);
GuardView ViewOf(const BoardPage& page, BoardTime now);

}  // namespace drover
