// A new connection for each probe; with a path, a page is asked for and waited for.

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "node-helper/drill/http_text.h"
#include "node-helper/drill/probe_socket.h"

namespace drover {
namespace {

class ConnectDriver final : public SeriesDriver {
 public:
  using SeriesDriver::SeriesDriver;

  void Send(ProbeTime planned) override {
    const bool own_port = settings_.kind == ProbeKind::kConnect;
    const ProbeTime now = context_.Now();
    OpeningConnection opening = OpenConnection(settings_, own_port ? &context_.ports : nullptr);
    if (IsOwnFault(opening.error)) return book_->Unsent(planned);
    const std::uint32_t at = TakeSlot();
    Slot& slot = slots_[at];
    slot.socket = std::move(opening.socket);
    slot.id = book_->Begin(planned, now, at);
    book_->SetFlow(slot.id, 0, opening.local_port);
    if (opening.error != 0) return Fail(at, opening.error);
    if (!Watch(slot.socket.get(), EPOLLIN | EPOLLOUT | EPOLLET, at, slot.generation)) {
      Fail(at, errno);
    }
  }

  void Handle(const EventKey& key, std::uint32_t) override {
    if (key.slot >= slots_.size() || slots_[key.slot].generation != key.generation) return;
    Slot& slot = slots_[key.slot];
    if (!slot.connected && !Connected(key.slot)) return;
    while (slot.socket.valid()) {
      std::array<char, 16384> buffer;
      const ssize_t size = ::recv(slot.socket.get(), buffer.data(), buffer.size(), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) return;
      if (size < 0) return Fail(key.slot, errno);
      if (size == 0) return slot.reader.End() ? Answer(key.slot) : Fail(key.slot, ECONNRESET);
      std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
      switch (slot.reader.Feed(bytes)) {
        case HttpReplyReader::Progress::kMore:
          break;
        case HttpReplyReader::Progress::kComplete:
          return Answer(key.slot);
        case HttpReplyReader::Progress::kMalformed:
          book_->Failed(slot.id, context_.Now(), ProbeError::kMalformed);
          return Free(key.slot);
      }
    }
  }

  void Expire(ProbeTime now) override {
    book_->Expire(now, [this](std::uint64_t id, std::uint32_t at) {
      // The slot may serve another probe already.
      if (slots_[at].id == id && slots_[at].socket.valid()) Free(at);
    });
  }

 private:
  struct Slot {
    Descriptor socket;
    std::uint64_t id = 0;
    std::uint32_t generation = 0;
    bool connected = false;
    HttpReplyReader reader;
  };

  std::uint32_t TakeSlot() {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const std::uint32_t at = free_.back();
    free_.pop_back();
    slots_[at].connected = false;
    slots_[at].reader = HttpReplyReader{};
    return at;
  }

  void Free(std::uint32_t at) {
    slots_[at].socket.Reset();
    ++slots_[at].generation;
    free_.push_back(at);
  }

  // True when it is, and the request is on its way.
  bool Connected(std::uint32_t at) {
    Slot& slot = slots_[at];
    const auto result = OpeningResult(slot.socket.get());
    if (!result) return false;
    if (*result != 0) {
      Fail(at, *result);
      return false;
    }
    slot.connected = true;
    if (settings_.path.empty()) {
      book_->Answered(slot.id, context_.Now(), 0, 0);
      Free(at);
      return false;
    }
    const std::string request =
        ProbeHttpRequest(settings_.target, settings_.path, slot.id, /*close=*/true);
    if (::send(slot.socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
      Fail(at, errno);
      return false;
    }
    return true;
  }

  void Answer(std::uint32_t at) {
    Slot& slot = slots_[at];
    const HttpReply& reply = slot.reader.reply();
    const std::uint16_t responder = log_->Responder(reply.responder);
    const std::uint16_t mac = log_->Mac(reply.mac);
    if (reply.status >= 500) {
      book_->Failed(slot.id, context_.Now(), ProbeError::kServer, responder, mac);
    } else {
      book_->Answered(slot.id, context_.Now(), responder, mac);
    }
    Free(at);
  }

  // A timeout of the kernel is no error: nobody answered, the probe is lost in its own time.
  void Fail(std::uint32_t at, int error_number) {
    if (const auto error = ProbeErrorOf(error_number)) {
      book_->Failed(slots_[at].id, context_.Now(), *error);
    }
    Free(at);
  }

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace

std::unique_ptr<SeriesDriver> MakeConnectDriver(std::uint8_t number, const ProbeRunSeries& settings,
                                                ProberContext& context) {
  return std::make_unique<ConnectDriver>(number, settings, context);
}

}  // namespace drover
