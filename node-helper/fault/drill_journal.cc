#include "node-helper/fault/drill_journal.h"

#include <algorithm>
#include <filesystem>

#include "node-helper/store/files.h"
#include "protocol/codec.h"
#include "protocol/json_reader.h"

namespace drover {
namespace {

constexpr std::string_view kEnding = ".json";

// The order as it came, so that there is one form of it.
std::string OrderText(const DrillArmTask& task) {
  Program program;
  program.tasks.emplace_back().action = task;
  return EncodeProgram(program);
}

Result<DrillArmTask> OrderOf(const std::string& text) {
  const auto order = DecodeOrder(text);
  if (!order) return Fail(order.error());
  const auto* program = std::get_if<Program>(&*order);
  const auto* task = program != nullptr && program->tasks.size() == 1
                         ? std::get_if<DrillArmTask>(&program->tasks[0].action)
                         : nullptr;
  if (task == nullptr) return Fail(ErrorCode::kInvalid, "the order is none to arm a drill");
  return *task;
}

}  // namespace

std::string EncodeJournal(const DrillJournal& journal) {
  return Dump(Json{{"version", 1},
                   {"boot_id", journal.boot_id},
                   {"order", OrderText(journal.task)},
                   {"guards", journal.guards},
                   {"steps", EncodeSteps(journal.steps)}},
              2) +
         "\n";
}

Result<DrillJournal> DecodeJournal(std::string_view text) {
  const auto json = ParseJson(text);
  if (!json) return Fail(json.error());
  DrillJournal journal;
  std::string order;
  std::string steps;
  JsonErrors errors;
  {
    ObjectReader reader(*json, "", errors);
    int version = 0;
    reader.ReadInteger("version", version, 1, 1);
    reader.Read("boot_id", journal.boot_id);
    reader.Read("order", order);
    reader.Read("guards", journal.guards);
    reader.Read("steps", steps);
  }
  if (!errors.ok()) return Fail(errors.error());
  auto task = OrderOf(order);
  if (!task) return Fail(task.error());
  journal.task = std::move(*task);
  auto decoded = DecodeSteps(steps);
  if (!decoded) return Fail(decoded.error());
  journal.steps = std::move(*decoded);
  return journal;
}

std::string DrillJournals::PathOf(const std::string& id) const {
  return folder_ + "/" + id + std::string(kEnding);
}

Status DrillJournals::Save(const DrillJournal& journal) const {
  if (const Status made = MakeDirectories(folder_, 0700); !made) return made;
  return WriteFileAtomically(PathOf(journal.task.order.drill_id), EncodeJournal(journal), 0600);
}

Result<DrillJournal> DrillJournals::Load(const std::string& id) const {
  const auto text = ReadWholeFile(PathOf(id));
  if (!text) return Fail(text.error());
  auto journal = DecodeJournal(*text);
  if (!journal) return Fail(journal.error().In(PathOf(id)));
  return journal;
}

Status DrillJournals::Remove(const std::string& id) const {
  if (const Status removed = RemoveFileIfThere(PathOf(id)); !removed) return removed;
  return SyncDirectory(folder_);
}

std::vector<std::string> DrillJournals::Ids() const {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(kEnding)) ids.push_back(name.substr(0, name.size() - kEnding.size()));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace drover
