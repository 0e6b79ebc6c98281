// The texts that make an init system start the helper: a systemd unit and an LSB init script.
//
// Pure.
#pragma once

#include <string>

namespace drover {

inline constexpr const char* kServiceName = "drover-node-helper";

// `program` is the installed helper.
std::string SystemdUnit(const std::string& program);
std::string InitScript(const std::string& program);

}  // namespace drover
