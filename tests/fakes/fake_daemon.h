// The daemon's twin for unit tests of tasks: makes its overlay of the records in a store, with real
// servers that tests call dead, and keeps instances that yield when told.
//
// One thread at a time.
#pragma once

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "node-helper/store/maintenance.h"
#include "node-helper/store/store.h"
#include "node-helper/tasks/daemon_link.h"

namespace drover {

class FakeDaemon : public DaemonLink {
 public:
  explicit FakeDaemon(const Store& store) : store_(store) {}

  bool Runs() override { return runs; }
  Result<Overlay> Reload() override {
    if (!reload_error.empty()) return Fail(ErrorCode::kInternal, reload_error);
    ++reloads;
    if (knows_maintenance) {
      status.maintenance = LoadMaintenance(store_).value_or(std::vector<Maintenance>{});
    }
    loaded_ = DesiredState();
    const auto records = store_.LoadAll();
    if (!records) return Fail(records.error());
    for (const OwnerRecord& record : *records) {
      if (const Status merged = MergeInto(loaded_, record.state); !merged) {
        return Fail(merged.error());
      }
    }
    const auto overlay = ReadOverlay();
    if (on_reload) on_reload(*overlay);
    return overlay;
  }
  Result<Overlay> ReadOverlay() override {
    Overlay overlay;
    for (const ServiceWatch& watch : loaded_.watches) {
      for (const VirtualService& service : loaded_.services) {
        if (service.key != watch.service) continue;
        OverlaidService both{service, service};
        for (Destination& destination : both.effective.destinations) {
          if (dead.contains(destination.endpoint())) destination.weight = 0;
        }
        overlay.services.push_back(both);
      }
    }
    return overlay;
  }
  Result<std::vector<std::string>> WaitSettled(std::chrono::milliseconds patience,
                                               const std::function<bool()>& /*give_up*/) override {
    waited = patience;
    return open;
  }
  Status SettleForms(const std::vector<std::string>& names) override {
    settled.push_back(names);
    return {};
  }
  Result<NodeStatus> ReadStatus() override { return status; }
  Status Move(HandoverMove move, const std::vector<std::string>& instances,
              bool with_run) override {
    moved_with_run = with_run;
    for (InstanceStatus& instance : status.instances) {
      if (std::find(instances.begin(), instances.end(), instance.name) == instances.end()) continue;
      instance.yielded = move == HandoverMove::kYield;
      if (!instance.yielded) continue;
      instance.state = "backup";
      instance.master = IpAddress::V4({10, 0, 0, 2});
    }
    return {};
  }

  [[nodiscard]] const DesiredState& loaded() const { return loaded_; }

  bool runs = true;
  bool knows_maintenance = true;
  std::string reload_error;
  std::function<void(const Overlay&)> on_reload;  // what it does about it before anybody else can
  std::set<Endpoint> dead;
  std::vector<std::string> open;  // what WaitSettled says is not settled
  NodeStatus status;
  int reloads = 0;
  bool moved_with_run = false;  // as the last Move said
  std::chrono::milliseconds waited{0};
  std::vector<std::vector<std::string>> settled;

 private:
  const Store& store_;
  DesiredState loaded_;
};

}  // namespace drover
