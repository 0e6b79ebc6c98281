#include "node-helper/checks/tls_contexts.h"

#include <openssl/ssl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <utility>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/ssl/context.hpp>

namespace drover {
namespace {

namespace ssl = boost::asio::ssl;

// Where the distributions keep the CAs that they trust.
constexpr std::array kSystemCas = {"/etc/ssl/certs/ca-certificates.crt",
                                   "/etc/pki/tls/certs/ca-bundle.crt",
                                   "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                                   "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

Result<std::int64_t> ChangeOf(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return Fail(ErrnoError(errno, "CA file " + file));
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

Result<std::string> SystemCas() {
  for (const char* file : kSystemCas) {
    if (ChangeOf(file)) return std::string(file);
  }
  return Fail(ErrorCode::kNotFound, "this node has no file of trusted CAs; name one with tls_ca");
}

}  // namespace

Result<TlsContexts::Context> TlsContexts::For(bool verify, const std::string& ca_file) {
  // A static program cannot load what the system's openssl.cnf may name. Not before TLS is needed:
  // it takes room.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  std::string file;
  std::int64_t changed = 0;
  if (verify) {
    auto named = ca_file.empty() ? SystemCas() : Result<std::string>(ca_file);
    if (!named) return Fail(named.error());
    file = *named;
    const auto known = ChangeOf(file);
    if (!known) return Fail(known.error());
    changed = *known;
  }
  Entry& entry = contexts_[{verify, file}];
  if (entry.context && entry.changed_ns == changed) return entry.context;
  boost::system::error_code error;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  if (verify) {
    context->set_verify_mode(ssl::verify_peer, error);
    if (!error) context->load_verify_file(file, error);
  } else {
    context->set_verify_mode(ssl::verify_none, error);
    SSL_CTX_set_security_level(context->native_handle(), 0);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_VERSION);
  }
  if (error) return Fail(ErrorCode::kInvalid, "CA file " + file + ": " + error.message());
  entry = {std::move(context), changed};
  return entry.context;
}

}  // namespace drover
