#include "tests/node-helper/checks/certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace drover {
namespace {

struct Free {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* x) const { EVP_PKEY_free(x); }
  void operator()(std::FILE* x) const { std::fclose(x); }
};
using Certificate = std::unique_ptr<X509, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;
using File = std::unique_ptr<std::FILE, Free>;

constexpr long kDay = 24 * 3600;

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  if (extension == nullptr) std::abort();
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate NewCertificate(EVP_PKEY* key, const char* name, const X509* issuer, EVP_PKEY* signer,
                           int from_days, int to_days, int nid, const std::string& extension) {
  static long serial = 1;
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from_days * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to_days * kDay);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate.get(),
                       X509_get_subject_name(issuer == nullptr ? certificate.get() : issuer));
  AddExtension(certificate.get(), nid, extension);
  X509_sign(certificate.get(), signer, EVP_sha256());
  return certificate;
}

void Save(const std::string& path, X509* certificate, EVP_PKEY* key) {
  const File file(std::fopen(path.c_str(), "w"));
  PEM_write_X509(file.get(), certificate);
  PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
}

}  // namespace

TestCertificates::TestCertificates() {
  std::array<char, 32> name = {"/tmp/drover-tls-test-XXXXXX"};
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  folder_ = name.data();
  const Key key(EVP_EC_gen("P-256"));
  const Certificate ca = NewCertificate(key.get(), "Test CA", nullptr, key.get(), -10, 10,
                                        NID_basic_constraints, "critical,CA:TRUE");
  Save(ca_file(), ca.get(), key.get());
}

TestCertificates::~TestCertificates() {
  for (int i = 1; i <= made_; ++i) {
    ::unlink((folder_ + "/" + std::to_string(i) + ".pem").c_str());
  }
  ::unlink(ca_file().c_str());
  ::rmdir(folder_.c_str());
}

std::string TestCertificates::Make(const std::string& names, int from_days, int to_days) {
  const File file(std::fopen(ca_file().c_str(), "r"));
  const Certificate ca(PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  const Key signer(PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr));
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = NewCertificate(key.get(), "server", ca.get(), signer.get(),
                                                 from_days, to_days, NID_subject_alt_name, names);
  std::string path = folder_ + "/" + std::to_string(++made_) + ".pem";
  Save(path, certificate.get(), key.get());
  return path;
}

}  // namespace drover
