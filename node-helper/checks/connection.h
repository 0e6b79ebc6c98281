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

#include "node-helper/checks/poller.h"
#include "node-helper/checks/probe.h"
#include "node-helper/checks/tls_contexts.h"
#include "protocol/address.h"

namespace boost::asio {
class io_context;
}

namespace drover {

// Where a connection goes and how it leaves.
struct ProbePath {
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

// Who is told what happens on a connection. It may close the connection from any of these. What
// comes is told as soon as Opened returns.
class ConnectionUser {
 public:
  virtual void Opened() = 0;
  virtual void Received(std::string_view bytes) = 0;
  virtual void Closed() = 0;  // by the server
  virtual void Broken(const CheckAnswer& outcome) = 0;

 protected:
  ~ConnectionUser() = default;
};

class Connection final : private Poller::Watcher {
 public:
  enum class Stage : std::uint8_t { kConnecting, kHandshake, kOpen };

  // `loop` for TLS; `poller` and `user` must outlive it.
  Connection(boost::asio::io_context& loop, Poller& poller, ConnectionUser& user);
  ~Connection();  // resets
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Once. An outcome: it cannot even begin.
  std::optional<CheckAnswer> Open(const ProbePath& route, std::optional<TlsSettings> tls);
  // After Opened; one after the other.
  void Send(std::string bytes);
  [[nodiscard]] Stage stage() const { return stage_; }

 private:
  struct Tls;

  void Ready(std::uint32_t events) override;
  void Connected(std::uint32_t events);
  void Read();
  void SendRest();
  void Close();

  boost::asio::io_context& loop_;
  Poller& poller_;
  ConnectionUser& user_;
  Stage stage_ = Stage::kConnecting;
  int fd_ = -1;
  Poller::Ticket ticket_ = 0;
  std::optional<TlsSettings> settings_;
  std::shared_ptr<Tls> tls_;
  std::string to_send_;
  bool* gone_ = nullptr;  // set when this goes while Ready runs
};

}  // namespace drover
