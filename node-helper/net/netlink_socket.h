// A netlink socket that asks the kernel and waits for its answer, never for ever. libnl-3 does the
// transport (sequence numbers, message framing); its types stay in the .cc file.
//
// One thread at a time. Which bytes are sent is left to the codecs.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/net/netlink_attributes.h"
#include "protocol/result.h"

namespace drover {

// What the kernel said to a request: 0, or its errno with, where it gives one, its own sentence
// (extended acknowledgement).
struct Verdict {
  int error_number = 0;
  std::string words;

  [[nodiscard]] bool ok() const { return error_number == 0; }
  // "<reason of the system>", with the kernel's sentence when there is one.
  [[nodiscard]] std::string Reason() const;
};

class NetlinkSocket {
 public:
  // `protocol` is NETLINK_ROUTE, NETLINK_GENERIC or NETLINK_NETFILTER. With `strict` the kernel
  // filters lists by what the request's header says (NETLINK_GET_STRICT_CHK).
  static Result<std::unique_ptr<NetlinkSocket>> Open(int protocol, bool strict = false);
  ~NetlinkSocket();
  NetlinkSocket(const NetlinkSocket&) = delete;
  NetlinkSocket& operator=(const NetlinkSocket&) = delete;

  // Sends one request and waits for its acknowledgement. An Error is a failure of the transport
  // (kTimeout: it is not known whether the request took effect); what the kernel thinks of the
  // request is the Verdict.
  Result<Verdict> Request(std::uint16_t type, std::uint16_t flags, const Bytes& payload,
                          std::chrono::seconds patience = kPatience);

  // Payloads of all messages of a list. A list that changed while it was read is read again, a few
  // times; then it is kTimeout.
  Result<std::vector<Bytes>> List(std::uint16_t type, const Bytes& payload);

  // The number of a generic netlink family; nothing when the kernel does not have it. Asks for the
  // list of families: asking by name would make the kernel load a module.
  Result<std::optional<std::uint16_t>> FindFamily(const std::string& name);

  // The kernel may load the module of a scheduler before it answers.
  static constexpr std::chrono::seconds kPatience{30};

 private:
  struct State;  // holds libnl's socket
  explicit NetlinkSocket(std::unique_ptr<State> state);
  Status Connect();

  std::unique_ptr<State> state_;
};

}  // namespace drover
