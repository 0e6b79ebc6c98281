#include "orchestrator/history/database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace drover {
namespace {

constexpr int kBusyMs = 10'000;

// Each brings the schema from its index to the next version. What was released is never changed:
// a new version gets a new entry.
constexpr std::array<const char*, kSchemaVersion> kMigrations = {R"sql(
CREATE TABLE drill (
  id TEXT PRIMARY KEY,
  fault TEXT NOT NULL,
  playbook TEXT NOT NULL,
  inventory TEXT NOT NULL,
  service TEXT NOT NULL,
  target TEXT NOT NULL,
  started_by TEXT NOT NULL,
  user TEXT NOT NULL,
  control_host TEXT NOT NULL,
  drover_version TEXT NOT NULL,
  folder TEXT NOT NULL,
  started_us INTEGER NOT NULL,
  finished_us INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  reasons TEXT NOT NULL,
  predicted_least REAL,
  predicted_most REAL,
  predicted_is_law INTEGER
) STRICT;
CREATE INDEX drill_by_fault ON drill (fault, started_us);
CREATE TABLE measurement (
  drill TEXT NOT NULL REFERENCES drill (id) ON DELETE CASCADE,
  quantity TEXT NOT NULL,
  value REAL NOT NULL,
  uncertainty REAL NOT NULL,
  at_least INTEGER NOT NULL,
  PRIMARY KEY (drill, quantity)
) STRICT, WITHOUT ROWID;
CREATE TABLE verification (
  id TEXT PRIMARY KEY,
  playbook TEXT NOT NULL,
  inventory TEXT NOT NULL,
  prober TEXT NOT NULL,
  user TEXT NOT NULL,
  control_host TEXT NOT NULL,
  at_us INTEGER NOT NULL,
  connections INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  findings TEXT NOT NULL
) STRICT;
CREATE TABLE schedule (
  name TEXT PRIMARY KEY,
  document TEXT NOT NULL,
  handled_until_us INTEGER NOT NULL
) STRICT;
CREATE TABLE occurrence (
  schedule TEXT NOT NULL,
  due_us INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  drill TEXT NOT NULL,
  changed_us INTEGER NOT NULL,
  PRIMARY KEY (schedule, due_us)
) STRICT, WITHOUT ROWID;
)sql"};

// SQLite gives its side files the mode of the main one.
Status MakePrivate(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Fail(ErrnoError(errno, path));
  ::close(fd);
  return {};
}

Status Migrate(SQLite::Database& database) {
  // Taken before the version is read: two that open a new file at once make one schema.
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  int version = database.execAndGet("PRAGMA user_version").getInt();
  if (version > kSchemaVersion) {
    return Fail(ErrorCode::kInvalid, "made by a newer Drover (schema " + std::to_string(version) +
                                         ", this one knows " + std::to_string(kSchemaVersion) +
                                         ")");
  }
  for (; version < kSchemaVersion; ++version) {
    database.exec(kMigrations.at(static_cast<std::size_t>(version)));
  }
  database.exec("PRAGMA user_version = " + std::to_string(kSchemaVersion));
  transaction.commit();
  return {};
}

}  // namespace

void CloseDatabase::operator()(SQLite::Database* database) const { delete database; }

Result<DatabasePtr> OpenDatabase(const std::string& path) {
  if (const Status made = MakePrivate(path); !made) return Fail(made.error());
  try {
    DatabasePtr database(new SQLite::Database(path, SQLite::OPEN_READWRITE, kBusyMs));
    database->exec("PRAGMA journal_mode = WAL");
    database->exec("PRAGMA synchronous = FULL");
    database->exec("PRAGMA foreign_keys = ON");
    if (const Status migrated = Migrate(*database); !migrated) {
      return Fail(migrated.error().In(path));
    }
    return database;
  } catch (const SQLite::Exception& error) {
    return Fail(ErrorCode::kInvalid, path + ": " + error.what());
  }
}

}  // namespace drover
