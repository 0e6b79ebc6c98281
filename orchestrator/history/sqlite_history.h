// The history in a file of SQLite.
//
// Touches the disk.
#pragma once

#include "orchestrator/history/store.h"

namespace drover {

Result<std::unique_ptr<HistoryStore>> OpenSqliteHistory(const std::string& path);

}  // namespace drover
