// known_hosts files on disk: read once for all hosts of a run, extended one key at a time.
//
// May be called from many threads, and while other programs write to the same files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "orchestrator/ssh/known_hosts.h"
#include "protocol/result.h"

namespace drover {

// The lines of all `files` that exist. Parsed anew only when a file has changed.
std::shared_ptr<const std::vector<KnownHostsLine>> LoadKnownHosts(
    const std::vector<std::string>& files);

// Adds the key unless the file has it by now. False: it was there. kChanged and kRevoked keys are
// refused: another thread may have written a different key in between.
Result<bool> AddKnownHost(const std::string& file, const std::string& name, const ShownKey& shown,
                          bool hashed);

}  // namespace drover
