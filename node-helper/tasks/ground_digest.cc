#include "node-helper/tasks/ground_digest.h"

#include <algorithm>

#include "node-helper/store/digest.h"
#include "protocol/codec.h"

namespace drover {
namespace {

bool IsLeased(const InterfaceAddress& address, const std::vector<OwnerRecord>& records) {
  for (const OwnerRecord& record : records) {
    for (const VrrpInstance& instance : record.state.vrrp_instances) {
      if (instance.Holds(address.prefix.address)) return true;
    }
  }
  return false;
}

bool IsRecorded(const ServiceKey& key, const std::vector<OwnerRecord>& records) {
  return std::any_of(records.begin(), records.end(), [&](const OwnerRecord& record) {
    return std::any_of(record.state.services.begin(), record.state.services.end(),
                       [&](const VirtualService& service) { return service.key == key; });
  });
}

// Order and the wish to be announced are no difference.
DesiredState Comparable(DesiredState state) {
  for (InterfaceAddress& address : state.addresses) address.announce = false;
  return Canonical(std::move(state));
}

// A service whose real servers its checks weigh: as recorded while it stands as they say.
void LeaveOutHealth(VirtualService& service, const Overlay& overlay) {
  for (const OverlaidService& watched : overlay.services) {
    if (watched.wanted.key != service.key) continue;
    DesiredState now;
    now.services = {service};
    DesiredState expected;
    expected.services = {watched.effective};
    if (Canonical(now) == Canonical(expected)) service.destinations = watched.wanted.destinations;
    for (Destination& destination : service.destinations) destination.weight = 0;
  }
}

}  // namespace

std::string GroundDigest(const std::string& owner, const std::vector<OwnerRecord>& records,
                         const DesiredState& observed, const Overlay& overlay) {
  DesiredState ground = observed;
  std::erase_if(ground.addresses, [&](const InterfaceAddress& address) {
    return IsLeased(address, records) || address.prefix.ToString().starts_with("fe80:");
  });
  // Marks that no record names are the daemon's own ways to real servers.
  std::erase_if(ground.services, [&](const VirtualService& service) {
    return std::holds_alternative<FwmarkKey>(service.key) && !IsRecorded(service.key, records);
  });
  for (VirtualService& service : ground.services) LeaveOutHealth(service, overlay);
  Sha256 digest;
  digest.Add(EncodeState(Comparable(std::move(ground))));
  for (const OwnerRecord& record : records) {
    digest.Add("\n" + record.owner + "\n" + EncodeState(Comparable(record.state)));
    if (record.owner != owner) continue;
    digest.Add("\n" + std::to_string(record.generation) + (record.complete ? " complete" : ""));
    for (const auto& [key, value] : record.original_sysctls) digest.Add("\n" + key + "=" + value);
    for (const std::string& name : record.adopted) digest.Add("\n" + name);
  }
  return digest.Finish();
}

}  // namespace drover
