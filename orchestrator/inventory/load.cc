#include "orchestrator/inventory/load.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "orchestrator/inventory/builder.h"
#include "orchestrator/inventory/host_name.h"
#include "orchestrator/inventory/python_text.h"
#include "orchestrator/inventory/vars_files.h"
#include "orchestrator/source/yaml_node.h"

namespace drover {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDirectoryDepth = 20;

constexpr std::array<std::string_view, 13> kIgnoredEndings = {
    ".pyc", ".pyo", ".swp",  ".bak", "~",    ".rpm",  ".md",
    ".txt", ".rst", ".orig", ".ini", ".cfg", ".retry"};

Place WholeFile(const std::string& name) {
  return Place{std::make_shared<SourceFile>(SourceFile{name, ""}), 0, 0};
}

bool IsIgnored(const std::string& name) {
  if (name.starts_with('.') || name == "host_vars" || name == "group_vars" ||
      name == "vars_plugins") {
    return true;
  }
  return std::any_of(kIgnoredEndings.begin(), kIgnoredEndings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

bool IsExecutable(const std::string& path) {
  std::error_code error;
  const auto rights = fs::status(path, error).permissions();
  return !error && (rights & (fs::perms::owner_exec | fs::perms::group_exec |
                              fs::perms::others_exec)) != fs::perms::none;
}

// Does the first line that says something open an INI section?
bool BeginsWithSection(std::string_view text) {
  for (const std::string_view raw : PythonLines(text)) {
    const std::string_view line = PythonStrip(raw);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    return line[0] == '[' && line.find_first_of(",\"'{") == std::string_view::npos;
  }
  return false;
}

// Does it look like YAML that went wrong: "---", or a first line that ends in a colon?
bool BeginsLikeYaml(std::string_view text) {
  for (const std::string_view raw : PythonLines(text)) {
    const std::string_view line = PythonStrip(raw);
    if (line.empty() || line[0] == '#') continue;
    return line.starts_with("---") || line.ends_with(':') || line[0] == '{';
  }
  return false;
}

class Loader {
 public:
  Loader() : builder_(loaded_.inventory) {}

  void Source(const std::string& source) {
    std::error_code error;
    const bool exists = fs::exists(source, error);
    if (!exists && source.find(',') != std::string::npos) {
      HostList(source);
      return;
    }
    if (!exists) {
      builder_.Complain(WholeFile(source), "there is no such inventory",
                        "a list of host names needs a comma: -i " + source + ",");
      return;
    }
    if (fs::is_directory(source, error)) {
      directories_.push_back(source);
      Directory(source, 0);
    } else {
      const fs::path parent = fs::path(source).parent_path();
      directories_.push_back(parent.empty() ? "." : parent.string());
      File(source);
    }
  }

  Parsed<LoadedInventory> Finish(const std::string& playbook_dir) {
    Diagnostics errors = builder_.TakeErrors();
    Diagnostics warnings = builder_.TakeWarnings();
    if (!errors.empty()) return Wrong(std::move(errors));
    loaded_.inventory.Finish();
    WarnOfNameClashes(warnings);
    KeepLastOfEach(directories_);
    ReadVarsFiles(directories_, playbook_dir, loaded_, errors, warnings);
    if (!errors.empty()) return Wrong(std::move(errors));
    loaded_.warnings = std::move(warnings);
    return std::move(loaded_);
  }

  InventoryBuilder& builder() { return builder_; }

 private:
  // Reading a directory again changes nothing unless another came in between.
  static void KeepLastOfEach(std::vector<std::string>& directories) {
    std::set<std::string> seen;
    std::vector<std::string> kept;
    for (auto at = directories.rbegin(); at != directories.rend(); ++at) {
      if (seen.insert(*at).second) kept.push_back(*at);
    }
    directories.assign(kept.rbegin(), kept.rend());
  }

  void WarnOfNameClashes(Diagnostics& warnings) const {
    for (const std::string& name : loaded_.inventory.GroupNames()) {
      const InventoryHost* host = loaded_.inventory.FindHost(name);
      if (host == nullptr) continue;
      warnings.push_back({host->place, "\"" + name + "\" is both a host and a group",
                          "variables written at this host go to the group"});
    }
  }

  // "a,b:2222,": hosts without ranges.
  void HostList(const std::string& list) {
    for (std::size_t begin = 0; begin <= list.size();) {
      const std::size_t end = std::min(list.find(',', begin), list.size());
      const std::string name(PythonStrip(std::string_view(list).substr(begin, end - begin)));
      begin = end + 1;
      if (name.empty()) continue;
      const auto address = ParseAddress(name);
      const std::string host = address && address->port ? address->host : name;
      if (host.find('[') != std::string::npos) {
        builder_.Complain({}, "ranges as in \"" + name + "\" work in inventory files only",
                          "name each host, or write a file");
        return;
      }
      if (loaded_.inventory.FindHost(host) != nullptr) continue;
      builder_.Hosts(name, "ungrouped", {}, {});
    }
  }

  void Directory(const std::string& directory, int depth) {
    if (depth > kMaxDirectoryDepth) {
      builder_.Complain(WholeFile(directory), "these directories are nested too deeply",
                        "is there a link to a directory above?");
      return;
    }
    std::set<std::string> names;
    std::error_code error;
    fs::directory_iterator at(directory, error);
    for (; !error && at != fs::directory_iterator(); at.increment(error)) {
      names.insert(at->path().filename().string());
    }
    if (error) {
      builder_.Complain(WholeFile(directory), "cannot read the directory: " + error.message());
      return;
    }
    bool any = false;
    for (const std::string& name : names) {
      const std::string path = (fs::path(directory) / name).string();
      if (IsIgnored(name)) {
        WarnOfIgnored(name, path);
        continue;
      }
      any = true;
      if (fs::is_directory(path, error)) {
        Directory(path, depth + 1);
      } else {
        File(path);
      }
    }
    if (!any && depth == 0) {
      builder_.Complain(WholeFile(directory), "there is no inventory file in this directory",
                        "files that end in .ini, .cfg, .txt and the like are passed over; name "
                        "them with -i");
    }
  }

  void WarnOfIgnored(const std::string& name, const std::string& path) {
    if (!name.ends_with(".ini") && !name.ends_with(".cfg")) return;
    if (name.starts_with('.') || name == "ansible.cfg") return;
    builder_.Warn(WholeFile(path),
                  "it is passed over, as Ansible does with this ending in a directory",
                  "name it with -i, or drop the ending");
  }

  void File(const std::string& path) {
    const auto file = ReadSource(path);
    const bool script = file ? (*file)->text.starts_with("#!") : IsExecutable(path);
    if (script) {
      builder_.Complain(WholeFile(path), "inventory scripts are not run yet",
                        "save what it prints: " + path + " --list > hosts.json");
      return;
    }
    if (!file) {
      for (const Diagnostic& diagnostic : file.error()) {
        builder_.Complain(diagnostic.place, diagnostic.message, diagnostic.hint);
      }
      return;
    }
    if ((*file)->text.starts_with("$ANSIBLE_VAULT")) {
      builder_.Complain(Place{*file, 1, 1}, "vault is not supported yet, so this cannot be read",
                        "decrypt it first: ansible-vault decrypt");
      return;
    }
    loaded_.files.push_back(*file);
    ReadFormat(*file, fs::path(path).extension().string());
  }

  // Ansible tries YAML on files with these endings or none, then INI on anything.
  void ReadFormat(const SourceFilePtr& file, const std::string& extension) {
    if (extension == ".toml") {
      builder_.Complain(WholeFile(file->name), "TOML inventories are not supported",
                        "convert it: ansible-inventory -i THIS --list > hosts.json");
      return;
    }
    const bool named_yaml = extension == ".yml" || extension == ".yaml" || extension == ".json";
    if (!named_yaml && !extension.empty()) {
      ReadIniInventory(file, builder_);
      return;
    }
    const auto root = ParseYaml(file);
    if (root && root->is_mapping()) {
      if (IsListInventory(*root)) {
        ReadListInventory(*root, builder_);
      } else {
        ReadYamlInventory(*root, builder_);
      }
      return;
    }
    if (!named_yaml) {
      if (!root && BeginsLikeYaml(file->text)) {
        AddErrors(root.error());
      } else {
        ReadIniInventory(file, builder_);
      }
      return;
    }
    ReadMisnamed(file, root);
  }

  // A file named as YAML that is no YAML mapping: INI if it clearly is, else a YAML error.
  void ReadMisnamed(const SourceFilePtr& file, const Parsed<YamlNode>& root) {
    if (BeginsWithSection(file->text)) {
      builder_.Warn(Place{file, 1, 0}, "this is INI although its name says YAML", "rename it");
      ReadIniInventory(file, builder_);
    } else if (!root) {
      AddErrors(root.error());
    } else if (root->is_null()) {
      builder_.Warn(WholeFile(file->name), "the inventory is empty");
    } else {
      builder_.Complain(root->place, "a YAML inventory is a mapping of groups",
                        "begin with \"all:\" and \"hosts:\" below it");
    }
  }

  void AddErrors(const Diagnostics& errors) {
    for (const Diagnostic& error : errors) {
      builder_.Complain(error.place, error.message, error.hint);
    }
  }

  LoadedInventory loaded_;
  InventoryBuilder builder_;
  std::vector<std::string> directories_;
};

}  // namespace

Parsed<LoadedInventory> LoadInventory(const std::vector<std::string>& sources,
                                      const std::string& playbook_dir) {
  Loader loader;
  if (sources.empty()) {
    return Wrong({}, "no inventory is given", "name one with -i, or list hosts: -i web1,web2");
  }
  for (const std::string& source : sources) loader.Source(source);
  return loader.Finish(playbook_dir);
}

}  // namespace drover
