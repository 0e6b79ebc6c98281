#include "node-helper/fault/drill_board.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <sstream>
#include <thread>

#include "node-helper/store/files.h"

namespace drover {
namespace {

constexpr std::uint64_t kMagic = 0x44524c4c424f4131;  // changes with the page's form
constexpr std::chrono::milliseconds kLook{5};
constexpr BoardTime kWatchmanLater = 400'000;
constexpr BoardTime kFreshBeat = 1'000'000;

Result<BoardPage*> Map(int fd, const std::string& path) {
  void* memory = ::mmap(nullptr, sizeof(BoardPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return Fail(ErrnoError(errno, path));
  return static_cast<BoardPage*>(memory);
}

}  // namespace

std::string_view ToString(GuardRole role) {
  return role == GuardRole::kGuardian ? "guardian" : "watchman";
}

std::string_view ToString(UndoneBy by) {
  switch (by) {
    case UndoneBy::kNobody:
      return "";
    case UndoneBy::kOrder:
      return "order";
    case UndoneBy::kKernel:
      return "kernel";
    case UndoneBy::kGuardian:
      return "guardian";
    case UndoneBy::kWatchman:
      return "watchman";
    case UndoneBy::kSystemd:
      return "systemd";
    case UndoneBy::kBoot:
      return "boot";
  }
  return "";
}

BoardTime BoardNow() {
  timespec now{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  return BoardTime{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

std::string DrillBoard::PathOf(const std::string& run_directory, const std::string& id) {
  return run_directory + "/drill/" + id + ".board";
}

Result<std::unique_ptr<DrillBoard>> DrillBoard::Create(const std::string& run_directory,
                                                       const std::string& id) {
  const std::string path = PathOf(run_directory, id);
  if (const Status made = MakeDirectories(ParentOf(path), 0700); !made) return Fail(made.error());
  if (const Status gone = RemoveFileIfThere(path); !gone) return Fail(gone.error());
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return Fail(ErrnoError(errno, path));
  // All of it is there from the start: a file system that gets full later does not matter.
  if (const int error = ::posix_fallocate(file.get(), 0, sizeof(BoardPage)); error != 0) {
    return Fail(ErrnoError(error, path));
  }
  const auto page = Map(file.get(), path);
  if (!page) return Fail(page.error());
  auto* made = ::new (static_cast<void*>(*page)) BoardPage;
  made->magic = kMagic;
  return std::unique_ptr<DrillBoard>(new DrillBoard(std::move(file), made));
}

Result<std::unique_ptr<DrillBoard>> DrillBoard::Open(const std::string& run_directory,
                                                     const std::string& id) {
  const std::string path = PathOf(run_directory, id);
  Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid()) return Fail(ErrnoError(errno, path));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || info.st_uid != ::geteuid() ||
      info.st_size != static_cast<off_t>(sizeof(BoardPage))) {
    return Fail(ErrorCode::kInvalid, path + " is no board of a drill");
  }
  const auto page = Map(file.get(), path);
  if (!page) return Fail(page.error());
  auto board = std::unique_ptr<DrillBoard>(new DrillBoard(std::move(file), *page));
  if (board->page().magic != kMagic) {
    return Fail(ErrorCode::kInvalid, path + " is of another version");
  }
  return board;
}

DrillBoard::~DrillBoard() { (void)::munmap(page_, sizeof(BoardPage)); }

void DrillBoard::Renew() { page_->lease_until = BoardNow() + page_->lease; }

bool DrillBoard::Lock(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

void DrillBoard::Unlock() { (void)::flock(file_.get(), LOCK_UN); }

void DrillBoard::WriteResidue(const std::vector<std::string>& residue) {
  std::string text;
  for (const std::string& line : residue) text += line + "\n";
  text.resize(std::min(text.size(), page_->residue.size() - 1));
  std::fill(page_->residue.begin(), page_->residue.end(), '\0');
  std::copy(text.begin(), text.end(), page_->residue.begin());
}

std::vector<std::string> DrillBoard::Residue() const {
  const auto end = std::find(page_->residue.begin(), page_->residue.end(), '\0');
  std::istringstream text(std::string(page_->residue.begin(), end));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

bool DrillBoard::Lives(GuardRole role) const {
  const BoardTime beat = page_->beat.at(static_cast<std::size_t>(role));
  return beat != 0 && BoardNow() - beat < kFreshBeat;
}

GuardView ViewOf(const BoardPage& page, BoardTime now) {
  return {.now = now,
          .lease_until = page.lease_until,
          .began = page.began,
          .deadline = page.deadline,
          .undone = page.undone};
}

GuardAct ActOf(const GuardView& view, GuardRole role) {
  if (view.undone != 0) return GuardAct::kLeave;
  const BoardTime later = role == GuardRole::kGuardian ? 0 : kWatchmanLater;
  const bool over = view.began != 0 && view.now >= view.deadline + later;
  const bool unheard = view.now >= view.lease_until + later;
  return over || unheard ? GuardAct::kUndo : GuardAct::kWait;
}

}  // namespace drover
