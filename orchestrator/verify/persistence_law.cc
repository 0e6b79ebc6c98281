#include "orchestrator/verify/persistence_law.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "orchestrator/verify/distribution_law.h"
#include "orchestrator/verify/wording.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A connection that was reset stays for 10 s (tcp_timeouts in ip_vs_proto_tcp.c), and the memory of
// a client that still has one when its time is over lives for another minute (ip_vs_conn_expire).
constexpr seconds kResetStays{10};
constexpr seconds kAnotherMinute{60};
constexpr seconds kSpare{2};  // of timers that count in ticks

// The one server that answered the connections before; empty: none or several.
std::string Before(const ServiceEvidence& evidence) {
  std::string before;
  for (const std::string& name : evidence.sequence) {
    if (name == kNoAnswer) continue;
    if (name == kUnknownServer || (!before.empty() && name != before)) return "";
    before = name;
  }
  return before;
}

bool WasEmpty(const TableBefore& table) {
  return std::accumulate(table.active.begin(), table.active.end(), std::uint64_t{0}) +
             std::accumulate(table.inactive.begin(), table.inactive.end(), std::uint64_t{0}) ==
         0;
}

// Why a client that stays on its server is no offence; empty: it is one.
std::string MayStay(const ServiceCase& probed, const TableBefore* table) {
  const std::string& scheduler = probed.service.scheduler;
  if (TurnsPerRound(probed.service).size() < 2) return "there is one real server";
  if (scheduler != "rr") return scheduler + " may choose the same real server again";
  if (table == nullptr || table->active.empty()) {
    return "whether other clients took turns meanwhile was not seen";
  }
  if (table->foreign_traffic) return "other clients took turns meanwhile";
  if (!WasEmpty(*table)) {
    return "the table held connections before; while one of this client is there, it is remembered";
  }
  return "";
}

Finding Stayed(const ServiceCase& probed, const std::string& server) {
  const std::string timeout =
      Counted(static_cast<std::size_t>(probed.service.persistence_timeout.count()), "second");
  return {.rule = "persistence-timeout",
          .host = server,
          .message = probed.evidence.service + ": the client came to " + server +
                     " again, though its persistence of " + timeout + " was over",
          .why =
              "Clients stay with a server for longer than planned: load does not spread anew, "
              "and a drained server does not get empty.",
          .remedy =
              "Compare the timeout on the director (ipvsadm -Ln) with the playbook, and look "
              "what is left of the client there (ipvsadm -Lnc); a rollout puts the timeout "
              "right."};
}

}  // namespace

milliseconds OutlastOf(const ExpectedService& service, milliseconds longest) {
  const seconds timeout = service.persistence_timeout;
  // What comes by a mark is remembered for all its ports together.
  const bool waits =
      service.persistent && service.key.transport == Transport::kTcp && !service.mark;
  if (!waits || timeout > longest) return milliseconds{0};
  const bool again = timeout < kResetStays + kSpare;
  return timeout + (again ? kAnotherMinute : seconds{0}) + kSpare;
}

Check JudgePersistenceEnd(const ServiceCase& probed, const std::vector<Answerer>& later,
                          const TableBefore* table) {
  Check check{"persistence-timeout", probed.evidence.service, {}, ""};
  if (later.empty()) {
    check.skipped = probed.service.key.transport == Transport::kTcp
                        ? "its end was not waited for (--wait-persistence)"
                        : "its end was not waited for: ip_vs keeps what came over UDP for minutes";
    return check;
  }
  const std::string& now = later.front().name;
  const std::string before = Before(probed.evidence);
  if (now == kNoAnswer) {
    check.findings.push_back(
        {.rule = "no-answer",
         .host = "",
         .message = check.subject + ": no answer to a connection after the persistence was over: " +
                    probed.result.later.front().error->message,
         .why = "Clients that the director sends there wait or fail.",
         .remedy = "Look whose turn it is (ipvsadm -Ln), and whether that server has the virtual "
                   "address and serves."});
  } else if (before.empty() || now == kUnknownServer) {
    check.skipped = "which server the client had is not known";
  } else if (now == before) {
    check.skipped = MayStay(probed, table);
    if (check.skipped.empty()) check.findings.push_back(Stayed(probed, now));
  }
  return check;
}

}  // namespace drover
