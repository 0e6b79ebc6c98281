// The node-helper file on the operator's machine: its bytes, hash and machine, read once per
// process.
//
// May be called from many threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "protocol/result.h"

namespace drover {

struct HelperBinary {
  std::string path;
  std::string bytes;
  std::string sha256;   // lower-case hex
  std::string machine;  // of the ELF header as uname -m calls it; empty: no ELF file or unknown
};

Result<std::shared_ptr<const HelperBinary>> LoadHelper(const std::string& path);

// "x86_64" from an ELF header; empty for anything else.
std::string ElfMachine(std::string_view bytes);
// Whether a kernel whose uname -m is `node` starts a program built for `built`.
bool RunsOn(std::string_view built, std::string_view node);

}  // namespace drover
