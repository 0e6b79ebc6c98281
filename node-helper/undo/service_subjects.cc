#include "node-helper/undo/service_subjects.h"

#include <sstream>

namespace drover {
namespace {

// "EXISTS RUNNING ENABLED PID", numbers.
std::string ToText(const InitServiceStatus& status) {
  std::ostringstream text;
  text << status.exists << " " << status.running << " " << status.enabled << " " << status.main_pid
       << "\n";
  return text.str();
}

Result<InitServiceStatus> FromText(const std::string& text) {
  InitServiceStatus status;
  std::istringstream words(text);
  words >> status.exists >> status.running >> status.enabled >> status.main_pid;
  if (!words) {
    return Fail(ErrorCode::kInternal, "what was remembered of the service cannot be read");
  }
  return status;
}

// What brings a service that runs, and ran before, back to its old settings; empty: nothing. A
// process that is still the same was reloaded at most. Where nobody knows its process, it may have
// been restarted.
std::string RenewingVerb(const InitServiceStatus& before, const InitServiceStatus& now) {
  if (before.main_pid == 0 || now.main_pid != before.main_pid) return "restart";
  return now.can_reload ? "reload" : "";
}

class ServiceSubjects : public UndoSubjects {
 public:
  explicit ServiceSubjects(std::unique_ptr<InitSystem> init) : init_(std::move(init)) {}

  [[nodiscard]] std::string name() const override { return "service"; }

  Result<std::string> Capture(const std::string& subject) override {
    const auto status = init_->Look(subject);
    if (!status) return Fail(status.error());
    return ToText(*status);
  }

  Status Restore(const std::string& subject, const std::string& captured,
                 std::vector<ChangeText>& done) override {
    const auto before = FromText(captured);
    if (!before) return Fail(before.error().In(subject));
    const auto now = init_->Look(subject);
    if (!now) return Fail(now.error());
    if (!now->exists) {
      if (!before->exists) return {};
      return Fail(ErrorCode::kNotFound, "system service " + subject +
                                            ": it was there before the run and is gone; its "
                                            "package can bring it back");
    }
    Status first;
    const auto step = [&](const Status& told, const char* was, const char* is) {
      if (!told) {
        if (first) first = told;
        return;
      }
      done.push_back({"change", "system service " + subject, was, is,
                      before->exists ? "was so before the run" : "was not there before the run"});
    };
    if (now->enabled != before->enabled && now->can_be_enabled) {
      step(init_->Enable(subject, before->enabled), before->enabled ? "disabled" : "enabled",
           before->enabled ? "enabled" : "disabled");
    }
    if (before->running && now->running) {
      const std::string verb = RenewingVerb(*before, *now);
      if (!verb.empty()) {
        step(init_->Tell(subject, verb), "running", verb == "restart" ? "restarted" : "reloaded");
      }
    } else if (before->running) {
      step(init_->Tell(subject, "start"), "stopped", "running");
    } else if (now->running) {
      step(init_->Tell(subject, "stop"), "running", "stopped");
    }
    return first;
  }

 private:
  std::unique_ptr<InitSystem> init_;
};

}  // namespace

std::unique_ptr<UndoSubjects> MakeServiceSubjects(std::unique_ptr<InitSystem> init) {
  return std::make_unique<ServiceSubjects>(std::move(init));
}

}  // namespace drover
