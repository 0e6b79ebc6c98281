// A CA and certificates made for a test, as files in a folder of its own.
#pragma once

#include <string>

namespace drover {

class TestCertificates {
 public:
  TestCertificates();  // makes the CA
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  // Certificate and key in one PEM file, signed by the CA, valid from `from_days` to `to_days` from
  // now. `names` as OpenSSL writes them: "DNS:www.example.com,IP:127.0.0.1".
  std::string Make(const std::string& names, int from_days, int to_days);
  [[nodiscard]] std::string ca_file() const { return folder_ + "/ca.pem"; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  int made_ = 0;
};

}  // namespace drover
