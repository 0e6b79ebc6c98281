// known_hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): which keys a host may show.
//
// Pure: files come as text (see known_hosts_file.h). Plain and hashed names, patterns, [name]:port,
// @revoked. @cert-authority lines are kept out: libssh knows no host certificates.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.h"

namespace drover {

struct KnownHostsLine {
  std::string file;
  int number = 0;
  bool revoked = false;
  std::string hashed_salt;            // not empty: the name is hashed
  std::string hashed_name;            // HMAC-SHA1 of the name under the salt
  std::vector<std::string> patterns;  // lower case
  std::string type;                   // "ssh-ed25519"
  std::string key;                    // base64
};

// Lines that are no known_hosts line are left out, as OpenSSH does.
std::vector<KnownHostsLine> ParseKnownHosts(std::string_view text, const std::string& file);

// "name" for port 22, "[name]:port" otherwise; lower case.
std::string KnownHostsName(std::string_view host, int port);

// The lines that speak of this name.
std::vector<KnownHostsLine> LinesFor(const std::vector<KnownHostsLine>& lines,
                                     const std::string& name);

// The host key algorithms to ask for: those whose key is known come first, so that a host with
// several keys shows the one that can be checked.
std::string PreferredHostKeyAlgorithms(const std::vector<KnownHostsLine>& lines_for_host,
                                       const std::string& configured);

struct ShownKey {
  std::string type;
  std::string key;          // base64
  std::string fingerprint;  // "SHA256:…"
};

enum class HostKeyVerdict { kKnown, kUnknown, kChanged, kRevoked };
struct HostKeyJudgement {
  HostKeyVerdict verdict = HostKeyVerdict::kUnknown;
  std::vector<KnownHostsLine> lines;  // which say so
};
// A key of another type than the known ones counts as changed: whoever stands in between could
// choose the type, too.
HostKeyJudgement JudgeHostKey(const std::vector<KnownHostsLine>& lines_for_host,
                              const ShownKey& shown);

// Where the host is, for messages.
struct HostPlace {
  std::string host;  // inventory name
  std::string name;  // as in known_hosts
  std::string address;
  int port = 22;
  std::string known_hosts_file;  // where a new key would go
  bool direct = true;            // ssh-keyscan gets there under the same name (no proxy, no alias)
};
// kUnreachable, with fingerprint and the commands that help.
Error HostKeyError(const HostKeyJudgement& judgement, const ShownKey& shown,
                   const HostPlace& place);

// One line with its newline; `salt` empty: the name stays readable, otherwise 20 random bytes.
std::string FormatKnownHost(const std::string& name, const ShownKey& shown,
                            const std::string& salt);

}  // namespace drover
