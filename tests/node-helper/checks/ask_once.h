// One probe by hand, for tests: starts it and runs the loop until it has an outcome.
#pragma once

#include <utility>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>

#include "node-helper/checks/datagram_probes.h"
#include "node-helper/checks/pinger.h"
#include "node-helper/checks/script.h"
#include "node-helper/checks/stream_probes.h"
#include "tests/node-helper/checks/print.h"

namespace drover {

// What `probe` brings within `timeout`, or what silence means to it.
inline CheckAnswer AskOnce(boost::asio::io_context& loop, Probe& probe,
                           std::chrono::milliseconds timeout) {
  std::optional<CheckAnswer> outcome =
      probe.Start([&outcome](const CheckAnswer& found) { outcome = found; });
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!outcome && std::chrono::steady_clock::now() < deadline) {
    loop.restart();
    loop.run_one_until(deadline);
  }
  return outcome ? *outcome : probe.TimedOut();
}

inline Target TargetAt(const Endpoint& at, const CheckKind& kind,
                       std::chrono::milliseconds timeout = std::chrono::milliseconds(1000)) {
  return {.ask = at,
          .server = at,
          .service = "tcp 10.0.0.100:80",
          .settings = {.kind = kind, .timeout = timeout}};
}

inline CheckAnswer AskStream(const Endpoint& at, const CheckKind& kind,
                             std::chrono::milliseconds timeout = std::chrono::milliseconds(1000)) {
  boost::asio::io_context loop;
  Poller poller(loop);
  TlsContexts tls;
  const auto probe = MakeStreamProbe(loop, poller, tls, TargetAt(at, kind, timeout));
  return AskOnce(loop, *probe, timeout);
}

inline CheckAnswer AskDatagram(
    const Endpoint& at, const CheckKind& kind,
    std::chrono::milliseconds timeout = std::chrono::milliseconds(1000)) {
  boost::asio::io_context loop;
  Poller poller(loop);
  const auto probe = MakeDatagramProbe(poller, TargetAt(at, kind, timeout));
  return AskOnce(loop, *probe, timeout);
}

}  // namespace drover
