#include "node-helper/net/ipvs_netlink.h"

#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>

#include "node-helper/net/family_module.h"
#include "node-helper/net/ipvs_codec.h"
#include "node-helper/net/ipvs_sync_codec.h"

namespace drover {
namespace {

constexpr const char* kModule = "ip_vs";
constexpr std::chrono::seconds kStopPatience{3};  // threads look for the end once a second

std::string DestinationName(const ServiceKey& key, const Destination& destination) {
  return "real server " + destination.endpoint().ToString() + " of service " + ToString(key);
}

tl::unexpected<Error> PlainRefusal(const std::string& name, const Verdict& verdict) {
  Error error = ErrnoError(verdict.error_number, name);
  error.message = name + ": " + verdict.Reason();
  return Fail(error);
}

// ENOENT stands for the scheduler and for the persistence engine (ip_vs_add_service); the kernel
// has then already tried to load their modules.
tl::unexpected<Error> NoSuchPart(const VirtualService& service) {
  std::string text = NameOf(service) + ": this kernel has no scheduler " + service.scheduler +
                     " (module ip_vs_" + service.scheduler + " not found)";
  if (service.persistence && !service.persistence->engine.empty()) {
    text += " or no persistence engine " + service.persistence->engine + " (module ip_vs_pe_" +
            service.persistence->engine + ")";
  }
  return Fail(ErrorCode::kInvalid, text);
}

Status JudgeService(const VirtualService& service, const Verdict& verdict) {
  const std::string name = NameOf(service);
  switch (verdict.error_number) {
    case 0:
      return {};
    case EEXIST:
      return Fail(ErrorCode::kExists, name + ": it is already there");
    case ESRCH:
      return Fail(ErrorCode::kNotFound, name + ": there is no such service");
    case ENOENT:
      return NoSuchPart(service);
    case EAFNOSUPPORT:
      return Fail(ErrorCode::kInvalid, name + ": ip_vs of this kernel is built without " +
                                           std::string(ToString(FamilyOf(service.key))));
    default:
      return PlainRefusal(name, verdict);
  }
}

Status JudgeDestination(const ServiceKey& key, const Destination& destination,
                        const Verdict& verdict) {
  const std::string name = DestinationName(key, destination);
  const bool mixed = destination.address.family() != FamilyOf(key);
  switch (verdict.error_number) {
    case 0:
      return {};
    case EEXIST:
      return Fail(ErrorCode::kExists, name + ": it is already there");
    case ESRCH:
      return Fail(ErrorCode::kNotFound, name + ": there is no such service");
    case ENOENT:
      return Fail(ErrorCode::kNotFound, name + ": there is no such real server");
    case ERANGE:
      return Fail(ErrorCode::kInvalid,
                  name +
                      ": the kernel refuses the weight, or the lower threshold is above the "
                      "upper one");
    case EINVAL:
      if (!mixed) return PlainRefusal(name, verdict);
      return Fail(ErrorCode::kInvalid,
                  name +
                      ": IPv4 and IPv6 can be mixed with tun only, and not while the "
                      "connection sync daemon of ip_vs runs");
    default:
      return PlainRefusal(name, verdict);
  }
}

Status JudgeSyncDaemon(const SyncDaemon& daemon, const Verdict& verdict) {
  const std::string name = NameOf(daemon);
  switch (verdict.error_number) {
    case 0:
      return {};
    case EEXIST:
      return Fail(ErrorCode::kExists, name + ": it already runs");
    case ESRCH:
      return Fail(ErrorCode::kNotFound, name + ": it does not run");
    case ENODEV:
      return Fail(ErrorCode::kInvalid, name + ": there is no interface " + daemon.interface);
    case EINVAL:
      return Fail(ErrorCode::kInvalid,
                  name +
                      ": the kernel refuses its settings, or a service mixes IPv4 and IPv6, which "
                      "the daemons cannot carry");
    case EAFNOSUPPORT:
      return Fail(ErrorCode::kInvalid, name + ": ip_vs of this kernel is built without " +
                                           std::string(ToString(daemon.group.family())));
    case ENETUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
      return Fail(ErrorCode::kInvalid, name + ": " + daemon.interface +
                                           " is down or has no address to send from (" +
                                           verdict.Reason() + ")");
    default:
      return PlainRefusal(name, verdict);
  }
}

}  // namespace

Result<IpvsNetlink> IpvsNetlink::Open() {
  Result<std::unique_ptr<NetlinkSocket>> socket = NetlinkSocket::Open(NETLINK_GENERIC);
  if (!socket) return Fail(socket.error());
  return IpvsNetlink(std::move(*socket));
}

Result<std::vector<VirtualService>> IpvsNetlink::List() {
  const auto family = socket_->FindFamily(IPVS_GENL_NAME);
  if (!family) return Fail(family.error().In(kModule));
  family_ = *family;
  if (!family_) return std::vector<VirtualService>{};
  const Result<std::vector<Bytes>> messages = socket_->List(*family_, EncodeListServices());
  if (!messages) return Fail(messages.error().In("ip_vs services"));
  std::vector<VirtualService> services;
  for (const Bytes& message : *messages) {
    Result<VirtualService> service = DecodeService(message);
    if (!service) return Fail(service.error());
    Result<std::vector<Destination>> destinations = ListDestinations(service->key);
    if (!destinations) return Fail(destinations.error());
    service->destinations = std::move(*destinations);
    services.push_back(std::move(*service));
  }
  return services;
}

Result<std::vector<SyncDaemon>> IpvsNetlink::ListSyncDaemons() {
  const auto family = socket_->FindFamily(IPVS_GENL_NAME);
  if (!family) return Fail(family.error().In(kModule));
  family_ = *family;
  if (!family_) return std::vector<SyncDaemon>{};
  const Result<std::vector<Bytes>> messages = socket_->List(*family_, EncodeListSyncDaemons());
  if (!messages) return Fail(messages.error().In("sync daemons of ip_vs"));
  std::vector<SyncDaemon> daemons;
  for (const Bytes& message : *messages) {
    const Result<SyncDaemon> daemon = DecodeSyncDaemon(message);
    if (!daemon) return Fail(daemon.error());
    daemons.push_back(*daemon);
  }
  return daemons;
}

Result<std::vector<Destination>> IpvsNetlink::ListDestinations(const ServiceKey& key) {
  const Result<std::vector<Bytes>> messages = socket_->List(*family_, EncodeListDestinations(key));
  if (!messages) return Fail(messages.error().In("service " + ToString(key)));
  std::vector<Destination> destinations;
  for (const Bytes& message : *messages) {
    const Result<Destination> destination = DecodeDestination(message, FamilyOf(key));
    if (!destination) return Fail(destination.error().In("service " + ToString(key)));
    destinations.push_back(*destination);
  }
  // The kernel puts each new one at the head of its list (__ip_vs_update_dest).
  std::reverse(destinations.begin(), destinations.end());
  return destinations;
}

Status IpvsNetlink::Load() {
  const auto family = LoadFamily(*socket_, IPVS_GENL_NAME, kModule);
  if (!family) return Fail(family.error());
  family_ = *family;
  return {};
}

Status IpvsNetlink::CanLoad() { return CanLoadFamily(*socket_, IPVS_GENL_NAME, kModule); }

Result<std::optional<Verdict>> IpvsNetlink::Request(const Bytes& payload,
                                                    std::chrono::seconds patience) {
  if (!family_) {
    const auto family = socket_->FindFamily(IPVS_GENL_NAME);
    if (!family) return Fail(family.error());
    family_ = *family;
  }
  if (!family_) return std::nullopt;
  const Result<Verdict> verdict = socket_->Request(*family_, 0, payload, patience);
  if (!verdict) return Fail(verdict.error());
  return std::optional<Verdict>(*verdict);
}

Status IpvsNetlink::Apply(const AddService& add) {
  if (!family_) {
    if (const Status loaded = Load(); !loaded) return Fail(loaded.error().In(NameOf(add.service)));
  }
  const auto verdict = Request(EncodeAddService(add.service));
  if (!verdict) return Fail(verdict.error().In(NameOf(add.service)));
  return JudgeService(add.service, verdict->value_or(Verdict{ESRCH, ""}));
}

Status IpvsNetlink::Apply(const EditService& edit) {
  const auto verdict = Request(EncodeEditService(edit.service));
  if (!verdict) return Fail(verdict.error().In(NameOf(edit.service)));
  return JudgeService(edit.service, verdict->value_or(Verdict{ESRCH, ""}));
}

Status IpvsNetlink::Apply(const RemoveService& remove) {
  const auto verdict = Request(EncodeRemoveService(remove.service.key));
  if (!verdict) return Fail(verdict.error().In(NameOf(remove.service)));
  return JudgeService(remove.service, verdict->value_or(Verdict{ESRCH, ""}));
}

Status IpvsNetlink::Apply(const AddDestination& add) {
  const auto verdict = Request(EncodeAddDestination(add.service, add.destination));
  if (!verdict) return Fail(verdict.error().In(DestinationName(add.service, add.destination)));
  const Status added =
      JudgeDestination(add.service, add.destination, verdict->value_or(Verdict{ESRCH, ""}));
  return added ? CheckWrapping(add.service, add.destination) : added;
}

Status IpvsNetlink::Apply(const EditDestination& edit) {
  const auto verdict = Request(EncodeEditDestination(edit.service, edit.destination));
  if (!verdict) return Fail(verdict.error().In(DestinationName(edit.service, edit.destination)));
  const Status edited =
      JudgeDestination(edit.service, edit.destination, verdict->value_or(Verdict{ESRCH, ""}));
  return edited ? CheckWrapping(edit.service, edit.destination) : edited;
}

Status IpvsNetlink::CheckWrapping(const ServiceKey& key, const Destination& wanted) {
  if (wanted.tunnel == Wrapping{} || wraps_.contains(wanted.tunnel)) return {};
  const Result<std::vector<Destination>> there = ListDestinations(key);
  if (!there) return Fail(there.error());
  for (const Destination& seen : *there) {
    if (seen.endpoint() != wanted.endpoint() || seen.tunnel == wanted.tunnel) continue;
    return Fail(ErrorCode::kInvalid,
                DestinationName(key, wanted) + ": ip_vs of this kernel cannot wrap in " +
                    ToString(wanted.tunnel) + " and takes " + ToString(seen.tunnel) +
                    " instead (gue needs Linux 5.2, gre and checksums 5.3)");
  }
  wraps_.insert(wanted.tunnel);
  return {};
}

Status IpvsNetlink::Apply(const RemoveDestination& remove) {
  const auto verdict = Request(EncodeRemoveDestination(remove.service, remove.destination));
  if (!verdict) {
    return Fail(verdict.error().In(DestinationName(remove.service, remove.destination)));
  }
  return JudgeDestination(remove.service, remove.destination,
                          verdict->value_or(Verdict{ESRCH, ""}));
}

Status IpvsNetlink::Apply(const StartSyncDaemon& start) {
  if (!family_) {
    if (const Status loaded = Load(); !loaded) return Fail(loaded.error().In(NameOf(start.daemon)));
  }
  const auto verdict = Request(EncodeStartSyncDaemon(start.daemon));
  if (!verdict) return Fail(verdict.error().In(NameOf(start.daemon)));
  return JudgeSyncDaemon(start.daemon, verdict->value_or(Verdict{ESRCH, ""}));
}

Result<bool> IpvsNetlink::Runs(SyncRole role) {
  const Result<std::vector<SyncDaemon>> daemons = ListSyncDaemons();
  if (!daemons) return Fail(daemons.error());
  return std::any_of(daemons->begin(), daemons->end(),
                     [role](const SyncDaemon& daemon) { return daemon.role == role; });
}

// A daemon whose thread had not run yet is stopped, but the request ends in EINTR (kthread_stop),
// which generic netlink leaves without an answer (netlink_rcv_skb). So no answer is no failure.
Status IpvsNetlink::Apply(const StopSyncDaemon& stop) {
  const auto verdict = Request(EncodeStopSyncDaemon(stop.daemon.role), kStopPatience);
  if (!verdict && verdict.error().code == ErrorCode::kTimeout) {
    const Result<bool> still_runs = Runs(stop.daemon.role);
    if (still_runs && !*still_runs) return {};
  }
  if (!verdict) return Fail(verdict.error().In(NameOf(stop.daemon)));
  return JudgeSyncDaemon(stop.daemon, verdict->value_or(Verdict{ESRCH, ""}));
}

}  // namespace drover
