#include "node-helper/fault/fault_step.h"

#include <algorithm>
#include <array>

#include "protocol/json_reader.h"

namespace drover {
namespace {

constexpr std::array<std::string_view, 15> kWords = {
    "filter", "delay", "freeze", "helper", "service", "addresses", "sysctls", "link_down",
    "rules",  "fill",  "burn",   "answer", "clock",   "reboot",    "yield"};
constexpr std::int64_t kMaxNumber = std::int64_t{1} << 53;

Json ItemToJson(const StepItem& item) {
  return {{"name", item.name},
          {"before", item.before},
          {"during", item.during},
          {"number", item.number}};
}

StepItem ItemFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  StepItem item;
  ObjectReader reader(json, path, errors);
  reader.Read("name", item.name);
  reader.Read("before", item.before);
  reader.Read("during", item.during);
  reader.ReadInteger("number", item.number, -kMaxNumber, kMaxNumber);
  return item;
}

FaultStep StepFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  FaultStep step;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("kind", step.kind, ParseStepKind);
  reader.Read("text", step.text);
  reader.ReadList("items", step.items, ItemFromJson);
  reader.ReadInteger("number", step.number, -kMaxNumber, kMaxNumber);
  return step;
}

}  // namespace

std::string_view ToString(StepKind kind) { return kWords.at(static_cast<std::size_t>(kind)); }

Result<StepKind> ParseStepKind(std::string_view word) {
  const auto found = std::find(kWords.begin(), kWords.end(), word);
  if (found != kWords.end()) return static_cast<StepKind>(found - kWords.begin());
  return Fail(ErrorCode::kInvalid, "\"" + std::string(word) + "\" is no step of a fault");
}

std::vector<FaultStep> UndoOrder(const std::vector<FaultStep>& steps) {
  std::vector<FaultStep> order(steps.rbegin(), steps.rend());
  std::stable_partition(order.begin(), order.end(),
                        [](const FaultStep& step) { return step.kind == StepKind::kFilter; });
  return order;
}

bool IsKernelTimed(const FaultStep& step) {
  // The delay and the errors are reached by a rule of the filter only; burners have a timer of the
  // kernel that kills them.
  return step.kind == StepKind::kFilter || step.kind == StepKind::kDelay ||
         step.kind == StepKind::kAnswer || step.kind == StepKind::kBurn;
}

bool IsPersistent(const FaultStep& step) { return step.kind == StepKind::kFill; }

std::string EncodeSteps(const std::vector<FaultStep>& steps) {
  Json all = Json::array();
  for (const FaultStep& step : steps) {
    Json items = Json::array();
    for (const StepItem& item : step.items) items.push_back(ItemToJson(item));
    all.push_back({{"kind", ToString(step.kind)},
                   {"text", step.text},
                   {"items", std::move(items)},
                   {"number", step.number}});
  }
  return Dump(Json{{"steps", std::move(all)}});
}

Result<std::vector<FaultStep>> DecodeSteps(std::string_view text) {
  const auto json = ParseJson(text);
  if (!json) return Fail(json.error());
  std::vector<FaultStep> steps;
  JsonErrors errors;
  {
    ObjectReader reader(*json, "", errors);
    reader.ReadList("steps", steps, StepFromJson);
  }
  if (!errors.ok()) return Fail(errors.error());
  return steps;
}

}  // namespace drover
