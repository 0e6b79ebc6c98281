// The talk from the first byte of a command to the helper's Hello: sudo's question, the stub's
// words, the upload, noise of shell start files.
//
// Belongs to one thread; works on any ByteStream.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "orchestrator/ssh/byte_stream.h"
#include "orchestrator/ssh/helper_binary.h"
#include "orchestrator/ssh/line_buffer.h"
#include "orchestrator/ssh/stub.h"
#include "protocol/codec.h"
#include "protocol/event.h"

namespace drover {

struct StartOptions {
  std::string host;  // inventory name
  std::string user;  // who is logged in
  std::shared_ptr<const HelperBinary> helper;
  StubOptions stub;
  bool with_stub = true;    // false: the helper itself was started, no shell in between
  bool with_sudo = false;   // its refusals are understood
  std::string sudo_prompt;  // empty: sudo was told to ask nothing
  std::string sudo_password;
  std::chrono::milliseconds timeout{10000};  // to the first word, and from the start to the Hello
  std::function<void(int level, const std::string& line)> trace;
};

// What a session goes on with.
struct HelperTalk {
  Hello hello;
  LineBuffer lines{kMaxLineBytes};  // bytes that came behind the Hello
  Tail stderr_text{4096};
};

// A start that failed; `damaged`: the helper that lies on the node started and said nothing of
// sense, bringing it again may help.
struct StartFailure {
  Error error;
  bool damaged = false;
};

tl::expected<HelperTalk, StartFailure> StartHelper(ByteStream& stream, const StartOptions& options);

}  // namespace drover
