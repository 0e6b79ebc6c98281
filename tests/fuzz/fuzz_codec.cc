// Any line from the other side gives a value or an error, and a value survives its own encoding.

#include <cstdlib>

#include "protocol/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto program = drover::DecodeProgram(line);
  if (program && drover::DecodeProgram(drover::EncodeProgram(*program)) != *program) std::abort();
  const auto event = drover::DecodeEvent(line);
  if (event && drover::DecodeEvent(drover::EncodeEvent(*event)) != *event) std::abort();
  const auto state = drover::DecodeState(line);
  if (state && drover::DecodeState(drover::EncodeState(*state)) != *state) std::abort();
  return 0;
}
