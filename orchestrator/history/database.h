// The file of SQLite below history and schedules: its schema, its migrations, its errors.
//
// Mode 0600, WAL. SQLiteCpp shows in database.cc, sqlite_history.cc and sqlite_schedules.cc only.
#pragma once

#include <memory>
#include <string>

#include "protocol/result.h"

namespace SQLite {
class Database;
}

namespace drover {

inline constexpr int kSchemaVersion = 1;

struct CloseDatabase {
  void operator()(SQLite::Database* database) const;
};
using DatabasePtr = std::unique_ptr<SQLite::Database, CloseDatabase>;

// Makes the file when it is not there (its folder must be) and brings its schema up to date.
// kInvalid when it is no such file or a newer Drover made it.
Result<DatabasePtr> OpenDatabase(const std::string& path);

}  // namespace drover
