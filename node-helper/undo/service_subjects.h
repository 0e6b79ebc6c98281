// Services of the init system that tasks of a run start, stop, restart, reload, enable or disable:
// put back to running or not, enabled or not. One that runs as before takes its files, which are
// back by then, anew.
//
// One thread at a time.
#pragma once

#include <functional>
#include <memory>

#include "node-helper/tasks/init_system.h"
#include "node-helper/transaction/undo_part.h"

namespace drover {

// "service". Subjects are names of services.
std::unique_ptr<UndoSubjects> MakeServiceSubjects(std::unique_ptr<InitSystem> init);

}  // namespace drover
