#include "protocol/change.h"

#include <sstream>

namespace drover {
namespace {

std::string AddressResource(const InterfaceAddress& address) {
  return "address " + address.prefix.ToString() + " on " + address.interface;
}

std::string DestinationResource(const ServiceKey& service, const Destination& destination) {
  return "real server " + destination.endpoint().ToString() + " of service " + ToString(service);
}

// One overload per action; each fills verb, resource and the two sides.
struct Describer {
  ChangeText operator()(const AddAddress& add) const {
    return {"add", AddressResource(add.address), "", add.address.prefix.ToString(), ""};
  }
  ChangeText operator()(const RemoveAddress& remove) const {
    return {"remove", AddressResource(remove.address), remove.address.prefix.ToString(), "", ""};
  }
  ChangeText operator()(const SetSysctl& set) const {
    return {"change", NameOf(set.sysctl), set.before, set.sysctl.value, ""};
  }
  ChangeText operator()(const AddService& add) const {
    return {"add", NameOf(add.service), "", Summary(add.service), ""};
  }
  ChangeText operator()(const EditService& edit) const {
    return {"change", NameOf(edit.service), Summary(edit.before), Summary(edit.service), ""};
  }
  ChangeText operator()(const RemoveService& remove) const {
    return {"remove", NameOf(remove.service), Summary(remove.service), "", ""};
  }
  ChangeText operator()(const AddDestination& add) const {
    return {"add", DestinationResource(add.service, add.destination), "", Summary(add.destination),
            ""};
  }
  ChangeText operator()(const EditDestination& edit) const {
    return {"change", DestinationResource(edit.service, edit.destination), Summary(edit.before),
            Summary(edit.destination), ""};
  }
  ChangeText operator()(const RemoveDestination& remove) const {
    return {"remove", DestinationResource(remove.service, remove.destination),
            Summary(remove.destination), "", ""};
  }
  ChangeText operator()(const StartSyncDaemon& start) const {
    return {"add", NameOf(start.daemon), "", Summary(start.daemon), ""};
  }
  ChangeText operator()(const StopSyncDaemon& stop) const {
    return {"remove", NameOf(stop.daemon), Summary(stop.daemon), "", ""};
  }
  ChangeText operator()(const AddPathPart& add) const {
    return {"add", NameOf(add.part), "", Summary(add.part), ""};
  }
  ChangeText operator()(const ReplacePathPart& replace) const {
    return {"change", NameOf(replace.part), Summary(replace.before), Summary(replace.part), ""};
  }
  ChangeText operator()(const RemovePathPart& remove) const {
    return {"remove", NameOf(remove.part), Summary(remove.part), "", ""};
  }
};

}  // namespace

ChangeText Describe(const Change& change) {
  ChangeText text = std::visit(Describer{}, change.action);
  text.reason = change.reason;
  return text;
}

std::string OneLine(const ChangeText& text) {
  std::string line = text.verb + " " + text.resource;
  if (text.verb == "change") line += ": " + text.before + " -> " + text.after;
  if (!text.reason.empty()) line += " (" + text.reason + ")";
  return line;
}

std::string Summary(const VirtualService& service) {
  std::ostringstream text;
  text << service.scheduler;
  for (const std::string& flag : service.scheduler_flags) text << " " << flag;
  if (service.persistence) {
    text << " persistent " << service.persistence->timeout.count() << "s mask "
         << service.persistence->netmask_length;
    if (!service.persistence->engine.empty()) text << " engine " << service.persistence->engine;
  }
  if (service.one_packet) text << " one-packet";
  return text.str();
}

std::string Summary(const Destination& destination) {
  std::ostringstream text;
  text << ToString(destination.forward);
  if (destination.tunnel != Wrapping{}) text << " by " << ToString(destination.tunnel);
  text << " weight " << destination.weight;
  if (destination.upper_threshold != 0) {
    text << " thresholds " << destination.lower_threshold << "/" << destination.upper_threshold;
  }
  return text.str();
}

}  // namespace drover
