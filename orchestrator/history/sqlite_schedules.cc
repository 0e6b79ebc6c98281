#include "orchestrator/history/sqlite_schedules.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "orchestrator/history/database.h"

namespace drover {
namespace {

Error ErrorOf(const SQLite::Exception& error) {
  return {ErrorCode::kInternal, std::string("schedules: ") + error.what()};
}

class SqliteSchedules : public ScheduleStore {
 public:
  explicit SqliteSchedules(DatabasePtr database) : database_(std::move(database)) {}

  Status Add(const DrillSchedule& schedule, std::int64_t now_us) override try {
    SQLite::Statement insert(*database_, "INSERT OR IGNORE INTO schedule VALUES (?, ?, ?)");
    insert.bind(1, schedule.name);
    insert.bind(2, EncodeSchedule(schedule));
    insert.bind(3, now_us);
    if (insert.exec() == 1) return {};
    return Fail(ErrorCode::kExists, "there is a schedule \"" + schedule.name + "\" already");
  } catch (const SQLite::Exception& error) {
    return Fail(ErrorOf(error));
  }

  Status Remove(const std::string& name) override try {
    SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement gone(*database_, "DELETE FROM schedule WHERE name = ?");
    gone.bind(1, name);
    if (gone.exec() == 0) {
      return Fail(ErrorCode::kNotFound, "there is no schedule \"" + name + "\"");
    }
    SQLite::Statement occurrences(*database_, "DELETE FROM occurrence WHERE schedule = ?");
    occurrences.bind(1, name);
    occurrences.exec();
    transaction.commit();
    return {};
  } catch (const SQLite::Exception& error) {
    return Fail(ErrorOf(error));
  }

  Result<std::vector<StoredSchedule>> Schedules() override try {
    std::vector<StoredSchedule> schedules;
    SQLite::Statement rows(*database_, "SELECT * FROM schedule ORDER BY name");
    while (rows.executeStep()) {
      auto schedule = DecodeSchedule(rows.getColumn("document").getString());
      if (!schedule) return Fail(schedule.error().In(rows.getColumn("name").getString()));
      schedules.push_back({*std::move(schedule), rows.getColumn("handled_until_us").getInt64()});
    }
    return schedules;
  } catch (const SQLite::Exception& error) {
    return Fail(ErrorOf(error));
  }

  Status TakeUp(const std::string& name, const std::vector<Occurrence>& occurrences,
                std::int64_t handled_until_us) override try {
    SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement handled(*database_,
                              "UPDATE schedule SET handled_until_us = ? WHERE name = ?");
    handled.bind(1, handled_until_us);
    handled.bind(2, name);
    handled.exec();
    for (const Occurrence& one : occurrences) {
      SQLite::Statement insert(*database_,
                               "INSERT OR IGNORE INTO occurrence VALUES (?, ?, ?, ?, ?, ?)");
      insert.bind(1, name);
      insert.bind(2, one.due_us);
      insert.bind(3, std::string(ToString(one.state)));
      insert.bind(4, one.reason);
      insert.bind(5, one.drill);
      insert.bind(6, one.changed_us);
      insert.exec();
    }
    transaction.commit();
    return {};
  } catch (const SQLite::Exception& error) {
    return Fail(ErrorOf(error));
  }

  Status Change(const Occurrence& one, OccurrenceState from) override try {
    SQLite::Statement update(*database_,
                             "UPDATE occurrence SET state = ?, reason = ?, drill = ?, changed_us = "
                             "? WHERE schedule = ? AND due_us = ? AND state = ?");
    update.bind(1, std::string(ToString(one.state)));
    update.bind(2, one.reason);
    update.bind(3, one.drill);
    update.bind(4, one.changed_us);
    update.bind(5, one.schedule);
    update.bind(6, one.due_us);
    update.bind(7, std::string(ToString(from)));
    if (update.exec() == 1) return {};
    return Fail(ErrorCode::kExists, "the due time of " + one.schedule + " is not " +
                                        std::string(ToString(from)) + " any more");
  } catch (const SQLite::Exception& error) {
    return Fail(ErrorOf(error));
  }

  Result<std::vector<Occurrence>> Occurrences(const std::string& name) override try {
    std::vector<Occurrence> occurrences;
    SQLite::Statement rows(*database_,
                           "SELECT * FROM occurrence WHERE schedule = ? ORDER BY due_us");
    rows.bind(1, name);
    while (rows.executeStep()) {
      const auto state = ParseOccurrenceState(rows.getColumn("state").getString());
      if (!state) return Fail(state.error());
      occurrences.push_back(
          {name, rows.getColumn("due_us").getInt64(), *state, rows.getColumn("reason").getString(),
           rows.getColumn("drill").getString(), rows.getColumn("changed_us").getInt64()});
    }
    return occurrences;
  } catch (const SQLite::Exception& error) {
    return Fail(ErrorOf(error));
  }

 private:
  DatabasePtr database_;
};

}  // namespace

Result<std::unique_ptr<ScheduleStore>> OpenSqliteSchedules(const std::string& path) {
  auto database = OpenDatabase(path);
  if (!database) return Fail(database.error());
  return std::unique_ptr<ScheduleStore>(std::make_unique<SqliteSchedules>(*std::move(database)));
}

}  // namespace drover
