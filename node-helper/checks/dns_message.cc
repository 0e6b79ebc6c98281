#include "node-helper/checks/dns_message.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace drover {
namespace {

constexpr std::size_t kHeaderBytes = 12;  // RFC 1035, section 4.1.1
constexpr std::uint16_t kRecursionDesired = 0x0100;
constexpr std::uint16_t kIsAnswer = 0x8000;
constexpr std::uint16_t kOpcodeMask = 0x7800;
constexpr std::uint16_t kCodeMask = 0x000F;
constexpr std::uint16_t kClassInternet = 1;
constexpr std::uint8_t kPointer = 0xC0;  // section 4.1.4
constexpr std::uint16_t kNameError = 3;
constexpr std::size_t kMaxName = 255;  // section 2.3.4

constexpr std::array<std::pair<std::string_view, std::uint16_t>, 7> kTypes = {
    {{"A", 1}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}}};

void Put16(std::string& bytes, std::uint16_t value) {
  bytes.push_back(static_cast<char>(value >> 8));
  bytes.push_back(static_cast<char>(value & 0xFF));
}

std::string EncodeName(std::string_view name) {
  std::string bytes;
  while (!name.empty() && name != ".") {
    const std::string_view label = name.substr(0, name.find('.'));
    bytes.push_back(static_cast<char>(label.size()));
    bytes.append(label);
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  bytes.push_back('\0');
  return bytes;
}

// Reads forward only; every answer is empty once the end was passed.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::uint8_t> Take8() {
    if (rest_.empty()) return std::nullopt;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::optional<std::uint16_t> Take16() {
    const auto high = Take8();
    const auto low = Take8();
    if (!high || !low) return std::nullopt;
    return static_cast<std::uint16_t>(*high << 8 | *low);
  }
  bool Skip(std::size_t size) {
    if (rest_.size() < size) return false;
    rest_.remove_prefix(size);
    return true;
  }
  // Steps over a name. Its labels in wire form when it has no pointer, else empty.
  std::optional<std::string> TakeName() {
    const std::string_view begin = rest_;
    while (true) {
      const auto length = Take8();
      if (!length || begin.size() - rest_.size() > kMaxName) return std::nullopt;
      if ((*length & kPointer) == kPointer) return Skip(1) ? std::optional("") : std::nullopt;
      if ((*length & kPointer) != 0) return std::nullopt;
      if (*length == 0) return std::string(begin.substr(0, begin.size() - rest_.size()));
      if (!Skip(*length)) return std::nullopt;
    }
  }

 private:
  std::string_view rest_;
};

// Names are equal whatever their case (section 2.3.3); no length byte is a letter.
bool SameName(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

std::string CodeText(std::uint16_t code) {
  constexpr std::array<std::string_view, 6> kCodes = {
      "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN: the name does not exist", "NOTIMP", "REFUSED"};
  return code < kCodes.size() ? std::string(kCodes[code]) : "error " + std::to_string(code);
}

// How many of `count` records have the wanted type; empty when the records are cut or malformed.
std::optional<int> CountRecords(Reader& reader, int count, std::uint16_t type) {
  int found = 0;
  for (int i = 0; i < count; ++i) {
    if (!reader.TakeName()) return std::nullopt;
    const auto record_type = reader.Take16();
    const bool skipped = reader.Skip(6);  // class and time to live
    const auto length = reader.Take16();
    if (!record_type || !skipped || !length || !reader.Skip(*length)) return std::nullopt;
    if (*record_type == type) ++found;
  }
  return found;
}

}  // namespace

std::uint16_t DnsTypeNumber(std::string_view type) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const auto& entry) { return entry.first == type; });
  return found == kTypes.end() ? std::uint16_t{0} : found->second;
}

std::string EncodeDnsQuery(std::uint16_t id, const DnsCheck& check) {
  std::string bytes;
  Put16(bytes, id);
  Put16(bytes, kRecursionDesired);
  Put16(bytes, 1);  // questions
  for (int section = 0; section < 3; ++section) Put16(bytes, 0);
  bytes += EncodeName(check.name);
  Put16(bytes, DnsTypeNumber(check.type));
  Put16(bytes, kClassInternet);
  return bytes;
}

bool AnswersDnsQuery(std::string_view datagram, std::uint16_t id) {
  Reader reader(datagram);
  const auto got_id = reader.Take16();
  const auto flags = reader.Take16();
  return datagram.size() >= kHeaderBytes && got_id == id && flags && (*flags & kIsAnswer) != 0;
}

CheckAnswer JudgeDnsAnswer(std::string_view datagram, const DnsCheck& check) {
  const auto malformed = [] { return CheckAnswer::Failed("the answer is not good DNS"); };
  Reader reader(datagram);
  (void)reader.Skip(2);
  const auto flags = reader.Take16();
  const auto questions = reader.Take16();
  const auto answers = reader.Take16();
  if (!flags || !questions || !answers || !reader.Skip(4)) return malformed();
  if ((*flags & kOpcodeMask) != 0) return malformed();
  const std::uint16_t code = *flags & kCodeMask;
  const bool needs_address = check.type == "A" || check.type == "AAAA";
  if (code != 0 && (code != kNameError || needs_address)) {
    return CheckAnswer::Failed("the DNS server says " + CodeText(code));
  }
  if (*questions != 1) return malformed();
  const std::uint16_t type = DnsTypeNumber(check.type);
  const auto name = reader.TakeName();
  const auto asked_type = reader.Take16();
  const auto asked_class = reader.Take16();
  if (!name || !SameName(*name, EncodeName(check.name)) || asked_type != type ||
      asked_class != kClassInternet) {
    return CheckAnswer::Failed("the answer is to another question");
  }
  const auto found = CountRecords(reader, *answers, type);
  if (!found) return malformed();
  if (needs_address && *found == 0) {
    return CheckAnswer::Failed("the answer has no " + check.type + " record");
  }
  return CheckAnswer::Ok();
}

}  // namespace drover
