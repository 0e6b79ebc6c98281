#include "orchestrator/ssh/known_hosts.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "orchestrator/ssh/digest.h"
#include "orchestrator/ssh/ssh_config.h"

namespace drover {
namespace {

// Ours when the user configured nothing; the order decides for hosts that are not known yet.
constexpr std::string_view kDefaultAlgorithms =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,"
    "rsa-sha2-256";

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view TakeWord(std::string_view& line) {
  const std::size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
  line.remove_prefix(begin);
  const std::size_t end = std::min(line.find_first_of(" \t\r"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// "|1|salt|hash"
bool ParseHashed(std::string_view names, KnownHostsLine& line) {
  const std::vector<std::string> parts = Split(names, '|');
  if (parts.size() != 3 || parts[0] != "1") return false;
  const std::optional<std::string> salt = FromBase64(parts[1]);
  const std::optional<std::string> name = FromBase64(parts[2]);
  if (!salt || !name) return false;
  line.hashed_salt = *salt;
  line.hashed_name = *name;
  return true;
}

std::optional<KnownHostsLine> ParseLine(std::string_view text) {
  KnownHostsLine line;
  std::string_view names = TakeWord(text);
  if (names.empty() || names.front() == '#') return std::nullopt;
  if (names.front() == '@') {
    if (names != "@revoked") return std::nullopt;
    line.revoked = true;
    names = TakeWord(text);
  }
  line.type = TakeWord(text);
  line.key = TakeWord(text);
  if (line.key.empty() || !FromBase64(line.key)) return std::nullopt;
  if (names.front() == '|') return ParseHashed(names, line) ? std::optional(line) : std::nullopt;
  line.patterns = Split(Lower(names), ',');
  return line;
}

bool SpeaksOf(const KnownHostsLine& line, const std::string& name) {
  if (!line.hashed_salt.empty()) return HmacSha1(line.hashed_salt, name) == line.hashed_name;
  return MatchesPatterns(name, line.patterns);
}

bool UsesKeyType(std::string_view algorithm, std::string_view type) {
  return algorithm == type || (type == "ssh-rsa" && algorithm.starts_with("rsa-sha2-"));
}

std::string Place(const KnownHostsLine& line) {
  return line.file + ":" + std::to_string(line.number);
}

// "ed25519" from "ssh-ed25519", as ssh-keyscan -t wants it.
std::string ShortType(const std::string& type) {
  for (const std::string_view word : {"ed25519", "ecdsa", "rsa", "dsa"}) {
    if (type.find(word) != std::string::npos) return std::string(word);
  }
  return type;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) joined += (joined.empty() ? "" : ",") + part;
  return joined;
}

}  // namespace

std::vector<KnownHostsLine> ParseKnownHosts(std::string_view text, const std::string& file) {
  std::vector<KnownHostsLine> lines;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    std::optional<KnownHostsLine> line = ParseLine(text.substr(0, newline));
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (!line) continue;
    line->file = file;
    line->number = number;
    lines.push_back(*std::move(line));
  }
  return lines;
}

std::string KnownHostsName(std::string_view host, int port) {
  if (port == 22) return Lower(host);
  return "[" + Lower(host) + "]:" + std::to_string(port);
}

std::vector<KnownHostsLine> LinesFor(const std::vector<KnownHostsLine>& lines,
                                     const std::string& name) {
  std::vector<KnownHostsLine> found;
  for (const KnownHostsLine& line : lines) {
    if (SpeaksOf(line, name)) found.push_back(line);
  }
  return found;
}

std::string PreferredHostKeyAlgorithms(const std::vector<KnownHostsLine>& lines_for_host,
                                       const std::string& configured) {
  const bool own = configured.empty() || configured.find_first_of("+-^*?") == 0;
  std::vector<std::string> algorithms = Split(own ? kDefaultAlgorithms : configured, ',');
  std::ranges::stable_partition(algorithms, [&](const std::string& algorithm) {
    return std::ranges::any_of(lines_for_host, [&](const KnownHostsLine& line) {
      return !line.revoked && UsesKeyType(algorithm, line.type);
    });
  });
  return Join(algorithms);
}

HostKeyJudgement JudgeHostKey(const std::vector<KnownHostsLine>& lines_for_host,
                              const ShownKey& shown) {
  HostKeyJudgement judgement;
  std::vector<KnownHostsLine> others;
  bool known = false;
  for (const KnownHostsLine& line : lines_for_host) {
    if (line.key != shown.key) {
      if (!line.revoked) others.push_back(line);
    } else if (line.revoked) {
      return {HostKeyVerdict::kRevoked, {line}};
    } else {
      known = true;
    }
  }
  if (known) return {HostKeyVerdict::kKnown, {}};
  if (!others.empty()) return {HostKeyVerdict::kChanged, std::move(others)};
  return judgement;
}

Error HostKeyError(const HostKeyJudgement& judgement, const ShownKey& shown,
                   const HostPlace& place) {
  const std::string key = ShortType(shown.type) + " key " + shown.fingerprint;
  if (judgement.verdict == HostKeyVerdict::kUnknown) {
    std::string accept = "drover … --accept-new-host-keys";
    if (place.direct) {
      accept = "ssh-keyscan -p " + std::to_string(place.port) + " -t " + ShortType(shown.type) +
               " " + place.address + " >> " + place.known_hosts_file + ", or run " + accept;
    }
    return {ErrorCode::kUnreachable,
            "host key of " + place.host + " (" + place.name + ") is not known: " + key +
                "; compare the fingerprint with the host's own, then accept it: " + accept};
  }
  const KnownHostsLine& line = judgement.lines.front();
  if (judgement.verdict == HostKeyVerdict::kRevoked) {
    return {ErrorCode::kUnreachable, "host key of " + place.host + " (" + place.name +
                                         ") is revoked by " + Place(line) + ": " + key};
  }
  std::string places;
  for (const KnownHostsLine& other : judgement.lines) {
    places += (places.empty() ? "" : ", ") + Place(other) + " (" + ShortType(other.type) + ")";
  }
  return {ErrorCode::kUnreachable,
          "HOST KEY OF " + place.host + " (" + place.name + ") HAS CHANGED: it shows " + key +
              ", but known is " + places +
              "; somebody may be listening in. If the change is yours: ssh-keygen -f " + line.file +
              " -R \"" + place.name + "\""};
}

std::string FormatKnownHost(const std::string& name, const ShownKey& shown,
                            const std::string& salt) {
  const std::string written =
      salt.empty() ? name : "|1|" + Base64(salt) + "|" + Base64(HmacSha1(salt, name));
  return written + " " + shown.type + " " + shown.key + "\n";
}

}  // namespace drover
