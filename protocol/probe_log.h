// What a prober saw, one record per probe, as values, as a compact file and as CSV. Raw evidence:
// everything that a drill's report says can be worked out from it again.
//
// Values and bytes only; probing is node-helper/drill's, judging orchestrator/drill's. The layout
// is described at ProbeLogWriter. Times are microseconds since the start of the run.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/mac_address.h"
#include "protocol/result.h"

namespace drover {

using ProbeTime = std::chrono::microseconds;  // since the start of the run

inline constexpr std::size_t kMaxProbeSeries = 32;
inline constexpr std::size_t kMaxProbeName = 64;  // bytes of a responder's name
inline constexpr std::size_t kMaxProbeText = 255;
inline constexpr std::size_t kMaxProbeNames = 4096;  // responders, or MACs, of one log
inline constexpr std::size_t kMaxProbeMarkers = 4096;
inline constexpr std::size_t kMaxProbeRecords = 50'000'000;
inline constexpr ProbeTime kMaxProbeTime = std::chrono::hours(24);
// More than this part of the period late at the 99th percentile: the run is void.
inline constexpr int kVoidLagDivisor = 2;

// What a series of probes asks for.
enum class ProbeKind : std::uint8_t {
  kPath,             // one datagram and its echo: the network's gap
  kConnect,          // a new connection each, short deadline: the director's scheduling
  kConnectDefaults,  // a new connection each, the kernel's own patience: what an application sees
  kLongLived,        // numbered requests over a population of connections
};
std::string_view ToString(ProbeKind kind);  // "path", "connect", "connect_defaults", "long_lived"
Result<ProbeKind> ParseProbeKind(std::string_view word);

// What became of a probe. Never to be merged with one another.
enum class ProbeFate : std::uint8_t {
  kOk,
  kLost,    // no answer within the deadline, nor later while it was waited for
  kLate,    // answered after the deadline
  kError,   // refused, reset, 5xx
  kWrong,   // answered by another real server than the connection's
  kUnsent,  // the prober could not send it, or not in time; says nothing about the cluster
};
std::string_view ToString(ProbeFate fate);  // "ok", "lost", "late", "error", "wrong", "unsent"

// Which error it was.
enum class ProbeError : std::uint8_t {
  kNone,
  kRefused,
  kReset,        // by the other side, or closed without an answer
  kUnreachable,  // ICMP, or no route
  kServer,       // HTTP status 500 to 599
  kMalformed,    // an answer that cannot be read
};
std::string_view ToString(ProbeError error);  // "", "refused", "reset", …

// Probes of one kind to one target at one pace.
struct ProbeSeries {
  ProbeKind kind = ProbeKind::kPath;
  std::string name;    // "path", "chatty"; unique within the log
  std::string target;  // "10.0.0.100:7"
  std::string source;  // the prober's address, where it was chosen
  ProbeTime period{1000};
  ProbeTime deadline{250'000};  // from the planned send time
  bool operator==(const ProbeSeries&) const = default;
};

struct ProbeRecord {
  std::uint8_t series = 0;
  // Long-lived: number of the connection; one that broke is replaced by one with a new number.
  std::uint32_t stream = 0;
  std::uint16_t local_port = 0;  // 0: unknown
  ProbeTime planned{0};
  ProbeTime sent{0};                  // not before it was planned; of kUnsent: as planned
  std::optional<ProbeTime> answered;  // of ok, late, error and wrong; when it ended
  ProbeFate fate = ProbeFate::kOk;
  ProbeError error = ProbeError::kNone;  // with kError, and with no other
  // With an answer: index of the responder's name, and of the source MAC that the responder saw on
  // the request's frame. 0 is unknown.
  std::uint16_t responder = 0;
  std::uint16_t mac = 0;

  // From the planned send time, so that waiting in the prober counts.
  [[nodiscard]] std::optional<ProbeTime> latency() const {
    if (!answered) return std::nullopt;
    return *answered - planned;
  }
  [[nodiscard]] ProbeTime lag() const { return sent - planned; }
  bool operator==(const ProbeRecord&) const = default;
};

// A moment that somebody else put on the prober's clock, by a datagram.
struct ProbeMarker {
  ProbeTime at{0};
  std::string text;
  bool operator==(const ProbeMarker&) const = default;
};

struct ProbeLogHeader {
  std::string prober;                     // name of the vantage point
  std::int64_t started_wall_us = 0;       // since 1970
  std::int64_t started_monotonic_us = 0;  // CLOCK_MONOTONIC of the prober: joins it with a capture
  std::vector<ProbeSeries> series;        // at most kMaxProbeSeries
  bool operator==(const ProbeLogHeader&) const = default;
};

struct ProbeLog {
  ProbeLogHeader header;
  std::vector<std::string> responders = {""};     // [0] is unknown
  std::vector<MacAddress> macs = {MacAddress{}};  // [0] is unknown
  std::vector<ProbeRecord> records;               // within a series in the order of planning
  std::vector<ProbeMarker> markers;
  bool operator==(const ProbeLog&) const = default;
};

// The first offence against the limits above; also records that contradict themselves.
Status ValidateProbeLogHeader(const ProbeLogHeader& header);
Status ValidateProbeRecord(const ProbeRecord& record, std::size_t series);

// Writes a log as it grows, about ten bytes per record, and never needs more than that memory.
//
//   file     "DPLG" version(1) text(prober) signed(wall) signed(monotonic) count series*
//   series   kind(1) text(name) text(target) text(source) number(period) number(deadline)
//   item     tag(1): low three bits 0…5 a record of that fate, 6 an extra, 7 the end; high five
//            bits the series of a record, or which extra: 0 marker, 1 name, 2 MAC
//   record   signed(change of the step between planned times) signed(change of stream)
//            signed(change of port) all against the last record of the series; unless unsent
//            number(lag); with an answer number(answered - sent) number(responder) number(mac);
//            kError: error(1)
//   marker   number(at) text          name   text          MAC   6 bytes
//   end      number(records), and nothing behind it
//
// number: LEB128, at most 10 bytes; signed: the same of zigzag; text: number(length) bytes. Names
// and MACs get the next free index and stand before the first record that uses them.
class ProbeLogWriter {
 public:
  // The header must be valid.
  explicit ProbeLogWriter(const ProbeLogHeader& header);

  // The index for a record; 0 when the table is full, or the name empty or too long.
  std::uint16_t Responder(std::string_view name);
  std::uint16_t Mac(const MacAddress& mac);
  // kInvalid and nothing written when the record is not valid or there are too many.
  Status Add(const ProbeRecord& record);
  // Text beyond kMaxProbeText and markers beyond kMaxProbeMarkers are cut.
  void Add(const ProbeMarker& marker);
  // Ends the log; nothing may be added any more.
  void Finish();

  [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  // Hands over what was written since the last time, for somebody who keeps it elsewhere.
  std::vector<std::uint8_t> TakeBytes();
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  // What the next record of a series is compared with.
  struct Last {
    std::int64_t planned = 0;
    std::int64_t step = 0;
    std::int64_t stream = 0;
    std::int64_t port = 0;
  };

  std::vector<std::uint8_t> bytes_;
  std::vector<Last> last_;
  std::map<std::string, std::uint16_t, std::less<>> responders_;
  std::map<MacAddress, std::uint16_t> macs_;
  std::uint64_t records_ = 0;
  std::size_t markers_ = 0;
};

std::vector<std::uint8_t> EncodeProbeLog(const ProbeLog& log);
// kInvalid with the place when the bytes are no log, cut off, or beyond a limit.
Result<ProbeLog> DecodeProbeLog(std::span<const std::uint8_t> bytes);

// One line per record with a line of headings, times in microseconds (RFC 4180 quoting).
std::string ProbeLogCsv(const ProbeLog& log);

}  // namespace drover
