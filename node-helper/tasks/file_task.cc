#include "node-helper/tasks/file_task.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <optional>

#include "node-helper/store/files.h"
#include "node-helper/tasks/accounts.h"
#include "node-helper/tasks/outcome.h"
#include "node-helper/tasks/placed_file.h"

namespace drover {
namespace {

constexpr mode_t kNewFileMode = 0644;

Result<Attributes> WantedAttributes(const FileAttributes& given, const Present& present) {
  Attributes wanted;
  wanted.mode = kNewFileMode;
  wanted.owner = ::geteuid();
  wanted.group = ::getegid();
  if (present.exists && !present.link) {
    wanted.owner = present.info.st_uid;
    wanted.group = present.info.st_gid;
    wanted.mode = present.info.st_mode & kModeBits;
  }
  if (!given.owner.empty()) {
    const auto owner = UserId(given.owner);
    if (!owner) return Fail(owner.error());
    wanted.owner = *owner;
  }
  if (!given.group.empty()) {
    const auto group = GroupId(given.group);
    if (!group) return Fail(group.error());
    wanted.group = *group;
  }
  if (given.mode) wanted.mode = *given.mode & kModeBits;
  return wanted;
}

std::vector<ChangeText> Differences(const FileTask& file, const Present& present,
                                    const Attributes& wanted) {
  const std::string resource = "file " + file.dest;
  if (!present.exists) {
    return {ChangeText{"add", resource, "",
                       UserName(wanted.owner) + ":" + GroupName(wanted.group) + " " +
                           ModeText(wanted.mode) + ", " + std::to_string(file.content.size()) +
                           " bytes",
                       "missing"}};
  }
  if (present.link) {
    return {ChangeText{"change", resource, "a symbolic link", "a file", "is a symbolic link"}};
  }
  std::vector<ChangeText> changes;
  const auto add = [&](std::string before, std::string after, std::string reason) {
    changes.push_back(
        ChangeText{"change", resource, std::move(before), std::move(after), std::move(reason)});
  };
  if (present.content != file.content) {
    add(std::to_string(present.content.size()) + " bytes",
        std::to_string(file.content.size()) + " bytes", "content differs");
  }
  const struct stat& info = present.info;
  if (info.st_uid != wanted.owner) {
    add(UserName(info.st_uid), UserName(wanted.owner), "owner is " + UserName(info.st_uid));
  }
  if (info.st_gid != wanted.group) {
    add(GroupName(info.st_gid), GroupName(wanted.group), "group is " + GroupName(info.st_gid));
  }
  if ((info.st_mode & kModeBits) != wanted.mode) {
    add(ModeText(info.st_mode), ModeText(wanted.mode), "mode is " + ModeText(info.st_mode));
  }
  return changes;
}

bool IsShowable(const std::string& content) {
  return content.size() <= kMaxDiffBytes && content.find('\0') == std::string::npos &&
         ToUtf8(content) == content;
}

FileDiff DiffOf(const FileTask& file, const Present& present) {
  FileDiff diff;
  diff.path = file.dest;
  const bool had_content = present.exists && !present.link;
  diff.binary = !IsShowable(file.content) || (had_content && !IsShowable(present.content));
  if (diff.binary) return diff;
  if (had_content) diff.before = present.content;
  diff.after = file.content;
  return diff;
}

// Ansible's name: "nginx.conf.1234.2026-01-31@10:00:00~".
std::string BackupName(const std::string& path) {
  const std::time_t now = std::time(nullptr);
  std::tm broken_down{};
  localtime_r(&now, &broken_down);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y-%m-%d@%H:%M:%S", &broken_down);
  return path + "." + std::to_string(::getpid()) + "." + stamp.data() + "~";
}

// The old file stays what it is under a second name; the rename takes only the first one from it.
Status KeepBackup(const std::string& path, const Present& present) {
  const std::string backup = BackupName(path);
  if (::link(path.c_str(), backup.c_str()) == 0) return {};
  if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK) {
    return Fail(ErrnoError(errno, backup));
  }
  return WriteFileAtomically(backup, present.content, present.info.st_mode & kModeBits);
}

// The last line that says something.
std::string LastLine(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const std::size_t newline = text.rfind('\n');
  return newline == std::string::npos ? text : text.substr(newline + 1);
}

Status Validate(const Task& task, const FileTask& file, const std::string& path,
                TaskContext& context) {
  if (file.validate.empty()) return {};
  auto words = SplitWords(file.validate);
  if (!words) return Fail(words.error().In("validate"));
  bool named = false;
  for (std::string& word : *words) {
    for (std::size_t at = 0; (at = word.find("%s", at)) != std::string::npos;) {
      word.replace(at, 2, path);
      at += path.size();
      named = true;
    }
  }
  if (!named) return Fail(ErrorCode::kInvalid, "validate: must contain %s: " + file.validate);
  ProcessSpec spec;
  spec.argv = std::move(*words);
  spec.timeout = task.timeout;
  spec.abandoned = context.abandoned;
  const auto outcome = context.run(spec);
  if (!outcome) return Fail(outcome.error().In("validate"));
  if (outcome->command.exit_code == 0) return {};
  const std::string& said = outcome->command.stderr_text.empty() ? outcome->command.stdout_text
                                                                 : outcome->command.stderr_text;
  return Fail(ErrorCode::kInvalid, file.dest +
                                       ": validation failed, the old file stays: " + spec.argv[0] +
                                       " exits with " + std::to_string(outcome->command.exit_code) +
                                       ": " + LastLine(said));
}

Status Replace(const Task& task, const FileTask& file, const Present& present,
               const Attributes& wanted, TaskContext& context) {
  auto replacement = Replacement::Open(file.dest, 0600);
  if (!replacement) return Fail(replacement.error());
  const Status written = WriteAll(replacement->fd(), file.content, file.dest);
  if (!written) return written;
  const Status attributes = SetAttributes(replacement->fd(), wanted, file.dest);
  if (!attributes) return attributes;
  const Status valid = Validate(task, file, replacement->path(), context);
  if (!valid) return valid;
  if (file.backup && present.exists && !present.link) {
    if (const Status kept = KeepBackup(file.dest, present); !kept) return kept;
  }
  return replacement->Commit();
}

Status ChangeAttributes(const std::string& path, const Present& present, const Attributes& wanted) {
  if (present.info.st_uid != wanted.owner || present.info.st_gid != wanted.group) {
    if (::lchown(path.c_str(), wanted.owner, wanted.group) != 0) {
      return Fail(ErrnoError(errno, path));
    }
  }
  if (::chmod(path.c_str(), wanted.mode) != 0) return Fail(ErrnoError(errno, path));
  return {};
}

// Empty when the folder of the file is there.
std::optional<Error> MissingFolder(const std::string& dest) {
  const std::string folder = ParentOf(dest);
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) {
    if (errno != ENOENT) return ErrnoError(errno, folder);
    return Error{ErrorCode::kNotFound, dest + ": the directory " + folder + " does not exist"};
  }
  if (!S_ISDIR(info.st_mode)) return Error{ErrorCode::kInvalid, folder + ": is not a directory"};
  return std::nullopt;
}

TaskResult WouldComeAfterFolder(const FileTask& file) {
  return Succeeded(
      {ChangeText{"add", "file " + file.dest, "", std::to_string(file.content.size()) + " bytes",
                  "its directory does not exist yet"}});
}

}  // namespace

TaskResult RunFileTask(const Task& task, const FileTask& file, const ProgramCourse& course,
                       TaskContext& context) {
  if (file.dest.empty() || file.dest.front() != '/' || file.dest.back() == '/') {
    return Failed({ErrorCode::kInvalid, "dest: must be the absolute path of a file: " + file.dest});
  }
  if (const auto missing = MissingFolder(file.dest)) {
    const bool may_come = task.check && course.unknown_changes;
    return may_come && missing->code == ErrorCode::kNotFound ? WouldComeAfterFolder(file)
                                                             : Failed(*missing);
  }
  const auto present = LookAt(file.dest);
  if (!present) return Failed(present.error());
  const auto wanted = WantedAttributes(file.attributes, *present);
  if (!wanted) return Failed(wanted.error());
  std::vector<ChangeText> changes = Differences(file, *present, *wanted);
  if (changes.empty()) return Succeeded();
  const bool replace = !present->exists || present->link || present->content != file.content;
  if (!task.check) {
    if (const Status ready = BeforeFile(context, file.dest); !ready) return Failed(ready.error());
    const Status done = replace ? Replace(task, file, *present, *wanted, context)
                                : ChangeAttributes(file.dest, *present, *wanted);
    if (!done) return Failed(done.error());
  }
  TaskResult result = Succeeded(std::move(changes));
  if (task.diff && !task.secret && replace) result.detail = DiffOf(file, *present);
  return result;
}

Result<std::vector<std::string>> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (quote == '\0' && (letter == ' ' || letter == '\t' || letter == '\n')) {
      if (word) words.push_back(std::move(*word));
      word.reset();
      continue;
    }
    if (!word) word.emplace();
    if (letter == quote) {
      quote = '\0';
    } else if (quote == '\0' && (letter == '"' || letter == '\'')) {
      quote = letter;
    } else if (letter == '\\' && quote != '\'' && i + 1 < text.size()) {
      *word += text[++i];
    } else {
      *word += letter;
    }
  }
  if (quote != '\0')
    return Fail(ErrorCode::kInvalid, "a quote is not closed: " + std::string(text));
  if (word) words.push_back(std::move(*word));
  if (words.empty()) return Fail(ErrorCode::kInvalid, "is empty");
  return words;
}

}  // namespace drover
