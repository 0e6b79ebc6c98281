// How one series sends its probes and reads their answers: what the three kinds have in common.
//
// Only for the prober's own files; its thread alone.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>

#include "node-helper/drill/probe_book.h"
#include "node-helper/drill/prober.h"
#include "protocol/probe_log.h"
#include "protocol/result.h"

namespace drover {

// Source ports in turn.
class PortRing {
 public:
  PortRing(std::uint16_t first, std::uint16_t last, std::uint64_t seed)
      : first_(first),
        count_(last - first + 1U),
        next_(static_cast<std::uint32_t>(seed % count_)) {}
  std::uint16_t Next() {
    const std::uint32_t at = next_;
    next_ = (next_ + 1) % count_;
    return static_cast<std::uint16_t>(first_ + at);
  }

 private:
  std::uint32_t first_;
  std::uint32_t count_;
  std::uint32_t next_;
};

// What all drivers of a run share.
struct ProberContext {
  int epoll = -1;
  std::uint64_t run = 0;  // random number of the run
  std::chrono::steady_clock::time_point start;
  PortRing ports;
  PortRing syn_ports;

  [[nodiscard]] ProbeTime Now() const {
    return std::chrono::duration_cast<ProbeTime>(std::chrono::steady_clock::now() - start);
  }
};

// Which socket of which driver an event is for; a slot that was used anew has another generation.
struct EventKey {
  std::uint8_t driver = 0;
  std::uint32_t slot = 0;  // below 2^24
  std::uint32_t generation = 0;

  [[nodiscard]] std::uint64_t Pack() const {
    return std::uint64_t{driver} << 56 | std::uint64_t{slot & 0xffffffU} << 32 | generation;
  }
  static EventKey Unpack(std::uint64_t packed) {
    return {static_cast<std::uint8_t>(packed >> 56),
            static_cast<std::uint32_t>(packed >> 32 & 0xffffff),
            static_cast<std::uint32_t>(packed)};
  }
};

class SeriesDriver {
 public:
  SeriesDriver(std::uint8_t number, const ProbeRunSeries& settings, ProberContext& context)
      : number_(number), settings_(settings), context_(context) {}
  virtual ~SeriesDriver() = default;
  SeriesDriver(const SeriesDriver&) = delete;
  SeriesDriver& operator=(const SeriesDriver&) = delete;

  virtual Status Open() { return {}; }
  // Before the run: opens what is to be open when it begins; true when there is nothing left to do.
  virtual bool Warm() { return true; }
  // The run begins: from now on there is a book.
  void Begin(const ProbeSeries& series, ProbeLogWriter& log) {
    log_ = &log;
    book_ = std::make_unique<ProbeBook>(number_, series, settings_.give_up, log);
  }
  virtual void Send(ProbeTime planned) = 0;
  virtual void Handle(const EventKey& key, std::uint32_t events) = 0;
  virtual void Expire(ProbeTime now) = 0;

  [[nodiscard]] ProbeBook& book() { return *book_; }
  [[nodiscard]] const ProbeRunSeries& settings() const { return settings_; }

 protected:
  // False when the kernel cannot.
  bool Watch(int fd, std::uint32_t events, std::uint32_t slot, std::uint32_t generation) const;

  std::uint8_t number_;
  ProbeRunSeries settings_;
  ProberContext& context_;
  ProbeLogWriter* log_ = nullptr;
  std::unique_ptr<ProbeBook> book_;
};

// What an errno of a connection says about the cluster; nothing for a timeout, which is a loss.
std::optional<ProbeError> ProbeErrorOf(int error_number);
// True when this host itself could not send: no port, no memory, no descriptor.
bool IsOwnFault(int error_number);

// An ICMP error that a socket queued, and how much of what it is about stands in `bytes`.
struct QueuedError {
  int error = 0;  // errno
  std::size_t size = 0;
};
std::optional<QueuedError> ReadQueuedError(int fd, std::span<std::uint8_t> bytes);

std::unique_ptr<SeriesDriver> MakeSynDriver(std::uint8_t number, const ProbeRunSeries& settings,
                                            ProberContext& context);
std::unique_ptr<SeriesDriver> MakePathDriver(std::uint8_t number, const ProbeRunSeries& settings,
                                             ProberContext& context);
std::unique_ptr<SeriesDriver> MakeConnectDriver(std::uint8_t number, const ProbeRunSeries& settings,
                                                ProberContext& context);
std::unique_ptr<SeriesDriver> MakePopulationDriver(std::uint8_t number,
                                                   const ProbeRunSeries& settings,
                                                   ProberContext& context);

}  // namespace drover
