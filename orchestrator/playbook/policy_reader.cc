#include "orchestrator/playbook/policy_reader.h"

#include <algorithm>
#include <cstdlib>

#include "orchestrator/source/duration.h"
#include "orchestrator/source/value.h"
#include "orchestrator/template/evaluate.h"

namespace drover {
namespace {

constexpr int kMostHosts = 1000000;

const std::vector<std::string>& UpdateWords() {
  static const std::vector<std::string> kWords = {
      "max_parallel", "canary", "hold", "min_healthy_time", "healthy_deadline", "stagger"};
  return kWords;
}

// "30%" as 30; nothing: no percentage.
std::optional<double> Percent(const Value& value) {
  if (!value.is_string()) return std::nullopt;
  const auto text = value.get<std::string>();
  if (text.size() < 2 || text.back() != '%') return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool whole = end == text.c_str() + text.size() - 1;
  if (!whole || number < 0 || number > 100) return std::nullopt;
  return number;
}

std::optional<BatchSize> SizeOf(const std::string& word, const YamlNode& node, int least,
                                KeywordReader& read) {
  Value value = ToValue(node);
  if (const auto percent = Percent(value)) {
    return BatchSize{static_cast<std::size_t>(*percent), /*percent=*/true};
  }
  // As in Ansible a number may be written as a text.
  if (value.is_string() && !value.get<std::string>().empty() &&
      value.get<std::string>().find_first_not_of("0123456789") == std::string::npos &&
      value.get<std::string>().size() < 7) {
    value = std::atoi(value.get<std::string>().c_str());
  }
  if (value.is_number_integer() && value >= least && value <= kMostHosts) {
    return BatchSize{static_cast<std::size_t>(std::max(value.get<int>(), 0)), /*percent=*/false};
  }
  read.Say(node.place, "\"" + word + "\" takes a number of hosts or a percentage as in \"30%\"");
  return std::nullopt;
}

void ReadSerial(const YamlNode& node, PlayPolicy& policy, KeywordReader& read) {
  // Ansible: nothing or less is "all that are left".
  const auto add = [&](const YamlNode& item) {
    if (const auto size = SizeOf("serial", item, -kMostHosts, read)) policy.serial.push_back(*size);
  };
  if (!node.is_sequence()) {
    add(node);
    return;
  }
  if (node.items.empty()) read.Say(node.place, "\"serial\" takes at least one number");
  for (const YamlNode& item : node.items) add(item);
}

void ReadMaxFail(const YamlNode& node, PlayPolicy& policy, KeywordReader& read) {
  const Value value = ToValue(node);
  std::optional<double> number = Percent(value);
  if (value.is_number()) number = value.get<double>();
  if (number && *number >= 0 && *number <= 100) {
    policy.max_fail_percentage = number;
  } else {
    read.Say(node.place, "\"max_fail_percentage\" takes a number from 0 to 100");
  }
}

void ReadSpan(const std::string& word, const YamlNode& node, std::chrono::milliseconds& span,
              KeywordReader& read) {
  if (const auto value = ReadDuration(ToValue(node))) {
    span = *value;
  } else {
    read.Say(node.place, "\"" + word + "\" takes a span of time as in \"30s\" or \"5m\"");
  }
}

void ReadHold(const YamlNode& node, UpdatePolicy& update, KeywordReader& read) {
  if (node.is_scalar() && node.scalar == "manual") {
    update.hold_for_operator = true;
    return;
  }
  if (const auto span = ReadDuration(ToValue(node))) {
    update.hold = span;
  } else {
    read.Say(node.place, "\"hold\" takes a span of time, or \"manual\" to be asked");
  }
}

void ReadUpdateWord(const std::string& word, const YamlNode& node, UpdatePolicy& update,
                    KeywordReader& read) {
  if (word == "max_parallel") {
    if (const auto size = SizeOf(word, node, 1, read)) update.max_parallel = *size;
  } else if (word == "canary") {
    if (const auto hosts = read.Integer(word, node, 0, kMostHosts)) {
      update.canary = static_cast<std::size_t>(*hosts);
    }
  } else if (word == "hold") {
    ReadHold(node, update, read);
  } else if (word == "min_healthy_time") {
    ReadSpan(word, node, update.min_healthy_time, read);
  } else if (word == "healthy_deadline") {
    ReadSpan(word, node, update.healthy_deadline, read);
  } else {
    ReadSpan(word, node, update.stagger, read);
  }
}

void ReadUpdate(const YamlNode& node, PlayPolicy& policy, KeywordReader& read) {
  if (!node.is_mapping()) {
    read.Say(node.place, "\"update\" takes a mapping, not " + TypeName(ToValue(node)),
             "as in update: {max_parallel: 1, canary: 1, min_healthy_time: 10s}");
    return;
  }
  UpdatePolicy update;
  for (const auto& [key, value] : node.entries) {
    const std::string word = KeyOf(key);
    const auto& words = UpdateWords();
    if (std::find(words.begin(), words.end(), word) != words.end()) {
      ReadUpdateWord(word, value, update, read);
    } else {
      read.Say(key.place, "unknown key \"" + word + "\" of \"update\"", DidYouMean(word, words));
    }
  }
  if (update.min_healthy_time > update.healthy_deadline) {
    read.Say(node.place, "\"healthy_deadline\" is shorter than \"min_healthy_time\"",
             "no batch could ever be healthy in time");
  }
  if ((update.hold || update.hold_for_operator) && update.canary == 0) {
    read.Say(node.place, "\"hold\" needs a \"canary\" behind which it holds");
  }
  policy.update = update;
}

}  // namespace

bool ReadPolicyKeyword(const std::string& word, const YamlNode& node, PlayPolicy& policy,
                       KeywordReader& read) {
  if (word == "serial") {
    ReadSerial(node, policy, read);
  } else if (word == "max_fail_percentage") {
    ReadMaxFail(node, policy, read);
  } else if (word == "any_errors_fatal") {
    policy.any_errors_fatal = read.Bool(word, node).value_or(false);
  } else if (word == "update") {
    ReadUpdate(node, policy, read);
  } else {
    return false;
  }
  return true;
}

void CheckPolicy(const PlayPolicy& policy, const Place& place, KeywordReader& read) {
  if (policy.update && !policy.serial.empty()) {
    read.Say(place, "\"serial\" and \"update\" both say how many hosts go together",
             "keep one; update: {max_parallel: …} is serial with health in between");
  }
}

}  // namespace drover
