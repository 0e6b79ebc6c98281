// The watched services of the node with their pools: verdicts in, the services as they should stand
// in ip_vs out.
//
// One thread at a time; no I/O.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/checks/check_engine.h"
#include "node-helper/health/pool.h"
#include "node-helper/tasks/daemon_link.h"
#include "protocol/desired_state.h"

namespace drover {

class Pools {
 public:
  using Verdicts = std::function<std::optional<ServerVerdict>(const ServiceKey& service,
                                                              const Endpoint& server)>;

  // Pools of watches that stay as they are keep their state. A watch of a service that nobody wants
  // means nothing.
  void Configure(const std::vector<VirtualService>& services,
                 const std::vector<ServiceWatch>& watches);
  // Looks at all verdicts. The services whose quorum was lost or came back.
  std::vector<ServiceKey> Update(const Verdicts& verdicts, health::Time now);

  // As of the last Update.
  [[nodiscard]] Overlay overlay() const;
  // `state` with its watched services as they should be now.
  [[nodiscard]] DesiredState Apply(DesiredState state) const;
  [[nodiscard]] bool watches(const ServiceKey& service) const { return pools_.contains(service); }
  [[nodiscard]] bool has_quorum(const ServiceKey& service) const;
  [[nodiscard]] const VirtualService* effective(const ServiceKey& service) const;
  // Some real server is in its slow start: Update wants to be called again soon.
  [[nodiscard]] bool ramping() const;
  // For the process after an upgrade in place: which services had their quorum.
  [[nodiscard]] std::map<std::string, bool> Remember() const;
  void Recall(const std::map<std::string, bool>& quorums);

 private:
  struct Entry {
    VirtualService wanted;
    VirtualService effective;
    health::Pool pool;
  };
  std::map<ServiceKey, Entry> pools_;
};

}  // namespace drover
