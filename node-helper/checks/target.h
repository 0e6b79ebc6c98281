// Who is asked what: the unique targets of all watches. A real server behind several services with
// the same check is one target.
//
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/check_settings.h"
#include "protocol/desired_state.h"

namespace drover {

// A real server of a virtual service.
struct ServerKey {
  ServiceKey service;
  Endpoint server;
  auto operator<=>(const ServerKey&) const = default;
};

// Where a probe that goes through the VIP is sent by ip_vs.
struct PrivateWay {
  std::uint32_t mark = 0;
  Destination server;
  bool operator==(const PrivateWay&) const = default;
};

// One thing to ask, and who wants to know.
struct Target {
  std::string id;       // of everything that makes the question; the same in every process
  Endpoint ask;         // where the packet goes
  Endpoint server;      // the real server, with its own port
  std::string service;  // for the environment of scripts, else of the first user
  std::optional<PrivateWay> way;  // through_vip
  CheckSettings settings;
  bool initially_up = false;
  std::vector<ServerKey> users;
};

// The marks of private ways: kFirstPrivateMark + n for the n-th real server whose VIP path is
// probed. "DR" and a number; the range is the helper's own, see docs.
inline constexpr std::uint32_t kFirstPrivateMark = 0x44520000;
inline constexpr std::uint32_t kPrivateMarks = 0x10000;
using PrivateMarks = std::map<ServerKey, std::uint32_t>;

struct TargetList {
  std::vector<Target> targets;
  // For each real server the ids of its targets, in the order of the watch's checks.
  std::map<ServerKey, std::vector<std::string>> of_server;
  PrivateMarks marks;
};

// `marks`: those given before; a server keeps its own. `in_table`: see CheckEngine::Configure.
TargetList ListTargets(const std::vector<ServiceWatch>& watches,
                       const std::vector<VirtualService>& services,
                       const std::map<ServiceKey, std::vector<Endpoint>>& in_table,
                       const PrivateMarks& marks);
// The services with one destination that lead each private way.
std::vector<VirtualService> PrivateServices(const TargetList& list);

}  // namespace drover
