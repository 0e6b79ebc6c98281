#include "node-helper/net/linux_kernel.h"

#include "node-helper/net/fou_netlink.h"
#include "node-helper/net/gratuitous_arp.h"
#include "node-helper/net/ipvs_netlink.h"
#include "node-helper/net/nft_tables.h"
#include "node-helper/net/path_netlink.h"
#include "node-helper/net/rtnetlink_addresses.h"
#include "node-helper/net/sysctl_files.h"

namespace drover {
namespace {

constexpr std::string_view kIpvsSysctls = "net/ipv4/vs/";

class LinuxKernel : public Kernel {
 public:
  LinuxKernel(RtnetlinkAddresses addresses, IpvsNetlink ipvs, PathNetlink path, FouNetlink fou)
      : addresses_(std::move(addresses)),
        ipvs_(std::move(ipvs)),
        path_(std::move(path)),
        fou_(std::move(fou)) {}

  Result<DesiredState> Observe(const std::vector<std::string>& sysctl_keys) override {
    DesiredState observed;
    Result<std::vector<InterfaceAddress>> addresses = addresses_.List();
    if (!addresses) return Fail(addresses.error());
    observed.addresses = std::move(*addresses);
    for (const std::string& key : sysctl_keys) {
      const auto value = sysctls_.Read(key);
      if (!value) return Fail(value.error());
      if (value->has_value()) observed.sysctls.push_back({key, **value});
    }
    Result<std::vector<VirtualService>> services = ipvs_.List();
    if (!services) return Fail(services.error());
    observed.services = std::move(*services);
    Result<std::vector<SyncDaemon>> daemons = ipvs_.ListSyncDaemons();
    if (!daemons) return Fail(daemons.error());
    observed.sync_daemons = std::move(*daemons);
    Result<std::vector<PathPart>> path = path_.List();
    if (!path) return Fail(path.error());
    observed.path = std::move(*path);
    const Result<std::vector<GueReceiver>> receivers = fou_.List();
    if (!receivers) return Fail(receivers.error());
    observed.path.insert(observed.path.end(), receivers->begin(), receivers->end());
    const Result<std::vector<PathPart>> rules = nft_.List();
    if (!rules) return Fail(rules.error());
    observed.path.insert(observed.path.end(), rules->begin(), rules->end());
    return Canonical(std::move(observed));
  }

  Status Apply(const Change& change) override {
    return std::visit([this](const auto& action) { return Do(action); }, change.action);
  }

  Status Rehearse(const Change& change) override {
    const auto* add = std::get_if<AddAddress>(&change.action);
    const auto* start = std::get_if<StartSyncDaemon>(&change.action);
    if (add != nullptr || start != nullptr) {
      const auto index = RtnetlinkAddresses::IndexOf(
          add != nullptr ? add->address.interface : start->daemon.interface);
      if (!index) return Fail(index.error().In(Describe(change).resource));
    }
    if (const auto* part = std::get_if<AddPathPart>(&change.action)) return CanAdd(part->part);
    const auto* set = std::get_if<SetSysctl>(&change.action);
    const bool needs_ipvs = start != nullptr || std::holds_alternative<AddService>(change.action) ||
                            (set != nullptr && IsOfIpvs(*set));
    if (!needs_ipvs) return {};
    const Status loadable = ipvs_.CanLoad();
    return loadable ? Status{} : Fail(loadable.error().In(Describe(change).resource));
  }

 private:
  static bool IsOfIpvs(const SetSysctl& set) {
    return set.sysctl.key.compare(0, kIpvsSysctls.size(), kIpvsSysctls) == 0;
  }

  Status Do(const AddAddress& add) {
    if (Status added = addresses_.Add(add.address); !added) return added;
    if (!add.address.announce) return {};
    return Announce(add.address.interface, add.address.prefix.address);
  }
  Status Do(const RemoveAddress& remove) { return addresses_.Remove(remove.address); }
  Status Do(const SetSysctl& set) {
    if (IsOfIpvs(set)) {
      if (const Status loaded = ipvs_.Load(); !loaded) {
        return Fail(loaded.error().In(NameOf(set.sysctl)));
      }
    }
    return sysctls_.Write(set.sysctl);
  }
  static bool IsOfNft(const PathPart& part) { return !RulesOf(part).empty(); }
  Status CanAdd(const PathPart& part) {
    const auto* tunnel = std::get_if<Tunnel>(&part);
    if (tunnel == nullptr && !std::holds_alternative<GueReceiver>(part)) return {};
    const Status loadable = tunnel != nullptr ? PathNetlink::CanLoad(tunnel->kind) : fou_.CanLoad();
    return loadable ? Status{} : Fail(loadable.error().In(NameOf(part)));
  }
  Status Do(const AddPathPart& add) {
    if (const auto* receiver = std::get_if<GueReceiver>(&add.part)) return fou_.Add(*receiver);
    return IsOfNft(add.part) ? nft_.Put(add.part) : path_.Add(add.part);
  }
  // Never a receiver: it is nothing but its name.
  Status Do(const ReplacePathPart& replace) {
    return IsOfNft(replace.part) ? nft_.Put(replace.part)
                                 : path_.Replace(replace.part, replace.before);
  }
  Status Do(const RemovePathPart& remove) {
    const auto* receiver = std::get_if<GueReceiver>(&remove.part);
    if (receiver != nullptr) return fou_.Remove(*receiver);
    return IsOfNft(remove.part) ? nft_.Remove(remove.part) : path_.Remove(remove.part);
  }
  // All that is left belongs to ip_vs.
  template <typename Action>
  Status Do(const Action& action) {
    return ipvs_.Apply(action);
  }

  RtnetlinkAddresses addresses_;
  IpvsNetlink ipvs_;
  PathNetlink path_;
  FouNetlink fou_;
  NftTables nft_;
  SysctlFiles sysctls_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> OpenLinuxKernel() {
  Result<RtnetlinkAddresses> addresses = RtnetlinkAddresses::Open();
  if (!addresses) return Fail(addresses.error());
  Result<IpvsNetlink> ipvs = IpvsNetlink::Open();
  if (!ipvs) return Fail(ipvs.error());
  Result<PathNetlink> path = PathNetlink::Open();
  if (!path) return Fail(path.error());
  Result<FouNetlink> fou = FouNetlink::Open();
  if (!fou) return Fail(fou.error());
  return std::make_unique<LinuxKernel>(std::move(*addresses), std::move(*ipvs), std::move(*path),
                                       std::move(*fou));
}

}  // namespace drover
