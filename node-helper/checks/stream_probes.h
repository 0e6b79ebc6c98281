// Probes over a TCP connection: tcp, http, https and smtp.
//
// One thread: the one that runs the loop.
#pragma once

#include <memory>

#include "node-helper/checks/poller.h"
#include "node-helper/checks/probe.h"
#include "node-helper/checks/target.h"
#include "node-helper/checks/tls_contexts.h"

namespace boost::asio {
class io_context;
}

namespace drover {

// `target.settings.kind` is one of TcpCheck, HttpCheck and SmtpCheck. `poller` and `tls` must
// outlive it.
std::unique_ptr<Probe> MakeStreamProbe(boost::asio::io_context& loop, Poller& poller,
                                       TlsContexts& tls, const Target& target);

}  // namespace drover
