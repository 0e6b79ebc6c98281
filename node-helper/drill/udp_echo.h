// One UDP socket that echoes probes, from the address to which they came.
//
// One thread at a time.
#pragma once

#include <optional>
#include <string>

#include "node-helper/drill/frame_tap.h"
#include "node-helper/store/descriptor.h"
#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

class UdpEcho {
 public:
  static Result<UdpEcho> Open(const Endpoint& listen);

  // Answers all requests that wait, at most some hundred; the answer is their number.
  std::uint64_t Serve(const std::string& name);
  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  // Why it cannot name directors; empty when it can.
  [[nodiscard]] const std::string& note() const { return note_; }

 private:
  UdpEcho(Descriptor socket, const Endpoint& endpoint)
      : socket_(std::move(socket)), endpoint_(endpoint) {}

  Descriptor socket_;
  Endpoint endpoint_;
  std::optional<FrameTap> tap_;
  std::string note_;
};

}  // namespace drover
