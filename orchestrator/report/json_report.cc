#include "orchestrator/report/json_report.h"

#include "orchestrator/report/ending.h"
#include "orchestrator/report/result_value.h"

namespace drover {
namespace {

std::string PathOf(const Place& place) {
  return place.file ? place.file->name + ":" + std::to_string(place.line) : "";
}

// What is known of a host's loop after one more item.
void AddItem(Value& host, Value item, const HostResult& result) {
  if (!host.contains("results")) {
    host = {{"changed", false}, {"msg", ""}, {"results", Value::array()}};
  }
  host["changed"] = host["changed"].get<bool>() || item["changed"].get<bool>();
  host["results"].push_back(std::move(item));
  if (!result.last) {
    return;
  }
  const bool failed = result.result.status == TaskStatus::kFailed || result.ignored;
  host["msg"] = result.all_skipped ? "All items skipped"
                : failed           ? "One or more items failed"
                                   : "All items completed";
  if (result.all_skipped) {
    host["skipped"] = true;
  }
  if (failed) {
    host["failed"] = true;
  }
}

}  // namespace

void JsonReport::Add(const Shown& shown, const std::string& now) {
  std::visit([&](const auto& one) { Take(one, now); }, shown);
}

void JsonReport::Take(const PlayBanner& banner, const std::string& now) {
  const CompiledPlay& play = run_.plays[banner.play];
  play_at_[banner.play] = plays_.size();
  std::erase_if(task_at_, [&](const auto& at) { return at.first.first == banner.play; });
  plays_.push_back({{"play",
                     {{"id", "play-" + std::to_string(banner.play + 1)},
                      {"name", play.name},
                      {"path", PathOf(play.place)},
                      {"duration", {{"start", now}, {"end", now}}}}},
                    {"tasks", Value::array()}});
}

void JsonReport::Take(const Notice& notice, const std::string& now) {
  notices_.push_back(
      {{"host", notice.host}, {"text", notice.text}, {"problem", notice.problem}, {"time", now}});
}

void JsonReport::Take(const TaskBanner& banner, const std::string& now) {
  TaskAt(banner.play, banner.task, now);
}

Value& JsonReport::TaskAt(std::size_t play, std::size_t task, const std::string& now) {
  Value& tasks = plays_[play_at_.at(play)]["tasks"];
  const auto [found, fresh] = task_at_.try_emplace({play, task}, tasks.size());
  if (fresh) {
    const CompiledTask& compiled = run_.plays[play].tasks[task];
    tasks.push_back(
        {{"task",
          {{"id", "play-" + std::to_string(play + 1) + "-task-" + std::to_string(task + 1)},
           {"name", compiled.name},
           {"path", PathOf(compiled.place)},
           {"duration", {{"start", now}, {"end", now}}}}},
         {"hosts", Value::object()}});
  }
  return tasks[found->second];
}

void JsonReport::Take(const HostResult& result, const std::string& now) {
  const TaskPlace& place = result.place;
  Value& task = TaskAt(place.play, place.task, now);
  const CompiledTask& compiled = run_.plays[place.play].tasks[place.task];
  const HostTask* host_task = FindHostTask(run_, place);
  Value value = ResultValue(run_, result, Detail::kFull);
  value["action"] = compiled.module;
  value["_ansible_no_log"] = compiled.secret;
  if (result.result.status == TaskStatus::kFailed && !result.unreachable) {
    value["failed"] = true;
    if (result.ignored) {
      value["ignored"] = true;
    }
  }
  if (result.result.status == TaskStatus::kSkipped) {
    value["skipped"] = true;
  }
  task["task"]["duration"]["end"] = now;
  plays_[play_at_.at(place.play)]["play"]["duration"]["end"] = now;
  Value& host = task["hosts"][place.host];
  if (host_task != nullptr && !host_task->item.empty() && !result.unreachable) {
    AddItem(host, std::move(value), result);
  } else {
    host = std::move(value);
  }
}

std::string JsonReport::Document(const std::map<std::string, Tally>& tallies, bool interrupted,
                                 const std::vector<LeftMidway>& left, const RunEnd& end) const {
  Value stats = Value::object();
  for (const auto& [host, tally] : tallies) {
    stats[host] = {{"ok", tally.ok},           {"changed", tally.changed},
                   {"failures", tally.failed}, {"unreachable", tally.unreachable},
                   {"skipped", tally.skipped}, {"rescued", tally.rescued},
                   {"ignored", tally.ignored}};
  }
  Value document = {{"plays", plays_},
                    {"stats", stats},
                    {"custom_stats", Value::object()},
                    {"global_custom_stats", Value::object()}};
  if (interrupted) {
    Value hosts = Value::object();
    for (const LeftMidway& host : left) {
      hosts[host.host] = {{"task", host.task}, {"started", host.started}};
    }
    document["interrupted"] = {{"left_midway", hosts}};
  }
  if (!notices_.empty()) {
    document["notices"] = notices_;
  }
  if (end.transaction) {
    document["transaction"] = EndingValue(end);
  }
  return PythonJson(document, 4) + "\n";
}

}  // namespace drover
