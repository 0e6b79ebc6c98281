#include "orchestrator/inventory/vars_files.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "orchestrator/source/yaml_node.h"

namespace drover {
namespace {

namespace fs = std::filesystem;

bool IsDirectory(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// Names in a directory, sorted by bytes; empty when it cannot be read.
std::set<std::string> NamesIn(const fs::path& directory) {
  std::set<std::string> names;
  std::error_code error;
  fs::directory_iterator at(directory, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    names.insert(at->path().filename().string());
  }
  return names;
}

// What Python's splitext finds: leading dots do not count.
std::string Extension(const std::string& name) {
  const std::size_t start = name.find_first_not_of('.');
  const std::size_t dot = name.rfind('.');
  if (start == std::string::npos || dot == std::string::npos || dot < start) return "";
  return name.substr(dot);
}

bool IsVarsExtension(const std::string& extension) {
  return extension.empty() || extension == ".yml" || extension == ".yaml" || extension == ".json";
}

// One group_vars/ or host_vars/ directory, listed once however many hosts ask.
class VarsDirectory {
 public:
  VarsDirectory(const std::string& beside, const std::string& name,
                std::vector<SourceFilePtr>& files, Diagnostics& errors, Diagnostics& warnings)
      : path_(fs::path(beside) / name), files_(files), errors_(errors) {
    std::error_code error;
    if (!fs::exists(path_, error)) return;
    if (IsDirectory(path_)) {
      names_ = NamesIn(path_);
    } else {
      const auto file = std::make_shared<SourceFile>(SourceFile{path_.string(), ""});
      warnings.push_back({Place{file}, "it is ignored, because it is no directory", ""});
    }
  }

  // The merged variables for a host or group; the first name that exists hides the others.
  Value Read(const std::string& entity) {
    Value vars = Value::object();
    if (names_.empty() || entity.starts_with('/')) return vars;
    for (const char* extension : {"", ".yml", ".yaml", ".json"}) {
      const std::string name = entity + extension;
      if (!Exists(name)) continue;
      for (const fs::path& file : FilesOf(path_ / name)) Merge(file, vars);
      break;
    }
    return vars;
  }

 private:
  [[nodiscard]] bool Exists(const std::string& name) const {
    std::error_code error;
    if (name.find('/') != std::string::npos) return fs::exists(path_ / name, error);
    return names_.contains(name) && fs::exists(path_ / name, error);
  }

  static std::vector<fs::path> FilesOf(const fs::path& path) {
    if (!IsDirectory(path)) return {path};
    std::vector<fs::path> files;
    for (const std::string& name : NamesIn(path)) {
      if (name.starts_with('.') || name.ends_with('~')) continue;
      const fs::path below = path / name;
      const std::string extension = Extension(name);
      if (IsDirectory(below)) {
        if (!extension.empty()) continue;
        const std::vector<fs::path> inner = FilesOf(below);
        files.insert(files.end(), inner.begin(), inner.end());
      } else if (IsVarsExtension(extension)) {
        files.push_back(below);
      }
    }
    return files;
  }

  void Merge(const fs::path& path, Value& vars) {
    const auto add = [this](const Diagnostics& more) {
      errors_.insert(errors_.end(), more.begin(), more.end());
    };
    const auto file = ReadSource(path.string());
    if (!file) {
      add(file.error());
      return;
    }
    if ((*file)->text.starts_with("$ANSIBLE_VAULT")) {
      errors_.push_back({Place{*file, 1, 1},
                         "vault is not supported yet, so this file cannot be read",
                         "give its values with -e, or decrypt it: ansible-vault decrypt"});
      return;
    }
    files_.push_back(*file);
    const auto root = ParseYaml(*file);
    if (!root) {
      add(root.error());
      return;
    }
    if (root->is_null()) return;
    if (!root->is_mapping()) {
      errors_.push_back({root->place, "a file of variables must be a mapping", "name: value"});
      return;
    }
    Value read = ToValue(*root);
    for (auto& [name, value] : read.get_ref<Value::object_t&>()) {
      SetVar(vars, name, std::move(value));
    }
  }

  fs::path path_;
  std::set<std::string> names_;
  std::vector<SourceFilePtr>& files_;
  Diagnostics& errors_;
};

}  // namespace

void ReadVarsFiles(const std::vector<std::string>& directories, const std::string& playbook_dir,
                   LoadedInventory& loaded, Diagnostics& errors, Diagnostics& warnings) {
  Inventory& inventory = loaded.inventory;
  const std::vector<std::string> groups = inventory.GroupNames();
  const std::vector<std::string> hosts = inventory.HostsInOrderOfWriting();
  const auto read_hosts = [&](const std::string& directory) {
    VarsDirectory host_vars(directory, "host_vars", loaded.files, errors, warnings);
    for (const std::string& name : hosts) {
      const Value vars = host_vars.Read(name);
      Value& all = inventory.FindHost(name)->files_vars;
      for (const auto& [key, value] : vars.items()) SetVar(all, key, value);
    }
  };
  for (const std::string& directory : directories) {
    VarsDirectory group_vars(directory, "group_vars", loaded.files, errors, warnings);
    for (const std::string& name : groups) {
      inventory.FindGroup(name)->files_vars.push_back(group_vars.Read(name));
    }
    read_hosts(directory);
  }
  if (playbook_dir.empty()) return;
  VarsDirectory group_vars(playbook_dir, "group_vars", loaded.files, errors, warnings);
  for (const std::string& name : groups) {
    inventory.FindGroup(name)->playbook_vars = group_vars.Read(name);
  }
  // A playbook in the inventory's own directory needs no second reading.
  if (directories.empty() || directories.back() != playbook_dir) read_hosts(playbook_dir);
}

}  // namespace drover
