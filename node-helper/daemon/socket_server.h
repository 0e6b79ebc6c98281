// Listens on one socket and serves several clients on the daemon's loop: bytes in, what the handler
// makes of them out. It never waits; a client that sends too much, reads nothing or stays silent
// for too long is dropped.
//
// One thread: the one that runs the loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "node-helper/store/descriptor.h"
#include "protocol/address.h"
#include "protocol/result.h"

namespace boost::asio {
class io_context;
}

namespace drover {

// Bounds for the clients of one socket.
struct ServerRules {
  bool root_only = true;  // by SO_PEERCRED; Unix sockets only
  std::size_t max_clients = 32;
  std::size_t max_request = std::size_t{1} << 20;  // bytes that wait for their end
  std::size_t max_answer = std::size_t{64} << 20;  // bytes that a client did not read yet
  std::chrono::milliseconds max_silence{0};        // 0: may stay for ever
};

struct ServerAnswer {
  std::string bytes;
  bool close = false;  // after they were sent
};

class SocketServer {
 public:
  // Takes a whole request from the front of `received`; nothing while it is not whole.
  using Handler = std::function<std::optional<ServerAnswer>(std::string& received)>;

  static std::unique_ptr<SocketServer> Serve(boost::asio::io_context& loop, Descriptor listening,
                                             const ServerRules& rules, Handler handler);
  virtual ~SocketServer() = default;
  [[nodiscard]] virtual int listening_fd() const = 0;
};

// A Unix socket at `path`; what an earlier process left there is replaced. Its folder is made with
// mode 0700 when it is missing.
Result<Descriptor> ListenUnix(const std::string& path, unsigned mode);
Result<Descriptor> ListenTcp(const Endpoint& endpoint);

}  // namespace drover
