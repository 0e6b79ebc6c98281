#include "orchestrator/report/json_lines.h"

#include <variant>

#include "orchestrator/report/ending.h"
#include "orchestrator/report/result_value.h"

namespace drover {
namespace {

struct Describer {
  const CompiledRun& run;

  Value operator()(const PlayBanner& banner) const {
    const CompiledPlay& play = run.plays[banner.play];
    return {{"event", "play_start"}, {"play", play.name}, {"hosts", play.hosts}};
  }
  Value operator()(const TaskBanner& banner) const {
    const CompiledTask& task = run.plays[banner.play].tasks[banner.task];
    return {{"event", "task_start"},
            {"play", run.plays[banner.play].name},
            {"task", task.name},
            {"module", task.module}};
  }
  Value operator()(const HostResult& result) const {
    const CompiledPlay& play = run.plays[result.place.play];
    const HostTask* host_task = FindHostTask(run, result.place);
    Value value = {{"event", "result"},
                   {"play", play.name},
                   {"task", play.tasks[result.place.task].name},
                   {"host", result.place.host},
                   {"status", result.unreachable ? "unreachable" : ToString(result.result.status)},
                   {"ignored", result.ignored}};
    if (host_task != nullptr && !host_task->item.empty()) value["item"] = host_task->item;
    value["result"] = ResultValue(run, result, Detail::kFull);
    return value;
  }
  Value operator()(const Notice& notice) const {
    return {{"event", "notice"},
            {"host", notice.host},
            {"text", notice.text},
            {"problem", notice.problem}};
  }
  Value operator()(const StageReached& reached) const {
    Value value = {{"event", ToString(reached.stage)}, {"hosts", reached.hosts}};
    if (reached.play) {
      value["play"] = run.plays[*reached.play].name;
      value["batch"] = reached.batch + 1;
      value["batches"] = reached.batches;
    }
    return value;
  }
  Value operator()(const StageAnswer& answer) const {
    return {{"event", "answer"},
            {"to", ToString(answer.stage)},
            {"host", answer.host},
            {"ok", answer.error.empty()},
            {"message", answer.error}};
  }
  Value operator()(const TaskAtWork& at) const {
    const CompiledPlay& play = run.plays[at.place.play];
    Value value = {{"event", "at_work"},
                   {"play", play.name},
                   {"task", play.tasks[at.place.task].name},
                   {"host", at.place.host}};
    const HostTask* host_task = FindHostTask(run, at.place);
    if (host_task != nullptr && !host_task->item.empty()) value["item"] = host_task->item;
    return value;
  }
  Value operator()(const HostThrough& through) const {
    return {{"event", "through"}, {"host", through.host}, {"failed", through.failed}};
  }
};

std::string Line(Value value, const std::string& now) {
  value["time"] = now;
  return value.dump(-1, ' ', false, Value::error_handler_t::replace) + "\n";
}

}  // namespace

std::string JsonLine(const CompiledRun& run, const Shown& shown, const std::string& now) {
  return Line(std::visit(Describer{run}, shown), now);
}

std::string JsonRecap(const std::map<std::string, Tally>& tallies, bool interrupted,
                      const std::vector<LeftMidway>& left, const RunEnd& end,
                      const std::string& now) {
  Value stats = Value::object();
  for (const auto& [host, tally] : tallies) {
    stats[host] = {{"ok", tally.ok},           {"changed", tally.changed},
                   {"failed", tally.failed},   {"unreachable", tally.unreachable},
                   {"skipped", tally.skipped}, {"rescued", tally.rescued},
                   {"ignored", tally.ignored}};
  }
  Value midway = Value::object();
  for (const LeftMidway& one : left) midway[one.host] = one.task;
  return Line({{"event", "recap"},
               {"stats", stats},
               {"interrupted", interrupted},
               {"left_midway", midway},
               {"transaction", EndingValue(end)}},
              now);
}

}  // namespace drover
