// How a node tells that its helper gave way to another version: the daemon goes on with sockets,
// roles and verdicts, so nothing has to be handed over for it.
#pragma once

namespace drover {

// The reason of every change that is part of the upgrade.
inline constexpr const char* kHelperUpgrade = "helper of another version";

}  // namespace drover
