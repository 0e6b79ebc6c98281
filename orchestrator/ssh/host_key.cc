#include "orchestrator/ssh/host_key.h"

#include <libssh/libssh.h>

#include "orchestrator/ssh/digest.h"
#include "orchestrator/ssh/known_hosts_file.h"

namespace drover {
namespace {

// The key names its own type in its first field (RFC 4253, 6.6).
std::string TypeOf(std::string_view blob) {
  if (blob.size() < 4) return {};
  std::size_t size = 0;
  for (int i = 0; i < 4; ++i)
    size = size << 8 | static_cast<unsigned char>(blob[static_cast<std::size_t>(i)]);
  return std::string(blob.substr(4, size));
}

}  // namespace

Result<ShownKey> KeyOf(ssh_session_struct* session) {
  ssh_key key = nullptr;
  char* text = nullptr;
  if (ssh_get_server_publickey(session, &key) != SSH_OK) {
    return Fail(ErrorCode::kUnreachable, "the server showed no host key");
  }
  const int exported = ssh_pki_export_pubkey_base64(key, &text);
  ssh_key_free(key);
  if (exported != SSH_OK) return Fail(ErrorCode::kUnreachable, "the host key cannot be read");
  ShownKey shown;
  shown.key = text;
  ssh_string_free_char(text);
  const std::string blob = FromBase64(shown.key).value_or("");
  shown.type = TypeOf(blob);
  shown.fingerprint = Fingerprint(blob);
  return shown;
}

Status CheckHostKey(ssh_session_struct* session, const HostKeyOptions& options) {
  const Result<ShownKey> shown = KeyOf(session);
  if (!shown) return Fail(shown.error().In(options.place.host));
  const HostKeyJudgement judgement = JudgeHostKey(options.known, *shown);
  if (judgement.verdict == HostKeyVerdict::kKnown) return {};
  if (judgement.verdict != HostKeyVerdict::kUnknown || !options.accept_new) {
    return Fail(HostKeyError(judgement, *shown, options.place));
  }
  const auto added =
      AddKnownHost(options.place.known_hosts_file, options.place.name, *shown, options.hash_names);
  if (!added) return Fail(ErrorCode::kUnreachable, added.error().message);
  if (*added) {
    options.trace(1, "accepted its new host key: " + shown->type + " " + shown->fingerprint +
                         ", written to " + options.place.known_hosts_file);
  }
  return {};
}

}  // namespace drover
