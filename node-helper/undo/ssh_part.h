// The way in: the SSH server's settings, root's keys, and that it runs. A command of a run may
// spoil them without a task of ours knowing.
//
// One thread at a time.
#pragma once

#include <string>

#include "node-helper/tasks/init_system.h"
#include "node-helper/transaction/undo_part.h"

namespace drover {

// "ssh". Files that differ are put back and a server that ran is told to read them again; one that
// ran and does not is started. `root` is "" outside tests.
std::unique_ptr<UndoPart> MakeSshPart(std::unique_ptr<InitSystem> init, std::string root = "");

}  // namespace drover
