// A playbook worked out for every host before any host is touched: which tasks, with which values,
// in which order, and how each host is reached. What `run` carries out and what `--check` shows
// come from this one value.
//
// Values only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "orchestrator/drill/request.h"
#include "orchestrator/playbook/play_policy.h"
#include "orchestrator/source/diagnostic.h"
#include "orchestrator/source/value.h"
#include "orchestrator/verify/expectation.h"
#include "protocol/desired_state.h"
#include "protocol/program.h"

namespace drover {

// How to reach a host and become root there: inventory variables, then command line, then defaults
// (Ansible's order).
struct HostConnection {
  std::string host;                                    // inventory name
  enum class Kind { kSsh, kLocal } kind = Kind::kSsh;  // ansible_connection: ssh, local
  std::string address;  // ansible_host or the name; may be a name that ~/.ssh/config or DNS knows
  std::optional<int> port;       // ansible_port; none: ~/.ssh/config, then 22
  std::string user;              // ansible_user; empty: ~/.ssh/config, then the local user
  std::string private_key_file;  // ansible_ssh_private_key_file
  std::string password;          // ansible_password; never printed
  std::optional<bool>
      host_key_checking;  // ansible_host_key_checking: no is refused with a reason, see ssh/
  bool become = false;
  std::string become_password;  // never printed
  std::chrono::milliseconds connect_timeout{10000};
  int connect_retries = 0;  // when no connection comes about; not after a refused login
};

// One task for one host, or the reason why it is skipped.
struct HostTask {
  std::string item;                        // loop item as shown "(item=…)"; empty without a loop
  std::variant<Task, std::string> action;  // what to do, or why it is skipped (when: …)
  std::optional<VerifyExpectation>
      expectation;  // of a verify task: what the evidence is held against
  // Of a drill task, which a program skips: it concerns all nodes, and is run from here when what
  // was changed has been confirmed.
  std::optional<DrillRequest> drill;
};

// One task of a play, as one banner shows it.
struct CompiledTask {
  std::string name;  // task name or module name
  std::string module;
  Place place;
  bool secret = false;    // no_log
  bool implicit = false;  // ours (pruning): shown only when it changes or fails
  std::map<std::string, std::vector<HostTask>> hosts;  // by host; several with a loop, in order
};

struct CompiledPlay {
  std::string name;  // play name, else its hosts pattern
  Place place;
  std::vector<std::string> hosts;   // in order, after --limit
  PlayPolicy policy;
  std::vector<CompiledTask> tasks;  // after --tags / --skip-tags
};

// A VRRP instance that several hosts share: one of them at a time is master.
struct VirtualRouter {
  std::map<std::string, std::string> members;  // host, and what it calls the instance
  std::set<std::string> left_out;  // members whose settings this run does not touch (--limit, tags)
};

struct CompiledRun {
  std::string playbook;              // path as typed
  std::string playbook_hash;         // sha256 over all files read
  std::vector<SourceFilePtr> files;  // these files, also what copy and template name
  std::string owner;                 // stem of the playbook's file name
  std::vector<CompiledPlay> plays;
  std::map<std::string, HostConnection> connections;  // every host of every play
  std::map<std::string, DesiredState>
      states;  // whole desired state per host, also what --tags left out
  std::vector<VirtualRouter> virtual_routers;
  std::map<IpAddress, std::string> host_names;  // of hosts with a state, by their address
  // The real servers of all services, as the playbook names them, with the addresses that ip_vs
  // has.
  std::map<std::string, std::set<IpAddress>> real_servers;
  Diagnostics warnings;
};

}  // namespace drover
