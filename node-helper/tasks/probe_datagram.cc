#include "node-helper/tasks/probe_datagram.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <vector>

#include "node-helper/checks/dns_message.h"
#include "node-helper/drill/probe_address.h"
#include "node-helper/tasks/probe_socket.h"
#include "protocol/codec.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxDatagram = 65536;

// What is sent, and what an answer to it is worth.
class Question {
 public:
  explicit Question(const CheckKind& kind)
      : udp_(std::get_if<UdpCheck>(&kind)), dns_(std::get_if<DnsCheck>(&kind)) {
    if (dns_ != nullptr) {
      std::random_device random;
      id_ = static_cast<std::uint16_t>(random() & 0xFFFF);
      bytes_ = EncodeDnsQuery(id_, *dns_);
    } else if (udp_ != nullptr) {
      bytes_ = udp_->payload;
    }
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

  // False: it is somebody else's, go on waiting.
  [[nodiscard]] bool IsAnswered(std::string_view datagram) const {
    return dns_ == nullptr || AnswersDnsQuery(datagram, id_);
  }
  [[nodiscard]] Status Judge(std::string_view datagram) const {
    if (dns_ != nullptr) {
      const CheckAnswer answer = JudgeDnsAnswer(datagram, *dns_);
      if (answer.ok()) return {};
      return Fail(ErrorCode::kInvalid, answer.reason);
    }
    if (udp_ != nullptr && datagram.starts_with(udp_->expect)) return {};
    return Fail(ErrorCode::kInvalid, "an answer, but not the expected one");
  }
  // What may name the server: our own words come back in an answer of DNS and are left out.
  [[nodiscard]] std::string_view OwnWords(std::string_view datagram) const {
    return dns_ == nullptr ? datagram : datagram.substr(std::min(bytes_.size(), datagram.size()));
  }

 private:
  const UdpCheck* udp_;
  const DnsCheck* dns_;
  std::uint16_t id_ = 0;
  std::string bytes_;
};

// The start of an answer, where what cannot be read is a blank.
std::string Readable(std::string_view bytes) {
  std::string text(bytes.substr(0, kMaxProbeBody));
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f) c = ' ';
  }
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

Status Await(int fd, const Question& question, Clock::time_point deadline, std::string& body) {
  std::vector<char> bytes(kMaxDatagram);
  while (true) {
    const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got >= 0) {
      const std::string_view datagram(bytes.data(), static_cast<std::size_t>(got));
      if (!question.IsAnswered(datagram)) continue;
      body = Readable(question.OwnWords(datagram));
      return question.Judge(datagram);
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Fail(ConnectionError(errno));
    if (!WaitFor(fd, POLLIN, deadline)) return Fail(ConnectionError(ETIMEDOUT));
  }
}

Status Exchange(int fd, const ProbeService& service, Clock::time_point deadline,
                ProbeAttempt& attempt) {
  const ProbeAddress to = ProbeAddressOf(service.service.address, service.service.port);
  if (::connect(fd, to.get(), to.length) != 0) return Fail(ConnectionError(errno));
  NoteLocalEnd(fd, attempt);
  const Question question(*service.question);
  const std::string& bytes = question.bytes();
  if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return Fail(ConnectionError(errno));
  return Await(fd, question, deadline, attempt.connection.body);
}

}  // namespace

ProbeAttempt AskByDatagram(const ProbeService& service, ReplyTap* tap, SourcePorts& ports,
                           Clock::time_point limit) {
  ProbeAttempt attempt;
  ProbeConnection& connection = attempt.connection;
  const auto socket = OpenProbeSocket(service.service, SOCK_DGRAM, ports);
  if (!socket) {
    connection.error = socket.error();
    return attempt;
  }
  const auto start = Clock::now();
  const Status answered =
      Exchange(socket->get(), service, std::min(start + service.timeout, limit), attempt);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
  NoteReply(tap, attempt);
  if (!answered) {
    connection.error = answered.error();
    connection.body.clear();
    return attempt;
  }
  connection.connect_time = connection.total_time = took;
  return attempt;
}

}  // namespace drover
