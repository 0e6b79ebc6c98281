#include "orchestrator/verify/arp_law.h"

#include <algorithm>
#include <set>

#include "orchestrator/verify/wording.h"

namespace drover {
namespace {

// The MACs that claimed one VIP, by the part that their hosts play.
struct Claimants {
  std::vector<std::string> directors;
  std::vector<std::string> real_servers;
  std::vector<std::string> others;     // known hosts of neither kind
  std::vector<std::string> strangers;  // MACs of no known host
  std::vector<std::string>
      virtual_routers;  // VRRP's own MACs: a director, but it does not say which
};

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool MayHold(const VerifyExpectation& expectation, const IpAddress& vip, const std::string& host) {
  const auto holders = expectation.holders.find(vip);
  return Has(holders == expectation.holders.end() ? expectation.directors : holders->second, host);
}

Claimants Sort(const VerifyExpectation& expectation, const ArpAnswers& arp,
               const MacDirectory& macs) {
  Claimants claimants;
  for (const auto& [mac, count] : arp.answers) {
    const auto host = macs.HostOf(mac);
    if (!host) {
      (IsVirtualRouterMac(mac) ? claimants.virtual_routers : claimants.strangers).push_back(mac);
    } else if (MayHold(expectation, arp.vip, *host)) {
      claimants.directors.push_back(*host);  // a director that also serves may answer
    } else if (Has(expectation.real_servers, *host)) {
      claimants.real_servers.push_back(*host);
    } else {
      claimants.others.push_back(*host);
    }
  }
  return claimants;
}

std::string MacOf(const ArpAnswers& arp, const MacDirectory& macs, const std::string& host) {
  for (const auto& [mac, count] : arp.answers) {
    if (macs.HostOf(mac) == host) return mac;
  }
  return "";
}

// "10.0.0.100 on eth0: lb1 (02:00:00:00:00:01) 4 answers".
std::string Line(const ArpAnswers& arp, const MacDirectory& macs) {
  std::string line = arp.vip.ToString() + " on " + arp.interface + ": ";
  if (arp.answers.empty()) return line + (arp.local ? "this host itself" : "nobody answers");
  bool first = true;
  for (const auto& [mac, count] : arp.answers) {
    line += (first ? "" : ", ") + macs.HostOf(mac).value_or("unknown host") + " (" + mac + ") " +
            Counted(count, "answer");
    first = false;
  }
  return line;
}

Finding RealServerAnswers(const ArpAnswers& arp, const MacDirectory& macs,
                          const std::string& host) {
  const std::string vip = arp.vip.ToString();
  const std::string mac = MacOf(arp, macs, host);
  Finding finding;
  finding.rule = "arp-real-server";
  finding.host = host;
  finding.message = "the real server " + host + " (" + mac + ") claims " + vip +
                    (arp.vip.is_v4() ? " by ARP" : " by neighbour discovery");
  finding.why = "Clients that hear it send straight to " + host +
                " and bypass the director: no balancing, and they fail when this one server does.";
  if (arp.vip.is_v4()) {
    finding.remedy =
        "arp_ignore is 0 on " + host +
        ", or the address is on a network card instead of lo: set "
        "net.ipv4.conf.all.arp_ignore=1 and net.ipv4.conf.all.arp_announce=2 and keep " +
        vip + "/32 on lo; the real_server module does all of it.";
  } else {
    finding.remedy = "Keep " + vip + "/128 on lo of " + host +
                     " and on no network card: IPv6 answers only for addresses of the card asked, "
                     "unless proxy_ndp says otherwise.";
  }
  return finding;
}

Finding NoOwner(const ArpAnswers& arp) {
  const std::string vip = arp.vip.ToString();
  return Finding{.rule = "arp-no-owner",
                 .host = "",
                 .message = "nobody answers for " + vip + " on " + arp.interface,
                 .why = "Clients of this network cannot reach the service at all.",
                 .remedy =
                     "No director has the address, or the one that has it is down or not on this "
                     "network: look for " +
                     vip + " on the directors (ip address show); a rollout sets it."};
}

Finding DoubleOwner(const ArpAnswers& arp, const std::vector<std::string>& owners) {
  return Finding{
      .rule = "arp-double-owner",
      .host = "",
      .message = std::to_string(owners.size()) + " directors answer for " + arp.vip.ToString() +
                 ": " + JoinNames(owners),
      .why = "Each client goes to whichever answered last; connections break when that changes.",
      .remedy =
          "Only one director may have the address at a time: remove it from the one that is "
          "not active, and see whether the directors hear each other (VRRP adverts)."};
}

Finding Stranger(const ArpAnswers& arp, const std::string& who, bool known_host) {
  return Finding{
      .rule = "arp-stranger",
      .host = known_host ? who : "",
      .message = (known_host ? who + ", which does not have this address by the playbook,"
                             : "a host unknown to the inventory (" + who + ")") +
                 " answers for " + arp.vip.ToString(),
      .why = "Clients that hear it send their packets to that host instead of the director.",
      .remedy = known_host ? "Remove the address from " + who + "."
                           : "Find the host with this card (ip neigh, the switch's table): the "
                             "address is in use twice, or a director answers with a second card."};
}

// Nothing tells whether an unknown MAC is a director's while some director's MAC on this network is
// unknown.
bool KnowsDirectors(const VerifyExpectation& expectation, const MacDirectory& macs,
                    const std::string& interface) {
  return !expectation.directors.empty() &&
         std::all_of(expectation.directors.begin(), expectation.directors.end(),
                     [&](const std::string& host) { return macs.KnowsOn(interface, host); });
}

// A real server that asked for somebody else with the VIP as its sender: no answer to any question
// shows it, and yet every host that hears it learns the wrong MAC.
Finding RealServerPoisons(const ArpAnswers& arp, const MacDirectory& macs, const std::string& host,
                          std::uint32_t count) {
  const std::string vip = arp.vip.ToString();
  return Finding{
      .rule = "arp-poison",
      .host = host,
      .message = "the real server " + host + " (" + MacOf(arp, macs, host) +
                 ") asks by ARP in the name of " + vip + " (" + Counted(count, "request") +
                 " heard)",
      .why = "Every host on the network that hears it learns that " + vip + " lives at " + host +
             ", and sends past the director from then on; it begins and ends as neighbour entries "
             "come and go.",
      .remedy = "Set net.ipv4.conf.all.arp_announce=2 on " + host +
                " (1 is not enough in one network); the real_server module does it. Clients keep "
                "the wrong MAC for a while: ip neigh del " +
                vip + " dev INTERFACE there."};
}

std::uint32_t RequestsOf(const ArpAnswers& arp, const MacDirectory& macs, const std::string& host) {
  std::uint32_t count = 0;
  for (const auto& [mac, requests] : arp.requests) {
    if (macs.HostOf(mac) == host) count += requests;
  }
  return count;
}

std::uint32_t FramesOf(const ArpAnswers& arp, const MacDirectory& macs, const std::string& host) {
  std::uint32_t count = 0;
  for (const auto& [mac, frames] : arp.answers) {
    if (macs.HostOf(mac) == host) count += frames;
  }
  return count;
}

class VipJudge {
 public:
  VipJudge(const VerifyExpectation& expectation, const ArpAnswers& arp, const MacDirectory& macs,
           VerifyReport& report)
      : expectation_(expectation), arp_(arp), macs_(macs), report_(report) {}

  void Run() {
    const Claimants claimants = Sort(expectation_, arp_, macs_);
    for (const std::string& host : claimants.real_servers) JudgeRealServer(host);
    for (const std::string& host : claimants.others) Say(Stranger(arp_, host, /*known=*/true));
    JudgeOwners(claimants);
    report_.Add(std::move(check_));
  }

 private:
  void Say(Finding finding) { check_.findings.push_back(std::move(finding)); }

  void JudgeRealServer(const std::string& host) {
    const std::uint32_t asked = RequestsOf(arp_, macs_, host);
    if (asked > 0) Say(RealServerPoisons(arp_, macs_, host, asked));
    if (FramesOf(arp_, macs_, host) > asked) Say(RealServerAnswers(arp_, macs_, host));
  }

  void JudgeOwners(const Claimants& claimants) {
    std::vector<std::string> owners = claimants.directors;
    for (const std::string& mac : claimants.virtual_routers) {
      owners.push_back("virtual router " + mac);
    }
    const bool knows_directors = KnowsDirectors(expectation_, macs_, arp_.interface);
    for (const std::string& mac : claimants.strangers) {
      if (knows_directors) {
        Say(Stranger(arp_, mac, /*known_host=*/false));
        continue;
      }
      owners.push_back(mac);
      report_.notes.push_back(arp_.vip.ToString() + ": " + mac +
                              " answers, and no host with this MAC is known: it may be a director, "
                              "whose own address on this network is not known");
    }
    if (owners.size() > 1) Say(DoubleOwner(arp_, owners));
    if (arp_.answers.empty() && !arp_.local) Say(NoOwner(arp_));
    if (arp_.local) {
      report_.notes.push_back(arp_.vip.ToString() +
                              " is set on the probing host itself: its packets may not leave it");
    } else if (!arp_.answers.empty() && owners.empty()) {
      Finding finding = NoOwner(arp_);
      finding.message = "no director answers for " + arp_.vip.ToString() + " on " + arp_.interface;
      finding.why = "What clients reach is not the director.";
      Say(std::move(finding));
    }
  }

  const VerifyExpectation& expectation_;
  const ArpAnswers& arp_;
  const MacDirectory& macs_;
  VerifyReport& report_;
  Check check_{"arp", arp_.vip.ToString(), {}, ""};
};

}  // namespace

void JudgeArp(const VerifyExpectation& expectation, const std::vector<ArpAnswers>& answers,
              const MacDirectory& macs, VerifyReport& report) {
  for (const ArpAnswers& arp : answers) {
    if (!arp.on_link) {
      const std::string why =
          arp.local ? ", it is set on the probing host itself and on no network of it"
                    : ", it is not on a network of the probing host; probe from a host beside the "
                      "directors to check that";
      report.notes.push_back(arp.vip.ToString() + ": nobody was asked who has it" + why);
      report.Add({"arp", arp.vip.ToString(), {}, "nobody was asked who has it" + why});
      continue;
    }
    report.arp.push_back(Line(arp, macs));
    VipJudge(expectation, arp, macs, report).Run();
  }
  std::set<IpAddress> asked;
  for (const ArpAnswers& arp : answers) asked.insert(arp.vip);
  for (const IpAddress& vip : expectation.AllVips()) {
    if (asked.count(vip) == 0) {
      report.notes.push_back(vip.ToString() + ": nobody was asked who has it");
      report.Add({"arp", vip.ToString(), {}, "nobody was asked who has it"});
    }
  }
}

}  // namespace drover
