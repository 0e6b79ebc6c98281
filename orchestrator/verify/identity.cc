#include "orchestrator/verify/identity.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace drover {
namespace {

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

// A host name may go on with its domain ("rs1" in "rs1.example.com"); an address may not go on with
// more numbers ("10.0.0.1" in "10.0.0.1.5"), but a sentence may end behind either.
bool EndsAt(std::string_view page, std::size_t end, bool is_address) {
  if (end == page.size()) return true;
  if (IsWordCharacter(page[end])) return false;
  if (!is_address || (page[end] != '.' && page[end] != ':')) return true;
  const bool goes_on = end + 1 < page.size() && IsWordCharacter(page[end + 1]);
  return !goes_on || page[end] == ':';  // "10.0.0.1:80" is still 10.0.0.1
}

bool HasWord(std::string_view page, std::string_view word, bool is_address) {
  if (word.empty()) return false;
  for (std::size_t at = page.find(word); at != std::string_view::npos;
       at = page.find(word, at + 1)) {
    const bool starts =
        at == 0 || (!IsWordCharacter(page[at - 1]) && page[at - 1] != '.' &&
                    !(is_address && page[at - 1] == ':' && word.find(':') != word.npos));
    if (starts && EndsAt(page, at + word.size(), is_address)) return true;
  }
  return false;
}

bool Names(std::string_view page, const ExpectedServer& server) {
  const std::string address = server.destination.address.ToString();
  if (HasWord(page, address, /*is_address=*/true)) return true;
  const std::string name = LowerCase(server.name);
  if (HasWord(page, name, false)) return true;
  const std::string label = name.substr(0, name.find('.'));
  const bool is_number = label.find_first_not_of("0123456789") == std::string::npos;
  return !is_number && HasWord(page, label, false);
}

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

MacDirectory::MacDirectory(const std::vector<PeerMac>& peers) {
  for (const PeerMac& peer : peers) {
    if (peer.mac.empty()) continue;
    std::vector<std::string>& hosts = hosts_[LowerCase(peer.mac)];
    if (!Has(hosts, peer.name)) hosts.push_back(peer.name);
    known_.emplace(peer.name, peer.interface);
  }
}

std::optional<std::string> MacDirectory::HostOf(const std::string& mac) const {
  const auto found = hosts_.find(LowerCase(mac));
  if (found == hosts_.end() || found->second.size() != 1) return std::nullopt;
  return found->second.front();
}

// RFC 9568 section 7.3: 00-00-5e-00-01-{VRID}, 00-00-5e-00-02-{VRID} for IPv6.
bool IsVirtualRouterMac(const std::string& mac) {
  const std::string lower = LowerCase(mac);
  return lower.starts_with("00:00:5e:00:01:") || lower.starts_with("00:00:5e:00:02:");
}

bool MacDirectory::Knows(const std::string& host) const {
  return std::any_of(known_.begin(), known_.end(),
                     [&](const auto& known) { return known.first == host; });
}

bool MacDirectory::KnowsOn(const std::string& interface, const std::string& host) const {
  return known_.contains({host, interface});
}

std::string ServerNamedIn(std::string_view page, const std::vector<ExpectedServer>& servers) {
  const std::string lower = LowerCase(page);
  std::set<std::string> named;
  for (const ExpectedServer& server : servers) {
    if (Names(lower, server)) named.insert(server.name);
  }
  return named.size() == 1 ? *named.begin() : std::string();
}

Identifier::Identifier(const VerifyExpectation& expectation, const ExpectedService& service,
                       const MacDirectory& macs)
    : expectation_(expectation), service_(service), macs_(macs) {}

const ExpectedServer* Identifier::Find(const std::string& name) const {
  for (const ExpectedServer& server : service_.servers) {
    if (server.name == name) return &server;
  }
  return nullptr;
}

// The MAC is no real server's, so the page decides; whether the detour is right depends on how the
// director forwards.
Answerer Identifier::ByPage(Answerer answer) const {
  const ExpectedServer* server = Find(answer.by_page);
  answer.name = answer.by_page;
  answer.expected = true;
  if (server->destination.forward == Forwarding::kNat || answer.by_mac.empty()) return answer;
  if (Has(expectation_.directors, answer.by_mac)) {
    answer.oddity = Oddity::kThroughDirector;
  } else if (macs_.Knows(server->name)) {
    answer.oddity = Oddity::kThroughOther;  // a server off the network answers through its router
  }
  return answer;
}

// Nothing but a MAC that belongs to no server of the table.
Answerer Identifier::ByForeignMac(Answerer answer) const {
  answer.name = std::string(kUnknownServer);
  const bool all_known =
      std::all_of(service_.servers.begin(), service_.servers.end(),
                  [this](const ExpectedServer& server) { return macs_.Knows(server.name); });
  const bool may_pass_director = std::any_of(
      service_.servers.begin(), service_.servers.end(),
      [](const ExpectedServer& s) { return s.destination.forward == Forwarding::kNat; });
  if (answer.by_mac.empty() || !all_known || may_pass_director) return answer;
  if (service_.own && IsVirtualRouterMac(answer.by_mac)) return answer;
  const bool is_host = macs_.Knows(answer.by_mac);
  if (is_host && Has(expectation_.directors, answer.by_mac)) {
    answer.oddity = Oddity::kThroughDirector;
    return answer;
  }
  answer.name = answer.by_mac;
  answer.oddity = is_host ? Oddity::kForeignHost : Oddity::kForeignMac;
  return answer;
}

Answerer Identifier::Identify(const ProbeConnection& connection) const {
  Answerer answer;
  if (!connection.reply_mac.empty()) {
    answer.by_mac = macs_.HostOf(connection.reply_mac).value_or(connection.reply_mac);
  }
  if (connection.error) {
    answer.name = std::string(kNoAnswer);
    return answer;
  }
  answer.by_page = ServerNamedIn(connection.body, service_.servers);
  const ExpectedServer* by_mac = Find(answer.by_mac);
  const bool page_differs = !answer.by_page.empty() && answer.by_page != answer.by_mac;
  // A director may be a real server too; then its MAC says little: with NAT every answer has it,
  // and with direct routing a page of another server means that the answer came back through it.
  const bool director = Has(expectation_.directors, answer.by_mac);
  const bool nat = by_mac != nullptr && by_mac->destination.forward == Forwarding::kNat;
  if (by_mac != nullptr && !(director && (nat || page_differs))) {
    answer.name = answer.by_mac;
    answer.expected = true;
    if (page_differs) answer.oddity = Oddity::kPageContradictsMac;
    return answer;
  }
  return answer.by_page.empty() ? ByForeignMac(std::move(answer)) : ByPage(std::move(answer));
}

}  // namespace drover
