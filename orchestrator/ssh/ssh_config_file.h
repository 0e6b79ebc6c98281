// Reads ssh_config files with their includes, once per process.
//
// May be called from many threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "orchestrator/ssh/ssh_config.h"
#include "protocol/result.h"

namespace drover {

// `file` empty: ~/.ssh/config and then /etc/ssh/ssh_config, both of which may be missing. A file
// that was named must exist, and the system's is left out then (ssh -F).
Result<std::shared_ptr<const std::vector<ConfigLine>>> LoadSshConfig(const std::string& file,
                                                                     const std::string& home);

}  // namespace drover
