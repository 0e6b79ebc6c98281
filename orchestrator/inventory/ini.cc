// The INI inventory, line by line: sections, host lines with shell quoting, variables as Python
// literals. Where Ansible guesses or gives up half-way, all errors of the file are reported.
#include <map>
#include <optional>

#include "orchestrator/inventory/builder.h"
#include "orchestrator/inventory/literal.h"
#include "orchestrator/inventory/python_text.h"
#include "orchestrator/source/utf8.h"

namespace drover {
namespace {

enum class Section { kHosts, kChildren, kVars, kUnknown };

struct Header {
  std::string group;
  std::string tag;  // "hosts" when it has none
};

// The length of a run of characters that a group's name may have.
std::size_t GroupNameLength(std::string_view text) {
  std::size_t pos = 0;
  while (pos < text.size()) {
    std::size_t next = pos;
    const char32_t c = NextCodePoint(text, next);
    if (c == ':' || c == ']' || IsPythonSpace(c)) break;
    pos = next;
  }
  return pos;
}

// Blanks and a comment, nothing else.
bool IsTail(std::string_view text) {
  const std::string_view rest = PythonStrip(text);
  return rest.empty() || rest[0] == '#';
}

std::optional<Header> ReadHeader(std::string_view line) {
  if (!line.starts_with('[')) return std::nullopt;
  line.remove_prefix(1);
  const std::size_t length = GroupNameLength(line);
  if (length == 0) return std::nullopt;
  Header header{std::string(line.substr(0, length)), "hosts"};
  line.remove_prefix(length);
  if (line.starts_with(':')) {
    line.remove_prefix(1);
    std::size_t end = 0;
    while (end < line.size()) {
      std::size_t next = end;
      if (!IsWordCharacter(NextCodePoint(line, next))) break;
      end = next;
    }
    if (end == 0) return std::nullopt;
    header.tag = line.substr(0, end);
    line.remove_prefix(end);
  }
  if (!line.starts_with(']') || !IsTail(line.substr(1))) return std::nullopt;
  return header;
}

class Reader {
 public:
  Reader(const SourceFilePtr& file, InventoryBuilder& builder)
      : file_(file), text_(file->text), lines_(file), builder_(builder) {}

  void ReadAll() {
    for (const std::string_view raw : PythonLines(text_)) {
      line_ = PythonStrip(raw);
      if (line_.empty() || line_[0] == '#' || line_[0] == ';') continue;
      if (const auto header = ReadHeader(line_)) {
        Begin(*header);
      } else if (LooksLikeHeader()) {
        Complain(0, "this is no section header",
                 "headers are [group], [group:children] or [group:vars], without blanks; only # "
                 "begins a comment behind one");
      } else {
        ReadLine();
      }
    }
    ComplainAboutUndeclared();
  }

 private:
  [[nodiscard]] Place At(std::size_t offset) const {
    return lines_.At(static_cast<std::size_t>(line_.data() - text_.data()) + offset);
  }
  void Complain(std::size_t offset, std::string message, std::string hint = "") {
    builder_.Complain(At(offset), std::move(message), std::move(hint));
  }

  // A host line may begin with a bracket too: "[1:3].web".
  [[nodiscard]] bool LooksLikeHeader() const {
    if (!line_.starts_with('[')) return false;
    if (line_.ends_with(']') || section_ == Section::kVars) return true;
    const std::size_t close = line_.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view tail = PythonStrip(line_.substr(close + 1));
    return tail.starts_with(';') && ReadHeader(line_.substr(0, close + 1)).has_value();
  }

  void Begin(const Header& header) {
    group_ = header.group;
    const bool known = builder_.inventory().FindGroup(group_) != nullptr;
    if (header.tag == "hosts") {
      section_ = Section::kHosts;
    } else if (header.tag == "children") {
      section_ = Section::kChildren;
    } else if (header.tag == "vars") {
      section_ = Section::kVars;
    } else {
      // What its lines mean nobody knows, so they are passed over.
      section_ = Section::kUnknown;
      Complain(0, "there is no section type \"" + header.tag + "\"",
               DidYouMean(header.tag, {"hosts", "children", "vars"}));
      return;
    }
    if (section_ == Section::kVars) {
      if (!known && !waiting_.contains(group_)) vars_of_.try_emplace(group_, At(1));
      // Its variables need a place to go to until the end of the file tells whether it exists.
      builder_.Group(group_, At(1));
      return;
    }
    vars_of_.erase(group_);
    builder_.Group(group_, At(1));
    const auto waiting = waiting_.find(group_);
    if (waiting == waiting_.end()) return;
    const std::vector<Waiting> parents = std::move(waiting->second);
    waiting_.erase(waiting);
    for (const Waiting& parent : parents) builder_.Child(parent.group, group_, parent.place);
  }

  void ReadLine() {
    switch (section_) {
      case Section::kHosts:
        ReadHostLine();
        return;
      case Section::kChildren:
        ReadChildLine();
        return;
      case Section::kVars:
        ReadVarLine();
        return;
      case Section::kUnknown:
        return;
    }
  }

  void ReadHostLine() {
    const ShellWords words = SplitShellWords(line_);
    if (!words.problem.empty()) {
      Complain(words.problem_offset, words.problem);
      return;
    }
    if (words.words.empty()) return;
    const ShellWord& host = words.words.front();
    if (!CheckHostWord(host)) return;
    std::vector<InventoryVar> vars;
    for (std::size_t i = 1; i < words.words.size(); ++i) {
      const ShellWord& word = words.words[i];
      const std::size_t equals = word.text.find('=');
      if (equals == std::string::npos || equals == 0) {
        Complain(word.offset, "expected name=value here, not \"" + word.text + "\"",
                 equals == 0 || i + 1 < words.words.size()
                     ? "write it without blanks around \"=\", and put values with blanks in quotes"
                     : "a host line is one host and its variables");
        return;
      }
      vars.push_back({word.text.substr(0, equals),
                      Literal(word.text.substr(equals + 1), word.offset), At(word.offset)});
    }
    builder_.Hosts(host.text, group_, At(host.offset), vars);
  }

  bool CheckHostWord(const ShellWord& host) {
    if (host.text == "---") {
      Complain(0, "\"---\" begins a YAML file, but this is read as INI",
               "name the file .yml, or fix its YAML");
      return false;
    }
    if (host.text.ends_with(':')) {
      Complain(0, "a host name cannot end in \":\"",
               "a port follows the colon; is this meant to be YAML?");
      return false;
    }
    return true;
  }

  void ReadChildLine() {
    const std::size_t length = GroupNameLength(line_);
    if (length == 0 || !IsTail(line_.substr(length))) {
      Complain(length, "expected one group name on this line");
      return;
    }
    const std::string child(line_.substr(0, length));
    // One that only [x:vars] spoke of so far is complained about at the end, if need be.
    if (builder_.inventory().FindGroup(child) != nullptr) {
      builder_.Child(group_, child, At(0));
    } else {
      waiting_[child].push_back({group_, At(0)});
    }
  }

  void ReadVarLine() {
    const std::size_t equals = line_.find('=');
    if (equals == std::string_view::npos) {
      Complain(0, "expected name=value here");
      return;
    }
    const std::string name(PythonStrip(line_.substr(0, equals)));
    if (name.empty()) {
      Complain(0, "a variable needs a name in front of the \"=\"");
      return;
    }
    const std::string_view value = PythonStrip(line_.substr(equals + 1));
    const auto offset = static_cast<std::size_t>(value.data() - line_.data());
    builder_.GroupVar(group_, {name, Literal(value, offset), At(offset)});
  }

  Value Literal(std::string_view text, std::size_t offset) {
    LiteralReading reading = ReadLiteral(text);
    if (!reading.problem.empty()) {
      Complain(offset, reading.problem, "put it in quotes twice if it is text: \"'…'\"");
    }
    return std::move(reading.value);
  }

  void ComplainAboutUndeclared() {
    std::vector<std::string> names;
    for (const std::string& name : builder_.inventory().GroupNames()) {
      if (!vars_of_.contains(name)) names.push_back(name);
    }
    for (const auto& [name, place] : vars_of_) {
      builder_.Complain(place, "[" + name + ":vars] is for a group that is declared nowhere",
                        Suggest(name, names));
    }
    for (const auto& [name, parents] : waiting_) {
      for (const Waiting& parent : parents) {
        builder_.Complain(parent.place,
                          "[" + parent.group + ":children] names the group \"" + name +
                              "\", which is declared nowhere",
                          Suggest(name, names));
      }
    }
  }

  static std::string Suggest(const std::string& name, const std::vector<std::string>& names) {
    const std::string nearest = Nearest(name, names);
    if (!nearest.empty()) return "did you mean \"" + nearest + "\"?";
    return "declare it with [" + name + "], even if it is empty";
  }

  struct Waiting {
    std::string group;
    Place place;
  };

  SourceFilePtr file_;
  std::string_view text_;
  LineIndex lines_;
  InventoryBuilder& builder_;
  std::string_view line_;
  std::string group_ = "ungrouped";
  Section section_ = Section::kHosts;
  std::map<std::string, Place> vars_of_;                 // [x:vars] before any declaration of x
  std::map<std::string, std::vector<Waiting>> waiting_;  // children before their declaration
};

}  // namespace

void ReadIniInventory(const SourceFilePtr& file, InventoryBuilder& builder) {
  Reader(file, builder).ReadAll();
}

}  // namespace drover
