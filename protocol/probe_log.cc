#include "protocol/probe_log.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "protocol/words.h"

namespace drover {
namespace {

constexpr std::array<std::uint8_t, 4> kMagic = {'D', 'P', 'L', 'G'};
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kExtraTag = 6;
constexpr std::uint8_t kEndTag = 7;
constexpr std::uint8_t kTagBits = 3;
enum Extra : std::uint8_t { kMarker, kName, kMac };

constexpr std::uint8_t kLastKind = static_cast<std::uint8_t>(ProbeKind::kLongLived);
constexpr std::uint8_t kLastError = static_cast<std::uint8_t>(ProbeError::kMalformed);

bool HasAnswer(ProbeFate fate) { return fate != ProbeFate::kLost && fate != ProbeFate::kUnsent; }

void PutNumber(std::vector<std::uint8_t>& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(value));
}

void PutSigned(std::vector<std::uint8_t>& out, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  PutNumber(out, bits << 1 ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

void PutText(std::vector<std::uint8_t>& out, std::string_view text) {
  PutNumber(out, text.size());
  out.insert(out.end(), text.begin(), text.end());
}

// Reads on until something is wrong; then every read gives nothing and the first offence stays.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint8_t Byte() {
    if (at_ >= bytes_.size()) {
      Offend("it is cut off");
      return 0;
    }
    return bytes_[at_++];
  }
  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const std::uint8_t byte = Byte();
      if (shift == 63 && byte > 1) break;
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    Offend("a number has more than 64 bits");
    return 0;
  }
  std::uint64_t Number(std::uint64_t limit, const char* what) {
    const std::uint64_t value = Number();
    if (value <= limit) return value;
    Offend(std::string(what) + " is beyond its limit");
    return 0;
  }
  std::int64_t Signed() {
    const std::uint64_t bits = Number();
    return static_cast<std::int64_t>(bits >> 1 ^ (bits & 1 ? ~std::uint64_t{0} : 0));
  }
  std::string Text(std::size_t limit) {
    const std::uint64_t size = Number(limit, "a text");
    if (size > bytes_.size() - at_) {
      Offend("it is cut off");
      return "";
    }
    const auto* begin = bytes_.data() + at_;
    at_ += size;
    return std::string(begin, begin + size);
  }
  void Offend(std::string what) {
    if (!error_) error_ = std::move(what) + " (byte " + std::to_string(at_) + ")";
    at_ = bytes_.size();
  }
  [[nodiscard]] bool ok() const { return !error_; }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }
  [[nodiscard]] Error error() const {
    return {ErrorCode::kInvalid, "probe log: " + error_.value_or("")};
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  std::optional<std::string> error_;
};

Error Offence(std::string what) { return {ErrorCode::kInvalid, "probe log: " + std::move(what)}; }

// Sums of what a stranger wrote may overflow; as unsigned numbers they only become wrong.
std::int64_t Plus(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) +
                                   static_cast<std::uint64_t>(right));
}

bool Within(ProbeTime time) { return time >= ProbeTime(0) && time <= kMaxProbeTime; }

ProbeLogHeader ReadHeader(ByteReader& in) {
  ProbeLogHeader header;
  header.prober = in.Text(kMaxProbeText);
  header.started_wall_us = in.Signed();
  header.started_monotonic_us = in.Signed();
  const std::uint64_t count = in.Number(kMaxProbeSeries, "the number of series");
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    ProbeSeries series;
    const std::uint8_t kind = in.Byte();
    if (kind > kLastKind) in.Offend("a kind of probe is unknown");
    series.kind = static_cast<ProbeKind>(std::min(kind, kLastKind));
    series.name = in.Text(kMaxProbeText);
    series.target = in.Text(kMaxProbeText);
    series.source = in.Text(kMaxProbeText);
    series.period = ProbeTime(in.Number(kMaxProbeTime.count(), "a period"));
    series.deadline = ProbeTime(in.Number(kMaxProbeTime.count(), "a deadline"));
    header.series.push_back(std::move(series));
  }
  return header;
}

// Decodes items into a log; keeps what differences are counted from.
class ItemReader {
 public:
  ItemReader(ByteReader& in, ProbeLog& log) : in_(in), log_(log), last_(log.header.series.size()) {}

  // False at the end, or after an offence.
  bool Next() {
    const std::uint8_t tag = in_.Byte();
    if (!in_.ok()) return false;
    const std::uint8_t low = tag & ((1U << kTagBits) - 1);
    const std::uint8_t high = tag >> kTagBits;
    if (low == kEndTag) {
      End(high);
      return false;
    }
    if (low == kExtraTag) {
      ReadExtra(high);
    } else {
      ReadRecord(static_cast<ProbeFate>(low), high);
    }
    return in_.ok();
  }

 private:
  struct Last {
    std::int64_t planned = 0;
    std::int64_t step = 0;
    std::int64_t stream = 0;
    std::int64_t port = 0;
  };

  void End(std::uint8_t high) {
    if (high != 0) in_.Offend("an item is unknown");
    if (in_.Number() != log_.records.size()) in_.Offend("its end counts other records");
    if (!in_.at_end()) in_.Offend("something stands behind its end");
  }

  void ReadExtra(std::uint8_t which) {
    if (which == kMarker) {
      const auto at = ProbeTime(in_.Number(kMaxProbeTime.count(), "the time of a marker"));
      log_.markers.push_back({at, in_.Text(kMaxProbeText)});
      if (log_.markers.size() > kMaxProbeMarkers) in_.Offend("it has too many markers");
    } else if (which == kName) {
      log_.responders.push_back(in_.Text(kMaxProbeName));
      if (log_.responders.size() > kMaxProbeNames) in_.Offend("it has too many responders");
    } else if (which == kMac) {
      MacAddress mac;
      for (std::uint8_t& byte : mac) byte = in_.Byte();
      log_.macs.push_back(mac);
      if (log_.macs.size() > kMaxProbeNames) in_.Offend("it has too many MACs");
    } else {
      in_.Offend("an item is unknown");
    }
  }

  void ReadRecord(ProbeFate fate, std::uint8_t series) {
    if (series >= last_.size()) return in_.Offend("a record is of no series");
    if (log_.records.size() >= kMaxProbeRecords) return in_.Offend("it has too many records");
    Last& last = last_[series];
    last.step = Plus(last.step, in_.Signed());
    last.planned = Plus(last.planned, last.step);
    last.stream = Plus(last.stream, in_.Signed());
    last.port = Plus(last.port, in_.Signed());
    if (last.stream < 0 || last.stream > UINT32_MAX || last.port < 0 || last.port > UINT16_MAX ||
        !Within(ProbeTime(last.planned))) {
      return in_.Offend("a record is beyond its limits");
    }
    ProbeRecord record{.series = series,
                       .stream = static_cast<std::uint32_t>(last.stream),
                       .local_port = static_cast<std::uint16_t>(last.port),
                       .planned = ProbeTime(last.planned),
                       .sent = ProbeTime(last.planned),
                       .fate = fate};
    if (fate != ProbeFate::kUnsent) record.sent += Span("a lag");
    if (HasAnswer(fate)) {
      record.answered = record.sent + Span("an answer");
      record.responder = Index(log_.responders.size(), "a responder");
      record.mac = Index(log_.macs.size(), "a MAC");
    }
    if (fate == ProbeFate::kError) {
      record.error = static_cast<ProbeError>(std::min(in_.Byte(), kLastError));
    }
    if (!in_.ok()) return;
    if (const Status fine = ValidateProbeRecord(record, last_.size()); !fine) {
      return in_.Offend("a record contradicts itself");
    }
    log_.records.push_back(record);
  }

  ProbeTime Span(const char* what) { return ProbeTime(in_.Number(kMaxProbeTime.count(), what)); }
  std::uint16_t Index(std::size_t size, const char* what) {
    return static_cast<std::uint16_t>(in_.Number(size - 1, what));
  }

  ByteReader& in_;
  ProbeLog& log_;
  std::vector<Last> last_;
};

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::string_view ToString(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kPath:
      return "path";
    case ProbeKind::kConnect:
      return "connect";
    case ProbeKind::kConnectDefaults:
      return "connect_defaults";
    case ProbeKind::kLongLived:
      return "long_lived";
  }
  return "?";
}

Result<ProbeKind> ParseProbeKind(std::string_view word) {
  return ParseOneOf(
      word,
      {ProbeKind::kPath, ProbeKind::kConnect, ProbeKind::kConnectDefaults, ProbeKind::kLongLived},
      "kind of probe");
}

std::string_view ToString(ProbeFate fate) {
  switch (fate) {
    case ProbeFate::kOk:
      return "ok";
    case ProbeFate::kLost:
      return "lost";
    case ProbeFate::kLate:
      return "late";
    case ProbeFate::kError:
      return "error";
    case ProbeFate::kWrong:
      return "wrong";
    case ProbeFate::kUnsent:
      return "unsent";
  }
  return "?";
}

std::string_view ToString(ProbeError error) {
  switch (error) {
    case ProbeError::kNone:
      return "";
    case ProbeError::kRefused:
      return "refused";
    case ProbeError::kReset:
      return "reset";
    case ProbeError::kUnreachable:
      return "unreachable";
    case ProbeError::kServer:
      return "server";
    case ProbeError::kMalformed:
      return "malformed";
  }
  return "?";
}

Status ValidateProbeLogHeader(const ProbeLogHeader& header) {
  if (header.series.size() > kMaxProbeSeries) {
    return Fail(Offence("more than " + std::to_string(kMaxProbeSeries) + " series"));
  }
  if (header.prober.size() > kMaxProbeText) return Fail(Offence("the prober's name is too long"));
  std::set<std::string> names;
  for (const ProbeSeries& series : header.series) {
    if (series.name.empty() || !names.insert(series.name).second) {
      return Fail(Offence("the series need names of their own, not \"" + series.name + "\""));
    }
    for (const std::string* text : {&series.name, &series.target, &series.source}) {
      if (text->size() > kMaxProbeText) return Fail(Offence("a text of a series is too long"));
    }
    for (const ProbeTime time : {series.period, series.deadline}) {
      if (time <= ProbeTime(0) || time > kMaxProbeTime) {
        return Fail(Offence("series " + series.name + ": period and deadline are up to 24 hours"));
      }
    }
  }
  return {};
}

Status ValidateProbeRecord(const ProbeRecord& record, std::size_t series) {
  if (record.series >= series) return Fail(Offence("a record is of no series"));
  const bool times =
      Within(record.planned) && Within(record.sent) && record.sent >= record.planned &&
      (!record.answered || (Within(*record.answered) && *record.answered >= record.sent));
  if (!times) return Fail(Offence("a record's times are not in order or not within 24 hours"));
  if (record.answered.has_value() != HasAnswer(record.fate) ||
      (record.fate == ProbeFate::kError) != (record.error != ProbeError::kNone) ||
      (record.fate == ProbeFate::kUnsent && record.sent != record.planned) ||
      (!record.answered && (record.responder != 0 || record.mac != 0))) {
    return Fail(
        Offence("a record contradicts its fate \"" + std::string(ToString(record.fate)) + "\""));
  }
  return {};
}

ProbeLogWriter::ProbeLogWriter(const ProbeLogHeader& header)
    : bytes_(kMagic.begin(), kMagic.end()), last_(header.series.size()) {
  bytes_.push_back(kVersion);
  PutText(bytes_, header.prober);
  PutSigned(bytes_, header.started_wall_us);
  PutSigned(bytes_, header.started_monotonic_us);
  PutNumber(bytes_, header.series.size());
  for (const ProbeSeries& series : header.series) {
    bytes_.push_back(static_cast<std::uint8_t>(series.kind));
    PutText(bytes_, series.name);
    PutText(bytes_, series.target);
    PutText(bytes_, series.source);
    PutNumber(bytes_, static_cast<std::uint64_t>(series.period.count()));
    PutNumber(bytes_, static_cast<std::uint64_t>(series.deadline.count()));
  }
}

std::uint16_t ProbeLogWriter::Responder(std::string_view name) {
  if (name.empty() || name.size() > kMaxProbeName) return 0;
  if (const auto known = responders_.find(name); known != responders_.end()) return known->second;
  if (responders_.size() + 1 >= kMaxProbeNames) return 0;
  bytes_.push_back(kExtraTag | kName << kTagBits);
  PutText(bytes_, name);
  const auto index = static_cast<std::uint16_t>(responders_.size() + 1);
  responders_.emplace(name, index);
  return index;
}

std::uint16_t ProbeLogWriter::Mac(const MacAddress& mac) {
  if (mac == MacAddress{}) return 0;
  if (const auto known = macs_.find(mac); known != macs_.end()) return known->second;
  if (macs_.size() + 1 >= kMaxProbeNames) return 0;
  bytes_.push_back(kExtraTag | kMac << kTagBits);
  bytes_.insert(bytes_.end(), mac.begin(), mac.end());
  const auto index = static_cast<std::uint16_t>(macs_.size() + 1);
  macs_.emplace(mac, index);
  return index;
}

Status ProbeLogWriter::Add(const ProbeRecord& record) {
  if (const Status fine = ValidateProbeRecord(record, last_.size()); !fine) return fine;
  if (record.responder > responders_.size() || record.mac > macs_.size()) {
    return Fail(Offence("a record names a responder or MAC that the log does not know"));
  }
  if (records_ >= kMaxProbeRecords) return Fail(Offence("it is full"));
  ++records_;
  Last& last = last_[record.series];
  const std::int64_t step = record.planned.count() - last.planned;
  bytes_.push_back(
      static_cast<std::uint8_t>(static_cast<unsigned>(record.fate) | record.series << kTagBits));
  PutSigned(bytes_, step - last.step);
  PutSigned(bytes_, record.stream - last.stream);
  PutSigned(bytes_, record.local_port - last.port);
  last = {record.planned.count(), step, record.stream, record.local_port};
  if (record.fate != ProbeFate::kUnsent) {
    PutNumber(bytes_, static_cast<std::uint64_t>(record.lag().count()));
  }
  if (record.answered) {
    PutNumber(bytes_, static_cast<std::uint64_t>((*record.answered - record.sent).count()));
    PutNumber(bytes_, record.responder);
    PutNumber(bytes_, record.mac);
  }
  if (record.fate == ProbeFate::kError) bytes_.push_back(static_cast<std::uint8_t>(record.error));
  return {};
}

void ProbeLogWriter::Add(const ProbeMarker& marker) {
  if (markers_ >= kMaxProbeMarkers || !Within(marker.at)) return;
  ++markers_;
  bytes_.push_back(kExtraTag | kMarker << kTagBits);
  PutNumber(bytes_, static_cast<std::uint64_t>(marker.at.count()));
  PutText(bytes_, std::string_view(marker.text).substr(0, kMaxProbeText));
}

void ProbeLogWriter::Finish() {
  bytes_.push_back(kEndTag);
  PutNumber(bytes_, records_);
}

std::vector<std::uint8_t> ProbeLogWriter::TakeBytes() {
  std::vector<std::uint8_t> taken;
  taken.swap(bytes_);
  return taken;
}

std::vector<std::uint8_t> EncodeProbeLog(const ProbeLog& log) {
  ProbeLogWriter writer(log.header);
  for (std::size_t i = 1; i < log.responders.size(); ++i) (void)writer.Responder(log.responders[i]);
  for (std::size_t i = 1; i < log.macs.size(); ++i) (void)writer.Mac(log.macs[i]);
  for (const ProbeRecord& record : log.records) (void)writer.Add(record);
  for (const ProbeMarker& marker : log.markers) writer.Add(marker);
  writer.Finish();
  return writer.TakeBytes();
}

Result<ProbeLog> DecodeProbeLog(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kMagic.size() || !std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) {
    return Fail(Offence("these bytes are none"));
  }
  ByteReader in(bytes.subspan(kMagic.size()));
  if (const std::uint8_t version = in.Byte(); in.ok() && version != kVersion) {
    return Fail(Offence("its version " + std::to_string(version) +
                        " is unknown; a newer drover may have written it"));
  }
  ProbeLog log;
  log.header = ReadHeader(in);
  if (!in.ok()) return Fail(in.error());
  if (const Status fine = ValidateProbeLogHeader(log.header); !fine) return Fail(fine.error());
  ItemReader items(in, log);
  while (items.Next()) {
  }
  if (!in.ok()) return Fail(in.error());
  return log;
}

std::string ProbeLogCsv(const ProbeLog& log) {
  std::string csv =
      "series,kind,stream,local_port,planned_us,sent_us,answered_us,latency_us,fate,error,"
      "responder,mac\r\n";
  for (const ProbeRecord& record : log.records) {
    const ProbeSeries& series = log.header.series.at(record.series);
    csv += CsvField(series.name) + ',' + std::string(ToString(series.kind)) + ',' +
           std::to_string(record.stream) + ',' + std::to_string(record.local_port) + ',' +
           std::to_string(record.planned.count()) + ',';
    csv += record.fate == ProbeFate::kUnsent ? "," : std::to_string(record.sent.count()) + ',';
    csv += record.answered ? std::to_string(record.answered->count()) + ',' +
                                 std::to_string(record.latency()->count()) + ','
                           : ",,";
    csv += std::string(ToString(record.fate)) + ',' + std::string(ToString(record.error)) + ',' +
           CsvField(log.responders.at(record.responder)) + ',' + MacText(log.macs.at(record.mac)) +
           "\r\n";
  }
  return csv;
}

}  // namespace drover
