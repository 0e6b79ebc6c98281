// One probe connection: connect, ask for a page if wanted, close.
//
// Blocks until its deadline at most. How it closes: with a page, orderly and behind the server, as
// real clients do; without one, by reset, as load balancers' own checks do: no TIME_WAIT uses up
// this host's ports, and ip_vs forgets the connection after seconds instead of minutes. Where
// persistence is to be outlasted it closes by reset, too: a template lives as long as one of its
// connections does.
#pragma once

#include <chrono>
#include <cstdint>

#include "node-helper/net/reply_tap.h"
#include "node-helper/tasks/source_ports.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

// A connection with the address that it went out from; means nothing without a local port.
struct ProbeAttempt {
  ProbeConnection connection;
  IpAddress source;
};

// `tap` may be null: the reply's MAC stays empty then. Goes out from the next port of `ports` that
// is free. Gives up at `limit` even within the service's own timeout. `body_bytes`: so many go with
// the request for the page.
ProbeAttempt OpenProbeConnection(const ProbeService& service, ReplyTap* tap, SourcePorts& ports,
                                 std::chrono::steady_clock::time_point limit,
                                 std::size_t body_bytes = 0);

}  // namespace drover
