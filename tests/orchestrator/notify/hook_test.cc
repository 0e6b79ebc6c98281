// Hooks: commands that really run, and webhooks to a server on this host.

#include "orchestrator/notify/hook.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace drover {
namespace {

using std::chrono::milliseconds;

TEST(SplitWords, KnowsQuotesAndNothingElseOfAShell) {
  using Words = std::vector<std::string>;
  struct Case {
    const char* text;
    Words want;
  };
  for (const Case& one : std::vector<Case>{{"a b  c", {"a", "b", "c"}},
                                           {"say \"to all\" 'it''s'", {"say", "to all", "its"}},
                                           {"a\\ b \"c\\\"d\" 'e\\f'", {"a b", "c\"d", "e\\f"}},
                                           {"x '' y", {"x", "", "y"}},
                                           {"rm $HOME;`id` *", {"rm", "$HOME;`id`", "*"}}}) {
    const auto words = SplitWords(one.text);
    ASSERT_TRUE(words) << one.text;
    EXPECT_EQ(*words, one.want) << one.text;
  }
  for (const char* bad : {"", "   ", "\"open", "'open", "end\\"}) EXPECT_FALSE(SplitWords(bad));
}

TEST(ShownHook, HidesWhatMayBeAKey) {
  EXPECT_EQ(ShownHook("https://chat.example/hooks/SECRET?t=SECRET"), "https://chat.example/…");
  EXPECT_EQ(ShownHook("https://me:SECRET@chat.example:8443/x"), "https://chat.example:8443/…");
  EXPECT_EQ(ShownHook("https://chat.example"), "https://chat.example");
  EXPECT_EQ(ShownHook("/usr/bin/tell all"), "/usr/bin/tell all");
}

TEST(RunHook, GivesACommandTheFacts) {
  std::string folder = testing::TempDir() + "drover_hook_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string file = folder + "/out";
  const Status done =
      RunHook("/bin/sh -c 'printf \"%s;%s;%s\" \"$DROVER_VERDICT\" \"$DROVER_DRILL_ID\" \"$1\" >" +
                  file + "' x 'one word'",
              {{"verdict", "fail; rm -rf /"}, {"drill-id", "d1"}});
  ASSERT_TRUE(done) << done.error().message;
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  EXPECT_EQ(text.str(), "fail; rm -rf /;d1;one word");
  std::filesystem::remove_all(folder);
}

TEST(RunHook, SaysHowACommandFailed) {
  EXPECT_EQ(RunHook("/bin/false", {}).error().message, "/bin/false ended with status 1");
  EXPECT_FALSE(RunHook("/nonexistent/hook", {}));
  const auto begun = std::chrono::steady_clock::now();
  const Status slow = RunHook("/bin/sh -c 'sleep 30 & sleep 30'", {}, milliseconds(200));
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, ErrorCode::kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
}

// Answers one request with `status`, and keeps what it was asked.
class OneAnswer {
 public:
  explicit OneAnswer(std::string status) : status_(std::move(status)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 1) != 0) {
      return;
    }
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneAnswer() {
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;

  [[nodiscard]] std::string Url(const std::string& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + "/hook/SECRET";
  }
  std::string Request() {
    thread_.join();
    return request_;
  }

 private:
  void Serve() {
    const int client = ::accept(listener_, nullptr, nullptr);
    std::array<char, 4096> buffer{};
    while (request_.find("}") == std::string::npos) {
      const ssize_t got = ::recv(client, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      request_.append(buffer.data(), static_cast<std::size_t>(got));
      if (!request_.starts_with("POST")) break;  // TLS talks first
    }
    const std::string answer =
        "HTTP/1.1 " + status_ + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(client);
  }

  std::string status_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

TEST(RunHook, PostsTheFactsAsJson) {
  OneAnswer server("204 No Content");
  const Status sent = RunHook(server.Url("http"), {{"verdict", "a \"quoted\" pass"}});
  ASSERT_TRUE(sent) << sent.error().message;
  const std::string request = server.Request();
  EXPECT_TRUE(request.starts_with("POST /hook/SECRET HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("Content-Type: application/json"), std::string::npos);
  EXPECT_NE(request.find("{\"verdict\":\"a \\\"quoted\\\" pass\"}"), std::string::npos) << request;
}

TEST(RunHook, TakesARefusalForAFailureAndHidesTheUrl) {
  OneAnswer server("403 Forbidden");
  const Status sent = RunHook(server.Url("http"), {});
  ASSERT_FALSE(sent);
  EXPECT_NE(sent.error().message.find("status 403"), std::string::npos) << sent.error().message;
  EXPECT_EQ(sent.error().message.find("SECRET"), std::string::npos) << sent.error().message;
}

TEST(RunHook, FailsWhereTlsIsNotWhatItShouldBe) {
  OneAnswer server("200 OK");
  EXPECT_FALSE(RunHook(server.Url("https"), {}, milliseconds(3000)));
}

TEST(RunHook, FailsWhereNobodyListens) {
  const Status sent = RunHook("http://127.0.0.1:1/", {}, milliseconds(3000));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kUnreachable);
}

}  // namespace
}  // namespace drover
