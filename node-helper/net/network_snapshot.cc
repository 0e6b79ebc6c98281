#include "node-helper/net/network_snapshot.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <fstream>
#include <optional>
#include <sstream>

#include "node-helper/net/address_codec.h"
#include "node-helper/net/netlink_socket.h"

namespace drover {
namespace {

constexpr std::string_view kTitle = "network-snapshot 1";
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string ToHex(const Bytes& bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 0xF];
  }
  return text;
}

std::optional<Bytes> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  for (; !text.empty(); text.remove_prefix(2)) {
    std::uint8_t byte = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 2, byte, 16);
    if (error != std::errc() || end != text.data() + 2) return std::nullopt;
    bytes.push_back(byte);
  }
  return bytes;
}

tl::unexpected<Error> Damaged(const std::string& line) {
  return Fail(ErrorCode::kInternal,
              "what was remembered of the network cannot be read: \"" + line + "\"");
}

// One line of the text; false when it says nothing that is known.
bool TakeLine(const std::string& line, NetworkSnapshot& snapshot) {
  std::istringstream words(line);
  std::string kind;
  words >> kind;
  if (kind == "boot") {
    std::int64_t seconds = 0;
    words >> snapshot.boot_id >> seconds;
    snapshot.taken_at = std::chrono::seconds(seconds);
    return static_cast<bool>(words);
  }
  if (kind == "link") {
    LinkState link;
    words >> link.index >> link.name >> link.up >> link.mtu;
    snapshot.links.push_back(link);
    return static_cast<bool>(words);
  }
  std::string hex;
  words >> hex;
  const auto wire = FromHex(hex);
  if (!words || !wire) return false;
  if (kind == "address") {
    const auto address = DecodeAddressState(*wire);
    if (!address || !address->has_value()) return false;
    snapshot.addresses.push_back(**address);
    return true;
  }
  if (kind == "route") {
    const auto route = DecodeRouteState(*wire);
    if (!route || !route->has_value()) return false;
    snapshot.routes.push_back(**route);
    return true;
  }
  const auto rule = DecodeRuleState(*wire);
  if (kind != "rule" || !rule || !rule->has_value()) return false;
  snapshot.rules.push_back(**rule);
  return true;
}

std::string ReadBootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id.empty() ? "unknown" : id;
}

std::chrono::seconds SinceBoot() {
  std::timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec);
}

// Appends what `decode` makes of each message, leaving out what is not remembered.
template <typename State>
Status Collect(NetlinkSocket& socket, std::uint16_t type, const Bytes& question,
               Result<std::optional<State>> (*decode)(ByteView), std::vector<State>& out) {
  const auto messages = socket.List(type, question);
  if (!messages) return Fail(messages.error());
  for (const Bytes& message : *messages) {
    const auto state = decode(message);
    if (!state) return Fail(state.error());
    if (state->has_value()) out.push_back(**state);
  }
  return {};
}

Result<std::optional<LinkState>> LinkOf(ByteView message) {
  const auto link = DecodeLinkState(message);
  if (!link) return Fail(link.error());
  return std::optional(*link);
}

}  // namespace

Result<NetworkSnapshot> TakeNetworkSnapshot() {
  const auto socket = NetlinkSocket::Open(NETLINK_ROUTE);
  if (!socket) return Fail(socket.error());
  NetworkSnapshot snapshot;
  snapshot.boot_id = ReadBootId();
  snapshot.taken_at = SinceBoot();
  NetlinkSocket& kernel = **socket;
  Status read = Collect(kernel, RTM_GETLINK, EncodeListLinks(), LinkOf, snapshot.links);
  if (!read) return Fail(read.error().In("interfaces"));
  read =
      Collect(kernel, RTM_GETADDR, EncodeListAddresses(), DecodeAddressState, snapshot.addresses);
  if (!read) return Fail(read.error().In("addresses"));
  read = Collect(kernel, RTM_GETROUTE, EncodeListRoutes(), DecodeRouteState, snapshot.routes);
  if (!read) return Fail(read.error().In("routes"));
  read = Collect(kernel, RTM_GETRULE, EncodeListRules(), DecodeRuleState, snapshot.rules);
  // A kernel without policy routing has no rules to lose.
  if (!read && !read.error().message.ends_with(std::strerror(EOPNOTSUPP))) {
    return Fail(read.error().In("rules of policy routing"));
  }
  return snapshot;
}

std::string EncodeNetworkSnapshot(const NetworkSnapshot& snapshot) {
  std::ostringstream text;
  text << kTitle << "\nboot " << snapshot.boot_id << " " << snapshot.taken_at.count() << "\n";
  for (const LinkState& link : snapshot.links) {
    text << "link " << link.index << " " << link.name << " " << link.up << " " << link.mtu << "\n";
  }
  for (const auto& address : snapshot.addresses) text << "address " << ToHex(address.wire) << "\n";
  for (const auto& route : snapshot.routes) text << "route " << ToHex(route.wire) << "\n";
  for (const auto& rule : snapshot.rules) text << "rule " << ToHex(rule.wire) << "\n";
  return text.str();
}

Result<NetworkSnapshot> DecodeNetworkSnapshot(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::string line;
  if (!std::getline(lines, line) || line != kTitle) return Damaged(line);
  NetworkSnapshot snapshot;
  while (std::getline(lines, line)) {
    if (!TakeLine(line, snapshot)) return Damaged(line);
  }
  return snapshot;
}

}  // namespace drover
