// Host patterns of inventories: "web[01:10].example:2222" becomes names and a port.
//
// Pure. Patterns that select hosts (in plays) are pattern.h; brackets mean something else there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

// A host identifier with what stands behind its colon.
struct Address {
  std::string host;
  std::optional<std::string> port;
};
// Splits a port off when the text is an IPv4 or IPv6 address, a host name, or one with ranges;
// nullopt when it is none of these.
std::optional<Address> ParseAddress(std::string_view text);

// Names that a host pattern stands for; `problem` says why it stands for none.
struct HostNames {
  std::vector<std::string> names;
  std::optional<int> port;
  std::string problem;
  std::string hint;
};
HostNames ExpandHostPattern(std::string_view pattern);

}  // namespace drover
