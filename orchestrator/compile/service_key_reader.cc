#include "orchestrator/compile/service_key_reader.h"

namespace drover {
namespace {

constexpr std::int64_t kMaxU32 = 4294967295;

// "10.0.0.1:80", or ":0" where persistence takes every port.
std::optional<Endpoint> ReadEndpoint(Arguments& arguments) {
  const auto text = arguments.Text("address");
  if (!text) return std::nullopt;
  const bool every_port = text->ends_with(":0") && arguments.Has("persistence");
  const auto endpoint =
      Endpoint::Parse(every_port ? text->substr(0, text->size() - 1) + "1" : *text);
  if (!endpoint) {
    arguments.Say(arguments.PlaceOf("address"), endpoint.error().message);
    return std::nullopt;
  }
  return Endpoint{endpoint->address, every_port ? std::uint16_t{0} : endpoint->port};
}

// "udp 10.0.0.1:53", "10.0.0.1:80", "fwmark 7 ipv6".
Result<ServiceKey> ParseName(const std::string& text) {
  const std::size_t blank = text.find(' ');
  const std::string word = blank == std::string::npos ? "tcp" : text.substr(0, blank);
  const std::string rest = blank == std::string::npos ? text : text.substr(blank + 1);
  if (word == "fwmark") {
    const std::size_t next = rest.find(' ');
    const auto mark = ReadInteger(Value(rest.substr(0, next)));
    const auto family = ParseFamily(next == std::string::npos ? "ipv4" : rest.substr(next + 1));
    if (!mark || *mark < 1 || *mark > kMaxU32) {
      return Fail(ErrorCode::kInvalid, "\"" + rest + "\" is no firewall mark");
    }
    if (!family) return Fail(family.error());
    return ServiceKey(FwmarkKey{static_cast<std::uint32_t>(*mark), *family});
  }
  const auto transport = ParseTransport(word);
  if (!transport) return Fail(transport.error());
  const auto endpoint = Endpoint::Parse(rest);
  if (!endpoint) return Fail(endpoint.error());
  return ServiceKey(SocketKey{*transport, endpoint->address, endpoint->port});
}

}  // namespace

std::optional<ServiceKey> ReadServiceKey(Arguments& arguments) {
  if (arguments.Has("fwmark")) {
    for (const char* key : {"address", "protocol"}) {
      if (!arguments.Has(key)) continue;
      arguments.Say(arguments.PlaceOf(key),
                    std::string("a service by fwmark has no \"") + key + "\"");
    }
    const auto mark = arguments.Integer("fwmark", 1, kMaxU32);
    const auto word = arguments.OneOf("family", {"ipv4", "ipv6"});
    if (!mark) return std::nullopt;
    return FwmarkKey{static_cast<std::uint32_t>(*mark),
                     word == "ipv6" ? Family::kIpv6 : Family::kIpv4};
  }
  arguments.Require("address", "write it as IP:PORT, or give \"fwmark\"");
  if (arguments.Has("family")) {
    arguments.Say(arguments.PlaceOf("family"), "\"family\" stands with \"fwmark\" only");
  }
  const auto endpoint = ReadEndpoint(arguments);
  const auto word = arguments.OneOf("protocol", {"tcp", "udp", "sctp"});
  if (!endpoint || (arguments.Has("protocol") && !word)) return std::nullopt;
  const Transport transport = word ? *ParseTransport(*word) : Transport::kTcp;
  return SocketKey{transport, endpoint->address, endpoint->port};
}

std::optional<ServiceKey> ReadServiceName(const Argument& argument, Arguments& arguments) {
  if (argument.is_mapping()) {
    Arguments entry(argument, "\"service\"", arguments.diagnostics());
    entry.CheckKeys({"address", "protocol", "fwmark", "family"});
    return ReadServiceKey(entry);
  }
  const auto text = ReadText(argument);
  if (!text) {
    arguments.Say(argument.place,
                  "a virtual service is named by IP:PORT, not " + Describe(argument.value));
    return std::nullopt;
  }
  const auto key = ParseName(*text);
  if (key) return *key;
  arguments.Say(argument.place, key.error().message,
                "write IP:PORT, \"udp IP:PORT\" or \"fwmark N\"");
  return std::nullopt;
}

}  // namespace drover
