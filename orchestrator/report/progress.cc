#include "orchestrator/report/progress.h"

#include <algorithm>

#include "orchestrator/report/status_text.h"
#include "orchestrator/report/table.h"
#include "orchestrator/report/terminal.h"

namespace drover {
namespace {

constexpr std::size_t kBarWidth = 20;
constexpr int kNameWidth = 16;
constexpr int kAgeWidth = 7;

// Whole seconds: what changes more often only flickers.
std::string Age(std::chrono::steady_clock::duration age) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(age);
  return whole.count() == 0 ? "0s" : AgeText(whole);
}

// What the hosts of a stage are at; empty: they wait.
std::string_view WorkOf(Stage stage) {
  switch (stage) {
    case Stage::kBegin:
      return "connects";
    case Stage::kWork:
      return "starts";
    case Stage::kForesee:
      return "says what it would change";
    case Stage::kHandover:
      return "hands over";
    case Stage::kCheckIn:
      return "checks in over a new connection";
    case Stage::kReturn:
      return "may be master again";
    case Stage::kRenew:
      return "says that it is there";
    case Stage::kConfirm:
      return "keeps its changes";
    case Stage::kRelease:
      return "is released";
    case Stage::kRevert:
      return "goes back";
    case Stage::kBatchStart:
    case Stage::kSettle:
    case Stage::kProbe:
    case Stage::kHold:
    case Stage::kHealth:
    case Stage::kAsk:
    case Stage::kStagger:
    case Stage::kBatchEnd:
      break;
  }
  return "";
}

// What the run as a whole waits for in a stage.
std::string_view WaitOf(Stage stage) {
  return stage == Stage::kProbe     ? "asking the services"
         : stage == Stage::kHold    ? "holding behind the canary"
         : stage == Stage::kSettle  ? "until the directors have settled"
         : stage == Stage::kHealth  ? "until the batch is healthy"
         : stage == Stage::kStagger ? "pausing before the next batch"
                                    : "";
}

// Of stages that concern the run and no play.
std::string_view TitleOf(Stage stage) {
  return stage == Stage::kBegin     ? "reaching the hosts"
         : stage == Stage::kRenew   ? "asking once more"
         : stage == Stage::kConfirm ? "confirming"
         : stage == Stage::kRelease ? "releasing"
         : stage == Stage::kRevert  ? "going back"
                                    : "";
}

}  // namespace

void Progress::Add(const Shown& shown, Time now) {
  std::visit([&](const auto& one) { Take(one, now); }, shown);
}

void Progress::Take(const StageReached& reached, Time now) {
  hidden_ = reached.stage == Stage::kAsk;
  if (reached.stage == Stage::kBatchStart) {
    StartBatch(reached, now);
  } else if (!reached.play) {
    // Confirming and releasing go on side by side.
    if (reached.stage != Stage::kRelease || at_work_.empty()) {
      title_ = TitleOf(reached.stage);
      part_.clear();
      since_ = now;
      batch_ = 0;
      batches_ = 1;
      hosts_.clear();
      through_.clear();
      failed_.clear();
      at_work_.clear();
    }
    hosts_.insert(reached.hosts.begin(), reached.hosts.end());
  }
  doing_ = WaitOf(reached.stage);
  doing_since_ = now;
  if (const auto work = WorkOf(reached.stage); !work.empty()) {
    for (const std::string& host : reached.hosts) at_work_[host] = {std::string(work), now};
  }
}

void Progress::StartBatch(const StageReached& reached, Time now) {
  const std::string name = run_.plays[*reached.play].name;
  if (reached.batch == 0 || title_ != name) since_ = now;
  title_ = name;
  batch_ = reached.batch;
  batches_ = reached.batches;
  part_ = batches_ > 1 ? ", batch " + std::to_string(batch_ + 1) + " of " + std::to_string(batches_)
                       : "";
  hosts_ = {reached.hosts.begin(), reached.hosts.end()};
  through_.clear();
  failed_.clear();
  at_work_.clear();
}

void Progress::Take(const StageAnswer& answer, Time /*now*/) {
  at_work_.erase(answer.host);
  if (!TitleOf(answer.stage).empty()) through_.insert(answer.host);
}

void Progress::Take(const TaskAtWork& at, Time now) {
  at_work_[at.place.host] = {run_.plays[at.place.play].tasks[at.place.task].name, now};
}

void Progress::Take(const HostThrough& through, Time /*now*/) {
  at_work_.erase(through.host);
  through_.insert(through.host);
  if (through.failed) failed_.insert(through.host);
}

std::vector<std::string> Progress::Slowest() const {
  std::vector<std::string> names;
  for (const auto& [name, host] : at_work_) names.push_back(name);
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return at_work_.at(a).since < at_work_.at(b).since;
  });
  return names;
}

std::string Progress::Head(Time now) const {
  const std::size_t all = std::max<std::size_t>(hosts_.size(), 1) * batches_;
  const std::size_t done =
      std::min(hosts_.size(), through_.size()) + batch_ * std::max<std::size_t>(hosts_.size(), 1);
  const std::size_t filled = kBarWidth * std::min(done, all) / all;
  return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " + title_ +
         part_ + ": " + std::to_string(through_.size()) + " of " + std::to_string(hosts_.size()) +
         " hosts through" +
         (failed_.empty() ? "" : ", " + std::to_string(failed_.size()) + " failed") + ", " +
         Age(now - since_) + (doing_.empty() ? "" : "; " + doing_ + " " + Age(now - doing_since_));
}

std::vector<std::string> Progress::Lines(Time now, int rows, int columns) const {
  if (title_.empty() || hidden_ || rows < 1 || columns < 1) return {};
  std::vector<std::string> lines = {Head(now)};
  const std::vector<std::string> names = Slowest();
  const auto room = static_cast<std::size_t>(rows - 1);
  const bool all = names.size() <= room;
  const std::size_t shown = all ? names.size() : std::max<std::size_t>(room, 1) - 1;
  for (std::size_t i = 0; i < shown; ++i) {
    const Host& host = at_work_.at(names[i]);
    lines.push_back("  " + PadTo(names[i], kNameWidth) + " " +
                    PadTo(Age(now - host.since), kAgeWidth) + " " + host.at);
  }
  if (!all && room > 0) {
    lines.push_back("  and " + std::to_string(names.size() - shown) + " more");
  }
  for (std::string& line : lines) {
    std::replace(line.begin(), line.end(), '\n', ' ');
    std::replace(line.begin(), line.end(), '\t', ' ');
    line = CutTo(Printable(line), columns);
  }
  return lines;
}

}  // namespace drover
