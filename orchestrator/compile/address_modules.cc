// vip and real_server: addresses on interfaces.
#include "orchestrator/compile/module_context.h"

namespace drover {
namespace {

struct PlacedPrefix {
  Prefix prefix;
  bool has_length = false;
  Place place;
};

std::vector<PlacedPrefix> ReadPrefixes(Arguments& arguments, const std::string& key) {
  std::vector<PlacedPrefix> prefixes;
  for (const Argument* item : arguments.Several(key)) {
    const auto text = ReadText(*item);
    if (!text) {
      arguments.Say(item->place, "\"" + key + "\" of " + arguments.owner() +
                                     " takes an IP address, not " + Describe(item->value));
      continue;
    }
    const auto prefix = Prefix::Parse(*text);
    if (!prefix) {
      arguments.Say(item->place, prefix.error().message);
      continue;
    }
    prefixes.push_back({*prefix, text->find('/') != std::string::npos, item->place});
  }
  return prefixes;
}

// One of two spellings of the same key has to be there, and not both.
std::string OneKey(Arguments& arguments, const std::string& one, const std::string& many) {
  if (arguments.Has(one) && arguments.Has(many)) {
    arguments.Say(arguments.PlaceOf(many),
                  arguments.owner() + " takes either \"" + one + "\" or \"" + many + "\"");
  }
  if (arguments.Has(many)) return many;
  arguments.Require(one);
  return one;
}

void AddAddress(DesiredState& state, const InterfaceAddress& address, const Place& place,
                Arguments& arguments) {
  if (const Status status = ValidateAddress(address); !status) {
    arguments.Say(place, status.error().message);
    return;
  }
  state.addresses.push_back(address);
}

}  // namespace

std::optional<ModuleWork> ParseVip(Arguments& arguments, ModuleContext& context) {
  const std::string key = OneKey(arguments, "address", "addresses");
  arguments.Require("interface");
  const std::string interface = arguments.Text("interface").value_or("");
  const bool announce = arguments.Bool("announce").value_or(true);
  const auto length = arguments.Integer("prefix", 1, 128);
  DesiredState state;
  for (const auto& [prefix, has_length, place] : ReadPrefixes(arguments, key)) {
    InterfaceAddress address{interface, prefix, announce};
    if (length && has_length && prefix.length != *length) {
      arguments.Say(arguments.PlaceOf("prefix"),
                    "\"prefix\" contradicts the length behind the address");
    }
    if (length && !has_length) address.prefix.length = static_cast<int>(*length);
    if (!interface.empty()) AddAddress(state, address, place, arguments);
    context.run.cluster.AddVip(context.host, prefix.address);
  }
  return ModuleWork{ConvergeTask{state}, std::nullopt};
}

// What direct routing asks of a real server: it takes packets for the VIP (address on lo) but never
// tells the network about it (arp_ignore, arp_announce). For IPv6 the address on lo is enough:
// neighbour discovery answers for addresses of the asked interface only.
std::optional<ModuleWork> ParseRealServer(Arguments& arguments, ModuleContext& context) {
  const std::string key = OneKey(arguments, "vip", "vips");
  const std::string interface = arguments.Text("interface").value_or("lo");
  DesiredState state;
  bool ipv4 = false;
  for (const auto& [prefix, has_length, place] : ReadPrefixes(arguments, key)) {
    if (has_length && prefix.length != prefix.address.bits()) {
      arguments.Say(place, "the VIP of a real server stands alone (/" +
                               std::to_string(prefix.address.bits()) + "), not in a network of /" +
                               std::to_string(prefix.length));
      continue;
    }
    const InterfaceAddress address{interface, Prefix::Host(prefix.address), false};
    AddAddress(state, address, place, arguments);
    context.run.cluster.AddRealServer(context.host, prefix.address);
    ipv4 = ipv4 || prefix.address.is_v4();
  }
  if (ipv4) {
    for (const std::string& name : {std::string("all"), interface}) {
      state.sysctls.push_back(Sysctl{"net/ipv4/conf/" + name + "/arp_ignore", "1"});
      state.sysctls.push_back(Sysctl{"net/ipv4/conf/" + name + "/arp_announce", "2"});
    }
  }
  return ModuleWork{ConvergeTask{state}, std::nullopt};
}

}  // namespace drover
