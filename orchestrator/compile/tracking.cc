#include "orchestrator/compile/tracking.h"

#include <algorithm>

#include "protocol/words.h"

namespace drover {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr int kMaxWeight = 253;

std::optional<TrackedBy> ReadTracked(const Argument& item, bool weights, Arguments& arguments,
                                     Place& place) {
  place = item.place;
  if (!item.is_mapping()) {
    const auto name = ReadText(item);
    if (name && !name->empty()) return TrackedBy{*name, 0};
    arguments.Say(item.place, "\"track\" of " + arguments.owner() +
                                  " takes names of trackers or mappings, not " +
                                  Describe(item.value));
    return std::nullopt;
  }
  Arguments entry(item, "\"track\"", arguments.diagnostics());
  entry.CheckKeys({"name", "weight"});
  entry.Require("name");
  const auto name = entry.Text("name");
  const auto weight = entry.Integer("weight", -kMaxWeight, kMaxWeight);
  if (!name || (entry.Has("weight") && !weight)) return std::nullopt;
  if (!weights && weight.value_or(0) != 0) {
    entry.Say(entry.PlaceOf("weight"), "trackers of a group have no weight",
              "a group is in fault while one of its trackers is down");
    return std::nullopt;
  }
  place = entry.PlaceOf("name");
  return TrackedBy{*name, static_cast<int>(weight.value_or(0))};
}

}  // namespace

std::optional<std::string> ReadName(const std::string& key, Arguments& arguments) {
  if (arguments.Require(key) == nullptr) return std::nullopt;
  const auto name = arguments.Text(key);
  if (!name) return std::nullopt;
  const bool odd = std::any_of(name->begin(), name->end(),
                               [](unsigned char c) { return c <= ' ' || c == 0x7f; });
  if (!name->empty() && name->size() <= kMaxName && !odd) return name;
  arguments.Say(arguments.PlaceOf(key), "\"" + key + "\" of " + arguments.owner() +
                                            " takes 1 to 64 characters without blanks");
  return std::nullopt;
}

std::optional<std::string> ReadInterface(const std::string& key, Arguments& arguments,
                                         bool required) {
  if (required) arguments.Require(key);
  auto name = arguments.Text(key);
  if (!name) return std::nullopt;
  const Status fine = ValidateInterfaceName(*name);
  if (fine) return name;
  arguments.Say(arguments.PlaceOf(key), fine.error().message);
  return std::nullopt;
}

std::vector<TrackedBy> ReadTrack(Arguments& arguments, bool weights, ModuleContext& context) {
  std::vector<TrackedBy> track;
  for (const Argument* item : arguments.Several("track")) {
    Place place;
    auto tracked = ReadTracked(*item, weights, arguments, place);
    if (!tracked) continue;
    const bool twice = std::any_of(track.begin(), track.end(), [&](const TrackedBy& other) {
      return other.tracker == tracked->tracker;
    });
    if (twice) {
      arguments.Say(place, "tracker \"" + tracked->tracker + "\" is named twice");
      continue;
    }
    context.run.cluster.Refer(context.host, {Reference::Kind::kTracker, tracked->tracker, place});
    track.push_back(*std::move(tracked));
  }
  return track;
}

}  // namespace drover
