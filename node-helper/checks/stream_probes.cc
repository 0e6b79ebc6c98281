#include "node-helper/checks/stream_probes.h"

#include <utility>

#include "node-helper/checks/connection.h"
#include "node-helper/checks/http_judge.h"
#include "node-helper/checks/private_way.h"
#include "node-helper/checks/reasons.h"
#include "node-helper/checks/smtp_dialogue.h"
#include "protocol/words.h"

namespace drover {
namespace {

// What the probes over one connection have in common: open it the right way, bring one outcome.
class StreamProbe : public Probe, protected ConnectionUser {
 public:
  StreamProbe(boost::asio::io_context& loop, Poller& poller, const Target& target)
      : loop_(loop), poller_(poller), target_(target) {}

  std::optional<CheckAnswer> Start(Done done) override {
    return Begin(std::move(done), std::nullopt);
  }

  CheckAnswer TimedOut() override {
    CheckAnswer outcome = Silence();
    // A server that is asked through the VIP may have answered: this node may not have listened.
    if (target_.way && own_ && connection_ && stage() == Connection::Stage::kConnecting) {
      const std::string deaf = DeafnessTo(target_.ask.address, *own_);
      if (!deaf.empty()) outcome = CheckAnswer::NotAsked(deaf);
    }
    connection_.reset();
    return outcome;
  }

 protected:
  std::optional<CheckAnswer> Begin(Done done, std::optional<TlsSettings> tls) {
    done_ = std::move(done);
    ProbePath route{.to = target_.ask};
    if (target_.way) {
      const auto own = OwnAddressTowards(target_.way->server.address, target_.ask.address);
      if (!own) return CheckAnswer::NotAsked(own.error().message);
      own_ = *own;
      route.from = own_;
      route.mark = target_.way->mark;
    }
    ConnectionUser& user = *this;
    connection_.emplace(loop_, poller_, user);
    auto outcome = connection_->Open(route, std::move(tls));
    if (outcome) connection_.reset();
    return outcome;
  }

  // The last thing that a callback of the connection does.
  void Finish(const CheckAnswer& outcome) {
    connection_.reset();
    const Done done = std::exchange(done_, nullptr);
    done(outcome);
  }

  void Broken(const CheckAnswer& outcome) override { Finish(outcome); }

  virtual CheckAnswer Silence() {
    const std::string no_answer = NoAnswerIn(target_.settings.timeout);
    switch (stage()) {
      case Connection::Stage::kConnecting:
        return CheckAnswer::Failed(no_answer);
      case Connection::Stage::kHandshake:
        return CheckAnswer::Failed("connected, but no TLS handshake: " + no_answer);
      case Connection::Stage::kOpen:
        return CheckAnswer::Failed("connected, but " + no_answer);
    }
    return CheckAnswer::Failed(no_answer);
  }

  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] Connection& connection() { return *connection_; }
  [[nodiscard]] Connection::Stage stage() const {
    return connection_ ? connection_->stage() : Connection::Stage::kConnecting;
  }

 private:
  boost::asio::io_context& loop_;
  Poller& poller_;
  const Target target_;
  std::optional<Connection> connection_;
  std::optional<IpAddress> own_;
  Done done_;
};

class TcpProbe final : public StreamProbe {
 public:
  using StreamProbe::StreamProbe;

 private:
  void Opened() override { Finish(CheckAnswer::Ok()); }
  void Received(std::string_view) override {}
  void Closed() override {}
};

class HttpProbe final : public StreamProbe {
 public:
  HttpProbe(boost::asio::io_context& loop, Poller& poller, TlsContexts& tls,
            const Target& its_target)
      : StreamProbe(loop, poller, its_target),
        tls_(tls),
        check_(std::get<HttpCheck>(its_target.settings.kind)),
        request_(HttpRequestOf(check_, its_target.ask)) {
    if (check_.body_regex.empty()) return;
    auto pattern = Pattern::Compile(check_.body_regex);
    if (pattern) {
      pattern_.emplace(std::move(*pattern));
    } else {
      wrong_ = pattern.error().message;
    }
  }

  std::optional<CheckAnswer> Start(Done done) override {
    if (!wrong_.empty()) return CheckAnswer::Failed(wrong_);
    judge_.emplace(check_, pattern_ ? &*pattern_ : nullptr);
    if (!check_.tls) return StreamProbe::Start(std::move(done));
    auto context = tls_.For(check_.tls_verify, check_.tls_ca);
    if (!context) return CheckAnswer::Failed(context.error().message);
    return Begin(std::move(done), SettingsOf(std::move(*context)));
  }

 private:
  // The server is known by the name that the check gives, else by its address. SNI takes names only
  // (RFC 6066, section 3).
  TlsSettings SettingsOf(TlsContexts::Context context) const {
    const std::string named = check_.host.substr(0, check_.host.rfind(':'));
    const bool has_port = check_.host.find(':') == check_.host.rfind(':');
    const std::string host = has_port ? named : check_.host;
    TlsSettings settings{.context = std::move(context)};
    settings.sni = check_.sni.empty() && !IpAddress::Parse(host) ? host : check_.sni;
    if (check_.tls_verify) {
      settings.verify_name = host.empty() ? target().ask.address.ToString() : host;
    }
    return settings;
  }

  void Opened() override { connection().Send(request_); }
  void Received(std::string_view bytes) override {
    judge_->Feed(bytes);
    Conclude();
  }
  void Closed() override {
    judge_->End();
    Conclude();
  }
  void Conclude() {
    if (!judge_->verdict()) return;
    const CheckAnswer outcome = *judge_->verdict();
    judge_.reset();
    Finish(outcome);
  }
  void Broken(const CheckAnswer& outcome) override {
    judge_.reset();
    Finish(outcome);
  }
  CheckAnswer Silence() override {
    const bool began = judge_ && judge_->began();
    judge_.reset();
    if (!began) return StreamProbe::Silence();
    return CheckAnswer::Failed("the answer did not end in " +
                               DurationText(target().settings.timeout));
  }

  TlsContexts& tls_;
  const HttpCheck check_;
  const std::string request_;
  std::string wrong_;
  std::optional<Pattern> pattern_;
  std::optional<HttpJudge> judge_;
};

class SmtpProbe final : public StreamProbe {
 public:
  using StreamProbe::StreamProbe;

  std::optional<CheckAnswer> Start(Done done) override {
    dialogue_.emplace(std::get<SmtpCheck>(target().settings.kind).helo);
    return StreamProbe::Start(std::move(done));
  }

 private:
  void Opened() override {}  // the server speaks first
  void Received(std::string_view bytes) override {
    std::string answer = dialogue_->Feed(bytes);
    if (dialogue_->verdict()) return Finish(*dialogue_->verdict());
    if (!answer.empty()) connection().Send(std::move(answer));
  }
  void Closed() override {
    dialogue_->End();
    Finish(*dialogue_->verdict());
  }
  CheckAnswer Silence() override { return dialogue_->Silence(StreamProbe::Silence().reason); }

  std::optional<SmtpDialogue> dialogue_;
};

}  // namespace

std::unique_ptr<Probe> MakeStreamProbe(boost::asio::io_context& loop, Poller& poller,
                                       TlsContexts& tls, const Target& target) {
  if (std::holds_alternative<HttpCheck>(target.settings.kind)) {
    return std::make_unique<HttpProbe>(loop, poller, tls, target);
  }
  if (std::holds_alternative<SmtpCheck>(target.settings.kind)) {
    return std::make_unique<SmtpProbe>(loop, poller, target);
  }
  return std::make_unique<TcpProbe>(loop, poller, target);
}

}  // namespace drover
