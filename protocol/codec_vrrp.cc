// VRRP instances, groups and trackers <-> JSON.

#include "protocol/codec_parts.h"

namespace drover {
namespace {

Json ToJson(const TrackedBy& tracked) {
  return {{"tracker", tracked.tracker}, {"weight", tracked.weight}};
}

TrackedBy TrackedFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  TrackedBy tracked;
  ObjectReader reader(json, path, errors);
  reader.Read("tracker", tracked.tracker);
  reader.ReadInteger("weight", tracked.weight, -kMaxU8, kMaxU8);
  return tracked;
}

Json ToJson(const VrrpAnnounce& announce) {
  return {{"count", announce.count},
          {"delay_ms", announce.delay.count()},
          {"refresh_ms", announce.refresh.count()},
          {"refresh_count", announce.refresh_count}};
}

VrrpAnnounce AnnounceFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  VrrpAnnounce announce;
  ObjectReader reader(json, path, errors);
  reader.ReadInteger("count", announce.count, 0, kMaxU16);
  reader.ReadDuration("delay_ms", announce.delay);
  reader.ReadDuration("refresh_ms", announce.refresh);
  reader.ReadInteger("refresh_count", announce.refresh_count, 0, kMaxU16);
  return announce;
}

struct TargetEncoder {
  Json operator()(const InterfaceTracker& target) const {
    return {{"kind", "interface"}, {"interface", target.interface}};
  }
  Json operator()(const ProcessTracker& target) const {
    return {{"kind", "process"}, {"process", target.process}, {"quorum", target.quorum}};
  }
  Json operator()(const FileTracker& target) const {
    return {{"kind", "file"}, {"path", target.path}};
  }
  Json operator()(const ScriptTracker& target) const {
    return {{"kind", "script"}, {"argv", target.argv}};
  }
  Json operator()(const ServiceTracker& target) const {
    return {{"kind", "service"}, {"service", ServiceKeyToJson(target.service)}};
  }
};

TrackerTarget TargetFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ObjectReader reader(json, path, errors);
  std::string kind;
  reader.Read("kind", kind);
  if (kind == "interface") {
    InterfaceTracker target;
    reader.Read("interface", target.interface);
    return target;
  }
  if (kind == "process") {
    ProcessTracker target;
    reader.Read("process", target.process);
    reader.ReadInteger("quorum", target.quorum, 1, kMaxU32);
    return target;
  }
  if (kind == "file") {
    FileTracker target;
    reader.Read("path", target.path);
    return target;
  }
  if (kind == "script") {
    ScriptTracker target;
    reader.Read("argv", target.argv);
    return target;
  }
  if (kind == "service") {
    ServiceTracker target;
    reader.ReadValue("service", target.service, ServiceKeyFromJson);
    return target;
  }
  errors.Add(reader.PathOf("kind"), "unknown kind of tracker \"" + kind + "\"");
  return InterfaceTracker{};
}

Json PrefixesToJson(const std::vector<Prefix>& prefixes) {
  return ListToJson(prefixes, [](const Prefix& prefix) { return prefix.ToString(); });
}

}  // namespace

Json InstanceToJson(const VrrpInstance& instance) {
  Json json = {{"name", instance.name},
               {"interface", instance.interface},
               {"version", instance.version},
               {"vrid", instance.vrid},
               {"priority", instance.priority},
               {"advert_interval_ms", instance.advert_interval.count()},
               {"down_adverts", instance.down_adverts},
               {"preempt", instance.preempt},
               {"preempt_delay_ms", instance.preempt_delay.count()},
               {"addresses", PrefixesToJson(instance.addresses)},
               {"excluded_addresses", PrefixesToJson(instance.excluded_addresses)},
               {"unicast_peers", ListToJson(instance.unicast_peers,
                                            [](const IpAddress& peer) { return peer.ToString(); })},
               {"password", instance.password},
               {"checksum", ToString(instance.checksum)},
               {"vmac", instance.vmac},
               {"announce", ToJson(instance.announce)},
               {"lease_ms", instance.lease.count()},
               {"linger_ms", instance.linger.count()},
               {"on_rival", ToString(instance.on_rival)},
               {"sync_wait_ms", instance.sync_wait.count()},
               {"track", ListToJson(instance.track, [](const auto& t) { return ToJson(t); })}};
  if (instance.source_address) json["source_address"] = instance.source_address->ToString();
  return json;
}

VrrpInstance InstanceFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  VrrpInstance instance;
  ObjectReader reader(json, path, errors);
  reader.Read("name", instance.name);
  reader.Read("interface", instance.interface);
  reader.ReadInteger("version", instance.version, 2, 3);
  reader.ReadInteger("vrid", instance.vrid, 1, kMaxU8);
  reader.ReadInteger("priority", instance.priority, 1, kMaxU8);
  reader.ReadDuration("advert_interval_ms", instance.advert_interval);
  reader.ReadInteger("down_adverts", instance.down_adverts, 0, kMaxU16);
  reader.Read("preempt", instance.preempt);
  reader.ReadDuration("preempt_delay_ms", instance.preempt_delay);
  reader.ReadList("addresses", instance.addresses, PrefixFromJson);
  reader.ReadList("excluded_addresses", instance.excluded_addresses, PrefixFromJson);
  reader.ReadList("unicast_peers", instance.unicast_peers, IpAddressFromJson);
  if (reader.Has("source_address")) {
    reader.ReadWord("source_address", instance.source_address.emplace(), IpAddress::Parse);
  }
  reader.Read("password", instance.password);
  reader.ReadWord("checksum", instance.checksum, ParseVrrpChecksum);
  reader.Read("vmac", instance.vmac);
  reader.ReadValue("announce", instance.announce, AnnounceFromJson);
  reader.ReadDuration("lease_ms", instance.lease);
  reader.ReadDuration("linger_ms", instance.linger);
  reader.ReadWord("on_rival", instance.on_rival, ParseOnRival);
  reader.ReadDuration("sync_wait_ms", instance.sync_wait);
  reader.ReadList("track", instance.track, TrackedFromJson);
  return instance;
}

Json GroupToJson(const VrrpGroup& group) {
  return {{"name", group.name},
          {"instances", group.instances},
          {"track", ListToJson(group.track, [](const auto& t) { return ToJson(t); })}};
}

VrrpGroup GroupFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  VrrpGroup group;
  ObjectReader reader(json, path, errors);
  reader.Read("name", group.name);
  reader.Read("instances", group.instances);
  reader.ReadList("track", group.track, TrackedFromJson);
  return group;
}

Json TrackerToJson(const Tracker& tracker) {
  return {{"name", tracker.name},
          {"target", std::visit(TargetEncoder{}, tracker.target)},
          {"interval_ms", tracker.interval.count()},
          {"timeout_ms", tracker.timeout.count()},
          {"rise", tracker.rise},
          {"fall", tracker.fall}};
}

Tracker TrackerFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Tracker tracker;
  ObjectReader reader(json, path, errors);
  reader.Read("name", tracker.name);
  reader.ReadValue("target", tracker.target, TargetFromJson);
  reader.ReadDuration("interval_ms", tracker.interval);
  reader.ReadDuration("timeout_ms", tracker.timeout);
  reader.ReadInteger("rise", tracker.rise, 0, kMaxU16);
  reader.ReadInteger("fall", tracker.fall, 0, kMaxU16);
  return tracker;
}

}  // namespace drover
