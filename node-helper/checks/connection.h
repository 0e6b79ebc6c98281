// One TCP connection of a probe, with or without TLS. It ends with a reset, so that a thousand
// probes a second leave no socket in TIME_WAIT on either side.
//
// One thread: the one that runs the loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "node-helper/checks/probe.h"
#include "node-helper/checks/tls_contexts.h"
#include "protocol/address.h"

namespace boost::asio {
class io_context;
}

namespace drover {

// Where a connection goes and how it leaves.
struct Route {
  Endpoint to;
  std::uint32_t mark = 0;         // SO_MARK; 0: none
  std::optional<IpAddress> from;  // the kernel's choice otherwise
};

// How TLS is spoken on it.
struct TlsSettings {
  TlsContexts::Context context;
  std::string sni;
  std::string verify_name;  // name or address that the certificate must be for; empty: any
};

// Who is told what happens on a connection. It may close the connection from any of these.
class ConnectionUser {
 public:
  virtual void Opened() = 0;
  virtual void Received(std::string_view bytes) = 0;
  virtual void Closed() = 0;  // by the server
  virtual void Broken(const ProbeOutcome& outcome) = 0;

 protected:
  ~ConnectionUser() = default;
};

class Connection {
 public:
  enum class Stage : std::uint8_t { kConnecting, kHandshake, kOpen };

  // `user` must outlive it.
  Connection(boost::asio::io_context& loop, ConnectionUser& user);
  ~Connection();  // resets
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Once. An outcome: it cannot even begin.
  std::optional<ProbeOutcome> Open(const Route& route, std::optional<TlsSettings> tls);
  // After Opened; not again before all was sent, which short requests make true at once.
  void Send(std::string bytes);
  // After Opened, once: from now on what comes is told.
  void Listen();
  [[nodiscard]] Stage stage() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace drover
