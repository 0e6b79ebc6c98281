// Asks real servers whether they serve: all checks of all watched services on one event loop,
// without a thread or a process of their own (but for scripts). Equal targets are asked once,
// however many services use them.
//
// One thread: the one that runs the loop. Rise and fall are health/check's, what a verdict does to
// the table is health/pool's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/check_settings.h"
#include "protocol/desired_state.h"
#include "protocol/node_status.h"
#include "protocol/result.h"

namespace boost::asio {
class io_context;
}

namespace drover {

// What all checks of one real server of one service say together.
struct ServerVerdict {
  bool up = false;
  bool decided = false;                           // every check has had its first verdict
  std::chrono::steady_clock::time_point since{};  // of the last change of `up`
  std::optional<std::uint32_t> dynamic_weight;
  std::vector<CheckStatus> checks;  // in the order of the watch
};

// A real server's verdict changed, or was made for the first time, or its weight changed. `reason`
// is for the log: "10.0.0.21:80 is down: connection refused, 3 times in a row".
struct VerdictChanged {
  ServiceKey service;
  Endpoint server;
  bool up = false;
  std::string reason;
};

class CheckEngine {
 public:
  using OnChange = std::function<void(const VerdictChanged&)>;
  // Through-VIP probes need a mark each and a private service in ip_vs (on master and backup); the
  // daemon provides them: called from Configure with the wanted private services whenever the set
  // changes. Their marks are those of checks/target.h. What the director needs besides is said in
  // checks/private_way.h.
  using OnPrivateServices = std::function<void(const std::vector<VirtualService>&)>;

  static std::unique_ptr<CheckEngine> Create(boost::asio::io_context& loop, OnChange on_change,
                                             OnPrivateServices on_private);
  virtual ~CheckEngine() = default;

  // The whole list of watches and the services they watch. Targets that stay keep their state; a
  // server whose checks change stays what it was until they say otherwise (InitialState::kAuto).
  // `in_table`: real servers that the kernel had with a weight above 0 when the helper started;
  // counts for servers that are new here (InitialState::kAuto).
  virtual void Configure(const std::vector<ServiceWatch>& watches,
                         const std::vector<VirtualService>& services,
                         const std::map<ServiceKey, std::vector<Endpoint>>& in_table) = 0;
  // By service and real server; only of watched services.
  [[nodiscard]] virtual std::optional<ServerVerdict> VerdictOf(const ServiceKey& service,
                                                               const Endpoint& server) const = 0;
  // Every check of every server has had a verdict.
  [[nodiscard]] virtual bool decided() const = 0;

  // State of the rise/fall machines for the process that comes after an upgrade in place. Thaw
  // comes before the first Configure; what is not configured then is forgotten.
  [[nodiscard]] virtual std::string Freeze() const = 0;
  virtual void Thaw(const std::string& remembered) = 0;

  // Counters for metrics: probes started, failed, by kind.
  [[nodiscard]] virtual std::map<std::string, std::uint64_t> Counters() const = 0;
};

}  // namespace drover
