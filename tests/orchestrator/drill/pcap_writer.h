// Writes the captures that tests read.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "protocol/address.h"
#include "protocol/probe_log.h"

namespace drover {

class PcapWriter {
 public:
  explicit PcapWriter(std::int64_t started_wall_us = 0) : started_(started_wall_us) {
    for (const std::uint32_t word : {0xa1b2c3d4U, 0x00040002U, 0U, 0U, 65535U, 1U}) Word(word);
  }
  PcapWriter& Advert(ProbeTime at, const MacAddress& mac, std::uint8_t vrid = 51,
                     std::uint8_t priority = 100) {
    std::string frame = Ethernet(mac, 0x0800);
    // IPv4 from 10.0.0.(last byte of the MAC) to 224.0.0.18
    frame += Raw({0x45, 0, 0, 32, 0, 0, 0, 0, 255, 112, 0, 0, 10, 0, 0, mac[5], 224, 0, 0, 18});
    frame += Raw({0x31, vrid, priority, 1, 0, 100, 0, 0, 10, 0, 0, 100});
    return Frame(at, frame);
  }
  PcapWriter& Arp(ProbeTime at, const MacAddress& mac, const IpAddress& sender,
                  const IpAddress& target, std::uint8_t operation = 2) {
    std::string frame = Ethernet(mac, 0x0806) + Raw({0, 1, 8, 0, 6, 4, 0, operation}) + Text(mac) +
                        Text(sender) + Raw({0, 0, 0, 0, 0, 0}) + Text(target);
    return Frame(at, frame);
  }
  PcapWriter& Frame(ProbeTime at, const std::string& frame) {
    const std::int64_t wall = started_ + at.count();
    Word(static_cast<std::uint32_t>(wall / 1'000'000));
    Word(static_cast<std::uint32_t>(wall % 1'000'000));
    Word(static_cast<std::uint32_t>(frame.size()));
    Word(static_cast<std::uint32_t>(frame.size()));
    bytes_ += frame;
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

  static std::string Raw(std::initializer_list<std::uint8_t> bytes) {
    return std::string(bytes.begin(), bytes.end());
  }
  static std::string Ethernet(const MacAddress& source, std::uint16_t type) {
    return Raw({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) + Text(source) +
           Raw({static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type)});
  }

 private:
  static std::string Text(const MacAddress& mac) { return std::string(mac.begin(), mac.end()); }
  static std::string Text(const IpAddress& address) {
    return std::string(reinterpret_cast<const char*>(address.data()), address.size());
  }
  void Word(std::uint32_t word) {
    for (int i = 0; i < 4; ++i) bytes_ += static_cast<char>(word >> (8 * i));
  }

  std::int64_t started_;
  std::string bytes_;
};

}  // namespace drover
