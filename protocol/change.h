// One difference between what a node has and what it should have, as a value: what to do, to which
// resource, and why.
//
// Planned by node-helper/converge, carried out by node-helper/net, shown by the orchestrator. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "protocol/desired_state.h"

namespace drover {

struct AddAddress {
  InterfaceAddress address;
  bool operator==(const AddAddress&) const = default;
};
struct RemoveAddress {
  InterfaceAddress address;
  bool operator==(const RemoveAddress&) const = default;
};
// Sets `sysctl`; `before` is what the kernel had.
struct SetSysctl {
  Sysctl sysctl;
  std::string before;
  bool operator==(const SetSysctl&) const = default;
};
// Adds the service without its destinations; each of these is a change of its own.
struct AddService {
  VirtualService service;
  bool operator==(const AddService&) const = default;
};
// Changes scheduler, flags or persistence in place; connections live on. Destinations are left
// alone.
struct EditService {
  VirtualService service;
  VirtualService before;
  bool operator==(const EditService&) const = default;
};
// Removes the service and, with it, all its destinations.
struct RemoveService {
  VirtualService service;
  bool operator==(const RemoveService&) const = default;
};
struct AddDestination {
  ServiceKey service;
  Destination destination;
  bool operator==(const AddDestination&) const = default;
};
struct EditDestination {
  ServiceKey service;
  Destination destination;
  Destination before;
  bool operator==(const EditDestination&) const = default;
};
struct RemoveDestination {
  ServiceKey service;
  Destination destination;
  bool operator==(const RemoveDestination&) const = default;
};

// Starts a sync daemon that does not run; one that runs with other settings is stopped first.
struct StartSyncDaemon {
  SyncDaemon daemon;
  bool operator==(const StartSyncDaemon&) const = default;
};
struct StopSyncDaemon {
  SyncDaemon daemon;
  bool operator==(const StopSyncDaemon&) const = default;
};

// What packets find their way by. Replacing it takes the old one away and sets the new one.
struct AddPathPart {
  PathPart part;
  bool operator==(const AddPathPart&) const = default;
};
struct ReplacePathPart {
  PathPart part;
  PathPart before;
  bool operator==(const ReplacePathPart&) const = default;
};
struct RemovePathPart {
  PathPart part;
  bool operator==(const RemovePathPart&) const = default;
};

using ChangeAction = std::variant<AddAddress, RemoveAddress, SetSysctl, AddService, EditService,
                                  RemoveService, AddDestination, EditDestination, RemoveDestination,
                                  StartSyncDaemon, StopSyncDaemon, AddPathPart, ReplacePathPart,
                                  RemovePathPart>;

// An action with its reason ("missing", "weight is 3", "left the playbook").
struct Change {
  ChangeAction action;
  std::string reason;

  bool operator==(const Change&) const = default;
};

// A change in words for people and for the wire. `before` and `after` are one line each, empty
// where there is none.
struct ChangeText {
  std::string verb;      // "add", "change", "remove"
  std::string resource;  // "address 10.0.0.100/32 on lo", "sysctl net.ipv4.ip_forward", "service
                         // tcp 10.0.0.100:80"
  std::string before;
  std::string after;
  std::string reason;

  bool operator==(const ChangeText&) const = default;
};

ChangeText Describe(const Change& change);
// "add address 10.0.0.100/32 on lo (missing)".
std::string OneLine(const ChangeText& text);

// One line in ipvsadm's order: "rr persistent 50s mask 32", "dr weight 1".
std::string Summary(const VirtualService& service);
std::string Summary(const Destination& destination);

}  // namespace drover
