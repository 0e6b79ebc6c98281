// What a speaker leaves to the one in the next process (upgrade in place), as text.
//
// Pure. The text holds passwords: it goes from process to process, never into a file or a log.
#pragma once

#include <string>
#include <vector>

#include "node-helper/speaker/router.h"
#include "protocol/desired_state.h"
#include "protocol/vrrp_settings.h"

namespace drover {

struct Remembered {
  struct One {
    VrrpInstance settings;  // as spoken
    RememberedRouter router;
    TrackedState tracked;
    bool operator==(const One&) const = default;
  };
  vrrp::Time at{};  // CLOCK_MONOTONIC goes on through an exec
  std::vector<One> routers;
  std::vector<VrrpGroup> groups;
  bool operator==(const Remembered&) const = default;
};

std::string Encode(const Remembered& remembered);
// kInvalid for anything that Encode has not made.
Result<Remembered> DecodeRemembered(const std::string& text);

}  // namespace drover
