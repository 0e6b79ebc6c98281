#include "node-helper/checks/check_engine.h"

#include <sys/resource.h>

#include <algorithm>
#include <functional>
#include <random>
#include <utility>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "node-helper/checks/asker.h"
#include "node-helper/checks/datagram_probes.h"
#include "node-helper/checks/memory.h"
#include "node-helper/checks/pinger.h"
#include "node-helper/checks/script.h"
#include "node-helper/checks/stream_probes.h"
#include "node-helper/checks/target.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;

// `since` of a server that was up when the helper came: long ago, so that no slow start begins.
constexpr Clock::time_point kLongAgo = Clock::time_point{} - std::chrono::hours(24 * 365);
constexpr rlim_t kOtherDescriptors = 256;

// Each running probe needs a descriptor; the usual soft limit (1024) is for old programs.
void MakeRoomForDescriptors(std::size_t targets) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min<rlim_t>(targets + kOtherDescriptors, limit.rlim_max);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class Engine final : public CheckEngine {
 public:
  Engine(boost::asio::io_context& loop, OnChange on_change, OnPrivateServices on_private)
      : loop_(loop),
        on_change_(std::move(on_change)),
        on_private_(std::move(on_private)),
        poller_(loop),
        clock_(loop),
        pinger_(loop),
        seed_(std::random_device{}()) {}

  void Configure(const std::vector<ServiceWatch>& watches,
                 const std::vector<VirtualService>& services,
                 const std::map<ServiceKey, std::vector<Endpoint>>& in_table) override;
  [[nodiscard]] std::optional<ServerVerdict> VerdictOf(const ServiceKey& service,
                                                       const Endpoint& server) const override;
  [[nodiscard]] bool decided() const override;
  [[nodiscard]] std::string Freeze() const override;
  void Thaw(const std::string& remembered) override { thawed_ = DecodeMemory(remembered); }
  [[nodiscard]] std::map<std::string, std::uint64_t> Counters() const override;

 private:
  struct Server {
    std::vector<std::shared_ptr<Asker>> askers;
    bool up = false;
    bool decided = false;
    Clock::time_point since = kLongAgo;
    std::optional<std::uint32_t> weight;
  };
  using InTable = std::map<ServiceKey, std::vector<Endpoint>>;
  using Askers = std::map<std::string, std::shared_ptr<Asker>>;

  InTable KnownUp(const InTable& in_table) const;
  PrivateMarks KnownMarks(const std::vector<ServiceWatch>& watches,
                          const std::vector<VirtualService>& services) const;
  std::shared_ptr<Asker> NewAsker(const Target& target);
  std::unique_ptr<Probe> NewProbe(const Target& target);
  void SetServers(const TargetList& list);
  void TellPrivate(const TargetList& list);
  void TakeNews(const Asker& asker, const std::string& why);

  boost::asio::io_context& loop_;
  OnChange on_change_;
  OnPrivateServices on_private_;
  TlsContexts tls_;
  Poller poller_;
  AlarmClock clock_;
  Pinger pinger_;
  std::uint64_t seed_;
  std::map<std::string, ProbeCounts> counts_;  // by kind; before the askers that count in it
  Askers askers_;
  std::shared_ptr<std::vector<Askers>> gone_ = std::make_shared<std::vector<Askers>>();
  std::map<ServerKey, Server> servers_;
  PrivateMarks marks_;
  std::optional<std::vector<VirtualService>> private_;
  CheckEngineMemory thawed_;
};

// Of `server` now, from what its checks say.
void Refresh(const std::vector<std::shared_ptr<Asker>>& askers, bool& up, bool& decided,
             std::optional<std::uint32_t>& weight) {
  up = std::all_of(askers.begin(), askers.end(), [](const auto& asker) { return asker->up(); });
  decided =
      std::all_of(askers.begin(), askers.end(), [](const auto& asker) { return asker->decided(); });
  weight.reset();
  for (const auto& asker : askers) {
    if (!asker->weight()) continue;
    weight = std::min(weight.value_or(*asker->weight()), *asker->weight());
  }
}

// A server that is known here is what it is; the kernel's table counts for the others.
Engine::InTable Engine::KnownUp(const InTable& in_table) const {
  InTable known = in_table;
  for (const auto& [key, server] : servers_) {
    std::vector<Endpoint>& list = known[key.service];
    std::erase(list, key.server);
    if (server.up) list.push_back(key.server);
  }
  return known;
}

PrivateMarks Engine::KnownMarks(const std::vector<ServiceWatch>& watches,
                                const std::vector<VirtualService>& services) const {
  PrivateMarks marks = marks_;
  if (thawed_.servers.empty()) return marks;
  for (const auto& [key, ids] : ListTargets(watches, services, {}, {}).of_server) {
    const auto server = thawed_.servers.find(MemoryName(key));
    if (server != thawed_.servers.end() && server->second.mark != 0) {
      marks.emplace(key, server->second.mark);
    }
  }
  return marks;
}

std::unique_ptr<Probe> Engine::NewProbe(const Target& target) {
  struct Maker {
    Engine& engine;
    const Target& target;
    std::unique_ptr<Probe> operator()(const TcpCheck&) const { return Stream(); }
    std::unique_ptr<Probe> operator()(const HttpCheck&) const { return Stream(); }
    std::unique_ptr<Probe> operator()(const SmtpCheck&) const { return Stream(); }
    std::unique_ptr<Probe> operator()(const UdpCheck&) const { return Datagram(); }
    std::unique_ptr<Probe> operator()(const DnsCheck&) const { return Datagram(); }
    std::unique_ptr<Probe> operator()(const PingCheck&) const {
      return MakePingProbe(engine.pinger_, target);
    }
    std::unique_ptr<Probe> operator()(const ScriptCheck&) const {
      return MakeScriptProbe(engine.loop_, target);
    }
    [[nodiscard]] std::unique_ptr<Probe> Stream() const {
      return MakeStreamProbe(engine.loop_, engine.poller_, engine.tls_, target);
    }
    [[nodiscard]] std::unique_ptr<Probe> Datagram() const {
      return MakeDatagramProbe(engine.poller_, target);
    }
  };
  return std::visit(Maker{*this, target}, target.settings.kind);
}

std::shared_ptr<Asker> Engine::NewAsker(const Target& target) {
  ProbeCounts& counts = counts_[std::string(KindWord(target.settings.kind))];
  Target question = target;
  question.users.clear();  // nothing to the probe
  auto asker = std::make_shared<Asker>(
      clock_, target, NewProbe(question), seed_ ^ std::hash<std::string>{}(target.id), counts,
      [this](const Asker& speaker, const std::string& why) { TakeNews(speaker, why); });
  const auto memory = thawed_.targets.find(target.id);
  if (memory != thawed_.targets.end()) asker->Recall(memory->second);
  asker->Begin();
  return asker;
}

void Engine::Configure(const std::vector<ServiceWatch>& watches,
                       const std::vector<VirtualService>& services, const InTable& in_table) {
  const TargetList list =
      ListTargets(watches, services, KnownUp(in_table), KnownMarks(watches, services));
  MakeRoomForDescriptors(list.targets.size());
  TellPrivate(list);
  Askers before = std::exchange(askers_, {});
  for (const Target& target : list.targets) {
    const auto known = before.find(target.id);
    if (known != before.end() && known->second->target().way == target.way) {
      known->second->SetUsers(target.users);
      askers_.emplace(target.id, known->second);
    } else {
      askers_.emplace(target.id, NewAsker(target));
    }
  }
  SetServers(list);
  marks_ = list.marks;
  thawed_ = {};
  // The caller may be an asker's own news: they go when that is through.
  gone_->push_back(std::move(before));
  boost::asio::post(loop_, [gone = std::weak_ptr(gone_)] {
    if (const auto list_of_gone = gone.lock()) list_of_gone->clear();
  });
}

void Engine::SetServers(const TargetList& list) {
  const auto before = std::exchange(servers_, {});
  for (const auto& [key, ids] : list.of_server) {
    Server server;
    for (const std::string& id : ids) server.askers.push_back(askers_.at(id));
    Refresh(server.askers, server.up, server.decided, server.weight);
    const auto known = before.find(key);
    const auto thawed = thawed_.servers.find(MemoryName(key));
    if (known != before.end()) {
      server.since = known->second.up == server.up ? known->second.since : Clock::now();
    } else if (thawed != thawed_.servers.end() && thawed->second.up == server.up) {
      server.since = thawed->second.since;
    }
    servers_.emplace(key, std::move(server));
  }
}

void Engine::TellPrivate(const TargetList& list) {
  std::vector<VirtualService> wanted = PrivateServices(list);
  if (private_ == wanted) return;
  private_ = std::move(wanted);
  if (on_private_) on_private_(*private_);
}

void Engine::TakeNews(const Asker& asker, const std::string& why) {
  std::vector<VerdictChanged> news;
  for (const ServerKey& key : asker.target().users) {
    const auto found = servers_.find(key);
    if (found == servers_.end()) continue;
    Server& server = found->second;
    const Server before = server;
    Refresh(server.askers, server.up, server.decided, server.weight);
    const bool turned = server.up != before.up;
    if (turned) server.since = Clock::now();
    const bool is_news =
        turned || (server.decided && !before.decided) || server.weight != before.weight;
    if (!is_news) continue;
    const std::string kind = std::string(KindWord(asker.target().settings.kind));
    const std::string who = server.askers.size() > 1 ? kind + ": " : "";
    news.push_back({key.service, key.server, server.up,
                    key.server.ToString() + (server.up ? " is up: " : " is down: ") + who + why});
  }
  for (const VerdictChanged& change : news) {
    if (on_change_) on_change_(change);
  }
}

std::optional<ServerVerdict> Engine::VerdictOf(const ServiceKey& service,
                                               const Endpoint& server) const {
  const auto found = servers_.find({service, server});
  if (found == servers_.end()) return std::nullopt;
  ServerVerdict verdict;
  verdict.up = found->second.up;
  verdict.decided = found->second.decided;
  verdict.since = found->second.since;
  verdict.dynamic_weight = found->second.weight;
  for (const auto& asker : found->second.askers) verdict.checks.push_back(asker->status());
  return verdict;
}

bool Engine::decided() const {
  return std::all_of(askers_.begin(), askers_.end(),
                     [](const auto& entry) { return entry.second->decided(); });
}

std::string Engine::Freeze() const {
  CheckEngineMemory memory;
  for (const auto& [id, asker] : askers_) memory.targets.emplace(id, asker->Remember());
  for (const auto& [key, server] : servers_) {
    const auto mark = marks_.find(key);
    memory.servers[MemoryName(key)] = {server.up, server.since,
                                       mark == marks_.end() ? 0 : mark->second};
  }
  return EncodeMemory(memory);
}

std::map<std::string, std::uint64_t> Engine::Counters() const {
  std::map<std::string, std::uint64_t> counters;
  for (const auto& [kind, counts] : counts_) {
    counters["started_" + kind] = counts.started;
    counters["failed_" + kind] = counts.failed;
    counters["not_asked_" + kind] = counts.not_asked;
  }
  return counters;
}

}  // namespace

std::unique_ptr<CheckEngine> CheckEngine::Create(boost::asio::io_context& loop, OnChange on_change,
                                                 OnPrivateServices on_private) {
  return std::make_unique<Engine>(loop, std::move(on_change), std::move(on_private));
}

}  // namespace drover
