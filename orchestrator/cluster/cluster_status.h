// What all nodes of a cluster say about themselves, put together: who has which address, and what
// is wrong.
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/node_status.h"
#include "protocol/result.h"

namespace drover {

// One host's answer, or why there is none.
struct HostStatus {
  std::string host;
  bool needs_daemon = false;  // by the playbook
  std::optional<Error> error;
  std::optional<NodeStatus> status;

  // Unlike one that answered that it cannot say.
  [[nodiscard]] bool gave_no_answer() const;
};

// In the order in which hosts are shown.
struct ClusterStatus {
  std::vector<HostStatus> hosts;

  [[nodiscard]] const NodeStatus* Of(const std::string& host) const;
};

// An instance of a host, inside a ClusterStatus.
struct RouterMember {
  std::string host;
  const InstanceStatus* instance = nullptr;

  [[nodiscard]] bool is_master() const { return instance->state == "master"; }
};

// Instances of several hosts that elect one master: same id and family, and they share an address
// or their name.
struct RouterStatus {
  std::string name;  // of its first member
  std::vector<RouterMember> members;

  [[nodiscard]] std::vector<std::string> masters() const;
};
// Points into `cluster`.
std::vector<RouterStatus> RoutersOf(const ClusterStatus& cluster);

// One service with what each host says of it.
struct ServiceView {
  std::string host;
  const ServiceStatus* service = nullptr;
};
struct ClusterService {
  ServiceKey key;
  std::vector<ServiceView> views;  // the owner of its address first
};
std::vector<ClusterService> ServicesOf(const ClusterStatus& cluster);
// The node is master of the VRRP instance that has the service's address.
bool OwnsService(const NodeStatus& status, const ServiceKey& key);

// Null when the node has no such service, or the service no such real server.
const ServerStatus* FindServer(const NodeStatus& status, const ServiceKey& key,
                               const Endpoint& endpoint);

// Something that an operator should know.
struct Concern {
  enum class Weight {
    kNote,         // nothing is broken
    kDown,         // a part is down, or two hosts claim one address
    kUnreachable,  // a host gave no answer
  };
  Weight weight = Weight::kNote;
  std::string host;  // empty: the cluster; several with commas
  std::string text;
  bool operator==(const Concern&) const = default;
};
// The heaviest first.
std::vector<Concern> ConcernsOf(const ClusterStatus& cluster);
// True when two hosts have one address, or nobody has: at a transition that is so for a moment,
// because hosts are not asked at the same instant.
bool OwnersAreOdd(const ClusterStatus& cluster);

}  // namespace drover
