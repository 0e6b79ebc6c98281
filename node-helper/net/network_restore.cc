#include "node-helper/net/network_restore.h"

#include <linux/rtnetlink.h>

#include <cerrno>
#include <memory>
#include <optional>

#include "node-helper/net/netlink_socket.h"
#include "node-helper/net/promote_secondaries.h"

namespace drover {
namespace {

// The kernel's way to say that it is so already, because it did it along with another step.
bool IsSoAlready(const NetworkStep& step, int error) {
  switch (step.type) {
    case RTM_NEWADDR:
    case RTM_NEWROUTE:
    case RTM_NEWRULE:
      return error == EEXIST;
    case RTM_DELADDR:
      return error == EADDRNOTAVAIL || error == ENODEV;
    case RTM_DELROUTE:
      return error == ESRCH || error == ENODEV;
    case RTM_DELRULE:
      return error == ENOENT;
    default:
      return false;
  }
}

// Sends steps and remembers what came of them.
class Stepper {
 public:
  Stepper(NetlinkSocket& kernel, std::vector<ChangeText>& done) : kernel_(kernel), done_(done) {}

  // A route may need another one, an interface the one below it: what the kernel refuses is tried
  // again as long as anything else goes through.
  void Take(std::vector<NetworkStep> steps) {
    std::optional<Error> refused;
    for (bool progress = true; progress && !steps.empty();) {
      progress = false;
      refused.reset();
      std::vector<NetworkStep> again;
      for (NetworkStep& step : steps) {
        const Status taken = TakeOne(step);
        if (taken) {
          progress = true;
          continue;
        }
        if (!refused) refused = taken.error();
        again.push_back(std::move(step));
      }
      steps = std::move(again);
    }
    if (refused) Remember(*refused);
  }

  void Remember(const Error& error) {
    if (!first_) first_ = error;
  }
  [[nodiscard]] Status Outcome() const {
    if (first_) return Fail(*first_);
    return {};
  }

 private:
  Status TakeOne(const NetworkStep& step) {
    std::optional<PromoteSecondaries> promotion;
    if (!step.promote_on.empty()) {
      promotion.emplace(sysctls_, step.promote_on);
      if (const Status held = promotion->Hold(); !held) {
        return Fail(held.error().In(OneLine(step.text)));
      }
    }
    const auto verdict = kernel_.Request(step.type, step.flags, step.payload);
    if (!verdict) return Fail(verdict.error().In(OneLine(step.text)));
    if (verdict->ok()) {
      done_.push_back(step.text);
      return {};
    }
    if (IsSoAlready(step, verdict->error_number)) return {};
    Error error = ErrnoError(verdict->error_number, "");
    error.message = OneLine(step.text) + ": " + verdict->Reason();
    return Fail(error);
  }

  NetlinkSocket& kernel_;
  SysctlFiles sysctls_;
  std::vector<ChangeText>& done_;
  std::optional<Error> first_;
};

}  // namespace

Status RestoreLinks(const NetworkSnapshot& before, const HeldElsewhere& held,
                    std::vector<ChangeText>& done) {
  const auto socket = NetlinkSocket::Open(NETLINK_ROUTE);
  if (!socket) return Fail(socket.error());
  const auto now = TakeNetworkSnapshot();
  if (!now) return Fail(now.error());
  Stepper stepper(**socket, done);
  stepper.Take(PlanLinks(before, *now, held));
  for (const std::string& name : LostInterfaces(before, *now, held)) {
    stepper.Remember({ErrorCode::kNotFound, "interface " + name +
                                                ": it was there before the run and is gone; only "
                                                "whoever made it can make it again"});
  }
  return stepper.Outcome();
}

Status RestoreRouting(const NetworkSnapshot& before, const HeldElsewhere& held,
                      std::vector<ChangeText>& done) {
  const auto socket = NetlinkSocket::Open(NETLINK_ROUTE);
  if (!socket) return Fail(socket.error());
  Stepper stepper(**socket, done);
  auto now = TakeNetworkSnapshot();
  if (!now) return Fail(now.error());
  stepper.Take(PlanAddresses(before, *now, held));
  // The kernel took routes along with addresses and made others.
  now = TakeNetworkSnapshot();
  if (!now) return Fail(now.error());
  stepper.Take(PlanRoutes(before, *now, held));
  stepper.Take(PlanRules(before, *now));
  return stepper.Outcome();
}

}  // namespace drover
