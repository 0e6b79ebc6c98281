#include "node-helper/checks/smtp_dialogue.h"

#include <algorithm>
#include <cctype>

#include "node-helper/checks/reasons.h"

namespace drover {
namespace {

constexpr std::size_t kMaxLine = 1024;      // RFC 5321, section 4.5.3.1.5 asks for 512
constexpr std::size_t kMaxSession = 65536;  // all that a server may say

// "250-first" and "250 last" (RFC 5321, section 4.2.1); a code of 0 is no reply line.
struct ReplyLine {
  int code = 0;
  bool last = true;
};

ReplyLine ReadLine(std::string_view line) {
  const auto digit = [&](std::size_t i) {
    return line.size() > i && std::isdigit(static_cast<unsigned char>(line[i])) != 0;
  };
  if (!digit(0) || !digit(1) || !digit(2)) return {};
  if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return {};
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  return {code, line.size() < 4 || line[3] == ' '};
}

}  // namespace

std::string SmtpDialogue::TakeReply(int code, const std::string& line) {
  const auto refuse = [&](const std::string& to) {
    verdict_ = CheckAnswer::Failed(to + " was answered \"" + Printable(line) + "\"");
    return std::string();
  };
  switch (wait_) {
    case Wait::kGreeting:
      if (code != 220) return refuse("the connection");
      wait_ = Wait::kEhlo;
      return "EHLO " + helo_ + "\r\n";
    case Wait::kEhlo:
      if (code >= 500) {  // an old server: section 3.2
        wait_ = Wait::kHelo;
        return "HELO " + helo_ + "\r\n";
      }
      if (code != 250) return refuse("EHLO");
      wait_ = Wait::kGoodbye;
      return "QUIT\r\n";
    case Wait::kHelo:
      if (code != 250) return refuse("HELO");
      wait_ = Wait::kGoodbye;
      return "QUIT\r\n";
    case Wait::kGoodbye:
      verdict_ = CheckAnswer::Ok();
      return {};
  }
  return {};
}

std::string SmtpDialogue::Feed(std::string_view bytes) {
  std::string to_send;
  seen_ += bytes.size();
  while (!bytes.empty() && !verdict_) {
    const std::size_t end = bytes.find('\n');
    pending_.append(bytes.substr(0, end));
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (pending_.size() > kMaxLine || seen_ > kMaxSession) {
      verdict_ = CheckAnswer::Failed("the server talks without end");
      break;
    }
    if (end == std::string_view::npos) break;
    std::string line;
    line.swap(pending_);
    if (line.ends_with('\r')) line.pop_back();
    const ReplyLine reply = ReadLine(line);
    if (reply.code == 0) {
      verdict_ = CheckAnswer::Failed("\"" + Printable(line) + "\" is no SMTP reply");
    } else if (reply.last) {
      to_send += TakeReply(reply.code, line);
    }
  }
  return to_send;
}

void SmtpDialogue::End() {
  if (verdict_) return;
  verdict_ = wait_ == Wait::kGoodbye ? CheckAnswer::Ok()
                                     : CheckAnswer::Failed("the server closed the connection");
}

CheckAnswer SmtpDialogue::Silence(const std::string& no_answer) const {
  return wait_ == Wait::kGoodbye ? CheckAnswer::Ok() : CheckAnswer::Failed(no_answer);
}

}  // namespace drover
