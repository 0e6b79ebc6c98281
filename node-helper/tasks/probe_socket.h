// What probes by connections and by datagrams share: sockets on local ports in turn, both ends of
// what was sent, waiting, and errors in words that every operator knows.
//
// No state; any thread.
#pragma once

#include <chrono>

#include "node-helper/store/descriptor.h"
#include "node-helper/tasks/probe_connection.h"
#include "protocol/result.h"

namespace drover {

// Its calls do not wait. Some ports may be taken by others; when many are, the kernel chooses.
// `type`: SOCK_STREAM or SOCK_DGRAM.
Result<Descriptor> OpenProbeSocket(const SocketKey& service, int type, SourcePorts& ports);
// Where it went out from: port 0 when the kernel does not say.
void NoteLocalEnd(int fd, ProbeAttempt& attempt);
// Who answered it; also of an attempt that failed, so that a late answer is not taken for the next
// one's. `tap` may be null.
void NoteReply(ReplyTap* tap, ProbeAttempt& attempt);
// They are counted and shown per service.
Error ConnectionError(int error_number);
// False at the deadline.
bool WaitFor(int fd, short events, std::chrono::steady_clock::time_point deadline);

}  // namespace drover
