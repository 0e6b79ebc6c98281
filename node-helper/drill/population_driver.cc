// A population of connections that stay open, each asking numbered questions in turn. One that
// breaks is replaced by a new one, with a new number in the log.

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <vector>

#include "node-helper/drill/http_text.h"
#include "node-helper/drill/probe_socket.h"

namespace drover {
namespace {

// Questions that wait for an answer on one connection; more are not asked and so are lost.
constexpr std::size_t kMaxWaiting = 64;
constexpr std::uint32_t kOpeningAtOnce = 64;

class PopulationDriver final : public SeriesDriver {
 public:
  PopulationDriver(std::uint8_t number, const ProbeRunSeries& settings, ProberContext& context)
      : SeriesDriver(number, settings, context), members_(settings.connections) {}

  bool Warm() override {
    while (warmed_ < members_.size() && opening_ < kOpeningAtOnce) Connect(warmed_++);
    return warmed_ == members_.size() && opening_ == 0;
  }

  void Send(ProbeTime planned) override {
    const auto at = static_cast<std::uint32_t>(next_++ % members_.size());
    Member& member = members_[at];
    const ProbeTime now = context_.Now();
    int error = 0;
    if (!member.socket.valid()) error = Connect(at);
    if (IsOwnFault(error)) return book_->Unsent(planned);
    const std::uint64_t id = book_->Begin(planned, now, at);
    book_->SetFlow(id, member.stream, member.local_port);
    if (error != 0) {
      book_->Failed(id, context_.Now(), ProbeErrorOf(error).value_or(ProbeError::kUnreachable));
      return;
    }
    if (member.waiting.size() >= kMaxWaiting) return;
    member.waiting.push_back(id);
    member.out += ProbeHttpRequest(settings_.target, settings_.path, id, /*close=*/false);
    if (member.open) Write(at);
  }

  void Handle(const EventKey& key, std::uint32_t) override {
    if (key.slot >= members_.size() || members_[key.slot].generation != key.generation) return;
    if (!members_[key.slot].open && !Opened(key.slot)) return;
    if (Write(key.slot)) Read(key.slot);
  }

  void Expire(ProbeTime now) override {
    book_->Expire(now, [this](std::uint64_t id, std::uint32_t at) {
      // Its next question in turn was not answered in time: the connection is given up, as a
      // client with a timeout would do.
      const Member& member = members_[at];
      if (!member.waiting.empty() && member.waiting.front() == id) Close(at);
    });
  }

 private:
  struct Member {
    Descriptor socket;
    std::uint32_t generation = 0;
    std::uint32_t stream = 0;
    std::uint16_t local_port = 0;
    bool open = false;
    std::uint16_t responder = 0;  // of the connection's first answer
    std::deque<std::uint64_t> waiting;
    std::string out;
    HttpReplyReader reader;
  };

  // errno when it did not even begin.
  int Connect(std::uint32_t at) {
    OpeningConnection opening = OpenConnection(settings_, nullptr);
    if (opening.error != 0) return opening.error;
    Member& member = members_[at];
    if (!Watch(opening.socket.get(), EPOLLIN | EPOLLOUT | EPOLLET, at, member.generation)) {
      return errno;
    }
    ++opening_;
    member.socket = std::move(opening.socket);
    member.local_port = opening.local_port;
    member.stream = next_stream_++;
    member.responder = 0;
    member.reader = HttpReplyReader{};
    return 0;
  }

  void Close(std::uint32_t at) {
    Member& member = members_[at];
    if (member.socket.valid() && !member.open) --opening_;
    member.socket.Reset();
    ++member.generation;
    member.open = false;
    member.waiting.clear();
    member.out.clear();
  }

  // The connection broke: all that waited on it fail.
  void Break(std::uint32_t at, int error_number) {
    const std::deque<std::uint64_t> waiting = std::move(members_[at].waiting);
    Close(at);
    const auto error = ProbeErrorOf(error_number);
    if (!error) return;  // a timeout of the kernel: they are lost in their own time
    for (const std::uint64_t id : waiting) book_->Failed(id, context_.Now(), *error);
  }

  bool Opened(std::uint32_t at) {
    Member& member = members_[at];
    const auto result = OpeningResult(member.socket.get());
    if (!result) return false;
    if (*result != 0) {
      Break(at, *result);
      return false;
    }
    member.open = true;
    --opening_;
    return true;
  }

  // False when the connection is gone.
  bool Write(std::uint32_t at) {
    Member& member = members_[at];
    while (!member.out.empty()) {
      const ssize_t size =
          ::send(member.socket.get(), member.out.data(), member.out.size(), MSG_NOSIGNAL);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) return true;
      if (size < 0) {
        Break(at, errno);
        return false;
      }
      member.out.erase(0, static_cast<std::size_t>(size));
    }
    return true;
  }

  void Read(std::uint32_t at) {
    Member& member = members_[at];
    const std::uint32_t generation = member.generation;
    std::array<char, 16384> buffer;
    while (member.generation == generation) {
      const ssize_t size = ::recv(member.socket.get(), buffer.data(), buffer.size(), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) return;
      if (size < 0) return Break(at, errno);
      if (size == 0) return Ended(at);
      std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
      while (!bytes.empty() && member.generation == generation) {
        const HttpReplyReader::Progress progress = member.reader.Feed(bytes);
        if (progress == HttpReplyReader::Progress::kComplete) Answer(at);
        if (progress == HttpReplyReader::Progress::kMalformed) Malformed(at);
      }
    }
  }

  // The server closed. Between two questions it may.
  void Ended(std::uint32_t at) {
    Member& member = members_[at];
    if (member.reader.End()) return Answer(at);
    if (member.waiting.empty() && member.reader.idle()) return Close(at);
    Break(at, ECONNRESET);
  }

  void Malformed(std::uint32_t at) {
    const std::deque<std::uint64_t> waiting = std::move(members_[at].waiting);
    Close(at);
    for (const std::uint64_t id : waiting) {
      book_->Failed(id, context_.Now(), ProbeError::kMalformed);
    }
  }

  void Answer(std::uint32_t at) {
    Member& member = members_[at];
    if (member.waiting.empty()) return Malformed(at);  // nobody asked
    const std::uint64_t id = member.waiting.front();
    member.waiting.pop_front();
    const HttpReply reply = member.reader.reply();
    const std::uint16_t responder = log_->Responder(reply.responder);
    const std::uint16_t mac = log_->Mac(reply.mac);
    if (member.responder == 0) member.responder = responder;
    const bool wrong = responder != 0 && responder != member.responder;
    if (reply.status >= 500 && !wrong) {
      book_->Failed(id, context_.Now(), ProbeError::kServer, responder, mac);
    } else {
      book_->Answered(id, context_.Now(), responder, mac, wrong);
    }
    if (reply.closes) Replace(at);
  }

  // The server closes in good order (it has its limits): what it did not answer is asked again.
  void Replace(std::uint32_t at) {
    const std::deque<std::uint64_t> waiting = std::move(members_[at].waiting);
    Close(at);
    if (waiting.empty()) return;
    if (const int error = Connect(at); error != 0) {
      for (const std::uint64_t id : waiting) {
        book_->Failed(id, context_.Now(), ProbeErrorOf(error).value_or(ProbeError::kUnreachable));
      }
      return;
    }
    Member& member = members_[at];
    for (const std::uint64_t id : waiting) {
      book_->SetFlow(id, member.stream, member.local_port);
      member.waiting.push_back(id);
      member.out += ProbeHttpRequest(settings_.target, settings_.path, id, /*close=*/false);
    }
  }

  std::vector<Member> members_;
  std::uint32_t warmed_ = 0;
  std::uint32_t opening_ = 0;
  std::uint32_t next_stream_ = 1;
  std::uint64_t next_ = 0;
};

}  // namespace

std::unique_ptr<SeriesDriver> MakePopulationDriver(std::uint8_t number,
                                                   const ProbeRunSeries& settings,
                                                   ProberContext& context) {
  return std::make_unique<PopulationDriver>(number, settings, context);
}

}  // namespace drover
