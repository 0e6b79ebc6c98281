#include "node-helper/tasks/probe_task.h"

#include <algorithm>
#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "node-helper/net/reply_tap.h"
#include "node-helper/tasks/outcome.h"
#include "node-helper/tasks/probe_connection.h"
#include "node-helper/tasks/probe_datagram.h"
#include "node-helper/tasks/probe_neighbours.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kMaxProbeTime{10};  // where the task sets no timeout
constexpr std::uint32_t kMaxConnections = 100000;  // of one service
// A dead service is not waited for N times: so many failures in a row end it, more when it has
// answered before.
constexpr std::uint32_t kGiveUpAtFirst = 10;
constexpr std::uint32_t kGiveUpLater = 50;
// While persistence is outlasted, what is heard on the wire and the session's end are looked for.
constexpr std::chrono::milliseconds kNap{100};
constexpr std::size_t kMaxBodies = std::size_t{16} << 20;  // of all connections together

// Runs one probe; its pieces share limits and notes.
class ProbeRun {
 public:
  ProbeRun(const Task& task, const ProbeTask& probe, const std::string& port_file,
           const std::function<bool()>& abandoned)
      : probe_(probe), port_file_(port_file), abandoned_(abandoned), neighbours_(probe) {
    const auto whole = task.timeout.count() > 0
                           ? std::chrono::duration_cast<Clock::duration>(task.timeout)
                           : Clock::duration(kMaxProbeTime);
    limit_ = Clock::now() + whole - neighbours_.AskTime();
  }

  TaskResult Run() {
    ProbeOutcome outcome;
    // Connections first: a real server that does not know us yet must ask for us then, and shows
    // whether it does so in the name of the VIP. Our own questions would tell it our MAC.
    for (const ProbeService& service : probe_.services) {
      outcome.services.push_back(Probe(service));
      ended_.push_back(Clock::now());
    }
    neighbours_.Ask(abandoned_);
    neighbours_.Listen();
    for (std::size_t i = 0; i < probe_.services.size(); ++i) {
      Outlast(probe_.services[i], ended_[i], outcome.services[i]);
    }
    outcome.redirects = neighbours_.redirects();
    outcome.arp = neighbours_.answers();
    outcome.peers = neighbours_.peers();
    for (std::string& note : neighbours_.TakeNotes()) Note(std::move(note));
    TaskResult result = Succeeded();
    result.detail = std::move(outcome);
    for (const std::string& note : notes_) {
      result.message += (result.message.empty() ? "" : "; ") + note;
    }
    return result;
  }

 private:
  void Note(std::string note) {
    if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) {
      notes_.push_back(std::move(note));
    }
  }

  ProbeServiceResult Probe(const ProbeService& service) {
    ProbeServiceResult result{service.service, {}};
    const std::string name = ToString(ServiceKey(service.service));
    const bool tcp = service.service.transport == Transport::kTcp;
    if (service.service.port == 0 || (!tcp && !service.question)) {
      Note(name + ": only TCP services and UDP services with a question are probed, with a port");
      return result;
    }
    auto tap = OpenTap(service);
    Connect(service, name, tap ? &*tap : nullptr, result);
    Upload(service, name, tap ? &*tap : nullptr, result);
    if (tap) {
      if (const std::uint32_t drops = tap->TakeDrops(); drops > 0) {
        Note(name + ": " + std::to_string(drops) + " answers came too fast to see their MAC");
      }
    }
    return result;
  }

  std::optional<ReplyTap> OpenTap(const ProbeService& service) {
    auto tap = ReplyTap::Open(service.service);
    if (tap) return std::move(*tap);
    Note("from which MAC answers came was not seen: " + tap.error().message);
    return std::nullopt;
  }

  ProbeAttempt Open(const ProbeService& service, ReplyTap* tap, SourcePorts& ports) const {
    return service.service.transport == Transport::kTcp
               ? OpenProbeConnection(service, tap, ports, limit_)
               : AskByDatagram(service, tap, ports, limit_);
  }

  void Connect(const ProbeService& service, const std::string& name, ReplyTap* tap,
               ProbeServiceResult& result) {
    const std::uint32_t wanted = std::min(service.connections, kMaxConnections);
    SourcePorts source_ports(port_file_, wanted);
    std::bitset<65536> ports;
    std::uint32_t repeated = 0;
    std::uint32_t in_a_row = 0;
    bool answered = false;
    for (std::uint32_t i = 0; i < wanted; ++i) {
      const bool dead = in_a_row >= (answered ? kGiveUpLater : kGiveUpAtFirst);
      if (dead || Clock::now() >= limit_ || abandoned_()) {
        Note(name + ": stopped after " + std::to_string(i) + " of " + std::to_string(wanted) +
             " connections" + (dead ? ", the last " + std::to_string(in_a_row) + " failed" : ""));
        break;
      }
      ProbeAttempt attempt = Open(service, tap, source_ports);
      const std::uint16_t port = attempt.connection.local_port;
      if (port != 0 && ports.test(port)) ++repeated;
      ports.set(port);
      in_a_row = attempt.connection.error ? in_a_row + 1 : 0;
      answered = answered || !attempt.connection.error;
      if (port != 0) result.source = attempt.source.ToString();
      KeepBody(attempt.connection);
      result.connections.push_back(std::move(attempt.connection));
      neighbours_.Listen();
    }
    if (repeated > 0) {
      Note(name + ": " + std::to_string(repeated) +
           " connections had to use a local port again; ip_vs may have kept them on their former "
           "real server");
    }
  }

  // Full segments on their way to the real servers. Not for a service that does not even answer.
  void Upload(const ProbeService& service, const std::string& name, ReplyTap* tap,
              ProbeServiceResult& result) {
    if (service.uploads == 0 || service.http_path.empty()) return;
    if (result.connections.empty() || result.connections.back().error) {
      Note(name + ": the way of full segments was not tried, its last connection failed");
      return;
    }
    SourcePorts source_ports(port_file_, service.uploads);
    for (std::uint32_t i = 0; i < service.uploads; ++i) {
      if (Clock::now() >= limit_ || abandoned_()) return;
      ProbeAttempt attempt = OpenProbeConnection(service, tap, source_ports, limit_, kUploadBytes);
      KeepBody(attempt.connection);
      result.uploads.push_back(std::move(attempt.connection));
      neighbours_.Listen();
    }
  }

  // One more connection when the director should have forgotten the client.
  void Outlast(const ProbeService& service, Clock::time_point ended, ProbeServiceResult& result) {
    if (service.outlast.count() <= 0 || result.connections.empty()) return;
    const auto due = ended + service.outlast;
    if (due >= limit_) {
      return Note(ToString(ServiceKey(service.service)) +
                  ": its persistence was not outlasted, the probe may not take so long");
    }
    auto tap = OpenTap(service);
    while (Clock::now() < due) {
      if (abandoned_()) return;
      std::this_thread::sleep_for(std::min<Clock::duration>(kNap, due - Clock::now()));
      neighbours_.Listen();
    }
    SourcePorts source_ports(port_file_, 1);
    ProbeAttempt attempt = Open(service, tap ? &*tap : nullptr, source_ports);
    KeepBody(attempt.connection);
    result.later.push_back(std::move(attempt.connection));
  }

  // Pages are kept up to a sum, so that the result stays within one line of the protocol.
  void KeepBody(ProbeConnection& connection) {
    if (bodies_ + connection.body.size() > kMaxBodies) {
      Note("the pages of later connections were not kept, they are too many");
      connection.body.clear();
    }
    bodies_ += connection.body.size();
  }

  const ProbeTask& probe_;
  const std::string& port_file_;
  const std::function<bool()>& abandoned_;
  NeighbourProbe neighbours_;
  std::vector<Clock::time_point> ended_;  // of each service's connections
  Clock::time_point limit_;               // of the connections; the neighbours are asked behind it
  std::size_t bodies_ = 0;
  std::vector<std::string> notes_;
};

std::string Counted(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " service" : " services");
}

}  // namespace

TaskResult RunProbeTask(const Task& task, const ProbeTask& probe, const std::string& port_file,
                        const std::function<bool()>& abandoned) {
  for (const ProbeService& service : probe.services) {
    if (service.http_path.empty()) continue;
    if (const Status path = ValidateHttpPath(service.http_path); !path) return Failed(path.error());
  }
  // The cluster may not be there yet in check mode, so its state would prove nothing.
  if (task.check) return Skipped("would probe " + Counted(probe.services.size()));
  return ProbeRun(task, probe, port_file, abandoned).Run();
}

}  // namespace drover
