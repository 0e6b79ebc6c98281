#include "orchestrator/ssh/start_helper.h"

#include <array>
#include <cstdio>
#include <optional>
#include <utility>

#include "orchestrator/ssh/sudo.h"

namespace drover {
namespace {

constexpr std::size_t kMaxNoise = 64 * 1024;
constexpr std::chrono::seconds kNoProgress{30};
// sync on the node's disk, after an upload.
constexpr std::chrono::seconds kSettleTime{60};

class Starter {
 public:
  Starter(ByteStream& stream, const StartOptions& options) : stream_(stream), options_(options) {
    started_ = !options.with_stub;
  }
  tl::expected<HelperTalk, StartFailure> Run();

 private:
  // Takes in what came; false: nothing to be done for it yet.
  Status Take(const Arrival& arrival);
  Status TakeStderr(std::string_view text);
  Status TakeLine(const std::string& line);
  Status TakeHello(const std::string& line);
  Status Noise(const std::string& line);
  Status Upload();
  Status SendAll(std::string_view data, const std::string& what);
  [[nodiscard]] Error Ended(const ProcessEnd& end) const;
  [[nodiscard]] Error Silent() const;

  ByteStream& stream_;
  const StartOptions& options_;
  HelperTalk talk_;
  Deadline deadline_;
  bool started_ = false;   // the stub has handed over to the helper
  bool uploaded_ = false;  // so what started is not an old damaged file
  bool said_hello_ = false;
  bool password_sent_ = false;
  bool taking_ = false;  // the stub waits for the helper's bytes
  std::string noise_;
  std::string strange_;  // what the helper said in place of its Hello
};

std::string Megabytes(std::size_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text.data();
}

Error Starter::Ended(const ProcessEnd& end) const {
  const std::string& said = talk_.stderr_text.text();
  if (!started_ && options_.with_sudo) {
    if (auto refusal = SudoRefusal(said, password_sent_, options_.user, options_.host)) {
      return *std::move(refusal);
    }
  }
  return EndedEarly(started_, end, noise_ + std::string(talk_.lines.rest()), said, options_.stub,
                    options_.host);
}

Error Starter::Silent() const {
  const std::string time = std::to_string(options_.timeout.count() / 1000) + " s";
  std::string message =
      started_ ? "the helper on " + options_.host + " said nothing in " + time
               : "logged in to " + options_.host + ", but nothing was started there in " + time;
  const std::string said = OneLineOf(talk_.stderr_text.text());
  if (!said.empty()) message += ": " + said;
  return {ErrorCode::kUnreachable, std::move(message)};
}

Status Starter::TakeStderr(std::string_view text) {
  talk_.stderr_text.Add(text);
  if (started_ || !options_.with_sudo) return {};
  switch (ReadSudo(talk_.stderr_text.text(), options_.sudo_prompt)) {
    case SudoState::kSilent:
      return {};
    case SudoState::kAsksAgain:
      return Fail(SudoWrongPassword(options_.user, options_.host));
    case SudoState::kAsks:
      break;
  }
  if (password_sent_) return {};
  password_sent_ = true;
  options_.trace(3, "sudo asks for the password");
  deadline_ = In(options_.timeout);
  return SendAll(options_.sudo_password + "\n", "sudo");
}

Status Starter::Noise(const std::string& line) {
  if (noise_.empty() && !line.empty()) {
    options_.trace(1, "printed \"" + OneLineOf(line, 120) +
                          "\" before the helper: a shell start file writes to stdout");
  }
  noise_ += line + "\n";
  if (noise_.size() <= kMaxNoise) return {};
  return Fail(ErrorCode::kUnreachable,
              options_.host + " printed more than 64 KiB before the helper, first \"" +
                  OneLineOf(noise_, 120) + "\": a shell start file writes to stdout");
}

Status Starter::TakeHello(const std::string& line) {
  auto event = DecodeEvent(line);
  if (event && std::holds_alternative<Hello>(*event)) {
    talk_.hello = std::get<Hello>(*event);
    said_hello_ = true;
    return {};
  }
  if (event && std::holds_alternative<SessionError>(*event)) {
    return Fail(std::get<SessionError>(*event).error.In(options_.host));
  }
  strange_ = line;
  return Fail(ErrorCode::kUnreachable, "the helper on " + options_.host + " said \"" +
                                           OneLineOf(line, 120) + "\" in place of its greeting");
}

Status Starter::TakeLine(const std::string& line) {
  if (started_) return TakeHello(line);
  const std::optional<StubLine> word = ParseStubLine(line);
  if (!word) return Noise(line);
  if (std::holds_alternative<HelperStarts>(*word)) {
    started_ = true;
    taking_ = false;
    deadline_ = In(options_.timeout);
    return {};
  }
  if (const auto* failed = std::get_if<StubFailed>(&*word)) {
    return Fail(StubError(*failed, options_.stub, options_.host, options_.user));
  }
  const std::string& machine = std::get<NeedHelper>(*word).machine;
  if (!RunsOn(options_.helper->machine, machine)) {
    return Fail(ErrorCode::kInvalid, options_.host + " is a " + machine + " machine, but " +
                                         options_.helper->path + " is built for " +
                                         options_.helper->machine);
  }
  taking_ = true;
  return {};
}

Status Starter::Take(const Arrival& arrival) {
  if (!arrival.err.empty()) {
    if (const Status taken = TakeStderr(arrival.err); !taken) return taken;
  }
  talk_.lines.Add(arrival.out);
  while (!said_hello_) {
    auto line = talk_.lines.Next();
    if (!line) return Fail(line.error().In(options_.host));
    if (!line->has_value()) break;
    if (const Status taken = TakeLine(**line); !taken) return taken;
  }
  if (!started_ && talk_.lines.rest().size() > kMaxNoise) {
    return Noise(std::string(talk_.lines.rest()));
  }
  if (said_hello_ || !arrival.end) return {};
  return Fail(Ended(*arrival.end));
}

Status Starter::SendAll(std::string_view data, const std::string& what) {
  while (!data.empty()) {
    const Deadline progress = In(kNoProgress);
    const auto written = stream_.Write(data, progress);
    if (!written) {
      if (written.error().code != ErrorCode::kTimeout) return Fail(written.error());
      return Fail(ErrorCode::kUnreachable, options_.host + ": " + what + " takes nothing for 30 s");
    }
    data.remove_prefix(*written);
    if (*written > 0) continue;
    const auto arrival = stream_.Receive(progress);
    if (!arrival) return Fail(arrival.error());
    if (const Status taken = Take(*arrival); !taken) return taken;
    if (arrival->end) return Fail(Ended(*arrival->end));
  }
  return {};
}

Status Starter::Upload() {
  options_.trace(1, "brings " + options_.helper->path + " (" +
                        Megabytes(options_.helper->bytes.size()) + ") to " + options_.stub.folder);
  taking_ = false;
  uploaded_ = true;
  if (const Status sent = SendAll(options_.helper->bytes, "the upload of the helper"); !sent) {
    return sent;
  }
  deadline_ = In(kSettleTime);
  return {};
}

tl::expected<HelperTalk, StartFailure> Starter::Run() {
  deadline_ = In(options_.timeout);
  while (!said_hello_) {
    const auto arrival = stream_.Receive(deadline_);
    Status taken;
    bool ended = false;
    if (arrival) {
      ended = arrival->end.has_value();
      taken = Take(*arrival);
      if (taken && taking_) taken = Upload();
    } else {
      taken = Fail(arrival.error().code == ErrorCode::kTimeout ? Silent() : arrival.error());
    }
    if (taken) continue;
    // Only what was there before can be old and damaged.
    const bool damaged =
        options_.with_stub && started_ && !uploaded_ && (ended || !strange_.empty());
    return tl::unexpected(StartFailure{taken.error(), damaged});
  }
  return std::move(talk_);
}

}  // namespace

tl::expected<HelperTalk, StartFailure> StartHelper(ByteStream& stream,
                                                   const StartOptions& options) {
  return Starter(stream, options).Run();
}

}  // namespace drover
