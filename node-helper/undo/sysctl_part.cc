#include "node-helper/undo/sysctl_part.h"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "node-helper/converge/plan.h"
#include "protocol/desired_state.h"

namespace drover {
namespace {

// A setting of all interfaces is written to each of them by the kernel (forwarding, disable_ipv6),
// so the others are looked at again after those. More turns would change nothing.
constexpr int kTurns = 3;

// The interface of "net/ipv4/conf/eth0/rp_filter"; nothing for other settings.
std::optional<std::string> InterfaceOf(const std::string& key) {
  for (const char* folder :
       {"net/ipv4/conf/", "net/ipv6/conf/", "net/ipv4/neigh/", "net/ipv6/neigh/"}) {
    const std::string_view prefix = folder;
    if (!key.starts_with(prefix)) continue;
    const std::string name =
        key.substr(prefix.size(), key.find('/', prefix.size()) - prefix.size());
    if (name == "all" || name == "default") return std::nullopt;
    return name;
  }
  return std::nullopt;
}

// Those that the kernel copies to others.
bool IsForAll(const std::string& key) {
  return key == "net/ipv4/ip_forward" || key.find("/conf/all/") != std::string::npos;
}

class SysctlPart : public UndoPart {
 public:
  SysctlPart(HeldNow held, SysctlFiles files) : held_(std::move(held)), files_(std::move(files)) {}

  [[nodiscard]] std::string name() const override { return "sysctls"; }

  Result<std::string> Capture() override {
    std::string text;
    for (const std::string& key : files_.Keys("net")) {
      const auto value = files_.Read(key);
      // One that cannot be read now cannot be compared later.
      if (!value || !value->has_value() || (*value)->find('\n') != std::string::npos) continue;
      text += key + "=" + **value + "\n";
    }
    return text;
  }

  Status Restore(const std::string& captured, std::vector<ChangeText>& done) override {
    std::vector<Sysctl> before;
    std::istringstream lines(captured);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t equals = line.find('=');
      if (equals == std::string::npos) {
        return Fail(ErrorCode::kInternal,
                    "what was remembered of the settings cannot be read: \"" + line + "\"");
      }
      before.push_back({line.substr(0, equals), line.substr(equals + 1)});
    }
    const HeldElsewhere held = held_();
    std::map<std::string, std::string> found;  // the first value seen, for the words
    std::optional<Error> error;
    for (int turn = 0; turn < kTurns; ++turn) {
      const std::vector<Sysctl> different = Different(before, held);
      if (different.empty()) break;
      const bool some_for_all = std::any_of(different.begin(), different.end(),
                                            [](const Sysctl& one) { return IsForAll(one.key); });
      error.reset();
      for (const Sysctl& sysctl : different) {
        found.emplace(sysctl.key, files_.Read(sysctl.key).value_or("").value_or(""));
        if (some_for_all && turn == 0 && !IsForAll(sysctl.key)) continue;
        const Status written = files_.Write(sysctl);
        if (!written && !error) error = written.error();
      }
    }
    Tell(before, found, done);
    if (error) return Fail(*error);
    return {};
  }

 private:
  // What differs now, of what is still there.
  [[nodiscard]] std::vector<Sysctl> Different(const std::vector<Sysctl>& before,
                                              const HeldElsewhere& held) const {
    std::vector<Sysctl> different;
    for (const Sysctl& sysctl : before) {
      const auto interface = InterfaceOf(sysctl.key);
      if (interface && held.interface(*interface)) continue;
      const auto value = files_.Read(sysctl.key);
      if (!value || !value->has_value() || SameSysctlValue(**value, sysctl.value)) continue;
      different.push_back(sysctl);
    }
    return different;
  }

  void Tell(const std::vector<Sysctl>& before, const std::map<std::string, std::string>& found,
            std::vector<ChangeText>& done) const {
    for (const Sysctl& sysctl : before) {
      const auto was = found.find(sysctl.key);
      if (was == found.end()) continue;
      const auto now = files_.Read(sysctl.key);
      if (!now || !now->has_value() || !SameSysctlValue(**now, sysctl.value)) continue;
      ChangeText text = Describe(Change{SetSysctl{sysctl, was->second}, "was so before the run"});
      done.push_back(std::move(text));
    }
  }

  HeldNow held_;
  SysctlFiles files_;
};

}  // namespace

std::unique_ptr<UndoPart> MakeSysctlPart(HeldNow held, SysctlFiles files) {
  return std::make_unique<SysctlPart>(std::move(held), std::move(files));
}

}  // namespace drover
