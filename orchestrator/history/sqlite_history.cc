#include "orchestrator/history/sqlite_history.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>

#include "orchestrator/history/database.h"
#include "protocol/json_reader.h"

namespace drover {
namespace {

// Lists of sentences are kept as JSON, readable by whoever opens the file.
std::string ListText(const std::vector<std::string>& list) { return Dump(Json(list)); }

Result<std::vector<std::string>> ParseList(const std::string& text) {
  const auto json = ParseJson(text);
  if (!json || !json->is_array()) return Fail(ErrorCode::kInvalid, "no list: " + text);
  std::vector<std::string> list;
  for (const Json& one : *json)
    list.push_back(one.is_string() ? one.get<std::string>() : Dump(one));
  return list;
}

Result<Quantity> ParseQuantity(std::string_view word) {
  for (int i = 0; i <= static_cast<int>(Quantity::kRedundancy); ++i) {
    if (ToString(static_cast<Quantity>(i)) == word) return static_cast<Quantity>(i);
  }
  return Fail(ErrorCode::kInvalid, "\"" + std::string(word) + "\" is no quantity");
}

// " WHERE …" with one question mark per value of Bind.
std::string Where(const HistoryQuery& query, const char* time, bool has_fault) {
  std::string text = std::string(" WHERE ") + time + " >= ?";
  if (has_fault && query.fault) text += " AND fault = ?";
  if (!query.playbooks.empty()) {
    text += " AND playbook IN (?";
    for (std::size_t i = 1; i < query.playbooks.size(); ++i) text += ", ?";
    text += ")";
  }
  return text;
}

void Bind(SQLite::Statement& statement, const HistoryQuery& query, bool has_fault) {
  int place = 0;
  statement.bind(++place, query.since_us);
  if (has_fault && query.fault) {
    statement.bind(++place, std::string(ToString(*query.fault)));
  }
  for (const std::string& playbook : query.playbooks) statement.bind(++place, playbook);
}

Result<DrillRecord> DrillFrom(SQLite::Statement& row) {
  const auto fault = ParseFault(row.getColumn("fault").getString());
  if (!fault) return Fail(fault.error());
  const auto verdict = ParseVerdictKind(row.getColumn("verdict").getString());
  if (!verdict) return Fail(verdict.error());
  auto reasons = ParseList(row.getColumn("reasons").getString());
  if (!reasons) return Fail(reasons.error());
  DrillRecord record{.id = row.getColumn("id").getString(),
                     .fault = *fault,
                     .playbook = row.getColumn("playbook").getString(),
                     .inventory = row.getColumn("inventory").getString(),
                     .service = row.getColumn("service").getString(),
                     .target = row.getColumn("target").getString(),
                     .trigger = row.getColumn("started_by").getString(),
                     .user = row.getColumn("user").getString(),
                     .control_host = row.getColumn("control_host").getString(),
                     .drover_version = row.getColumn("drover_version").getString(),
                     .folder = row.getColumn("folder").getString(),
                     .started_us = row.getColumn("started_us").getInt64(),
                     .finished_us = row.getColumn("finished_us").getInt64(),
                     .verdict = *verdict,
                     .reasons = *std::move(reasons)};
  if (!row.getColumn("predicted_most").isNull()) {
    record.predicted = PredictedOutage{row.getColumn("predicted_least").getDouble(),
                                       row.getColumn("predicted_most").getDouble(),
                                       row.getColumn("predicted_is_law").getInt() != 0};
  }
  return record;
}

class SqliteHistory : public HistoryStore {
 public:
  explicit SqliteHistory(DatabasePtr database) : database_(std::move(database)) {}

  Status Add(const DrillRecord& record) override try {
    SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement gone(*database_, "DELETE FROM drill WHERE id = ?");
    gone.bind(1, record.id);
    gone.exec();
    Insert(record);
    for (const Measurement& one : record.measured) Insert(record.id, one);
    transaction.commit();
    return {};
  } catch (const SQLite::Exception& error) {
    return Fail(ErrorCode::kInternal, std::string("history: ") + error.what());
  }

  Status Add(const VerificationRecord& record) override try {
    SQLite::Statement insert(*database_,
                             "INSERT OR REPLACE INTO verification VALUES (?,?,?,?,?,?,?,?,?,?)");
    int place = 0;
    for (const std::string& text : {record.id, record.playbook, record.inventory, record.prober,
                                    record.user, record.control_host}) {
      insert.bind(++place, text);
    }
    insert.bind(++place, record.at_us);
    insert.bind(++place, static_cast<std::int64_t>(record.connections));
    insert.bind(++place, static_cast<std::int64_t>(record.failed));
    insert.bind(++place, ListText(record.findings));
    insert.exec();
    return {};
  } catch (const SQLite::Exception& error) {
    return Fail(ErrorCode::kInternal, std::string("history: ") + error.what());
  }

  Result<std::vector<DrillRecord>> Drills(const HistoryQuery& query) override try {
    std::vector<DrillRecord> records;
    SQLite::Statement rows(*database_, "SELECT * FROM drill" + Where(query, "started_us", true) +
                                           " ORDER BY started_us, id");
    Bind(rows, query, true);
    while (rows.executeStep()) {
      auto record = DrillFrom(rows);
      if (!record) return Fail(record.error().In("history"));
      if (const Status read = ReadMeasured(*record); !read) return Fail(read.error());
      records.push_back(*std::move(record));
    }
    return records;
  } catch (const SQLite::Exception& error) {
    return Fail(ErrorCode::kInternal, std::string("history: ") + error.what());
  }

  Result<std::vector<VerificationRecord>> Verifications(const HistoryQuery& query) override try {
    std::vector<VerificationRecord> records;
    SQLite::Statement rows(*database_, "SELECT * FROM verification" + Where(query, "at_us", false) +
                                           " ORDER BY at_us, id");
    Bind(rows, query, false);
    while (rows.executeStep()) {
      auto findings = ParseList(rows.getColumn("findings").getString());
      if (!findings) return Fail(findings.error().In("history"));
      const auto text = [&](const char* name) { return rows.getColumn(name).getString(); };
      const auto count = [&](const char* name) {
        return static_cast<std::uint64_t>(rows.getColumn(name).getInt64());
      };
      records.push_back({text("id"), text("playbook"), text("inventory"), text("prober"),
                         text("user"), text("control_host"), rows.getColumn("at_us").getInt64(),
                         count("connections"), count("failed"), *std::move(findings)});
    }
    return records;
  } catch (const SQLite::Exception& error) {
    return Fail(ErrorCode::kInternal, std::string("history: ") + error.what());
  }

 private:
  void Insert(const DrillRecord& record) {
    SQLite::Statement insert(*database_,
                             "INSERT INTO drill VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    int place = 0;
    for (const std::string& text :
         {record.id, std::string(ToString(record.fault)), record.playbook, record.inventory,
          record.service, record.target, record.trigger, record.user, record.control_host,
          record.drover_version, record.folder}) {
      insert.bind(++place, text);
    }
    insert.bind(++place, record.started_us);
    insert.bind(++place, record.finished_us);
    insert.bind(++place, std::string(ToString(record.verdict)));
    insert.bind(++place, ListText(record.reasons));
    if (record.predicted) {
      insert.bind(++place, record.predicted->least);
      insert.bind(++place, record.predicted->most);
      insert.bind(++place, record.predicted->least_is_law ? 1 : 0);
    }
    insert.exec();
  }

  void Insert(const std::string& id, const Measurement& one) {
    SQLite::Statement insert(*database_, "INSERT OR REPLACE INTO measurement VALUES (?,?,?,?,?)");
    insert.bind(1, id);
    insert.bind(2, std::string(ToString(one.quantity)));
    insert.bind(3, one.value);
    insert.bind(4, one.uncertainty);
    insert.bind(5, one.at_least ? 1 : 0);
    insert.exec();
  }

  Status ReadMeasured(DrillRecord& record) {
    SQLite::Statement rows(*database_, "SELECT * FROM measurement WHERE drill = ?");
    rows.bind(1, record.id);
    std::map<Quantity, Measurement> measured;  // in the order of the enum
    while (rows.executeStep()) {
      const auto quantity = ParseQuantity(rows.getColumn("quantity").getString());
      if (!quantity) return Fail(quantity.error().In("history"));
      measured[*quantity] = {*quantity, rows.getColumn("value").getDouble(),
                             rows.getColumn("uncertainty").getDouble(),
                             rows.getColumn("at_least").getInt() != 0};
    }
    for (const auto& [quantity, one] : measured) record.measured.push_back(one);
    return {};
  }

  DatabasePtr database_;
};

}  // namespace

Result<std::unique_ptr<HistoryStore>> OpenSqliteHistory(const std::string& path) {
  auto database = OpenDatabase(path);
  if (!database) return Fail(database.error());
  return std::unique_ptr<HistoryStore>(std::make_unique<SqliteHistory>(*std::move(database)));
}

}  // namespace drover
