#include "orchestrator/run/last_run.h"

#include <filesystem>

#include "orchestrator/compile/compile.h"
#include "orchestrator/run/private_file.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"
#include "orchestrator/source/yaml_node.h"

namespace drover {
namespace {

std::string PathFor(const CommandLine& line) {
  return RecordPath(OwnerOfPlaybook(line.playbook), line.inventories, ProcessEnvironment);
}

// kNotFound when there was no run.
Result<RunRecord> Load(const std::string& path) {
  std::error_code error;
  if (path.empty() || !std::filesystem::exists(path, error)) {
    return Fail(ErrorCode::kNotFound, "there is no record of a run");
  }
  const auto text = ReadSource(path);
  if (!text) return Fail(ErrorCode::kInvalid, text.error().front().message);
  return DecodeRunRecord((*text)->text);
}

}  // namespace

Result<std::string> LimitOfRerun(const CommandLine& line) {
  if (!line.limit.empty()) {
    return Fail(ErrorCode::kInvalid, "--rerun says which hosts are meant, so --limit cannot");
  }
  const std::string path = PathFor(line);
  const auto record = Load(path);
  if (record) return LimitToOutcomes(*record, line.rerun);
  if (record.error().code != ErrorCode::kNotFound) return Fail(record.error().In(path));
  return Fail(ErrorCode::kNotFound, "--rerun: " + line.playbook +
                                        " has not been rolled out from here with this inventory");
}

void RememberRun(const CompiledRun& run, const CommandLine& line, const RunOutcome& outcome) {
  const std::string path = PathFor(line);
  if (path.empty()) return;
  RunRecord record;
  record.playbook = line.playbook;
  record.inventories = line.inventories;
  record.ended = UtcNow();
  const auto before = Load(path);
  record.hosts = Merge(before ? before->hosts : std::map<std::string, HostOutcome>(),
                       OutcomesOf(run, outcome));
  if (const Status kept = WritePrivateFileBelow(path, EncodeRunRecord(record)); !kept) {
    PrintErr("drover: warning: --rerun will not know of this run: " + kept.error().message + "\n");
  }
}

}  // namespace drover
