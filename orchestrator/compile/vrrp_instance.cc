// vrrp_instance: one virtual router of a host, key by key, so that every offence is said at its
// place.
#include <algorithm>
#include <set>

#include "orchestrator/compile/tracking.h"
#include "protocol/words.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kHour{3600000};
constexpr std::size_t kMaxPassword = 8;  // RFC 2338, section 5.3.6

class InstanceReader {
 public:
  InstanceReader(Arguments& arguments, ModuleContext& context)
      : arguments_(arguments), context_(context) {}

  std::optional<VrrpInstance> Read() {
    const std::size_t before = arguments_.diagnostics().size();
    Identity();
    Addresses();
    Version();
    Password();
    Behaviour();
    Announcements();
    SourceAndPeers();
    instance_.track = ReadTrack(arguments_, /*weights=*/true, context_);
    if (arguments_.diagnostics().size() != before) return std::nullopt;
    // Nothing should be left to complain about; if there is, better here than on the node.
    if (const Status fine = ValidateInstance(instance_); !fine) {
      arguments_.Say(arguments_.place(), fine.error().message);
      return std::nullopt;
    }
    return instance_;
  }

 private:
  void Identity() {
    instance_.name = ReadName("name", arguments_).value_or("");
    instance_.interface = ReadInterface("interface", arguments_, /*required=*/true).value_or("");
    arguments_.Require("virtual_router_id", "1 to 255, the same on all hosts that share it");
    if (const auto vrid = arguments_.Integer("virtual_router_id", 1, 255)) {
      instance_.vrid = static_cast<std::uint8_t>(*vrid);
    }
    if (const auto priority = arguments_.Integer("priority", 1, 255)) {
      instance_.priority = static_cast<std::uint8_t>(*priority);
    }
  }

  std::vector<Prefix> Prefixes(const std::string& key) {
    std::vector<Prefix> prefixes;
    for (const Argument* item : arguments_.Several(key)) {
      const auto text = ReadText(*item);
      if (!text) {
        arguments_.Say(item->place, "\"" + key + "\" of " + arguments_.owner() +
                                        " takes IP addresses, not " + Describe(item->value));
        continue;
      }
      const auto prefix = Prefix::Parse(*text);
      if (!prefix) {
        arguments_.Say(item->place, prefix.error().message);
        continue;
      }
      const IpAddress& ip = prefix->address;
      if (ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() || prefix->length == 0) {
        arguments_.Say(item->place, prefix->ToString() + " cannot be a virtual address");
      } else if (!seen_.insert(ip).second) {
        arguments_.Say(item->place, ip.ToString() + " is named twice");
      } else {
        prefixes.push_back(*prefix);
      }
    }
    return prefixes;
  }

  void Addresses() {
    arguments_.Require("addresses", "the virtual addresses, one or a list");
    instance_.addresses = Prefixes("addresses");
    if (arguments_.Has("addresses") && arguments_.Several("addresses").empty()) {
      arguments_.Say(arguments_.PlaceOf("addresses"), "\"addresses\" of " + arguments_.owner() +
                                                          " is empty: there is nothing to hold");
    }
    const std::size_t most = MaxAdvertisedAddresses(instance_.family());
    if (instance_.addresses.size() > most) {
      arguments_.Say(arguments_.PlaceOf("addresses"),
                     "an advert of this family holds " + std::to_string(most) +
                         " addresses at most, not " + std::to_string(instance_.addresses.size()),
                     "put the others under \"excluded_addresses\"");
    }
    const bool mixed =
        std::any_of(instance_.addresses.begin(), instance_.addresses.end(),
                    [&](const Prefix& p) { return p.address.family() != instance_.family(); });
    if (mixed) {
      arguments_.Say(arguments_.PlaceOf("addresses"), "an advert holds addresses of one family",
                     "the other family goes under \"excluded_addresses\" or into an instance of "
                     "its own");
    }
    instance_.excluded_addresses = Prefixes("excluded_addresses");
    for (const Prefix& prefix : instance_.AllAddresses()) {
      context_.run.cluster.AddVip(context_.host, prefix.address);
    }
  }

  void Version() {
    if (const auto version = arguments_.Integer("version", 2, 3)) {
      instance_.version = static_cast<int>(*version);
    }
    const bool old = instance_.version == 2;
    if (old && instance_.family() == Family::kIpv6) {
      arguments_.Say(arguments_.PlaceOf("version"), "IPv6 needs version 3");
    }
    // RFC 9568, section 5.2.7: 12 bits of centiseconds; RFC 3768, section 5.3.7: a byte of seconds.
    const auto interval =
        old ? arguments_.Duration("advert_interval", seconds(1), seconds(255))
            : arguments_.Duration("advert_interval", milliseconds(10), milliseconds(40950));
    if (!interval) return;
    const milliseconds step = old ? seconds(1) : milliseconds(10);
    if (*interval % step != milliseconds(0)) {
      arguments_.Say(arguments_.PlaceOf("advert_interval"),
                     std::string("version ") + (old ? "2" : "3") +
                         " counts the advert interval in steps of " + DurationText(step) +
                         ", not " + DurationText(*interval),
                     old ? "version 3 knows shorter ones" : "");
    }
    instance_.advert_interval = *interval;
  }

  // A secret: neither it nor the line it stands in is shown.
  void SayOfPassword(const Place& place, std::string message, std::string hint = "") {
    arguments_.diagnostics().push_back(
        Diagnostic{place, std::move(message), std::move(hint), /*secret=*/true});
  }

  std::optional<std::string> PasswordText(const Arguments& arguments) {
    const Argument* argument = arguments.Find("password");
    if (argument == nullptr) return std::nullopt;
    const auto text = ReadText(*argument);
    if (!text || text->empty() || text->size() > kMaxPassword) {
      SayOfPassword(argument->place,
                    "\"password\" of " + arguments_.owner() + " takes a text of 1 to 8 bytes");
      return std::nullopt;
    }
    if (instance_.version == 3) {
      SayOfPassword(argument->place, "VRRP version 3 has no password",
                    "write \"version: 2\", or leave the password out: it never was a protection");
    }
    return text;
  }

  void Password() {
    const Argument* authentication = arguments_.Find("authentication");
    if (authentication == nullptr) {
      instance_.password = PasswordText(arguments_).value_or("");
      return;
    }
    if (arguments_.Has("password")) {
      SayOfPassword(arguments_.PlaceOf("password"),
                    arguments_.owner() + " takes either \"password\" or \"authentication\"");
    }
    if (!authentication->is_mapping()) {
      SayOfPassword(authentication->place, "\"authentication\" of " + arguments_.owner() +
                                               " takes a mapping: {type: pass, password: …}");
      return;
    }
    Arguments entry(*authentication, "\"authentication\"", arguments_.diagnostics());
    entry.CheckKeys({"type", "password"}, "vrrp_instance");
    const auto type = entry.OneOf("type", {"pass", "none"});
    if (type == "none") {
      if (entry.Has("password")) {
        SayOfPassword(entry.PlaceOf("password"), "authentication of type none has no password");
      }
      return;
    }
    entry.Require("password");
    instance_.password = PasswordText(entry).value_or("");
  }

  void Behaviour() {
    if (const auto adverts = arguments_.Integer("down_adverts", 1, 100)) {
      instance_.down_adverts = static_cast<int>(*adverts);
    }
    instance_.preempt = arguments_.Bool("preempt").value_or(true);
    instance_.preempt_delay =
        arguments_.Duration("preempt_delay", seconds(0), seconds(1000)).value_or(milliseconds(0));
    if (!instance_.preempt && instance_.preempt_delay != milliseconds(0)) {
      arguments_.Say(arguments_.PlaceOf("preempt_delay"),
                     "\"preempt_delay\" means nothing with \"preempt: false\"");
    }
    instance_.vmac = arguments_.Bool("vmac").value_or(false);
    if (const auto word = arguments_.OneOf("checksum", {"as_peer", "rfc9568", "pseudo_header"})) {
      instance_.checksum = *ParseVrrpChecksum(*word);
    }
    if (const auto word = arguments_.OneOf("on_rival", {"reannounce", "yield"})) {
      instance_.on_rival = *ParseOnRival(*word);
    }
    const auto span = [&](const char* key, milliseconds most, milliseconds& into) {
      if (const auto value = arguments_.Duration(key, milliseconds(0), most)) into = *value;
    };
    span("linger", seconds(5), instance_.linger);
    span("sync_wait", kHour, instance_.sync_wait);
    Lease();
  }

  // The kernel counts lifetimes of addresses in whole seconds; false: none.
  void Lease() {
    const Argument* lease = arguments_.Find("lease");
    if (lease == nullptr) return;
    if (lease->value.is_boolean()) {
      if (!lease->value.get<bool>()) instance_.lease = milliseconds(0);
      return;
    }
    const auto span = arguments_.Duration("lease", milliseconds(0), seconds(60));
    if (!span) return;
    if (*span % seconds(1) != milliseconds(0)) {
      arguments_.Say(lease->place, "\"lease\" takes whole seconds, or false for none, not " +
                                       DurationText(*span));
    }
    instance_.lease = *span;
  }

  void Announcements() {
    const Argument* garp = arguments_.Find("garp");
    if (garp == nullptr) return;
    if (!garp->is_mapping()) {
      arguments_.Say(garp->place, "\"garp\" of " + arguments_.owner() +
                                      " takes a mapping of count, delay, refresh, refresh_count, "
                                      "not " +
                                      Describe(garp->value));
      return;
    }
    Arguments entry(*garp, "\"garp\"", arguments_.diagnostics());
    entry.CheckKeys({"count", "delay", "refresh", "refresh_count"});
    VrrpAnnounce& announce = instance_.announce;
    if (const auto n = entry.Integer("count", 1, 100)) announce.count = static_cast<int>(*n);
    if (const auto n = entry.Integer("refresh_count", 1, 100)) {
      announce.refresh_count = static_cast<int>(*n);
    }
    if (const auto t = entry.Duration("delay", seconds(0), kHour)) announce.delay = *t;
    if (const auto t = entry.Duration("refresh", seconds(0), kHour)) announce.refresh = *t;
  }

  void SourceAndPeers() {
    if (const auto text = arguments_.Text("source_address")) {
      const auto address = IpAddress::Parse(*text);
      if (!address) {
        arguments_.Say(arguments_.PlaceOf("source_address"), address.error().message);
      } else if (address->family() != instance_.family() || address->is_multicast() ||
                 address->is_unspecified()) {
        arguments_.Say(arguments_.PlaceOf("source_address"),
                       "adverts of this instance cannot be sent from " + *text);
      } else {
        instance_.source_address = *address;
      }
    }
    const auto items = arguments_.Several("unicast_peers");
    for (const Argument* item : items) Peer(*item);
    if (!items.empty() && instance_.unicast_peers.empty() && !peer_offence_) {
      arguments_.Say(arguments_.PlaceOf("unicast_peers"),
                     "\"unicast_peers\" names this host only: no peer is left",
                     "name the other hosts, or leave the key out for multicast");
    }
  }

  // The node itself may stand in the list, so that all hosts can have the same one.
  [[nodiscard]] bool IsSelf(const std::string& name, const IpAddress& address) {
    if (name == context_.host || address == instance_.source_address) return true;
    const auto own = context_.run.addresses.OfHost(context_.host);
    return own && *own == address;
  }

  void Peer(const Argument& item) {
    const auto offence = [&](std::string message, std::string hint = "") {
      peer_offence_ = true;
      arguments_.Say(item.place, std::move(message), std::move(hint));
    };
    const auto name = ReadText(item);
    if (!name) {
      return offence("a unicast peer is a host or an address, not " + Describe(item.value));
    }
    if (*name == context_.host) return;
    const bool known = context_.run.inventory.FindHost(*name) != nullptr;
    const auto address = context_.run.addresses.OfName(*name);
    if (!address && known) {
      return offence("unicast peer \"" + *name + "\" has no address: " + address.error().message,
                     "set drover_address or ansible_host of this host to an IP address");
    }
    if (!address) {
      return offence("unicast peer \"" + *name + "\" is no host of the inventory and no IP address",
                     DidYouMean(*name, context_.run.inventory.HostNames()));
    }
    if (IsSelf(*name, *address)) return;
    if (address->family() != instance_.family() || address->is_multicast() ||
        address->is_unspecified()) {
      return offence(address->ToString() + " cannot be a unicast peer of an instance with " +
                         std::string(ToString(instance_.family())) + " addresses",
                     known ? "give the peer's address of that family instead of its name" : "");
    }
    auto& peers = instance_.unicast_peers;
    if (std::find(peers.begin(), peers.end(), *address) != peers.end()) {
      return offence("unicast peer " + address->ToString() + " is named twice");
    }
    peers.push_back(*address);
  }

  Arguments& arguments_;
  ModuleContext& context_;
  VrrpInstance instance_;
  std::set<IpAddress> seen_;
  bool peer_offence_ = false;
};

}  // namespace

// What a move without loss needs of the interface. A master that lingers has its VIP on lo: the
// interface must not answer ARP for what is not on it, and questions of its own must not name a
// virtual address as their sender, for a neighbour would learn it. Other addresses of the VIP's
// network must survive its removal.
std::optional<ModuleWork> ParseVrrpInstance(Arguments& arguments, ModuleContext& context) {
  auto instance = InstanceReader(arguments, context).Read();
  if (!instance) return std::nullopt;
  const auto is_v4 = [](const Prefix& prefix) { return prefix.address.is_v4(); };
  const auto& excluded = instance->excluded_addresses;
  if (instance->family() == Family::kIpv4 || std::any_of(excluded.begin(), excluded.end(), is_v4)) {
    const std::string folder = "net/ipv4/conf/" + instance->interface + "/";
    for (const auto& [setting, value] :
         {std::pair("arp_ignore", "1"), {"arp_announce", "2"}, {"promote_secondaries", "1"}}) {
      context.run.cluster.Imply(context.host, {NameOf(*instance), {folder + setting, value}});
    }
  }
  DesiredState state;
  state.vrrp_instances.push_back(std::move(*instance));
  return ModuleWork{ConvergeTask{std::move(state)}, std::nullopt, arguments.PlaceOf("name")};
}

}  // namespace drover
