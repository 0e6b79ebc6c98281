// Reads a playbook file into plays and tasks, and refuses what it does not know: keywords, modules, shapes.
#pragma once

#include <string>

#include "orchestrator/playbook/playbook.h"
#include "orchestrator/source/diagnostic.h"

namespace drover {

Parsed<Playbook> LoadPlaybook(const std::string& path);

}  // namespace drover
