#include "orchestrator/report/result_value.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <utility>

namespace drover {
namespace {

constexpr const char* kCensored =
    "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

Value Lines(const std::string& text) {
  Value lines = Value::array();
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end == std::string::npos ? end : end - start));
    start = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}

// "0:00:01.000200", as Python prints a timedelta.
std::string Delta(std::chrono::microseconds duration) {
  const long long us = duration.count();
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld.%06lld", us / 3'600'000'000,
                us / 60'000'000 % 60, us / 1'000'000 % 60, us % 1'000'000);
  return text.data();
}

// Ansible strips the last newlines of stdout and stderr.
std::string Stripped(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  return text;
}

void PutCommand(const CommandOutcome& outcome, const HostTask* host_task,
                std::chrono::microseconds duration, Value& value) {
  if (host_task != nullptr && std::holds_alternative<Task>(host_task->action)) {
    const auto* command = std::get_if<CommandTask>(&std::get<Task>(host_task->action).action);
    if (command != nullptr) {
      value["cmd"] = command->argv;
    }
  }
  value.emplace("msg", "");  // Ansible has it for every command
  value["delta"] = Delta(duration);
  value["rc"] = outcome.exit_code;
  const std::string out = Stripped(outcome.stdout_text);
  const std::string err = Stripped(outcome.stderr_text);
  value["stdout"] = out;
  value["stdout_lines"] = Lines(out);
  value["stderr"] = err;
  value["stderr_lines"] = Lines(err);
  if (outcome.truncated) {
    value["truncated"] = true;
  }
}

void PutDiff(const FileDiff& diff, Value& value) {
  Value entry = Value::object();
  if (diff.binary) {
    entry["dst_binary"] = 1;
    entry["path"] = diff.path;
  } else {
    entry["before"] = diff.before.value_or("");
    entry["after"] = diff.after.value_or("");
    entry["before_header"] = diff.before ? diff.path : "";
    entry["after_header"] = diff.after ? diff.path : "";
  }
  value["diff"] = Value::array({entry});
}

Value ChangeValues(const std::vector<ChangeText>& changes) {
  Value values = Value::array();
  for (const ChangeText& change : changes) {
    Value value = {{"verb", change.verb}, {"resource", change.resource}};
    for (const auto& [key, text] : {std::pair{"before", &change.before},
                                    {"after", &change.after},
                                    {"reason", &change.reason}}) {
      if (!text->empty()) {
        value[key] = *text;
      }
    }
    values.push_back(std::move(value));
  }
  return values;
}

// A loop's item is shown as text; Ansible's users find it under "item".
void PutItem(const HostTask* host_task, Value& value) {
  if (host_task != nullptr && !host_task->item.empty()) {
    value["ansible_loop_var"] = "item";
    value["item"] = host_task->item;
  }
}

}  // namespace

Value FindingValue(const Finding& finding) {
  return {{"rule", finding.rule},
          {"host", finding.host},
          {"message", finding.message},
          {"why", finding.why},
          {"remedy", finding.remedy}};
}

Value VerifyValue(const VerifyReport& report) {
  Value services = Value::array();
  for (const ServiceEvidence& service : report.services) {
    Value servers = Value::object();
    for (const ServerCount& server : service.servers) {
      servers[server.name] = server.connections;
    }
    services.push_back({{"service", service.service},
                        {"connections", service.connections},
                        {"failed", service.failed},
                        {"servers", servers},
                        {"sequence", service.sequence},
                        {"latency_us",
                         {{"median", service.median.count()},
                          {"p99", service.p99.count()},
                          {"max", service.max.count()}}},
                        {"law", service.law}});
  }
  Value findings = Value::array();
  for (const Finding& finding : report.findings) findings.push_back(FindingValue(finding));
  return {
      {"services", services}, {"arp", report.arp}, {"notes", report.notes}, {"findings", findings}};
}

const CompiledTask* FindTask(const CompiledRun& run, const TaskPlace& place) {
  if (place.play >= run.plays.size() || place.task >= run.plays[place.play].tasks.size()) {
    return nullptr;
  }
  return &run.plays[place.play].tasks[place.task];
}

const HostTask* FindHostTask(const CompiledRun& run, const TaskPlace& place) {
  const CompiledTask* task = FindTask(run, place);
  if (task == nullptr) {
    return nullptr;
  }
  const auto found = task->hosts.find(place.host);
  return found == task->hosts.end() || place.item >= found->second.size()
             ? nullptr
             : &found->second[place.item];
}

bool IsChanged(const CompiledRun& run, const HostResult& result) {
  if (result.result.status != TaskStatus::kFailed) {
    return result.result.status == TaskStatus::kChanged;
  }
  if (!result.result.changes.empty()) {
    return true;
  }
  const HostTask* host_task = FindHostTask(run, result.place);
  const bool ran = std::holds_alternative<CommandOutcome>(result.result.detail);
  if (!ran || host_task == nullptr || !std::holds_alternative<Task>(host_task->action)) {
    return false;
  }
  const auto* command = std::get_if<CommandTask>(&std::get<Task>(host_task->action).action);
  return command != nullptr && command->reports_change;
}

Value ResultValue(const CompiledRun& run, const HostResult& result, Detail detail) {
  const TaskResult& task_result = result.result;
  const CompiledTask* task = FindTask(run, result.place);
  const HostTask* host_task = FindHostTask(run, result.place);
  Value value = {{"changed", IsChanged(run, result)}};
  if (task != nullptr && task->secret && !result.unreachable) {
    value["censored"] = kCensored;
    return value;
  }
  PutItem(host_task, value);
  if (result.unreachable) {
    value["unreachable"] = true;
  }
  const bool skipped = task_result.status == TaskStatus::kSkipped;
  const bool command_ran = std::holds_alternative<CommandOutcome>(task_result.detail);
  if (!task_result.message.empty()) {
    value[skipped ? "skip_reason" : "msg"] = task_result.message;
  }
  // Of a command that ran, rc says more.
  if (task_result.code && !result.unreachable && !command_ran) {
    value["code"] = std::string(ToString(*task_result.code));
  }
  if (!task_result.changes.empty()) {
    value["changes"] = ChangeValues(task_result.changes);
  }
  if (const auto* command = std::get_if<CommandOutcome>(&task_result.detail)) {
    PutCommand(*command, host_task, task_result.duration, value);
  }
  const auto* diff = std::get_if<FileDiff>(&task_result.detail);
  if (diff != nullptr && detail == Detail::kFull) {
    PutDiff(*diff, value);
  }
  if (result.verify && detail == Detail::kFull) {
    value["verify"] = VerifyValue(*result.verify);
  }
  return value;
}

std::string PythonJson(const Value& value, int indent) {
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  if (indent > 0) {
    return nlohmann::json(value).dump(indent, ' ', false, kReplace);
  }
  if (value.is_array()) {
    std::string text = "[";
    for (const Value& item : value) {
      text += (text.size() > 1 ? ", " : "") + PythonJson(item);
    }
    return text + "]";
  }
  if (value.is_object()) {
    std::map<std::string, const Value*> sorted;
    for (const auto& [key, item] : value.items()) {
      sorted[key] = &item;
    }
    std::string text = "{";
    for (const auto& [key, item] : sorted) {
      text += (text.size() > 1 ? ", " : "") + Value(key).dump(-1, ' ', false, kReplace) + ": " +
              PythonJson(*item);
    }
    return text + "}";
  }
  return value.dump(-1, ' ', false, kReplace);
}

}  // namespace drover
