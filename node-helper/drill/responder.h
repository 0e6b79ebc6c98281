// The responder's role of a host: answers probes so that each names who answered, when, and by
// which director the request came. An echo over UDP and a small HTTP/1.1 server.
//
// Run holds one thread until it is stopped; only Misbehave may be called from another one.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/drill/stop_event.h"
#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

struct ResponderSettings {
  std::string name;           // at most kMaxProbeName bytes, printable
  std::vector<Endpoint> udp;  // an unspecified address answers for every address of the host
  std::vector<Endpoint> http;
  std::size_t max_connections = 20'000;
};

struct ResponderCounts {
  std::uint64_t echoes = 0;
  std::uint64_t replies = 0;
  std::uint64_t refused = 0;  // connections beyond the limit
};

class Responder {
 public:
  // Listens from now on. Without CAP_NET_RAW it works, but cannot name the director; `note` says
  // so.
  static Result<std::unique_ptr<Responder>> Open(const ResponderSettings& settings);
  ~Responder();

  Status Run(const StopEvent& stop);
  // HTTP requests are answered with `status` and so much later, for `ttl` at most: a fault of the
  // application that ends by itself.
  void Misbehave(int status, std::chrono::milliseconds delay, std::chrono::milliseconds ttl);

  [[nodiscard]] ResponderCounts counts() const;
  [[nodiscard]] const std::string& note() const;
  // Where it really listens (a port 0 was chosen by the kernel).
  [[nodiscard]] const std::vector<Endpoint>& udp() const;
  [[nodiscard]] const std::vector<Endpoint>& http() const;

 private:
  class Loop;
  explicit Responder(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace drover
