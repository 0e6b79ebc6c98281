// https against servers with good and bad certificates of a CA of the test's own.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <mutex>

#include "tests/node-helper/checks/ask_once.h"
#include "tests/node-helper/checks/certificates.h"
#include "tests/node-helper/checks/servers.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

// Speaks TLS with the certificate of a file, answers 200 and remembers the name it was asked for.
class TlsServer {
 public:
  explicit TlsServer(const std::string& pem)
      : context_(SSL_CTX_new(TLS_server_method())), server_([this](int fd) { Serve(fd); }) {
    SSL_CTX_use_certificate_file(context_, pem.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context_, pem.c_str(), SSL_FILETYPE_PEM);
  }
  ~TlsServer() { SSL_CTX_free(context_); }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  [[nodiscard]] Endpoint at() const { return server_.at(); }
  std::string asked_for() {
    const std::lock_guard lock(mutex_);
    return asked_for_;
  }

 private:
  void Serve(int fd) {
    SSL* tls = SSL_new(context_);
    SSL_set_fd(tls, fd);
    if (SSL_accept(tls) == 1) {
      const char* name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
      {
        const std::lock_guard lock(mutex_);
        asked_for_ = name == nullptr ? "" : name;
      }
      std::array<char, 4096> request;
      if (SSL_read(tls, request.data(), request.size()) > 0) {
        const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalive";
        SSL_write(tls, answer.data(), static_cast<int>(answer.size()));
      }
      HoldOpen(fd);
    }
    SSL_free(tls);
  }

  SSL_CTX* context_;
  std::mutex mutex_;
  std::string asked_for_;
  TcpServer server_;
};

class Https : public ::testing::Test {
 protected:
  HttpCheck Verified(const std::string& host) {
    return {.tls = true,
            .host = host,
            .body_regex = "^alive$",
            .tls_verify = true,
            .tls_ca = certificates_.ca_file()};
  }
  TestCertificates certificates_;
};

TEST_F(Https, AGoodCertificateOfOurCaIsTaken) {
  TlsServer server(certificates_.Make("DNS:www.example.com", -1, 1));
  EXPECT_EQ(AskStream(server.at(), Verified("www.example.com")), CheckAnswer::Ok());
  EXPECT_EQ(server.asked_for(), "www.example.com");
  EXPECT_EQ(AskStream(server.at(), Verified("www.example.com:8443")), CheckAnswer::Ok())
      << "a Host header may name the port";
}

TEST_F(Https, WithoutAHostTheAddressIsVerified) {
  TlsServer server(certificates_.Make("IP:127.0.0.1", -1, 1));
  EXPECT_EQ(AskStream(server.at(), Verified("")), CheckAnswer::Ok());
  EXPECT_EQ(server.asked_for(), "");
  TlsServer named(certificates_.Make("DNS:www.example.com", -1, 1));
  EXPECT_EQ(AskStream(named.at(), Verified("")),
            CheckAnswer::Failed("certificate is not for 127.0.0.1"));
}

TEST_F(Https, BadCertificatesAreRefusedInWords) {
  struct Case {
    std::string names;
    int from_days;
    int to_days;
    std::string reason;
  };
  const std::vector<Case> cases = {
      {"DNS:www.example.com", -9, -1, "certificate expired"},
      {"DNS:www.example.com", 1, 9, "certificate not valid yet"},
      {"DNS:www.example.org", -1, 1, "certificate is not for www.example.com"},
  };
  for (const Case& c : cases) {
    TlsServer server(certificates_.Make(c.names, c.from_days, c.to_days));
    EXPECT_EQ(AskStream(server.at(), Verified("www.example.com")), CheckAnswer::Failed(c.reason));
    EXPECT_EQ(AskStream(server.at(), HttpCheck{.tls = true}), CheckAnswer::Ok())
        << "without tls_verify only serving counts";
  }
  TestCertificates stranger;
  TlsServer server(stranger.Make("DNS:www.example.com", -1, 1));
  const std::string reason = AskStream(server.at(), Verified("www.example.com")).reason;
  EXPECT_EQ(reason.find("certificate not trusted: "), 0U) << reason;
}

TEST_F(Https, SniMayDifferFromTheHost) {
  TlsServer server(certificates_.Make("DNS:www.example.com", -1, 1));
  HttpCheck check = Verified("www.example.com");
  check.sni = "front.example.com";
  EXPECT_EQ(AskStream(server.at(), check), CheckAnswer::Ok());
  EXPECT_EQ(server.asked_for(), "front.example.com");
}

TEST_F(Https, AServerWithoutTlsFailsInWords) {
  const TcpServer plain([](int fd) {
    Write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
    HoldOpen(fd);
  });
  const CheckAnswer outcome = AskStream(plain.at(), HttpCheck{.tls = true});
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.reason.find("no TLS handshake: "), 0U) << outcome.reason;
  const TcpServer closes([](int) {});
  EXPECT_FALSE(AskStream(closes.at(), HttpCheck{.tls = true}).ok());
  const TcpServer silent(HoldOpen);
  EXPECT_EQ(AskStream(silent.at(), HttpCheck{.tls = true}, milliseconds(200)),
            CheckAnswer::Failed("connected, but no TLS handshake: no answer in 200ms"));
}

TEST_F(Https, ACaThatIsMissingIsNamed) {
  HttpCheck check = Verified("www.example.com");
  check.tls_ca = "/no/such/ca.pem";
  EXPECT_EQ(AskStream(ClosedPort(), check).reason,
            "CA file /no/such/ca.pem: No such file or directory");
}

}  // namespace
}  // namespace drover
