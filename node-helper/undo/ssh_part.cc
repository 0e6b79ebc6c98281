#include "node-helper/undo/ssh_part.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>

#include "node-helper/undo/file_subjects.h"

namespace drover {
namespace {

// Debian's name and everybody else's.
constexpr std::array<const char*, 2> kServices = {"ssh", "sshd"};
constexpr const char* kSettings = "/etc/ssh/sshd_config";
constexpr const char* kSettingsFolder = "/etc/ssh/sshd_config.d";
constexpr const char* kKeys = "/root/.ssh/authorized_keys";

// One thing that was remembered: "<kind> <size> <name>\n<text>\n", one behind the other.
struct Item {
  std::string kind;  // "file", "service"
  std::string name;
  std::string text;
};

std::string ToText(const Item& item) {
  return item.kind + " " + std::to_string(item.text.size()) + " " + item.name + "\n" + item.text +
         "\n";
}

// Takes the first item off `text`; nothing when it is damaged.
std::optional<Item> TakeItem(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::size_t kind = text.find(' ');
  if (end == std::string_view::npos || kind > end) return std::nullopt;
  std::size_t size = 0;
  const auto [after, error] = std::from_chars(text.data() + kind + 1, text.data() + end, size);
  const auto name = static_cast<std::size_t>(after - text.data()) + 1;
  if (error != std::errc() || name > end || size >= text.size() - end) return std::nullopt;
  Item item{std::string(text.substr(0, kind)), std::string(text.substr(name, end - name)),
            std::string(text.substr(end + 1, size))};
  text.remove_prefix(std::min(end + size + 2, text.size()));
  return item;
}

class SshPart : public UndoPart {
 public:
  SshPart(std::unique_ptr<InitSystem> init, std::string root)
      : init_(std::move(init)), root_(std::move(root)), files_(MakeFileSubjects()) {}

  [[nodiscard]] std::string name() const override { return "ssh"; }

  Result<std::string> Capture() override {
    std::string text;
    for (const std::string& path : Files()) {
      const auto captured = files_->Capture(path);
      if (!captured) return Fail(captured.error());
      text += ToText({"file", path, *captured});
    }
    for (const char* service : kServices) {
      const auto status = init_->Look(service);
      if (!status) return Fail(status.error());
      if (!status->exists) continue;
      text += ToText({"service", service, status->running ? "running" : "stopped"});
      break;
    }
    return text;
  }

  Status Restore(const std::string& captured, std::vector<ChangeText>& done) override {
    std::string_view rest = captured;
    Status first;
    std::vector<std::string> known;
    bool settings_changed = false;
    const auto restore = [&](const std::string& path, const std::string& text) {
      const std::size_t before = done.size();
      const Status restored = files_->Restore(path, text, done);
      if (!restored && first) first = restored;
      settings_changed |= done.size() != before && path != root_ + kKeys;
    };
    std::optional<Item> service;
    while (!rest.empty()) {
      auto item = TakeItem(rest);
      if (!item) {
        return Fail(ErrorCode::kInternal, "what was remembered of the SSH server cannot be read");
      }
      if (item->kind == "file") {
        restore(item->name, item->text);
        known.push_back(item->name);
      } else {
        service = std::move(item);
      }
    }
    // A file that was not there then is told from one that was: by not being known.
    for (const std::string& path : Files()) {
      if (std::find(known.begin(), known.end(), path) == known.end()) restore(path, "absent\n");
    }
    if (service && service->text == "running") {
      const Status runs = Revive(service->name, settings_changed, done);
      if (!runs && first) first = runs;
    }
    return first;
  }

 private:
  // Those that matter, there or not; files of the folder as far as they are there.
  [[nodiscard]] std::vector<std::string> Files() const {
    namespace fs = std::filesystem;
    std::vector<std::string> files = {root_ + kSettings, root_ + kKeys};
    std::error_code error;
    for (fs::directory_iterator at(root_ + kSettingsFolder, error);
         !error && at != fs::directory_iterator(); at.increment(error)) {
      std::error_code gone;
      if (at->path().extension() == ".conf" && !at->is_directory(gone)) {
        files.push_back(at->path().string());
      }
    }
    return files;
  }

  Status Revive(const std::string& service, bool settings_changed, std::vector<ChangeText>& done) {
    const auto now = init_->Look(service);
    if (!now) return Fail(now.error());
    if (now->running && !settings_changed) return {};
    const Status told = init_->Tell(service, now->running ? "restart" : "start");
    if (!told) return told;
    done.push_back({"change", "system service " + service, now->running ? "running" : "stopped",
                    now->running ? "restarted" : "running",
                    now->running ? "its settings are back" : "ran before the run"});
    return {};
  }

  std::unique_ptr<InitSystem> init_;
  std::string root_;
  std::unique_ptr<UndoSubjects> files_;
};

}  // namespace

std::unique_ptr<UndoPart> MakeSshPart(std::unique_ptr<InitSystem> init, std::string root) {
  return std::make_unique<SshPart>(std::move(init), std::move(root));
}

}  // namespace drover
