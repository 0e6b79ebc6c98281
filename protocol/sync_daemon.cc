#include "protocol/sync_daemon.h"

#include "protocol/words.h"

namespace drover {

std::string_view ToString(SyncRole role) {
  switch (role) {
    case SyncRole::kMaster:
      return "master";
    case SyncRole::kBackup:
      return "backup";
  }
  return "?";
}

Result<SyncRole> ParseSyncRole(std::string_view word) {
  return ParseOneOf(word, {SyncRole::kMaster, SyncRole::kBackup}, "role of a sync daemon");
}

std::string NameOf(const SyncDaemon& daemon) {
  return "sync daemon " + std::string(ToString(daemon.role));
}

std::string Summary(const SyncDaemon& daemon) {
  std::string text = daemon.interface + " id " + std::to_string(daemon.sync_id) + " group " +
                     Endpoint{daemon.group, daemon.port}.ToString() + " ttl " +
                     std::to_string(daemon.ttl);
  if (daemon.max_length != 0) text += " at most " + std::to_string(daemon.max_length) + " bytes";
  return text;
}

Status ValidateSyncDaemon(const SyncDaemon& daemon) {
  const auto offence = [&](std::string text) {
    return Fail(ErrorCode::kInvalid, NameOf(daemon) + ": " + std::move(text));
  };
  if (const Status name = ValidateInterfaceName(daemon.interface); !name) {
    return offence(name.error().message);
  }
  if (!daemon.group.is_multicast()) {
    return offence(daemon.group.ToString() + " is no multicast group");
  }
  if (daemon.port == 0) return offence("the port must not be 0");
  if (daemon.ttl == 0) return offence("the TTL must not be 0");
  return {};
}

}  // namespace drover
