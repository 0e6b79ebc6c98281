// vrrp_group and tracker: what joins instances together and what they watch.
#include <algorithm>

#include "orchestrator/compile/program_words.h"
#include "orchestrator/compile/service_key_reader.h"
#include "orchestrator/compile/tracking.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLeastSpan{100};
constexpr milliseconds kMostSpan{3600000};
constexpr const char* kTargets[] = {"interface", "process", "file", "script", "service"};

std::optional<std::string> TargetKey(Arguments& arguments) {
  std::optional<std::string> found;
  for (const char* key : kTargets) {
    if (!arguments.Has(key)) continue;
    if (found) {
      arguments.Say(arguments.PlaceOf(key),
                    "a tracker watches one thing, here \"" + *found + "\" and \"" + key + "\"",
                    "write a tracker for each");
      return std::nullopt;
    }
    found = key;
  }
  if (!found) {
    arguments.Say(arguments.place(), arguments.owner() + " names nothing to watch",
                  "one of: interface, process, file, script, service");
  }
  return found;
}

std::optional<TrackerTarget> ReadTarget(const std::string& key, Arguments& arguments,
                                        ModuleContext& context) {
  if (key == "interface") {
    const auto name = ReadInterface(key, arguments, /*required=*/true);
    if (!name) return std::nullopt;
    return InterfaceTracker{*name};
  }
  if (key == "script") {
    auto argv = ReadProgram(*arguments.Find(key), arguments);
    if (!argv) return std::nullopt;
    return ScriptTracker{*std::move(argv)};
  }
  if (key == "service") {
    const Argument& argument = *arguments.Find(key);
    const auto service = ReadServiceName(argument, arguments);
    if (!service) return std::nullopt;
    context.run.cluster.Refer(context.host,
                              {Reference::Kind::kService, ToString(*service), argument.place});
    return ServiceTracker{*service};
  }
  const auto text = arguments.Text(key);
  if (!text) return std::nullopt;
  if (key == "file" && !text->starts_with('/')) {
    arguments.Say(arguments.PlaceOf(key), "\"" + *text + "\" is no absolute path");
    return std::nullopt;
  }
  if (key == "file") return FileTracker{*text};
  if (text->empty()) {
    arguments.Say(arguments.PlaceOf(key), "\"process\" takes the name of an executable");
    return std::nullopt;
  }
  const auto quorum = arguments.Integer("quorum", 1, 65535);
  return ProcessTracker{*text, static_cast<std::uint32_t>(quorum.value_or(1))};
}

// Keys that the kind of tracker has no use for are slips.
void RefuseUseless(const std::string& target, Arguments& arguments) {
  const auto refuse = [&](const char* key, const std::string& why) {
    if (arguments.Has(key)) {
      arguments.Say(arguments.PlaceOf(key), std::string("\"") + key + "\" " + why);
    }
  };
  if (target != "process") refuse("quorum", "goes with \"process\" only");
  if (target != "script") refuse("timeout", "goes with \"script\" only");
  if (target == "interface" || target == "service") {
    refuse("interval", "means nothing for a tracker of " +
                           std::string(target == "interface" ? "an interface" : "a service") +
                           ": it follows at once");
  }
}

}  // namespace

std::optional<ModuleWork> ParseVrrpGroup(Arguments& arguments, ModuleContext& context) {
  const std::size_t before = arguments.diagnostics().size();
  VrrpGroup group;
  group.name = ReadName("name", arguments).value_or("");
  arguments.Require("instances", "names of vrrp_instance tasks of the same host, two at least");
  for (const Argument* item : arguments.Several("instances")) {
    const auto name = ReadText(*item);
    if (!name) {
      arguments.Say(item->place, "\"instances\" of " + arguments.owner() + " takes names, not " +
                                     Describe(item->value));
      continue;
    }
    auto& names = group.instances;
    if (std::find(names.begin(), names.end(), *name) != names.end()) {
      arguments.Say(item->place, "instance \"" + *name + "\" is named twice");
      continue;
    }
    context.run.cluster.Refer(context.host, {Reference::Kind::kInstance, *name, item->place});
    names.push_back(*name);
  }
  group.track = ReadTrack(arguments, /*weights=*/false, context);
  if (arguments.diagnostics().size() != before) return std::nullopt;
  if (group.instances.size() < 2) {
    arguments.Say(arguments.PlaceOf("instances"), "a group needs two instances at least");
    return std::nullopt;
  }
  DesiredState state;
  state.vrrp_groups.push_back(std::move(group));
  return ModuleWork{ConvergeTask{std::move(state)}, std::nullopt, arguments.PlaceOf("name")};
}

std::optional<ModuleWork> ParseTracker(Arguments& arguments, ModuleContext& context) {
  const std::size_t before = arguments.diagnostics().size();
  Tracker tracker;
  tracker.name = ReadName("name", arguments).value_or("");
  if (const auto key = TargetKey(arguments)) {
    if (auto target = ReadTarget(*key, arguments, context)) tracker.target = *std::move(target);
    RefuseUseless(*key, arguments);
  }
  const auto span = [&](const char* key, milliseconds& into) {
    if (const auto value = arguments.Duration(key, kLeastSpan, kMostSpan)) into = *value;
  };
  span("interval", tracker.interval);
  tracker.timeout = std::min(tracker.timeout, tracker.interval);
  span("timeout", tracker.timeout);
  if (tracker.timeout > tracker.interval) {
    arguments.Say(arguments.PlaceOf("timeout"), "\"timeout\" is longer than \"interval\"");
  }
  if (const auto n = arguments.Integer("rise", 1, 100)) tracker.rise = static_cast<int>(*n);
  if (const auto n = arguments.Integer("fall", 1, 100)) tracker.fall = static_cast<int>(*n);
  if (arguments.diagnostics().size() != before) return std::nullopt;
  if (const Status fine = ValidateTracker(tracker); !fine) {
    arguments.Say(arguments.place(), fine.error().message);
    return std::nullopt;
  }
  DesiredState state;
  state.trackers.push_back(std::move(tracker));
  return ModuleWork{ConvergeTask{std::move(state)}, std::nullopt, arguments.PlaceOf("name")};
}

}  // namespace drover
