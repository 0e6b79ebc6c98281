#include "orchestrator/run/history_file.h"

#include <chrono>
#include <filesystem>

#include "orchestrator/history/sqlite_history.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/private_file.h"
#include "orchestrator/run/run_record.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"

namespace drover {
namespace {

template <typename Record>
void Keep(const Record& record) {
  auto history = OpenHistory(ProcessEnvironment);
  Status kept = history ? (*history)->Add(record) : Fail(history.error());
  if (!kept) {
    PrintErr("drover: warning: the history will not know of this: " +
             Printable(kept.error().message) + "\n");
  }
}

// The same file is the same file from wherever it was named; a list of hosts stays one.
std::string Absolute(const std::string& path) {
  std::error_code error;
  if (path.empty() || path.find(',') != std::string::npos) return path;
  return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error).string();
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + Absolute(word);
  return text;
}

}  // namespace

std::string HistoryPath(const Environment& environment) {
  const std::string folder = StateFolder(environment);
  return folder.empty() ? "" : folder + "/history.sqlite";
}

Result<std::unique_ptr<HistoryStore>> OpenHistory(const Environment& environment) {
  const std::string path = HistoryPath(environment);
  if (path.empty()) return Fail(ErrorCode::kInvalid, "neither XDG_STATE_HOME nor HOME is set");
  if (const Status made = MakePrivateFoldersFor(path); !made) return Fail(made.error());
  return OpenSqliteHistory(path);
}

void RecordDrill(const DrillJournal& journal, const std::string& folder) {
  DrillRecord record = RecordOf(journal, folder);
  record.playbook = Absolute(record.playbook);
  record.inventory = Absolute(record.inventory);
  Keep(record);
}

void RecordVerification(const CommandLine& line, VerificationRecord record) {
  const RunInfo who = WhoRuns();
  record.id = who.run_id;
  record.playbook = Absolute(line.playbook);
  record.inventory = Joined(line.inventories);
  record.user = who.user;
  record.control_host = who.control_host;
  record.at_us = std::chrono::duration_cast<std::chrono::microseconds>(
                     std::chrono::system_clock::now().time_since_epoch())
                     .count();
  Keep(record);
}

}  // namespace drover
