// Watches what VRRP trackers name: interfaces, processes, files, scripts and virtual services.
//
// One thread: the one that runs the loop. What a tracker does to an instance is said by
// vrrp/tracking.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocol/node_status.h"
#include "protocol/vrrp_settings.h"

namespace boost::asio {
class io_context;
}

namespace drover {

class TrackerEngine {
 public:
  // Called when a tracker went up or down (or had its first verdict).
  using OnChange = std::function<void(const TrackerStatus&)>;

  static std::unique_ptr<TrackerEngine> Create(boost::asio::io_context& loop, OnChange on_change);
  virtual ~TrackerEngine() = default;

  // The whole list; trackers that stay keep their state.
  virtual void Configure(const std::vector<Tracker>& trackers) = 0;
  // The daemon tells what it sees: links from netlink, quorum from the pools.
  virtual void SetInterface(const std::string& interface, bool up) = 0;
  virtual void SetService(const ServiceKey& service, bool has_quorum) = 0;
  [[nodiscard]] virtual std::vector<TrackerStatus> Statuses() const = 0;

  // What is known, for the process that comes after an upgrade in place: without it its instances
  // would be in fault until each tracker has a verdict. Thaw comes before the first Configure.
  [[nodiscard]] virtual std::string Freeze() const = 0;
  virtual void Thaw(const std::string& remembered) = 0;
};

}  // namespace drover
