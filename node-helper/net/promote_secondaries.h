// Keeps the other addresses of a network while one of them is removed from an interface.
//
// One thread at a time.
#pragma once

#include <optional>
#include <string>

#include "node-helper/net/sysctl_files.h"
#include "protocol/result.h"

namespace drover {

// Holds net.ipv4.conf.<interface>.promote_secondaries at 1 for a moment. Should we die in between
// it stays at 1, which loses nothing.
class PromoteSecondaries {
 public:
  PromoteSecondaries(const SysctlFiles& files, const std::string& interface)
      : files_(files), key_("net/ipv4/conf/" + interface + "/promote_secondaries") {}
  ~PromoteSecondaries() {
    if (before_) (void)files_.Write(Sysctl{key_, *before_});
  }
  PromoteSecondaries(const PromoteSecondaries&) = delete;
  PromoteSecondaries& operator=(const PromoteSecondaries&) = delete;

  Status Hold() {
    const auto value = files_.Read(key_);
    if (!value) return Fail(value.error());
    if (value->value_or("0") == "1") return {};
    if (const Status set = files_.Write(Sysctl{key_, "1"}); !set) return set;
    before_ = value->value_or("0");
    return {};
  }

 private:
  const SysctlFiles& files_;
  std::string key_;
  std::optional<std::string> before_;
};

}  // namespace drover
