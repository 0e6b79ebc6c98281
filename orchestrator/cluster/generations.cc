#include "orchestrator/cluster/generations.h"

#include <algorithm>

namespace drover {
namespace {

std::string Numbers(const std::vector<GroupGeneration>& history) {
  std::string text;
  for (auto at = history.rbegin(); at != history.rend(); ++at) {
    text += (text.empty() ? "" : ", ") + std::to_string(at->number);
  }
  return text;
}

}  // namespace

std::vector<GroupGeneration> GroupHistory(const HostGenerations& hosts) {
  std::map<std::uint64_t, GroupGeneration, std::greater<>> by_number;
  for (const auto& [host, list] : hosts) {
    for (const GenerationInfo& info : list.generations) {
      GroupGeneration& group = by_number[info.number];
      group.number = info.number;
      if (info.saved_at >= group.saved_at) {
        group.saved_at = info.saved_at;
        group.run = info.run;
      }
      group.kept_on.push_back(host);
      if (info.current) group.current_on.push_back(host);
    }
  }
  std::vector<GroupGeneration> history;
  for (auto& [number, group] : by_number) history.push_back(std::move(group));
  return history;
}

Result<std::uint64_t> PreviousGeneration(const HostGenerations& hosts) {
  const auto history = GroupHistory(hosts);
  if (history.empty()) {
    return Fail(ErrorCode::kNotFound, "no host keeps a generation of this playbook");
  }
  if (history.size() == 1) {
    return Fail(
        ErrorCode::kNotFound,
        "there is only generation " + std::to_string(history.front().number) + ", none before it");
  }
  return history[1].number;
}

Status CheckRestore(const HostGenerations& hosts, std::uint64_t number) {
  const auto history = GroupHistory(hosts);
  if (history.empty()) {
    return Fail(ErrorCode::kNotFound, "no host keeps a generation of this playbook");
  }
  const bool known = std::any_of(history.begin(), history.end(),
                                 [&](const GroupGeneration& one) { return one.number == number; });
  if (!known) {
    return Fail(ErrorCode::kNotFound, "there is no generation " + std::to_string(number) +
                                          "; there are " + Numbers(history));
  }
  return {};
}

}  // namespace drover
