#include "orchestrator/report/human.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "orchestrator/report/change_line.h"
#include "orchestrator/report/diff.h"
#include "orchestrator/report/result_value.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/report/verify_text.h"

namespace drover {
namespace {

constexpr std::size_t kShownOutputLines = 20;  // of a failed command, per stream
constexpr int kRecapHostWidth = 26;

std::string BaseName(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

// The last lines of `text`, indented; what is left out is said.
std::string LastLines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  const std::size_t hidden = lines.size() - std::min(lines.size(), kShownOutputLines);
  std::string block;
  if (hidden > 0) {
    block = "      (" + std::to_string(hidden) + " lines before)\n";
  }
  for (std::size_t i = hidden; i < lines.size(); ++i) {
    block += "      " + Printable(lines[i]) + "\n";
  }
  return block;
}

std::string Counter(const char* name, int count, Colour colour, bool colours) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%s=%-4d", name, count);
  return Paint(text.data(), colour, colours && count != 0);
}

}  // namespace

std::string HumanReport::Head() const {
  if (options_.verbosity < 2) {
    return "";
  }
  return Banner("PLAYBOOK: " + Printable(BaseName(run_.playbook)), options_.columns) +
         std::to_string(run_.plays.size()) + " plays in " + Printable(run_.playbook) + "\n";
}

std::string HumanReport::Text(const Shown& shown) const {
  return std::visit([&](const auto& one) { return TextOf(one); }, shown);
}

std::string HumanReport::TextOf(const PlayBanner& banner) const {
  const CompiledPlay& play = run_.plays[banner.play];
  const std::string batch = banner.batches > 1 ? " (batch " + std::to_string(banner.batch + 1) +
                                                     " of " + std::to_string(banner.batches) + ")"
                                               : "";
  std::string text = Banner("PLAY [" + Printable(play.name) + "]" + batch, options_.columns);
  if (play.hosts.empty()) {
    text += Paint("skipping: no hosts matched", Colour::kSkip, options_.colours) + "\n";
  }
  return text;
}

std::string HumanReport::TextOf(const TaskBanner& banner) const {
  const CompiledTask& task = run_.plays[banner.play].tasks[banner.task];
  std::string text = Banner("TASK [" + Printable(task.name) + "]", options_.columns);
  if (options_.verbosity >= 2 && task.place.file) {
    const std::string path =
        "task path: " + task.place.file->name + ":" + std::to_string(task.place.line);
    text += Paint(Printable(path), Colour::kVerbose, options_.colours) + "\n";
  }
  return text;
}

std::string HumanReport::TextOf(const HostResult& result) const {
  const CompiledTask* task = FindTask(run_, result.place);
  const HostTask* host_task = FindHostTask(run_, result.place);
  const bool secret = task != nullptr && task->secret;
  const bool skipped = result.result.status == TaskStatus::kSkipped;
  std::string item = host_task == nullptr ? "" : host_task->item;
  if (secret && !item.empty()) {
    item = "(censored due to no_log)";
  }
  std::string text;
  const auto* diff = std::get_if<FileDiff>(&result.result.detail);
  if (options_.diff && !secret && diff != nullptr && result.result.status == TaskStatus::kChanged) {
    text += UnifiedDiff(*diff, options_.colours);
  }
  text += Line(result, Printable(item));
  if (!secret) {
    text += Changes(result) + Output(result);
    if (result.verify) {
      text += VerifyText(*result.verify, options_.colours);
      // What the probe could not look at, although nothing is wrong.
      if (result.result.status == TaskStatus::kOk && !result.result.message.empty()) {
        text += "    note: " + Printable(result.result.message) + "\n";
      }
    }
  }
  if (result.last && result.ignored) {
    text += Paint("...ignoring", Colour::kSkip, options_.colours) + "\n";
  }
  // Behind a loop of which every item was skipped Ansible says it once more for the whole.
  if (skipped && result.last && result.all_skipped && !item.empty()) {
    const char* json = " => {\"changed\": false, \"msg\": \"All items skipped\"}";
    const std::string line =
        "skipping: [" + Printable(result.place.host) + "]" + (options_.verbosity >= 1 ? json : "");
    text += Paint(line, Colour::kSkip, options_.colours) + "\n";
  }
  return text;
}

std::string HumanReport::TextOf(const Notice& notice) const {
  const std::string text = std::string(notice.problem ? "fatal: " : "note: ") +
                           (notice.host.empty() ? "" : "[" + notice.host + "]: ") + notice.text;
  return Paint(Printable(text), notice.problem ? Colour::kError : Colour::kVerbose,
               options_.colours) +
         "\n";
}

std::string HumanReport::Line(const HostResult& result, const std::string& item) const {
  const Detail detail = options_.verbosity >= 3 ? Detail::kFull : Detail::kShort;
  const std::string json = PythonJson(ResultValue(run_, result, detail));
  const std::string host = "[" + Printable(result.place.host) + "]";
  const std::string verbose = options_.verbosity >= 1 ? " => " + json : "";
  const auto paint = [&](const std::string& line, Colour colour) {
    return Paint(line, colour, options_.colours) + "\n";
  };
  if (result.unreachable) {
    return paint("fatal: " + host + ": UNREACHABLE! => " + json, Colour::kUnreachable);
  }
  const std::string label = item.empty() ? "" : " => (item=" + item + ")";
  switch (result.result.status) {
    case TaskStatus::kOk:
      return paint("ok: " + host + label + verbose, Colour::kOk);
    case TaskStatus::kChanged:
      return paint("changed: " + host + label + verbose, Colour::kChanged);
    case TaskStatus::kSkipped:
      return paint("skipping: " + host + (item.empty() ? "" : label + " ") + verbose,
                   Colour::kSkip);
    case TaskStatus::kFailed:
      break;
  }
  if (!item.empty()) {
    return paint("failed: " + host + " (item=" + item + ") => " + json, Colour::kError);
  }
  return paint("fatal: " + host + ": FAILED! => " + json, Colour::kError);
}

// The typed changes, also those that a failed task made before it failed. What nobody wrote a task
// for (pruning) is told without being asked.
std::string HumanReport::Changes(const HostResult& result) const {
  const bool failed = result.result.status == TaskStatus::kFailed;
  const bool implicit = run_.plays[result.place.play].tasks[result.place.task].implicit;
  if (!options_.diff && options_.verbosity < 1 && !failed && !implicit) {
    return "";
  }
  std::string text;
  for (const ChangeText& change : result.result.changes) {
    text += "  " + ChangeLine(change, options_.colours) + "\n";
  }
  return text;
}

// What a failed command said, in plain lines.
std::string HumanReport::Output(const HostResult& result) const {
  const auto* outcome = std::get_if<CommandOutcome>(&result.result.detail);
  if (outcome == nullptr || result.result.status != TaskStatus::kFailed) {
    return "";
  }
  std::string text;
  if (!outcome->stdout_text.empty()) {
    text += "    stdout:\n" + LastLines(outcome->stdout_text);
  }
  if (!outcome->stderr_text.empty()) {
    text += "    stderr:\n" + LastLines(outcome->stderr_text);
  }
  return text;
}

std::string HumanReport::Recap(const std::map<std::string, Tally>& tallies,
                               const RunEnd& end) const {
  std::map<std::string, std::string> lines;
  for (const auto& [host, one] : end.hosts) {
    if (one == HostEnd::kNotAttempted) {
      const std::string name = PadTo(Printable(host), kRecapHostWidth);
      lines[host] = Paint(name, Colour::kSkip, options_.colours) + " : not attempted\n";
    }
  }
  for (const auto& [host, tally] : tallies) {
    lines[host] = RecapLine(host, tally);
  }
  std::string text = Banner("PLAY RECAP", options_.columns);
  for (const auto& [host, line] : lines) {
    text += line;
  }
  return text + "\n";
}

std::string HumanReport::RecapLine(const std::string& host, const Tally& tally) const {
  const bool colours = options_.colours;
  const Colour of_host = tally.failed != 0 || tally.unreachable != 0 ? Colour::kError
                         : tally.changed != 0                        ? Colour::kChanged
                                                                     : Colour::kOk;
  const std::string name = Printable(host);
  const int pad = std::max(0, kRecapHostWidth - TextWidth(name));
  return Paint(name, of_host, colours) + std::string(static_cast<std::size_t>(pad), ' ') + " : " +
         Counter("ok", tally.ok, Colour::kOk, colours) + " " +
         Counter("changed", tally.changed, Colour::kChanged, colours) + " " +
         Counter("unreachable", tally.unreachable, Colour::kUnreachable, colours) + " " +
         Counter("failed", tally.failed, Colour::kError, colours) + " " +
         Counter("skipped", tally.skipped, Colour::kSkip, colours) + " " +
         Counter("rescued", tally.rescued, Colour::kOk, colours) + " " +
         Counter("ignored", tally.ignored, Colour::kWarn, colours) + "\n";
}

std::string HumanReport::Interrupted(const std::vector<LeftMidway>& left) const {
  if (left.empty()) {
    return "Interrupted; no host was left in the middle of a play.\n";
  }
  std::string text =
      "Interrupted. These hosts are in the middle of a play; the next rollout completes them:\n";
  for (const LeftMidway& host : left) {
    text += "  " + PadTo(Printable(host.host), kRecapHostWidth - 2) +
            (host.started ? " : was at \"" : " : next is \"") + Printable(host.task) + "\"\n";
  }
  return text;
}

}  // namespace drover
