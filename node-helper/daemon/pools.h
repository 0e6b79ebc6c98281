// The services of the node with their pools: verdicts and maintenance in, the services as they
// should stand in ip_vs out.
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
#include "node-helper/store/maintenance.h"
#include "node-helper/tasks/daemon_link.h"
#include "protocol/desired_state.h"

namespace drover {

class Pools {
 public:
  using Verdicts = std::function<std::optional<ServerVerdict>(const ServiceKey& service,
                                                              const Endpoint& server)>;

  // Pools of services that stay keep their state. A watch of a service that nobody wants means
  // nothing.
  void Configure(const std::vector<VirtualService>& services,
                 const std::vector<ServiceWatch>& watches);
  // Takes effect with the next Update. Who is no longer under maintenance starts slowly.
  void Drain(std::vector<Maintenance> maintenance, health::Time now);
  // Looks at all verdicts. The services whose quorum was lost or came back.
  std::vector<ServiceKey> Update(const Verdicts& verdicts, health::Time now);

  // As of the last Update.
  [[nodiscard]] Overlay overlay() const;
  // `state` with its services as they should be now.
  [[nodiscard]] DesiredState Apply(DesiredState state) const;
  // It has checks.
  [[nodiscard]] bool watches(const ServiceKey& service) const;
  // Its weights are decided here and not only by what was recorded: it has checks, or some real
  // server of it is or was under maintenance.
  [[nodiscard]] bool decides(const ServiceKey& service) const;
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
    bool watched = false;
    bool was_drained = false;
  };
  void UpdateOne(const ServiceKey& key, Entry& entry, const Verdicts& verdicts, health::Time now);

  std::map<ServiceKey, Entry> pools_;
  std::vector<Maintenance> maintenance_;
  std::map<IpAddress, health::Time> released_;  // when a maintenance ended
};

}  // namespace drover
