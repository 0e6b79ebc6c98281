// A drill from its first probe to its last: the loop that carries out what the course asks for and
// tells it what the hosts say.
//
// Called from one thread; interrupts come through DrillHosts.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/drill/course.h"
#include "orchestrator/run/drill_hosts.h"
#include "orchestrator/run/drill_setup.h"
#include "orchestrator/run/drill_timeline.h"

namespace drover {

// A service is stopped and started by a script of the node, which takes its time.
inline constexpr std::chrono::milliseconds kScriptPatience{25000};

// What a fault is on the nodes: tasks, one after the other.
struct DrillOrders {
  struct Step {
    std::string host;
    TaskAction action;
  };
  std::vector<Step> arm;
  std::vector<Step> inject;
  std::vector<Step> undo;
};

struct DrillWatchHooks {
  std::function<void(const std::string& text)> tell;    // something happened
  std::function<void(const DrillCourse& course)> live;  // a few times a second
  std::function<void(DrillPhase phase)> reached;        // keep it before going on
};

// What is known at the end.
struct DrillWatched {
  ProbeRunOutcome probes;
  bool has_probes = false;
  bool injected = false;
  WallUs ordered_at = 0;            // when the injection was asked for
  std::optional<DrillState> armed;  // as the target said
  std::optional<DrillState> fault;  // likewise, after the injection
  std::optional<DrillState> undone;
  WallUs undone_at = 0;
  WallUs probes_began = 0;  // estimated by the first reports
  std::vector<std::pair<WallUs, RedundancySample>> samples;
  std::optional<std::string> aborted;
  std::vector<std::string> unhealed;
  bool left = false;  // the operator left everything to the nodes
};

class DrillWatch {
 public:
  DrillWatch(const DrillSetup& setup, const WholeCluster& whole, DrillOrders orders,
             CourseSettings settings, DrillHosts& hosts, DrillTimeline& timeline,
             DrillWatchHooks hooks);
  DrillWatched Run(const ProbeRunTask& probes);

 private:
  using Clock = std::chrono::steady_clock;
  // What a task was sent for.
  enum class Errand : std::uint8_t { kProbes, kOrder, kLook, kHome };

  void Carry(const std::vector<CourseAction>& actions);
  void Tell(const CourseEvent& event);
  void Begin(std::vector<DrillOrders::Step> steps);
  void NextStep();
  void Look();
  void BringHome();
  void Hear(const SeatAnswer& answer);
  void HearOrder(const SeatAnswer& answer);
  void HearLook(const SeatAnswer& answer);
  void HearHome(const SeatAnswer& answer);
  void DropSilent();
  void Interrupted();

  const DrillSetup& setup_;
  WholeCluster whole_;
  DrillOrders orders_;
  DrillHosts& hosts_;
  DrillTimeline& timeline_;
  DrillWatchHooks hooks_;
  const std::set<std::string> looked_at_;
  DrillCourse course_;
  DrillWatched watched_;
  struct Sent {
    Errand errand;
    std::string host;
    Clock::time_point at;
  };
  std::map<std::uint32_t, Sent> sent_;
  std::uint32_t probe_task_ = 0;
  std::vector<DrillOrders::Step> steps_;  // of the order at work, the next at the back
  std::map<std::string, HostStatus> seen_;
  std::string yielder_;  // who was told to give the VIP back
  int interrupts_ = 0;
};

WallUs WallNow();

}  // namespace drover
