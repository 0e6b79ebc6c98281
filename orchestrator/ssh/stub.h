// The little shell program that SSH runs on a node: start the helper if it is there, else take it
// from stdin, check it, put it into place and start it.
//
// Pure: text in, text out. It is one line without single quotes, backslashes and exclamation marks,
// because the login shell of the user (sh, bash, zsh, csh, fish) has to hand it to sh unharmed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "orchestrator/ssh/byte_stream.h"
#include "protocol/result.h"

namespace drover {

struct StubOptions {
  std::string folder = "/var/lib/drover/bin";
  std::string sha256;
  std::uint64_t size = 0;
  std::uint32_t owner = 0;  // user id that the helper and its folder must have
  bool force = false;       // do not trust what is there
};

// The program itself, for `sh -c`.
std::string StubScript(const StubOptions& options);
// The command for an SSH exec request.
std::string StubCommand(const StubOptions& options);
// The same with root's rights by sudo; `prompt` empty: without a password (-n).
std::string SudoStubCommand(const StubOptions& options, const std::string& prompt);

// What the stub says on stdout before the helper does.
struct NeedHelper {
  std::string machine;  // uname -m
  bool operator==(const NeedHelper&) const = default;
};
struct HelperStarts {
  bool operator==(const HelperStarts&) const = default;
};
struct StubFailed {
  std::string word;    // "not-root", "write", "truncated", "hash"…
  std::string detail;  // what the node's tool said
  bool operator==(const StubFailed&) const = default;
};
using StubLine = std::variant<NeedHelper, HelperStarts, StubFailed>;

// Nothing: the line is not the stub's.
std::optional<StubLine> ParseStubLine(std::string_view line);

// A failure of the stub in words for the user. `user`: who is logged in.
Error StubError(const StubFailed& failed, const StubOptions& options, const std::string& host,
                const std::string& user);
// Why a stub that ended before its first word, or after starting the helper, did so.
Error EndedEarly(bool helper_started, const ProcessEnd& end, std::string_view noise,
                 std::string_view stderr_text, const StubOptions& options, const std::string& host);

// "SIGKILL" or "exit code 3" or "no exit code".
std::string Describe(const ProcessEnd& end);

}  // namespace drover
