#include "node-helper/install/install.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>
#include <thread>

#include "node-helper/install/daemon_lock.h"
#include "node-helper/install/service_files.h"
#include "node-helper/store/files.h"
#include "node-helper/store/systemd.h"
#include "protocol/helper_upgrade.h"

namespace drover {
namespace {

constexpr std::chrono::seconds kStopPatience{10};
constexpr std::chrono::seconds kUpgradePatience{5};
constexpr std::chrono::milliseconds kLook{20};

bool Exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::string ServiceFile(const InstallSite& site) {
  return site.root + (SystemdRuns(site.root)
                          ? std::string("/etc/systemd/system/") + kServiceName + ".service"
                          : std::string("/etc/init.d/") + kServiceName);
}

std::string ServiceText(const InstallSite& site) {
  return SystemdRuns(site.root) ? SystemdUnit(site.program()) : InitScript(site.program());
}

bool AnyMatch(const std::string& pattern) {
  glob_t found{};
  const bool any = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0;
  ::globfree(&found);
  return any;
}

bool IsEnabled(const InstallSite& site) {
  if (SystemdRuns(site.root)) {
    return Exists(site.root + "/etc/systemd/system/multi-user.target.wants/" + kServiceName +
                  ".service");
  }
  return AnyMatch(site.root + "/etc/rc[2-5].d/S[0-9][0-9]" + kServiceName);
}

// The program that makes the links of an init script; none on systems without such links.
std::optional<std::vector<std::string>> LinkCommand(const InstallSite& site, bool add) {
  if (Exists(site.root + "/usr/sbin/update-rc.d")) {
    if (add) return std::vector<std::string>{"update-rc.d", kServiceName, "defaults"};
    return std::vector<std::string>{"update-rc.d", "-f", kServiceName, "remove"};
  }
  for (const char* path : {"/sbin/chkconfig", "/usr/sbin/chkconfig"}) {
    if (!Exists(site.root + path)) continue;
    return std::vector<std::string>{"chkconfig", add ? "--add" : "--del", kServiceName};
  }
  return std::nullopt;
}

// Same file, or same bytes.
bool IsInPlace(const InstallSite& site) {
  struct stat here {};
  struct stat running {};
  if (::stat(site.program().c_str(), &here) != 0) return false;
  if (::stat(site.executable.c_str(), &running) != 0) return false;
  if (here.st_ino == running.st_ino && here.st_dev == running.st_dev) return true;
  if (here.st_size != running.st_size) return false;
  const auto installed = ReadWholeFile(site.program());
  const auto own = ReadWholeFile(site.executable);
  return installed && own && *installed == *own;
}

// A second name for an upload of the orchestrator saves copying and comparing it. Only those: a
// file elsewhere may belong to somebody who can change it.
bool LinkUpload(const InstallSite& site) {
  std::error_code error;
  const std::string upload = std::filesystem::read_symlink(site.executable, error).string();
  if (error || !upload.starts_with(site.state_directory + "/bin/")) return false;
  struct stat info {};
  if (::lstat(upload.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != ::geteuid() ||
      (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return false;
  }
  const std::string fresh = site.program() + ".new";
  ::unlink(fresh.c_str());
  return ::link(upload.c_str(), fresh.c_str()) == 0 &&
         ::rename(fresh.c_str(), site.program().c_str()) == 0;
}

Status PutProgram(const InstallSite& site) {
  if (const Status made = MakeDirectories(site.state_directory, 0700); !made) return made;
  if (LinkUpload(site)) return {};
  const auto own = ReadWholeFile(site.executable);
  if (!own) return Fail(own.error());
  return WriteFileAtomically(site.program(), *own, 0700);
}

Status PutServiceFile(const InstallSite& site) {
  const std::string path = ServiceFile(site);
  if (const Status made = MakeDirectories(ParentOf(path), 0755); !made) return made;
  const bool systemd = SystemdRuns(site.root);
  const Status written = WriteFileAtomically(path, ServiceText(site), systemd ? 0644 : 0755);
  if (!written || !systemd) return written;
  return site.run({"systemctl", "daemon-reload"});
}

Status Enable(const InstallSite& site) {
  if (SystemdRuns(site.root)) return site.run({"systemctl", "enable", kServiceName});
  const auto command = LinkCommand(site, true);
  return command ? site.run(*command) : Status();
}

Status Start(const InstallSite& site) {
  if (SystemdRuns(site.root)) return site.run({"systemctl", "restart", kServiceName});
  const auto stopped = StopDaemon(site.root, kStopPatience);
  if (!stopped) return Fail(stopped.error());
  return site.run({site.program(), "daemon", "--detach"});
}

// True when the daemon's process runs the installed file.
bool RunsInstalledFile(const InstallSite& site) {
  const auto pid = RunningDaemon(site.root);
  if (!pid) return false;
  struct stat running {};
  struct stat installed {};
  const std::string link = site.root + "/proc/" + std::to_string(*pid) + "/exe";
  return ::stat(link.c_str(), &running) == 0 && ::stat(site.program().c_str(), &installed) == 0 &&
         running.st_ino == installed.st_ino && running.st_dev == installed.st_dev;
}

// Without a gap: the daemon keeps its sockets, roles and verdicts. One that is too old for it, or
// does not come to run the new file, is restarted.
Status Upgrade(const InstallSite& site) {
  if (site.upgrade && site.upgrade()) {
    const auto deadline = std::chrono::steady_clock::now() + kUpgradePatience;
    while (std::chrono::steady_clock::now() < deadline) {
      if (RunsInstalledFile(site)) return {};
      std::this_thread::sleep_for(kLook);
    }
  }
  return Start(site);
}

// One thing that may have to be done: whether, how, and in which words.
struct Step {
  bool needed;
  Status (*carry_out)(const InstallSite&);
  ChangeText text;
};

Status RemoveFile(const std::string& path, std::vector<ChangeText>& changes) {
  if (::unlink(path.c_str()) != 0) {
    return errno == ENOENT ? Status() : Fail(ErrnoError(errno, path));
  }
  changes.push_back(ChangeText{"remove", "file " + path, "", "", "uninstall"});
  return {};
}

// A folder that is a mount point of its own can only be emptied.
Status RemoveFolder(const std::string& path, std::vector<ChangeText>& changes) {
  if (!Exists(path)) return {};
  std::error_code error;
  bool changed = false;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    std::filesystem::remove_all(entry.path(), error);
    if (error) return Fail(ErrnoError(error.value(), entry.path().string()));
    changed = true;
  }
  if (error) return Fail(ErrnoError(error.value(), path));
  if (::rmdir(path.c_str()) == 0) {
    changed = true;
  } else if (errno != EBUSY) {
    return Fail(ErrnoError(errno, path));
  }
  if (changed) changes.push_back(ChangeText{"remove", "directory " + path, "", "", "uninstall"});
  return {};
}

Status TakeServiceAway(const InstallSite& site, std::vector<ChangeText>& changes) {
  const bool systemd = SystemdRuns(site.root);
  const bool runs = RunningDaemon(site.root).has_value();
  const std::string file = ServiceFile(site);
  if (systemd && Exists(file)) {
    const Status disabled = site.run({"systemctl", "disable", "--now", kServiceName});
    if (!disabled) return disabled;
  }
  const auto stopped = StopDaemon(site.root, kStopPatience);
  if (!stopped) return Fail(stopped.error());
  if (runs) {
    changes.push_back(ChangeText{"change", std::string("system service ") + kServiceName, "running",
                                 "stopped", "uninstall"});
  }
  const bool had_file = Exists(file);
  if (const Status removed = RemoveFile(file, changes); !removed) return removed;
  if (!had_file) return {};
  if (systemd) return site.run({"systemctl", "daemon-reload"});
  const auto command = LinkCommand(site, false);
  return command ? site.run(*command) : Status();
}

}  // namespace

Result<std::vector<ChangeText>> Install(const InstallSite& site, bool check) {
  const std::string service = std::string("system service ") + kServiceName;
  const auto text = ReadWholeFile(ServiceFile(site));
  const bool had_program = Exists(site.program());
  const bool new_program = !IsInPlace(site);
  const bool new_file = !text || *text != ServiceText(site);
  const bool can_enable = SystemdRuns(site.root) || LinkCommand(site, true).has_value();
  const bool runs = RunningDaemon(site.root).has_value();
  const Step steps[] = {
      {new_program, PutProgram,
       ChangeText{had_program ? "change" : "add", "file " + site.program(), "", "",
                  had_program ? kHelperUpgrade : "missing"}},
      {new_file, PutServiceFile,
       ChangeText{text ? "change" : "add", "file " + ServiceFile(site), "", "",
                  text ? "content differs" : "missing"}},
      {can_enable && !IsEnabled(site), Enable,
       ChangeText{"change", service, "disabled", "enabled", "is not enabled"}},
      {!runs, Start, ChangeText{"change", service, "stopped", "running", "does not run"}},
      {runs && new_program, Upgrade,
       ChangeText{"change", service, "running", "runs the new version", kHelperUpgrade}},
  };
  std::vector<ChangeText> done;
  for (const Step& step : steps) {
    if (!step.needed) continue;
    if (!check) {
      if (const Status status = step.carry_out(site); !status) {
        return Fail(status.error().In(std::string("install service ") + kServiceName));
      }
    }
    done.push_back(step.text);
  }
  return done;
}

bool HasService(const InstallSite& site) { return Exists(ServiceFile(site)); }

Status RemoveInstalled(const InstallSite& site, std::vector<ChangeText>& changes) {
  if (const Status removed = TakeServiceAway(site, changes); !removed) return removed;
  return RemoveFile(site.program(), changes);
}

Status Uninstall(const InstallSite& site, std::vector<ChangeText>& changes) {
  if (const Status removed = TakeServiceAway(site, changes); !removed) return removed;
  for (const std::string& folder :
       {site.root + "/run/drover", site.root + "/etc/drover", site.state_directory}) {
    if (const Status removed = RemoveFolder(folder, changes); !removed) return removed;
  }
  return {};
}

}  // namespace drover
