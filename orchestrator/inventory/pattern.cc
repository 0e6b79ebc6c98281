#include "orchestrator/inventory/pattern.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <regex>
#include <unordered_set>

#include "orchestrator/inventory/host_name.h"
#include "orchestrator/inventory/python_text.h"
#include "orchestrator/source/utf8.h"

namespace drover {
namespace {

// Longer expressions are no names, and the library's matcher recurses.
constexpr std::size_t kMaxPattern = 1000;

using Names = std::vector<std::string>;

// "[n]", "[a:b]", "[a:]" at the end of a pattern; both ends inclusive.
struct Subscript {
  std::int64_t begin = 0;
  std::optional<std::int64_t> end;  // none: a single one
  bool to_the_end = false;
};

std::optional<std::int64_t> Number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Subscript> ReadSubscript(std::string_view inner) {
  Subscript subscript;
  if (const auto single = Number(inner)) {
    subscript.begin = *single;
    return subscript;
  }
  const std::size_t separator = inner.find_first_of(":-");
  if (separator == std::string_view::npos || separator == 0) return std::nullopt;
  const auto begin = Number(inner.substr(0, separator));
  const std::string_view rest = inner.substr(separator + 1);
  if (!begin || rest.starts_with('-')) return std::nullopt;
  subscript.begin = *begin;
  subscript.to_the_end = rest.empty();
  subscript.end = rest.empty() ? 0 : Number(rest);
  return subscript.end ? std::optional(subscript) : std::nullopt;
}

// "web[:2]" and "web[-2:]" are meant as subscripts, but to Ansible they are sets of characters.
bool LooksLikeSubscript(std::string_view pattern) {
  const std::size_t open = pattern.rfind('[');
  if (pattern.starts_with('~') || !pattern.ends_with(']') || open == std::string_view::npos) {
    return false;
  }
  const std::string_view inner = pattern.substr(open + 1, pattern.size() - open - 2);
  return inner.find(':') != std::string_view::npos &&
         inner.find_first_not_of("0123456789-:") == std::string_view::npos;
}

// Takes a subscript off the pattern's end if it has one; never off a regex.
std::optional<Subscript> TakeSubscript(std::string& pattern) {
  if (pattern.starts_with('~') || !pattern.ends_with(']')) return std::nullopt;
  const std::size_t open = pattern.rfind('[');
  if (open == std::string::npos || open == 0) return std::nullopt;
  const auto subscript =
      ReadSubscript(std::string_view(pattern).substr(open + 1, pattern.size() - open - 2));
  if (subscript) pattern.resize(open);
  return subscript;
}

std::vector<char32_t> Characters(std::string_view text) {
  std::vector<char32_t> characters;
  for (std::size_t pos = 0; pos < text.size();) characters.push_back(NextCodePoint(text, pos));
  return characters;
}

// A shell glob as Python's fnmatch reads it, case-sensitive, on the whole name.
class Glob {
 public:
  explicit Glob(std::string_view pattern) : pattern_(Characters(pattern)) {}

  // Goes back to the last star only, which is enough and never exponential.
  [[nodiscard]] bool Matches(std::string_view name) const {
    const std::vector<char32_t> text = Characters(name);
    std::size_t p = 0;
    std::size_t t = 0;
    std::optional<std::size_t> star;
    std::size_t star_text = 0;
    while (t < text.size() || p < pattern_.size()) {
      if (p < pattern_.size() && pattern_[p] == '*') {
        star = p++;
        star_text = t;
        continue;
      }
      std::size_t next = p;
      if (p < pattern_.size() && t < text.size() && MatchesOne(next, text[t])) {
        p = next;
        ++t;
        continue;
      }
      if (!star || star_text >= text.size()) return false;
      t = ++star_text;
      p = *star + 1;
    }
    return true;
  }

 private:
  // Matches one character by the element at `p`, which moves behind the element.
  bool MatchesOne(std::size_t& p, char32_t c) const {
    const char32_t element = pattern_[p++];
    if (element == '?') return true;
    if (element != '[') return element == c;
    std::size_t close = p;
    if (close < pattern_.size() && pattern_[close] == '!') ++close;
    if (close < pattern_.size() && pattern_[close] == ']') ++close;
    while (close < pattern_.size() && pattern_[close] != ']') ++close;
    if (close >= pattern_.size()) return c == '[';
    const bool negated = pattern_[p] == '!';
    bool found = false;
    for (std::size_t i = negated ? p + 1 : p; i < close; ++i) {
      if (i + 2 < close && pattern_[i + 1] == '-') {
        found = found || (c >= pattern_[i] && c <= pattern_[i + 2]);
        i += 2;
      } else {
        found = found || c == pattern_[i];
      }
    }
    p = close + 1;
    return found != negated;
  }

  std::vector<char32_t> pattern_;
};

// A name test: a glob, or behind "~" a regex anchored at the start only.
class Matcher {
 public:
  explicit Matcher(const std::string& pattern) : glob_(pattern) {
    if (!pattern.starts_with('~')) return;
    try {
      regex_.emplace(pattern.substr(1), std::regex::ECMAScript);
    } catch (const std::regex_error&) {
      broken_ = true;
    }
  }
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool Matches(const std::string& name) const {
    if (!regex_) return glob_.Matches(name);
    if (name.size() > kMaxPattern) return false;
    try {
      return std::regex_search(name, *regex_, std::regex_constants::match_continuous);
    } catch (const std::regex_error&) {
      return false;  // too complex for the library
    }
  }
  [[nodiscard]] Names Filter(const Names& names) const {
    Names found;
    for (const std::string& name : names) {
      if (Matches(name)) found.push_back(name);
    }
    return found;
  }

 private:
  Glob glob_;
  std::optional<std::regex> regex_;
  bool broken_ = false;
};

// Names split at ":" outside of brackets, blanks separating too.
Names SplitAtColons(std::string_view pattern) {
  Names parts;
  std::string part;
  const auto flush = [&] {
    if (!part.empty()) parts.push_back(std::move(part));
    part.clear();
  };
  for (std::size_t pos = 0; pos < pattern.size();) {
    const std::size_t close = pattern[pos] == '[' ? pattern.find(']', pos) : std::string_view::npos;
    std::size_t next = pos;
    const char32_t c = NextCodePoint(pattern, next);
    if (close != std::string_view::npos) {
      next = close + 1;
      part += pattern.substr(pos, next - pos);
    } else if (c == ':' || c == '[' || c == ']' || IsPythonSpace(c)) {
      flush();
    } else {
      part += pattern.substr(pos, next - pos);
    }
    pos = next;
  }
  flush();
  return parts;
}

Names SplitPattern(std::string_view pattern) {
  Names parts;
  if (pattern.find(',') != std::string_view::npos) {
    for (std::size_t begin = 0; begin <= pattern.size();) {
      const std::size_t end = std::min(pattern.find(',', begin), pattern.size());
      parts.emplace_back(pattern.substr(begin, end - begin));
      begin = end + 1;
    }
  } else if (ParseAddress(pattern)) {
    parts.emplace_back(pattern);
  } else {
    parts = SplitAtColons(pattern);
  }
  Names trimmed;
  for (const std::string& part : parts) {
    const std::string_view text = PythonStrip(part);
    if (!text.empty()) trimmed.emplace_back(text);
  }
  return trimmed;
}

class Evaluation {
 public:
  Evaluation(const Inventory& inventory, const Place& place)
      : inventory_(inventory), place_(place) {}

  Parsed<Names> Run(std::string_view pattern) {
    if (pattern.size() > kMaxPattern * 100) return Wrong(place_, "the host pattern is too long");
    const Names parts = SplitPattern(pattern);
    if (parts.empty()) {
      return Wrong(place_, "the host pattern is empty", "write \"all\" for every host");
    }
    Names hosts;
    bool positive = false;
    for (const std::string& part : parts) {
      if (part[0] == '!' || part[0] == '&') continue;
      positive = true;
      Unite(hosts, MatchPart(part));
    }
    if (!positive) hosts = inventory_.HostNames();
    // All intersections, then all exclusions, wherever they stand in the pattern.
    for (const char sign : {'&', '!'}) {
      for (const std::string& part : parts) {
        if (part[0] != sign) continue;
        const Names that = MatchPart(part);
        const std::unordered_set<std::string> set(that.begin(), that.end());
        std::erase_if(hosts,
                      [&](const std::string& h) { return set.contains(h) == (sign == '!'); });
      }
    }
    if (!diagnostics_.empty()) return Wrong(std::move(diagnostics_));
    if (hosts.empty()) {
      return Wrong(place_, "the host pattern \"" + std::string(pattern) + "\" matches no host");
    }
    return hosts;
  }

 private:
  static void Unite(Names& hosts, const Names& more) {
    std::unordered_set<std::string> known(hosts.begin(), hosts.end());
    for (const std::string& host : more) {
      if (known.insert(host).second) hosts.push_back(host);
    }
  }

  void Complain(std::string message, std::string hint = "") {
    diagnostics_.push_back({place_, std::move(message), std::move(hint)});
  }

  // Hosts of one part, in Ansible's order and with its duplicates, which subscripts count.
  Names MatchPart(const std::string& part) {
    if (inventory_.FindHost(part) != nullptr) return {part};
    std::string name = part[0] == '!' || part[0] == '&' ? part.substr(1) : part;
    if (name.empty()) {
      Complain("a name is missing behind \"" + part + "\" in the host pattern");
      return {};
    }
    const auto subscript = TakeSubscript(name);
    if (!subscript && LooksLikeSubscript(name)) {
      Complain("\"" + name + "\" ends in no valid subscript",
               "write [0:2] from the front, [-1] for the last one");
      return {};
    }
    const Matcher matcher(name);
    if (matcher.broken() || name.size() > kMaxPattern) {
      Complain("\"" + name + "\" is no valid regular expression");
      return {};
    }
    const Names groups = matcher.Filter(inventory_.GroupNames());
    Names hosts;
    for (const std::string& group : groups) {
      const Names members = inventory_.HostsOf(group);
      hosts.insert(hosts.end(), members.begin(), members.end());
    }
    if (groups.empty() || name[0] == '~' || name.find_first_of(".?*[") != std::string::npos) {
      const Names more = matcher.Filter(inventory_.HostsInOrderOfWriting());
      hosts.insert(hosts.end(), more.begin(), more.end());
    }
    if (hosts.empty() && groups.empty()) {
      ComplainNothing(name);
      return {};
    }
    return subscript && !hosts.empty() ? Cut(hosts, *subscript, part) : hosts;
  }

  void ComplainNothing(const std::string& name) {
    Names candidates = inventory_.GroupNames();
    const Names hosts = inventory_.HostsInOrderOfWriting();
    candidates.insert(candidates.end(), hosts.begin(), hosts.end());
    std::string hint = DidYouMean(name, candidates);
    if (name == "localhost" || name == "127.0.0.1" || name == "::1") {
      hint = "Drover reaches every host over SSH, this one too: add it to the inventory";
    } else if (name.find('[') != std::string::npos && hint.empty()) {
      hint = "brackets select by position here; ranges belong into the inventory";
    }
    Complain("no host or group matches \"" + name + "\"", hint);
  }

  Names Cut(const Names& hosts, const Subscript& subscript, const std::string& part) {
    const auto count = static_cast<std::int64_t>(hosts.size());
    std::int64_t begin = subscript.begin;
    // An end of 0 takes one host, whatever the beginning, as in Ansible.
    const bool single = !subscript.end || (*subscript.end == 0 && !subscript.to_the_end);
    if (begin < 0) begin += count;
    std::int64_t end = single ? begin : *subscript.end;
    if (subscript.to_the_end) end = count - 1;
    if (!single) end = std::min(end, count - 1);
    if (begin < 0 || begin >= count || end < begin) {
      Complain("\"" + part + "\" selects nothing: there are " + std::to_string(count) +
                   " hosts to count",
               "the first is [0], ranges include both ends");
      return {};
    }
    return {hosts.begin() + begin, hosts.begin() + end + 1};
  }

  const Inventory& inventory_;
  const Place& place_;
  Diagnostics diagnostics_;
};

}  // namespace

Parsed<std::vector<std::string>> SelectHosts(const Inventory& inventory, std::string_view pattern,
                                             const Place& place) {
  return Evaluation(inventory, place).Run(pattern);
}

Parsed<std::vector<std::string>> ApplyLimit(const Inventory& inventory,
                                            const std::vector<std::string>& hosts,
                                            std::string_view limit) {
  const Place command_line;
  auto selected = Evaluation(inventory, command_line).Run(limit);
  if (!selected) {
    for (Diagnostic& diagnostic : selected.error()) {
      diagnostic.message = "--limit: " + diagnostic.message;
    }
    return selected;
  }
  const std::unordered_set<std::string> allowed(selected->begin(), selected->end());
  Names kept;
  for (const std::string& host : hosts) {
    if (allowed.contains(host)) kept.push_back(host);
  }
  return kept;
}

}  // namespace drover
