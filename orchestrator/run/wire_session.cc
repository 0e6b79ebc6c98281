#include "orchestrator/run/wire_session.h"

#include <set>
#include <utility>

#include "orchestrator/run/redact.h"
#include "protocol/codec.h"

namespace drover {
namespace {

using Line = std::function<void(const std::string& host, char way, const std::string& line)>;

class WireSession : public HelperSession {
 public:
  WireSession(std::string host, std::unique_ptr<HelperSession> inner, Line line)
      : host_(std::move(host)), inner_(std::move(inner)), line_(std::move(line)) {
    line_(host_, '<', EncodeEvent(inner_->hello()));
  }
  [[nodiscard]] const Hello& hello() const override { return inner_->hello(); }
  Status Send(const Program& program) override {
    for (const Task& task : program.tasks) {
      if (task.secret) {
        secret_tasks_.insert(task.id);
      }
    }
    line_(host_, '>', EncodeProgram(Redacted(program)));
    return inner_->Send(program);
  }
  Status SendPulse(const Pulse& pulse) override {
    line_(host_, '>', EncodePulse(pulse));
    return inner_->SendPulse(pulse);
  }
  Status SendFinish(const Finish& finish) override {
    line_(host_, '>', EncodeFinish(finish));
    return inner_->SendFinish(finish);
  }
  Result<Event> Next(std::chrono::milliseconds timeout) override {
    Result<Event> event = inner_->Next(timeout);
    if (event) {
      line_(host_, '<', EncodeEvent(Redacted(*event, secret_tasks_)));
    }
    return event;
  }
  void Abort() override { inner_->Abort(); }

 private:
  std::string host_;
  std::unique_ptr<HelperSession> inner_;
  Line line_;
  std::set<std::uint32_t> secret_tasks_;
};

}  // namespace

SessionOpener WithWire(SessionOpener open, Line line) {
  return [open = std::move(open), line = std::move(line)](
             const HostConnection& connection) -> Result<std::unique_ptr<HelperSession>> {
    Result<std::unique_ptr<HelperSession>> inner = open(connection);
    if (!inner) {
      return inner;
    }
    return std::make_unique<WireSession>(connection.host, std::move(*inner), line);
  };
}

}  // namespace drover
