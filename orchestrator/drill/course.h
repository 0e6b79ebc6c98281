// The course of a drill from the first probe to the last: when to arm, inject and undo, when to
// stop because reality has left the prediction, and when the cluster is whole again.
//
// Pure: events in, actions out, `now` is a parameter. Looking at gates before and judging
// afterwards is done by others. Whatever happens behind the injection, Undo is asked for until it
// is answered or the node must have done it by itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "orchestrator/drill/prediction.h"
#include "orchestrator/drill/redundancy.h"
#include "protocol/drill.h"

namespace drover {

struct CourseSettings {
  Prediction prediction;
  bool arms = true;                          // false: it is armed already
  std::chrono::milliseconds baseline{3000};  // of clean probes before anything is done
  std::chrono::milliseconds phase{0};        // between arming and injecting, drawn by chance
  // An order whose answer does not come by then has cut the way to its node; it was carried out.
  std::chrono::milliseconds inject_patience{5000};
  std::chrono::milliseconds duration{10000};
  std::chrono::milliseconds undo_patience{15000};  // beyond the duration: the node has undone it
  std::chrono::milliseconds heal_patience{60000};
  std::chrono::milliseconds calm{1000};  // whole for so long
  std::chrono::milliseconds tail{2000};  // probes go on so long
  // What each series of the probes is.
  enum class Role : std::uint8_t { kGap, kOther, kControl };
  std::vector<Role> series;
  std::chrono::milliseconds deadline{250};  // of the probes: they are decided so late
};

// Events.
struct ProbesSaid {
  ProbeProgress progress;
};
struct ProbesEnded {
  std::string why;  // empty: they were told to
};
struct OrderDone {};  // what was asked for last: armed, injected, undone
struct OrderFailed {
  std::string why;
  bool final = false;  // asking again is of no use
};
struct ClusterSeen {
  RedundancySample sample;
  bool home = false;  // the VIP is where it was
};
struct DrillStopped {
  std::string why;
};
struct TimePassed {};
using CourseEvent = std::variant<ProbesSaid, ProbesEnded, OrderDone, OrderFailed, ClusterSeen,
                                 DrillStopped, TimePassed>;

// Actions.
enum class CourseAction : std::uint8_t {
  kArm,
  kInject,
  kUndo,
  kLook,       // at the directors
  kBringHome,  // the VIP, which its settings do not bring back
  kEndProbes,
};

enum class CourseState : std::uint8_t {
  kBaseline,
  kArming,
  kWaiting,  // for the phase
  kInjecting,
  kFaulty,
  kUndoing,
  kHealing,
  kTail,
  kEnding,
  kOver,
};
std::string_view ToString(CourseState state);  // "baseline", "arming", … for the live line

class DrillCourse {
 public:
  using Time = std::chrono::steady_clock::time_point;

  DrillCourse(CourseSettings settings, Time now);

  std::vector<CourseAction> Step(const CourseEvent& event, Time now);
  // When to say TimePassed at the latest.
  [[nodiscard]] Time WakeAt(Time now) const;

  [[nodiscard]] CourseState state() const { return state_; }
  [[nodiscard]] bool injected() const { return injected_at_.has_value(); }
  // Why it was stopped; none: it was not.
  [[nodiscard]] const std::optional<std::string>& aborted() const { return aborted_; }
  // What should have come back and did not, each a sentence.
  [[nodiscard]] const std::vector<std::string>& unhealed() const { return unhealed_; }
  // For the live line: since the injection.
  [[nodiscard]] std::uint64_t bad() const { return bad_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] Time state_since() const { return since_; }

 private:
  using Actions = std::vector<CourseAction>;
  void On(const ProbesSaid& event, Time now, Actions& actions);
  void On(const ProbesEnded& event, Time now, Actions& actions);
  void On(const OrderDone& event, Time now, Actions& actions);
  void On(const OrderFailed& event, Time now, Actions& actions);
  void On(const ClusterSeen& event, Time now, Actions& actions);
  void On(const DrillStopped& event, Time now, Actions& actions);
  void On(const TimePassed& event, Time now, Actions& actions);

  void Become(CourseState state, Time now);
  void BecomeFaulty(Time now);
  void Abort(std::string why, Time now, Actions& actions);
  void Undo(Time now, Actions& actions);
  void Guard(const ProbeProgress& progress, Time now, Actions& actions);
  [[nodiscard]] std::optional<double> Limit(Quantity quantity) const;
  [[nodiscard]] bool under_fault() const;

  CourseSettings settings_;
  CourseState state_ = CourseState::kBaseline;
  Time since_;
  Time began_;
  Time next_look_;
  std::optional<Time> injected_at_;
  std::optional<Time> ask_again_;
  std::optional<Time> whole_since_;
  std::optional<Time> strayed_since_;
  bool brought_home_ = false;
  std::optional<std::string> aborted_;
  std::vector<std::string> unhealed_;
  // Guards.
  std::optional<ProbeTime> last_progress_;
  std::optional<ProbeTime> last_ok_;  // of the gap series
  ProbeTime shared_{0};
  std::uint64_t bad_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t control_bad_ = 0;
};

}  // namespace drover
