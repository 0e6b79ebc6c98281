// Values for the contract tests: short spellings of resources, and random states from a small
// universe, so that two of them overlap.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "node-helper/converge/kernel.h"
#include "protocol/change.h"
#include "protocol/desired_state.h"

namespace drover {

InterfaceAddress At(const std::string& interface, const std::string& prefix);
IpAddress Ip(const std::string& text);
SocketKey Tcp(const std::string& endpoint);
Destination Real(const std::string& address, std::uint16_t port = 80,
                 Forwarding forward = Forwarding::kDr);

// Addresses on lo and eth0, sysctls without side effects, services; valid by ValidateState.
DesiredState RandomState(std::mt19937& random, bool with_services);

// Observes and fails the test when that fails.
DesiredState MustObserve(Kernel& kernel, const std::vector<std::string>& keys = {});
void MustApply(Kernel& kernel, const ChangeAction& action);
bool Holds(const DesiredState& observed, const InterfaceAddress& address);
const VirtualService* Find(const DesiredState& observed, const ServiceKey& key);
// On eth0.
SyncDaemon Sync(SyncRole role, std::uint8_t sync_id = 0);

}  // namespace drover
