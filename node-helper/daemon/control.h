// The words of the control socket (/run/drover/control.sock): one JSON object per line and an
// answer of one line to each. docs/protocol.md describes them.
//
//   {"verb": "reload"}                       -> {"ok": true, "overlay": [...]}
//   {"verb": "overlay"}                      -> the same
//   {"verb": "settled"}                      -> {"ok": true, "open": [...], "faults": [...]}
//   {"verb": "settle_forms", "unsettled": [names]}
//   {"verb": "status"}                       -> {"ok": true, "status": {...}}
//   {"verb": "yield" | "return", "instances": [names], "with_run": bool}
//   {"verb": "upgrade"}                      -> {"ok": true}, then the daemon runs its file anew
//
// Refusals are {"ok": false, "code": "not_found", "message": "..."}.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "node-helper/daemon/core.h"
#include "node-helper/tasks/daemon_link.h"

namespace drover {

inline constexpr std::size_t kMaxControlLine = std::size_t{1} << 20;

std::string ControlSocket(const std::string& root);  // <root>/run/drover/control.sock

// What the daemon answers, without newline. Any input gives an answer. `upgrade` is called for the
// verb of that name and must come back.
std::string AnswerControl(std::string_view line, DaemonCore& core, DaemonCore::Time now,
                          const std::function<void()>& upgrade);

std::string EncodeOverlay(const Overlay& overlay);
Result<Overlay> DecodeOverlay(std::string_view text);

}  // namespace drover
