#include "node-helper/undo/file_subjects.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <sstream>

#include "node-helper/store/files.h"
#include "node-helper/tasks/placed_file.h"

namespace drover {
namespace {

// "absent", "link TARGET" or "file MODE OWNER GROUP SECONDS NANOSECONDS", a newline, and the
// content of a file.
struct Kept {
  enum class Kind { kAbsent, kLink, kFile };
  Kind kind = Kind::kAbsent;
  std::string target;
  Attributes attributes;
  timespec modified{};
  std::string content;
};

tl::unexpected<Error> TooLarge(const std::string& path) {
  return Fail(ErrorCode::kInvalid,
              path + ": is larger than " + std::to_string(kMaxFileBytes >> 20) +
                  " MiB, so it could not be put back if the run fails; move it away first, or run "
                  "with --no-rollback");
}

Result<std::string> TargetOf(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return Fail(ErrnoError(errno, path));
  return std::string(target.data(), static_cast<std::size_t>(size));
}

Result<Kept> Keep(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
      static_cast<std::uint64_t>(info.st_size) > kMaxFileBytes) {
    return TooLarge(path);
  }
  auto present = LookAt(path);
  if (!present) return Fail(present.error());
  Kept kept;
  if (!present->exists) return kept;
  if (present->link) {
    const auto target = TargetOf(path);
    if (!target) return Fail(target.error());
    kept.kind = Kept::Kind::kLink;
    kept.target = *target;
    return kept;
  }
  if (present->content.size() > kMaxFileBytes) return TooLarge(path);
  kept.kind = Kept::Kind::kFile;
  kept.attributes = {present->info.st_uid, present->info.st_gid, present->info.st_mode & kModeBits};
  kept.modified = present->info.st_mtim;
  kept.content = std::move(present->content);
  return kept;
}

std::string ToText(const Kept& kept) {
  if (kept.kind == Kept::Kind::kAbsent) return "absent\n";
  if (kept.kind == Kept::Kind::kLink) return "link " + kept.target + "\n";
  std::ostringstream head;
  head << "file " << kept.attributes.mode << " " << kept.attributes.owner << " "
       << kept.attributes.group << " " << kept.modified.tv_sec << " " << kept.modified.tv_nsec
       << "\n";
  return head.str() + kept.content;
}

Result<Kept> FromText(const std::string& path, const std::string& text) {
  Kept kept;
  if (text == "absent\n") return kept;
  if (text.starts_with("link ") && text.back() == '\n') {
    kept.kind = Kept::Kind::kLink;
    kept.target = text.substr(5, text.size() - 6);  // it may hold newlines itself
    return kept;
  }
  const std::size_t newline = text.find('\n');
  std::istringstream words(text.substr(0, newline));
  std::string word;
  words >> word >> kept.attributes.mode >> kept.attributes.owner >> kept.attributes.group >>
      kept.modified.tv_sec >> kept.modified.tv_nsec;
  if (word != "file" || !words || newline == std::string::npos) {
    return Fail(ErrorCode::kInternal, path + ": what was remembered of it cannot be read");
  }
  kept.kind = Kept::Kind::kFile;
  kept.content = text.substr(newline + 1);
  return kept;
}

bool IsSame(const Kept& a, const Kept& b) {
  return a.kind == b.kind && a.target == b.target && a.content == b.content &&
         a.attributes.owner == b.attributes.owner && a.attributes.group == b.attributes.group &&
         a.attributes.mode == b.attributes.mode;
}

std::string InWords(const Kept& kept) {
  switch (kept.kind) {
    case Kept::Kind::kAbsent:
      return "";
    case Kept::Kind::kLink:
      return "a symbolic link to " + kept.target;
    case Kept::Kind::kFile:
      return std::to_string(kept.content.size()) + " bytes, mode " + ModeText(kept.attributes.mode);
  }
  return "";
}

Status PutLink(const std::string& path, const std::string& target) {
  const std::string beside = ParentOf(path) + "/.drover-link-new";
  ::unlink(beside.c_str());
  if (::symlink(target.c_str(), beside.c_str()) != 0 ||
      ::rename(beside.c_str(), path.c_str()) != 0) {
    return Fail(ErrnoError(errno, path));
  }
  return {};
}

Status PutFile(const std::string& path, const Kept& kept) {
  if (const Status made = MakeDirectories(ParentOf(path), 0755); !made) return made;
  auto replacement = Replacement::Open(path, 0600);
  if (!replacement) return Fail(replacement.error());
  const Status written = WriteAll(replacement->fd(), kept.content, path);
  if (!written) return written;
  const Status attributes = SetAttributes(replacement->fd(), kept.attributes, path);
  if (!attributes) return attributes;
  const std::array<timespec, 2> times = {kept.modified, kept.modified};
  if (::futimens(replacement->fd(), times.data()) != 0) return Fail(ErrnoError(errno, path));
  return replacement->Commit();
}

Status Put(const std::string& path, const Kept& kept) {
  switch (kept.kind) {
    case Kept::Kind::kAbsent:
      if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Fail(ErrnoError(errno, path));
      return {};
    case Kept::Kind::kLink:
      return PutLink(path, kept.target);
    case Kept::Kind::kFile:
      return PutFile(path, kept);
  }
  return {};
}

class FileSubjects : public UndoSubjects {
 public:
  [[nodiscard]] std::string name() const override { return "file"; }

  Result<std::string> Capture(const std::string& subject) override {
    const auto kept = Keep(subject);
    if (!kept) return Fail(kept.error());
    return ToText(*kept);
  }

  Status Restore(const std::string& subject, const std::string& captured,
                 std::vector<ChangeText>& done) override {
    const auto before = FromText(subject, captured);
    if (!before) return Fail(before.error());
    const auto now = Keep(subject);
    // What cannot be looked at (grown too large, say) is replaced as well.
    if (now && IsSame(*before, *now)) return {};
    if (const Status put = Put(subject, *before); !put) return put;
    const bool had = !now || now->kind != Kept::Kind::kAbsent;
    const bool has = before->kind != Kept::Kind::kAbsent;
    done.push_back({!has  ? "remove"
                    : had ? "change"
                          : "add",
                    "file " + subject, now ? InWords(*now) : "", InWords(*before),
                    has ? "was so before the run" : "was not there before the run"});
    return {};
  }
};

}  // namespace

std::unique_ptr<UndoSubjects> MakeFileSubjects() { return std::make_unique<FileSubjects>(); }

}  // namespace drover
