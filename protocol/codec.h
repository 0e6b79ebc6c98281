// The wire form: one JSON object per line, UTF-8, no line longer than kMaxLineBytes.
// `docs/protocol.md` describes it.
//
// Decoding validates everything: types, ranges, unknown words and unknown keys are kInvalid with
// the path of the value
// ("tasks[3].action.state.services[0].scheduler"). Encoding never fails.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/desired_state.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

inline constexpr int kProtocolVersion = 1;
inline constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxOutputBytes = std::size_t{1} << 20;  // of a command, per stream
inline constexpr std::size_t kMaxProbeBody = 256;

// Each returns one line without its newline.
std::string EncodeProgram(const Program& program);
std::string EncodeEvent(const Event& event);
std::string EncodePulse(const Pulse& pulse);
std::string EncodeFinish(const Finish& finish);
Result<Program> DecodeProgram(std::string_view line);
// A program, a pulse or a finish.
Result<Order> DecodeOrder(std::string_view line);
Result<Event> DecodeEvent(std::string_view line);

// The JSON document of a state; `indent` < 0 gives one line.
std::string EncodeState(const DesiredState& state, int indent = -1);
Result<DesiredState> DecodeState(std::string_view text);

}  // namespace drover
