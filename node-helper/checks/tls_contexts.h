// What all TLS connections of the probes share: one context for each way of verifying.
//
// One thread: the one that runs the loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "protocol/result.h"

namespace boost::asio::ssl {
class context;
}

namespace drover {

class TlsContexts {
 public:
  using Context = std::shared_ptr<boost::asio::ssl::context>;

  // Without `verify` every certificate will do, and old protocols as well: the question is whether
  // the server serves. `ca_file` empty: the system's. A file that changed is read again.
  Result<Context> For(bool verify, const std::string& ca_file);

 private:
  struct Entry {
    Context context;
    std::int64_t changed_ns = 0;  // the file's time of change
  };
  std::map<std::pair<bool, std::string>, Entry> contexts_;
};

}  // namespace drover
