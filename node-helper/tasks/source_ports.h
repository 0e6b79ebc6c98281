// Local ports for probes, none of them used by a probe of the last minutes: ip_vs keeps a closed
// connection for up to two minutes, and a new one from the same port goes to the same real server
// without being scheduled. The kernel draws its ports anew every ten seconds and would meet old
// ones.
//
// The ports lie below Linux's ephemeral range, so that other programs' connections are not met
// either. How far the ports are used is kept in a file under /run; without it the start is random.
#pragma once

#include <cstdint>
#include <string>

namespace drover {

inline constexpr std::uint16_t kFirstSourcePort = 16384;
inline constexpr std::uint16_t kLastSourcePort = 32767;

class SourcePorts {
 public:
  // Sets `wanted` ports aside for this probe; the file is brought up to date at once, so that a
  // probe beside this one takes others.
  SourcePorts(const std::string& file, std::uint32_t wanted);

  // Ports in turn, beginning again behind the last one.
  std::uint16_t Next();

 private:
  std::uint16_t next_;
};

}  // namespace drover
