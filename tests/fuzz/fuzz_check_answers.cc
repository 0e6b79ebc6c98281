// Whatever real servers answer to health checks gives a verdict or asks for more: HTTP, DNS, SMTP
// and ICMP. The first byte chooses which.

#include <cstdlib>
#include <string_view>

#include "node-helper/checks/dns_message.h"
#include "node-helper/checks/http_judge.h"
#include "node-helper/checks/icmp_echo.h"
#include "node-helper/checks/smtp_dialogue.h"

namespace {

using namespace drover;

// The same bytes in one piece and in two give the same verdict.
void JudgeHttp(std::string_view bytes) {
  static const Pattern pattern = *Pattern::Compile("o+k");
  static const HttpCheck plain;
  static const HttpCheck deep{
      .body_regex = "o+k", .body_sha256 = std::string(64, 'a'), .weight_header = "w"};
  for (const HttpCheck* check : {&plain, &deep}) {
    const Pattern* searched = check->body_regex.empty() ? nullptr : &pattern;
    HttpJudge whole(*check, searched);
    whole.Feed(bytes);
    if (!whole.verdict()) whole.End();
    if (!whole.verdict()) std::abort();
    HttpJudge split(*check, searched);
    split.Feed(bytes.substr(0, bytes.size() / 2));
    split.Feed(bytes.substr(bytes.size() / 2));
    if (!split.verdict()) split.End();
    if (!split.verdict() || split.verdict()->ok() != whole.verdict()->ok()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      JudgeHttp(bytes);
      break;
    case 1: {
      (void)AnswersDnsQuery(bytes, 0x1234);
      for (const char* type : {"A", "TXT"}) {
        const CheckAnswer outcome = JudgeDnsAnswer(bytes, {.name = "a.b", .type = type});
        if (outcome.ok() != outcome.reason.empty()) std::abort();
      }
      break;
    }
    case 2: {
      SmtpDialogue dialogue("me");
      (void)dialogue.Feed(bytes);
      dialogue.End();
      if (!dialogue.verdict()) std::abort();
      break;
    }
    default:
      (void)DecodeEchoAnswer(Family::kIpv4, bytes);
      (void)DecodeEchoAnswer(Family::kIpv6, bytes);
  }
  return 0;
}
