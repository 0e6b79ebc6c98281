// Asks one target again and again, at the times its rise/fall machine wants, and keeps what is
// known about it.
//
// One thread: the one that runs the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "node-helper/checks/alarm_clock.h"
#include "node-helper/checks/probe.h"
#include "node-helper/checks/target.h"
#include "node-helper/health/check.h"
#include "protocol/node_status.h"

namespace drover {

// What an asker knows, for the process that comes after an upgrade in place.
struct AskerMemory {
  health::CheckMemory check;
  std::optional<std::uint32_t> weight;
  bool operator==(const AskerMemory&) const = default;
};

// Probes of one kind, since the helper started.
struct ProbeCounts {
  std::uint64_t started = 0;
  std::uint64_t failed = 0;
  std::uint64_t not_asked = 0;
};

class Asker {
 public:
  // Verdict (also the first) or weight changed; `why` for the log. It may be called from inside a
  // probe: an asker must not be destroyed in it.
  using OnNews = std::function<void(Asker&, const std::string& why)>;

  // `clock` must outlive it.
  Asker(AlarmClock& clock, Target target, std::unique_ptr<Probe> probe, std::uint64_t seed,
        ProbeCounts& counts, OnNews on_news);
  ~Asker();

  void Recall(const AskerMemory& memory);
  [[nodiscard]] AskerMemory Remember() const;
  // The first probe comes when the machine wants it.
  void Begin();

  [[nodiscard]] const Target& target() const;
  void SetUsers(std::vector<ServerKey> users);
  [[nodiscard]] bool up() const;
  // Has a verdict, or was seen to be impossible to ask.
  [[nodiscard]] bool decided() const;
  [[nodiscard]] std::optional<std::uint32_t> weight() const;
  [[nodiscard]] CheckStatus status() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace drover
