// ssh_config(5): what ~/.ssh/config says about one host. Read by us and not by libssh, because
// libssh hides IdentityFile, IdentitiesOnly and known_hosts files from its caller and would read
// the file anew for each of a thousand hosts.
//
// Pure: files come as text (see ssh_config_file.h). Understood: Host, Match (all, host,
// originalhost, user, localuser), Include and the directives named in SshSettings. Everything else
// is named in `notes`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

// One line of a configuration. Included files stand between kOpen and kClose.
struct ConfigLine {
  enum class Kind { kDirective, kOpen, kClose } kind = Kind::kDirective;
  std::string keyword;  // lower case
  std::vector<std::string> arguments;
  std::string place;  // "file:line"
  std::string rest;   // the arguments as written, for commands

  bool operator==(const ConfigLine&) const = default;
};

// For whom the configuration is asked; explicit values win over those of the file.
struct ConfigQuery {
  std::string host;  // as the inventory names the address
  std::optional<int> port;
  std::string user;  // empty: not given
  std::string local_user;
  std::string home;
};

struct SshSettings {
  std::string host_name;  // where to connect to
  int port = 22;
  std::string user;
  std::vector<std::string> identity_files;  // of the file alone, no defaults
  bool identities_only = false;
  std::string identity_agent;  // socket; empty: SSH_AUTH_SOCK; "none"
  std::vector<std::string> user_known_hosts;
  std::vector<std::string> global_known_hosts;
  std::string host_key_alias;
  bool hash_known_hosts = false;
  std::string strict_host_key_checking;  // as written; empty: not given
  std::string proxy_command;             // tokens expanded; ProxyJump became one
  std::string address_family;            // "any", "inet", "inet6"
  std::string bind_address;
  std::string ciphers, macs, kex_algorithms, host_key_algorithms, public_key_algorithms;
  bool public_key_authentication = true;
  bool password_authentication = true;
  bool keyboard_interactive_authentication = true;
  std::vector<std::string> notes;  // "file:line: ControlMaster is not used"

  bool operator==(const SshSettings&) const = default;
};

// The lines of one file, without its includes followed.
std::vector<ConfigLine> ParseSshConfig(std::string_view text, const std::string& path);

// `lines`: the user's file, then the system's. The first value of a directive wins.
SshSettings ResolveSshConfig(const std::vector<ConfigLine>& lines, const ConfigQuery& query);

// Wildcards * and ?, as in Host lines.
bool MatchesPattern(std::string_view text, std::string_view pattern);
// A list of patterns as in Host and known_hosts: one must match, and none with '!' in front may.
bool MatchesPatterns(std::string_view text, const std::vector<std::string>& patterns);
// "~/x" and "~" with the home folder in place of the tilde.
std::string ExpandTilde(std::string_view path, const std::string& home);

}  // namespace drover
