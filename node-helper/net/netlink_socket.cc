#include "node-helper/net/netlink_socket.h"

#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/family.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace drover {
namespace {

constexpr int kBufferBytes = 1 << 20;
constexpr int kDumpAttempts = 5;

struct SocketDeleter {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};
struct MessageDeleter {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
struct CallbackDeleter {
  void operator()(nl_cb* callbacks) const { nl_cb_put(callbacks); }
};

// One request with all that came back.
struct Exchange {
  Verdict verdict;
  std::vector<Bytes> messages;
  bool interrupted = false;
  bool finished = false;
};

int OnValid(nl_msg* message, void* context) {
  const nlmsghdr* header = nlmsg_hdr(message);
  const auto* data = static_cast<const std::uint8_t*>(nlmsg_data(header));
  static_cast<Exchange*>(context)->messages.emplace_back(data, data + nlmsg_datalen(header));
  return NL_OK;
}

int OnAcknowledged(nl_msg* /*message*/, void* context) {
  static_cast<Exchange*>(context)->finished = true;
  return NL_STOP;
}

// The end of a list may carry an error of its own.
int OnFinished(nl_msg* message, void* context) {
  auto* exchange = static_cast<Exchange*>(context);
  const nlmsghdr* header = nlmsg_hdr(message);
  int error = 0;
  if (nlmsg_datalen(header) >= static_cast<int>(sizeof(error))) {
    std::memcpy(&error, nlmsg_data(header), sizeof(error));
  }
  if (error < 0) exchange->verdict.error_number = -error;
  exchange->finished = true;
  return NL_STOP;
}

int OnInterrupted(nl_msg* /*message*/, void* context) {
  static_cast<Exchange*>(context)->interrupted = true;
  return NL_OK;
}

// The kernel's sentence behind an nlmsgerr, if there is one (Documentation/userspace-api/netlink).
std::string ExtendedWords(const nlmsghdr& header, const nlmsgerr& error) {
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return "";
  std::size_t skipped = sizeof(error);
  if ((header.nlmsg_flags & NLM_F_CAPPED) == 0) {
    skipped += NLMSG_ALIGN(std::max<std::size_t>(error.msg.nlmsg_len, NLMSG_HDRLEN)) - NLMSG_HDRLEN;
  }
  const std::size_t size = header.nlmsg_len - NLMSG_HDRLEN;
  if (skipped >= size) return "";
  const ByteView bytes(reinterpret_cast<const std::uint8_t*>(&error), size);
  const auto attributes = AttributeReader::Parse(bytes.subspan(skipped));
  return attributes ? attributes->Text(NLMSGERR_ATTR_MSG).value_or("") : "";
}

int OnError(sockaddr_nl* /*from*/, nlmsgerr* error, void* context) {
  auto* exchange = static_cast<Exchange*>(context);
  const auto* header = reinterpret_cast<const nlmsghdr*>(
      reinterpret_cast<const std::uint8_t*>(error) - NLMSG_HDRLEN);
  exchange->verdict.error_number = -error->error;
  exchange->verdict.words = ExtendedWords(*header, *error);
  exchange->finished = true;
  return NL_STOP;
}

Status SetPatience(nl_sock* socket, std::chrono::seconds patience) {
  const timeval limit = {patience.count(), 0};
  const int fd = nl_socket_get_fd(socket);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0) {
    return Fail(ErrnoError(errno, "setting the time limit of a netlink socket"));
  }
  return {};
}

Error TransportError(int nl_error, const std::string& doing) {
  const int code = nl_error < 0 ? -nl_error : nl_error;
  if (code == NLE_AGAIN || code == NLE_INTR) {
    return Error{ErrorCode::kTimeout, doing + ": the kernel did not answer in time"};
  }
  return Error{code == NLE_PERM ? ErrorCode::kDenied : ErrorCode::kInternal,
               doing + ": " + nl_geterror(code)};
}

}  // namespace

struct NetlinkSocket::State {
  int protocol = 0;
  bool strict = false;
  std::unique_ptr<nl_sock, SocketDeleter> socket;  // null after a failure: the next call reconnects

  Result<Exchange> Talk(std::uint16_t type, std::uint16_t flags, const Bytes& payload);
};

std::string Verdict::Reason() const {
  const std::string reason = std::strerror(error_number);
  return words.empty() ? reason : words + " (" + reason + ")";
}

NetlinkSocket::NetlinkSocket(std::unique_ptr<State> state) : state_(std::move(state)) {}
NetlinkSocket::~NetlinkSocket() = default;

Result<std::unique_ptr<NetlinkSocket>> NetlinkSocket::Open(int protocol, bool strict) {
  auto state = std::make_unique<State>();
  state->protocol = protocol;
  state->strict = strict;
  std::unique_ptr<NetlinkSocket> socket(new NetlinkSocket(std::move(state)));
  if (const Status connected = socket->Connect(); !connected) return Fail(connected.error());
  return socket;
}

Status NetlinkSocket::Connect() {
  if (state_->socket) return {};
  std::unique_ptr<nl_sock, SocketDeleter> socket(nl_socket_alloc());
  if (!socket) return Fail(ErrorCode::kInternal, "netlink: out of memory");
  if (const int error = nl_connect(socket.get(), state_->protocol); error < 0) {
    return Fail(TransportError(error, "opening a netlink socket"));
  }
  // The kernel caps the size for itself; more room only spares reads.
  nl_socket_set_buffer_size(socket.get(), kBufferBytes, kBufferBytes);
  if (const Status set = SetPatience(socket.get(), kPatience); !set) return set;
  const int fd = nl_socket_get_fd(socket.get());
  const int on = 1;  // kernels before 4.12 do not know these and are fine without
  (void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
  (void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
  if (state_->strict) {
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
  }
  state_->socket = std::move(socket);
  return {};
}

Result<Exchange> NetlinkSocket::State::Talk(std::uint16_t type, std::uint16_t flags,
                                            const Bytes& payload) {
  const std::unique_ptr<nl_msg, MessageDeleter> message(
      nlmsg_alloc_size(NLMSG_HDRLEN + NLMSG_ALIGN(payload.size())));
  const std::unique_ptr<nl_cb, CallbackDeleter> callbacks(nl_cb_alloc(NL_CB_DEFAULT));
  if (!message || !callbacks) return Fail(ErrorCode::kInternal, "netlink: out of memory");
  nlmsghdr* header = nlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, type,
                               static_cast<int>(payload.size()), flags | NLM_F_REQUEST);
  if (header == nullptr) return Fail(ErrorCode::kInternal, "netlink: out of memory");
  std::memcpy(nlmsg_data(header), payload.data(), payload.size());
  Exchange exchange;
  nl_cb* cb = callbacks.get();
  nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, OnValid, &exchange);
  nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, OnAcknowledged, &exchange);
  nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, OnFinished, &exchange);
  nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, OnInterrupted, &exchange);
  nl_cb_err(cb, NL_CB_CUSTOM, OnError, &exchange);
  // What libnl was doing when it failed is lost with its socket, so that no late answer can be
  // taken for that of the next request.
  if (const int error = nl_send_auto(socket.get(), message.get()); error < 0) {
    socket.reset();
    return Fail(TransportError(error, "asking the kernel"));
  }
  while (!exchange.finished) {
    const int error = nl_recvmsgs(socket.get(), cb);
    if (error < 0 && !exchange.finished) {  // a refusal by the kernel comes back as an error, too
      socket.reset();
      return Fail(TransportError(error, "waiting for the kernel's answer"));
    }
  }
  return exchange;
}

Result<Verdict> NetlinkSocket::Request(std::uint16_t type, std::uint16_t flags,
                                       const Bytes& payload, std::chrono::seconds patience) {
  if (const Status connected = Connect(); !connected) return Fail(connected.error());
  if (const Status set = SetPatience(state_->socket.get(), patience); !set) {
    return Fail(set.error());
  }
  Result<Exchange> exchange =
      state_->Talk(type, static_cast<std::uint16_t>(flags | NLM_F_ACK), payload);
  if (!exchange) return Fail(exchange.error());
  if (const Status set = SetPatience(state_->socket.get(), kPatience); !set) {
    return Fail(set.error());
  }
  return exchange->verdict;
}

Result<std::vector<Bytes>> NetlinkSocket::List(std::uint16_t type, const Bytes& payload) {
  Error last{ErrorCode::kTimeout, "a list kept changing while it was read"};
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    if (const Status connected = Connect(); !connected) return Fail(connected.error());
    Result<Exchange> exchange = state_->Talk(type, NLM_F_DUMP, payload);
    if (!exchange) return Fail(exchange.error());
    const Verdict& verdict = exchange->verdict;
    if (verdict.error_number == EBUSY || verdict.error_number == EINTR || exchange->interrupted) {
      continue;
    }
    if (!verdict.ok()) return Fail(ErrnoError(verdict.error_number, "reading a list"));
    return std::move(exchange->messages);
  }
  return Fail(last);
}

Result<std::optional<std::uint16_t>> NetlinkSocket::FindFamily(const std::string& name) {
  if (const Status connected = Connect(); !connected) return Fail(connected.error());
  nl_cache* cache = nullptr;
  if (const int error = genl_ctrl_alloc_cache(state_->socket.get(), &cache); error < 0) {
    state_->socket.reset();
    return Fail(TransportError(error, "listing the families of generic netlink"));
  }
  std::optional<std::uint16_t> number;
  if (genl_family* family = genl_ctrl_search_by_name(cache, name.c_str())) {
    number = static_cast<std::uint16_t>(genl_family_get_id(family));
    genl_family_put(family);
  }
  nl_cache_free(cache);
  return number;
}

}  // namespace drover
