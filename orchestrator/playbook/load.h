// Reads a playbook file into plays and tasks, and refuses what it does not know: keywords, modules,
// shapes, filters of templates. All that is wrong is reported at once.
//
// Touches the playbook and the files under vars_files, nothing else.
#pragma once

#include <functional>
#include <string>

#include "orchestrator/playbook/playbook.h"
#include "orchestrator/source/diagnostic.h"

namespace drover {

Parsed<Playbook> LoadPlaybook(const std::string& path);

// The same from a file that is read already; `read` fetches vars_files.
using SourceReader = std::function<Parsed<SourceFilePtr>(const std::string& path)>;
Parsed<Playbook> ReadPlaybook(const SourceFilePtr& file, const SourceReader& read);

}  // namespace drover
