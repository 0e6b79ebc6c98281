#include "orchestrator/ssh/ssh_config.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

namespace drover {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return lower;
}

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f'; }

std::vector<std::string> SplitCommas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

// Words with double quotes; a word that begins with '#' ends the line.
std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  std::size_t i = 0;
  while (i < text.size()) {
    if (IsBlank(text[i])) {
      ++i;
      continue;
    }
    if (text[i] == '#') break;
    std::string word;
    bool quoted = false;
    for (; i < text.size() && (quoted || !IsBlank(text[i])); ++i) {
      if (text[i] == '"') {
        quoted = !quoted;
      } else {
        word += text[i];
      }
    }
    words.push_back(std::move(word));
  }
  return words;
}

std::optional<ConfigLine> ParseLine(std::string_view line) {
  while (!line.empty() && IsBlank(line.front())) line.remove_prefix(1);
  while (!line.empty() && IsBlank(line.back())) line.remove_suffix(1);
  if (line.empty() || line.front() == '#') return std::nullopt;
  const std::size_t end = std::min(line.find_first_of(" \t="), line.size());
  ConfigLine parsed;
  parsed.keyword = Lower(line.substr(0, end));
  line.remove_prefix(end);
  // One '=' may stand between keyword and value.
  bool equals = false;
  while (!line.empty() && (IsBlank(line.front()) || (line.front() == '=' && !equals))) {
    equals = equals || line.front() == '=';
    line.remove_prefix(1);
  }
  parsed.rest = line;
  parsed.arguments = Words(line);
  return parsed;
}

using Tokens = std::map<char, std::string>;

std::string ExpandTokens(std::string_view text, const Tokens& tokens) {
  std::string expanded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto token =
        text[i] == '%' && i + 1 < text.size() ? tokens.find(text[i + 1]) : tokens.end();
    if (token == tokens.end()) {
      expanded += text[i];
      continue;
    }
    expanded += token->second;
    ++i;
  }
  return expanded;
}

// "${NAME}" in paths; an unset variable leaves the text as it is.
std::string ExpandEnvironment(const std::string& text) {
  std::string expanded;
  std::size_t at = 0;
  while (true) {
    const std::size_t open = text.find("${", at);
    const std::size_t close = open == std::string::npos ? open : text.find('}', open);
    if (close == std::string::npos) return expanded + text.substr(at);
    const char* value = std::getenv(text.substr(open + 2, close - open - 2).c_str());
    expanded += text.substr(at, open - at);
    expanded += value != nullptr ? std::string(value) : text.substr(open, close + 1 - open);
    at = close + 1;
  }
}

// Takes the port off "user@host:port", "user@[::1]:port", and the brackets with it.
std::string CutPort(std::string& jump) {
  std::string port;
  const std::size_t colon = jump.rfind(':');
  if (colon != std::string::npos && colon > 0 &&
      (jump[colon - 1] == ']' || jump.find(':') == colon)) {
    port = jump.substr(colon + 1);
    jump.erase(colon);
  }
  std::erase_if(jump, [](char c) { return c == '[' || c == ']'; });
  return port;
}

// Directives that change nothing for a session without terminal, forwarding or sharing: not worth a
// note.
const std::set<std::string, std::less<>>& Harmless() {
  static const std::set<std::string, std::less<>> kHarmless = {"sendenv",
                                                               "setenv",
                                                               "loglevel",
                                                               "visualhostkey",
                                                               "escapechar",
                                                               "requesttty",
                                                               "tcpkeepalive",
                                                               "serveralivecountmax",
                                                               "serveraliveinterval",
                                                               "compression",
                                                               "addkeystoagent",
                                                               "connectionattempts",
                                                               "gssapiauthentication",
                                                               "gssapidelegatecredentials",
                                                               "checkhostip",
                                                               "batchmode",
                                                               "updatehostkeys",
                                                               "ipqos",
                                                               "usekeychain",
                                                               "numberofpasswordprompts"};
  return kHarmless;
}

// Collects the first value of every directive.
class Resolver {
 public:
  explicit Resolver(const ConfigQuery& query) : query_(query) {}

  void Take(const ConfigLine& line) {
    if (line.kind == ConfigLine::Kind::kOpen) {
      outer_.push_back(active_);
    } else if (line.kind == ConfigLine::Kind::kClose) {
      active_ = outer_.back();
      outer_.pop_back();
    } else if (line.keyword == "host") {
      active_ = Enclosing() && MatchesPatterns(query_.host, line.arguments);
    } else if (line.keyword == "match") {
      active_ = Enclosing() && Matches(line);
    } else if (active_) {
      Directive(line);
    }
  }

  SshSettings Finish();

 private:
  [[nodiscard]] bool Enclosing() const { return outer_.empty() || outer_.back(); }
  [[nodiscard]] std::string HostName() const {
    const auto found = first_.find("hostname");
    if (found == first_.end()) return query_.host;
    return ExpandTokens(found->second, {{'h', query_.host}, {'n', query_.host}, {'%', "%"}});
  }
  [[nodiscard]] std::string User() const {
    if (!query_.user.empty()) return query_.user;
    const auto found = first_.find("user");
    return found == first_.end() ? query_.local_user : found->second;
  }
  bool Matches(const ConfigLine& line);
  void Directive(const ConfigLine& line);
  [[nodiscard]] std::string First(const std::string& keyword) const {
    const auto found = first_.find(keyword);
    return found == first_.end() ? std::string() : found->second;
  }
  [[nodiscard]] bool Yes(const std::string& keyword, bool otherwise) const {
    const std::string value = Lower(First(keyword));
    if (value.empty()) return otherwise;
    return value == "yes" || value == "true";
  }
  [[nodiscard]] std::vector<std::string> Paths(const std::vector<std::string>& raw,
                                               const Tokens& tokens) const;
  [[nodiscard]] std::string ProxyCommand(const Tokens& tokens) const;

  const ConfigQuery& query_;
  bool active_ = true;
  std::vector<bool> outer_;
  std::map<std::string, std::string> first_;
  std::map<std::string, std::vector<std::string>> lists_;
  std::vector<std::string> identity_files_;
  std::vector<std::string> notes_;
};

bool Resolver::Matches(const ConfigLine& line) {
  for (std::size_t i = 0; i < line.arguments.size(); ++i) {
    std::string criterion = Lower(line.arguments[i]);
    const bool negated = criterion.starts_with('!');
    if (negated) criterion.erase(0, 1);
    if (criterion == "all") continue;
    std::string subject;
    if (criterion == "host") {
      subject = HostName();
    } else if (criterion == "originalhost") {
      subject = query_.host;
    } else if (criterion == "user") {
      subject = User();
    } else if (criterion == "localuser") {
      subject = query_.local_user;
    } else {
      notes_.push_back(line.place + ": Match " + criterion +
                       " is not supported, the block is left out");
      return false;
    }
    if (++i == line.arguments.size()) return false;
    if (MatchesPatterns(subject, SplitCommas(line.arguments[i])) == negated) return false;
  }
  return true;
}

void Resolver::Directive(const ConfigLine& line) {
  static const std::set<std::string, std::less<>> kValues = {"hostname",
                                                             "port",
                                                             "user",
                                                             "identitiesonly",
                                                             "identityagent",
                                                             "hostkeyalias",
                                                             "hashknownhosts",
                                                             "stricthostkeychecking",
                                                             "addressfamily",
                                                             "bindaddress",
                                                             "ciphers",
                                                             "macs",
                                                             "kexalgorithms",
                                                             "hostkeyalgorithms",
                                                             "pubkeyacceptedalgorithms",
                                                             "pubkeyauthentication",
                                                             "passwordauthentication",
                                                             "kbdinteractiveauthentication",
                                                             "proxyjump"};
  static const std::map<std::string, std::string, std::less<>> kAliases = {
      {"pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"},
      {"challengeresponseauthentication", "kbdinteractiveauthentication"}};
  const auto alias = kAliases.find(line.keyword);
  const std::string& keyword = alias == kAliases.end() ? line.keyword : alias->second;
  if (line.arguments.empty()) {
    notes_.push_back(line.place + ": " + line.keyword + " has no value");
  } else if (keyword == "identityfile") {
    identity_files_.push_back(line.arguments.front());
  } else if (keyword == "userknownhostsfile" || keyword == "globalknownhostsfile") {
    lists_.emplace(keyword, line.arguments);
  } else if (keyword == "proxycommand") {
    if (!first_.contains("proxyjump")) first_.emplace(keyword, line.rest);
  } else if (keyword == "proxyjump") {
    if (!first_.contains("proxycommand")) first_.emplace(keyword, line.arguments.front());
  } else if (kValues.contains(keyword)) {
    first_.emplace(keyword, line.arguments.front());
  } else if (!Harmless().contains(keyword)) {
    notes_.push_back(line.place + ": " + line.keyword + " is not used");
  }
}

std::vector<std::string> Resolver::Paths(const std::vector<std::string>& raw,
                                         const Tokens& tokens) const {
  std::vector<std::string> paths;
  for (const std::string& path : raw) {
    if (Lower(path) == "none") return {};
    paths.push_back(ExpandTilde(ExpandEnvironment(ExpandTokens(path, tokens)), query_.home));
  }
  return paths;
}

std::string Resolver::ProxyCommand(const Tokens& tokens) const {
  const std::string command = First("proxycommand");
  if (!command.empty()) return Lower(command) == "none" ? "" : ExpandTokens(command, tokens);
  std::string jump = First("proxyjump");
  if (jump.empty() || Lower(jump) == "none") return {};
  // As ssh does it: the last hop opens the connection, the ones before it are its own jumps.
  std::string before;
  const std::size_t comma = jump.rfind(',');
  if (comma != std::string::npos) {
    before = " -J " + jump.substr(0, comma);
    jump.erase(0, comma + 1);
  }
  if (jump.starts_with("ssh://")) jump.erase(0, 6);
  const std::string port = CutPort(jump);
  if (!port.empty()) before += " -p " + port;
  return ExpandTokens("ssh -o BatchMode=yes" + before + " -W [%h]:%p -- " + jump, tokens);
}

SshSettings Resolver::Finish() {
  SshSettings settings;
  settings.host_name = HostName();
  settings.user = User();
  const std::string port = First("port");
  if (query_.port) {
    settings.port = *query_.port;
  } else if (!port.empty()) {
    std::from_chars(port.data(), port.data() + port.size(), settings.port);
  }
  settings.host_key_alias = First("hostkeyalias");
  const Tokens tokens = {
      {'h', settings.host_name},
      {'n', query_.host},
      {'p', std::to_string(settings.port)},
      {'r', settings.user},
      {'u', query_.local_user},
      {'d', query_.home},
      {'k', settings.host_key_alias.empty() ? query_.host : settings.host_key_alias},
      {'%', "%"}};
  settings.identity_files = Paths(identity_files_, tokens);
  settings.identities_only = Yes("identitiesonly", false);
  settings.identity_agent = First("identityagent");
  if (!settings.identity_agent.empty() && Lower(settings.identity_agent) != "none") {
    const std::vector<std::string> agent = Paths({settings.identity_agent}, tokens);
    settings.identity_agent = agent.front() == "SSH_AUTH_SOCK" ? "" : agent.front();
  }
  const auto paths = [&](const char* keyword, std::vector<std::string> otherwise) {
    const auto found = lists_.find(keyword);
    return found == lists_.end() ? otherwise : Paths(found->second, tokens);
  };
  settings.user_known_hosts = paths("userknownhostsfile", {query_.home + "/.ssh/known_hosts",
                                                           query_.home + "/.ssh/known_hosts2"});
  settings.global_known_hosts =
      paths("globalknownhostsfile", {"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"});
  settings.hash_known_hosts = Yes("hashknownhosts", false);
  settings.strict_host_key_checking = Lower(First("stricthostkeychecking"));
  settings.proxy_command = ProxyCommand(tokens);
  settings.address_family = Lower(First("addressfamily"));
  settings.bind_address = First("bindaddress");
  settings.ciphers = First("ciphers");
  settings.macs = First("macs");
  settings.kex_algorithms = First("kexalgorithms");
  settings.host_key_algorithms = First("hostkeyalgorithms");
  settings.public_key_algorithms = First("pubkeyacceptedalgorithms");
  settings.public_key_authentication = Yes("pubkeyauthentication", true);
  settings.password_authentication = Yes("passwordauthentication", true);
  settings.keyboard_interactive_authentication = Yes("kbdinteractiveauthentication", true);
  settings.notes = std::move(notes_);
  return settings;
}

}  // namespace

std::vector<ConfigLine> ParseSshConfig(std::string_view text, const std::string& path) {
  std::vector<ConfigLine> lines;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    std::optional<ConfigLine> line = ParseLine(text.substr(0, newline));
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (!line) continue;
    line->place = path + ":" + std::to_string(number);
    lines.push_back(*std::move(line));
  }
  return lines;
}

SshSettings ResolveSshConfig(const std::vector<ConfigLine>& lines, const ConfigQuery& query) {
  Resolver resolver(query);
  for (const ConfigLine& line : lines) resolver.Take(line);
  return resolver.Finish();
}

bool MatchesPattern(std::string_view text, std::string_view pattern) {
  // The last '*' may take one more character whenever what follows it fails.
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool MatchesPatterns(std::string_view text, const std::vector<std::string>& patterns) {
  bool found = false;
  for (const std::string& pattern : patterns) {
    const bool negated = pattern.starts_with('!');
    if (!MatchesPattern(text, std::string_view(pattern).substr(negated ? 1 : 0))) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

std::string ExpandTilde(std::string_view path, const std::string& home) {
  if (path == "~") return home;
  if (path.starts_with("~/")) return home + std::string(path.substr(1));
  return std::string(path);
}

}  // namespace drover
