#include "orchestrator/inventory/edit.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "orchestrator/inventory/builder.h"
#include "orchestrator/inventory/host_name.h"
#include "orchestrator/inventory/python_text.h"

namespace drover {
namespace {

// A text as lines with their ends, so that it can be put together again byte by byte.
std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    lines.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return lines;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

std::size_t IndentOf(const std::string& line) { return line.find_first_not_of(" \t\r\n"); }

bool SaysNothing(const std::string& line) {
  const std::size_t indent = IndentOf(line);
  return indent == std::string::npos || line[indent] == '#' || line[indent] == ';';
}

std::string LineEndOf(const std::vector<std::string>& lines) {
  return !lines.empty() && lines.front().ends_with("\r\n") ? "\r\n" : "\n";
}

// Puts `text` behind line `at` (counted from 1; 0: at the top).
void InsertBehind(std::vector<std::string>& lines, std::size_t at, const std::string& text) {
  const std::string end = LineEndOf(lines);
  if (at > 0 && !lines[at - 1].ends_with('\n')) lines[at - 1] += end;
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), text + end);
}

bool IsYaml(const SourceFilePtr& file) {
  const std::string extension = std::filesystem::path(file->name).extension().string();
  if (extension == ".yml" || extension == ".yaml") return true;
  if (!extension.empty()) return false;
  const auto root = ParseYaml(file);
  return root && root->is_mapping();
}

bool IsJson(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && text[first] == '{';
}

// --- INI

// The host that a line of a hosts section names, "" without one.
std::string HostOnLine(const std::string& line) {
  if (SaysNothing(line)) return "";
  const std::string_view text = PythonStrip(line);
  const std::string word(text.substr(0, text.find_first_of(" \t#")));
  const auto address = ParseAddress(word);
  return address && address->port ? address->host : word;
}

// "[web]" -> "web"; nothing for other lines, "" for sections that are no lists of hosts.
std::optional<std::string> SectionOnLine(const std::string& line) {
  const std::string_view text = PythonStrip(line);
  const std::size_t close = text.find(']');
  if (!text.starts_with('[') || close == std::string_view::npos) return std::nullopt;
  if (const auto tail = PythonStrip(text.substr(close + 1)); !tail.empty() && tail[0] != '#') {
    return std::nullopt;  // a range of hosts
  }
  const std::string name(text.substr(1, close - 1));
  if (name.ends_with(":hosts")) return name.substr(0, name.size() - 6);
  return name.find(':') == std::string::npos ? name : "";
}

std::string IniValue(const std::string& value) {
  if (value.find_first_of(" \t#\"'\\") == std::string::npos) return value;
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

Parsed<InventoryEdit> AddToIni(const SourceFilePtr& file, const NewHost& host) {
  std::vector<std::string> lines = LinesOf(file->text);
  std::string section = "ungrouped";
  std::size_t behind = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto begun = SectionOnLine(lines[i]);
    if (begun) section = *begun;
    const bool counts = begun || !SaysNothing(lines[i]);
    if (section == host.group && counts) behind = i + 1;
  }
  if (behind == 0) {
    return Wrong(Place{file, 0, 0}, "there is no section [" + host.group + "] in this file");
  }
  std::string text = host.name;
  for (const auto& [name, value] : host.vars) text += " " + name + "=" + IniValue(value);
  InsertBehind(lines, behind, text);
  return InventoryEdit{file, Joined(lines), static_cast<int>(behind) + 1, text};
}

Parsed<InventoryEdit> RemoveFromIni(const SourceFilePtr& file, const std::string& host,
                                    const std::set<std::string>& groups) {
  const std::vector<std::string> lines = LinesOf(file->text);
  std::vector<std::string> kept;
  InventoryEdit edit{file, "", 0, ""};
  std::string section = "ungrouped";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto begun = SectionOnLine(lines[i]);
    if (begun) section = *begun;
    const bool meant = !section.empty() && (groups.empty() || groups.contains(section));
    if (begun || !meant || HostOnLine(lines[i]) != host) {
      kept.push_back(lines[i]);
    } else if (edit.line == 0) {
      edit.line = static_cast<int>(i) + 1;
      edit.text = std::string(PythonStrip(lines[i]));
    }
  }
  edit.after = Joined(kept);
  return edit;
}

// --- YAML

std::string YamlValue(const std::string& value) {
  const bool plain = !value.empty() && value.find_first_not_of(
                                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                           "0123456789._/") == std::string::npos;
  return plain ? value : nlohmann::json(value).dump();
}

// The entries `hosts` of these groups (empty: of all).
void FindHosts(const YamlNode& groups, const std::set<std::string>& only,
               std::vector<const YamlEntry*>& found) {
  for (const YamlEntry& group : groups.entries) {
    const bool meant = only.empty() || only.contains(KeyOf(group.key));
    for (const YamlEntry& section : group.value.entries) {
      const std::string name = KeyOf(section.key);
      if (name == "children") FindHosts(section.value, only, found);
      if (name == "hosts" && meant) found.push_back(&section);
    }
  }
}

// The lines of a mapping's entry that begins a line: from its key to before what comes next. Blank
// lines, and comments that are not further in than the key, belong to what follows them.
struct Span {
  std::size_t begin = 0;  // lines from 0
  std::size_t end = 0;
};
std::optional<Span> LinesOfEntry(const std::vector<std::string>& lines, const YamlEntry& entry) {
  const auto begin = static_cast<std::size_t>(entry.key.place.line) - 1;
  if (begin >= lines.size()) return std::nullopt;
  const std::size_t indent = IndentOf(lines[begin]);
  const auto column = static_cast<std::size_t>(entry.key.place.column) - 1;
  if (indent != column) return std::nullopt;  // it shares its line with what stands before
  Span span{begin, begin + 1};
  for (std::size_t i = begin + 1; i < lines.size(); ++i) {
    const std::size_t here = IndentOf(lines[i]);
    if (here == std::string::npos) continue;
    if (here > indent) {
      span.end = i + 1;
    } else if (!SaysNothing(lines[i])) {
      break;
    }
  }
  return span;
}

tl::unexpected<Diagnostics> NotLineByLine(const Place& place) {
  return Wrong(place, "this cannot be changed without a change of its layout",
               "write one host per line, or change it by hand");
}

Parsed<InventoryEdit> AddToYaml(const SourceFilePtr& file, const NewHost& host) {
  const auto root = ParseYaml(file);
  if (!root) return Wrong(root.error());
  std::vector<const YamlEntry*> sections;
  FindHosts(*root, {host.group}, sections);
  if (sections.empty()) {
    return Wrong(Place{file, 0, 0},
                 "the group \"" + host.group + "\" has no key hosts in this file");
  }
  const YamlEntry& section = *sections.back();
  std::vector<std::string> lines = LinesOf(file->text);
  const bool empty = section.value.entries.empty();
  const YamlEntry& neighbour = empty ? section : section.value.entries.back();
  const auto span = LinesOfEntry(lines, neighbour);
  if (!span || (empty && !section.value.is_null())) return NotLineByLine(neighbour.key.place);
  const std::size_t indent = IndentOf(lines[span->begin]) + (empty ? 2 : 0);
  std::string text = YamlValue(host.name) + ":";
  for (std::size_t i = 0; i < host.vars.size(); ++i) {
    text += (i == 0 ? " {" : ", ") + host.vars[i].first + ": " + YamlValue(host.vars[i].second);
  }
  if (!host.vars.empty()) text += "}";
  InsertBehind(lines, span->end, std::string(indent, ' ') + text);
  return InventoryEdit{file, Joined(lines), static_cast<int>(span->end) + 1, text};
}

Parsed<InventoryEdit> RemoveFromYaml(const SourceFilePtr& file, const std::string& host,
                                     const std::set<std::string>& groups) {
  const auto root = ParseYaml(file);
  if (!root) return Wrong(root.error());
  std::vector<const YamlEntry*> sections;
  FindHosts(*root, groups, sections);
  const std::vector<std::string> lines = LinesOf(file->text);
  std::vector<bool> goes(lines.size(), false);
  InventoryEdit edit{file, "", 0, ""};
  for (const YamlEntry* section : sections) {
    for (const YamlEntry& entry : section->value.entries) {
      if (KeyOf(entry.key) != host) continue;
      const auto span = LinesOfEntry(lines, entry);
      if (!span) return NotLineByLine(entry.key.place);
      std::fill(goes.begin() + static_cast<std::ptrdiff_t>(span->begin),
                goes.begin() + static_cast<std::ptrdiff_t>(span->end), true);
      if (edit.line != 0) continue;
      edit.line = entry.key.place.line;
      edit.text = std::string(PythonStrip(lines[span->begin]));
    }
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!goes[i]) edit.after += lines[i];
  }
  return edit;
}

// --- the proof

Parsed<Inventory> Read(const SourceFilePtr& file) {
  Inventory inventory;
  InventoryBuilder builder(inventory);
  if (IsYaml(file)) {
    const auto root = ParseYaml(file);
    if (!root) return Wrong(root.error());
    ReadYamlInventory(*root, builder);
  } else {
    ReadIniInventory(file, builder);
  }
  if (builder.failed()) return Wrong(builder.TakeErrors());
  inventory.Finish();
  return inventory;
}

bool IsIn(const Inventory& inventory, const std::string& host,
          const std::set<std::string>& groups) {
  if (inventory.FindHost(host) == nullptr) return false;
  const std::vector<std::string> in = inventory.GroupsOf(host);
  return groups.empty() || std::any_of(in.begin(), in.end(), [&](const std::string& group) {
           return groups.contains(group);
         });
}

bool SameOf(const Inventory& before, const Inventory& after, const std::string& host) {
  return before.FindHost(host) != nullptr && after.FindHost(host) != nullptr &&
         before.VarsOf(host) == after.VarsOf(host);
}

// The host is in (or out of) the groups now, and the text says the same of all others as before.
Parsed<InventoryEdit> Proven(InventoryEdit edit, const std::string& host,
                             const std::set<std::string>& groups, bool added) {
  const auto changed = std::make_shared<SourceFile>(SourceFile{edit.file->name, edit.after});
  const auto before = Read(edit.file);
  const auto after = Read(changed);
  if (!before) return Wrong(before.error());
  const Place place{edit.file, edit.line, 0};
  const std::string hint = "change it by hand";
  if (!after) {
    return Wrong(place, "without this line the rest of the file could not be understood", hint);
  }
  if (IsIn(*after, host, groups) != added) {
    return Wrong(place,
                 "\"" + host + "\" would " + (added ? "not be there" : "still be there") +
                     " by another line",
                 hint);
  }
  if (!added && after->FindHost(host) != nullptr && !SameOf(*before, *after, host)) {
    return Wrong(place, "\"" + host + "\" is in other groups too, but has its variables here",
                 hint);
  }
  for (const std::string& name : (added ? *after : *before).HostNames()) {
    if (name == host) continue;
    if (SameOf(*before, *after, name) && before->GroupsOf(name) == after->GroupsOf(name)) continue;
    return Wrong(place, "the change would be one for \"" + name + "\" too", hint);
  }
  return edit;
}

Parsed<InventoryEdit> Refusal(const SourceFilePtr& file) {
  return Wrong(Place{file, 0, 0}, "JSON is not changed by Drover", "change it by hand");
}

}  // namespace

Parsed<InventoryEdit> AddHostLine(const SourceFilePtr& file, const NewHost& host) {
  if (IsJson(file->text)) return Refusal(file);
  auto edit = IsYaml(file) ? AddToYaml(file, host) : AddToIni(file, host);
  if (!edit) return edit;
  return Proven(*std::move(edit), host.name, {host.group}, /*added=*/true);
}

Parsed<InventoryEdit> RemoveHostLines(const SourceFilePtr& file, const std::string& host,
                                      const std::set<std::string>& groups) {
  if (IsJson(file->text)) return Refusal(file);
  auto edit = IsYaml(file) ? RemoveFromYaml(file, host, groups) : RemoveFromIni(file, host, groups);
  if (!edit) return edit;
  if (edit->line == 0) {
    return Wrong(Place{file, 0, 0}, "no line of this file stands for \"" + host + "\" alone",
                 "a pattern such as web[1:3] has to be changed by hand");
  }
  return Proven(*std::move(edit), host, groups, /*added=*/false);
}

std::vector<SourceFilePtr> FilesOf(const Inventory& inventory) {
  std::vector<SourceFilePtr> files;
  const auto add = [&](const SourceFilePtr& file) {
    const bool known = std::any_of(files.begin(), files.end(), [&](const SourceFilePtr& other) {
      return other->name == (file ? file->name : "");
    });
    if (file && !known) files.push_back(file);
  };
  for (const std::string& name : inventory.HostsInOrderOfWriting()) {
    add(inventory.FindHost(name)->place.file);
  }
  for (const std::string& name : inventory.GroupNames()) add(inventory.FindGroup(name)->place.file);
  return files;
}

std::string GroupOfAll(const Inventory& inventory, const std::vector<std::string>& hosts) {
  std::string narrowest;
  std::size_t size = 0;
  if (hosts.empty()) return narrowest;
  for (const std::string& group : inventory.GroupNames()) {
    if (group == "all" || group == "ungrouped") continue;
    const std::vector<std::string> members = inventory.HostsOf(group);
    const bool all = std::all_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
      return std::find(members.begin(), members.end(), host) != members.end();
    });
    if (!all || (!narrowest.empty() && members.size() >= size)) continue;
    narrowest = group;
    size = members.size();
  }
  return narrowest;
}

std::set<std::string> WithGroupsBelow(const Inventory& inventory, const std::string& group) {
  std::set<std::string> all;
  std::vector<std::string> open = {group};
  while (!open.empty()) {
    const InventoryGroup* found = inventory.FindGroup(open.back());
    open.pop_back();
    if (found == nullptr || !all.insert(found->name).second) continue;
    open.insert(open.end(), found->children.begin(), found->children.end());
  }
  return all;
}

SourceFilePtr FileOfGroup(const Inventory& inventory, const std::string& group) {
  const InventoryGroup* found = inventory.FindGroup(group);
  if (found == nullptr) return nullptr;
  for (auto host = found->hosts.rbegin(); host != found->hosts.rend(); ++host) {
    const InventoryHost* member = inventory.FindHost(*host);
    if (member != nullptr && member->place.file) return member->place.file;
  }
  return found->place.file;
}

}  // namespace drover
