// Hears from the kernel at once when a link goes up or down, comes or vanishes, and when an address
// is taken away. What is made of it is left to the listener.
//
// One thread at a time. Nothing waits: the descriptor tells when there is something to read.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "node-helper/net/netlink_attributes.h"
#include "protocol/result.h"

namespace drover {

// What has happened since the last look.
struct LinkNews {
  std::set<std::string> links;  // that are up or down now and were not before, or have gone
  bool address_lost = false;    // an address was removed, or expired
  bool link_came = false;       // one that was not there before
  bool missed = false;          // more came than the socket holds: anything may have changed

  [[nodiscard]] bool empty() const {
    return links.empty() && !address_lost && !link_came && !missed;
  }
};

class LinkMonitor {
 public:
  // All links of the network namespace of this thread are known when it returns.
  static Result<std::unique_ptr<LinkMonitor>> Open();
  ~LinkMonitor();
  LinkMonitor(const LinkMonitor&) = delete;
  LinkMonitor& operator=(const LinkMonitor&) = delete;

  [[nodiscard]] int fd() const { return socket_; }
  LinkNews Read();
  // Exists, is set up and has carrier.
  [[nodiscard]] bool IsUp(const std::string& interface) const;

 private:
  struct Link {
    std::string name;
    bool up = false;
  };
  explicit LinkMonitor(int socket) : socket_(socket) {}
  Status AskForLinks();
  void TakeMessages(ByteView bytes, LinkNews& news);
  void TakeLink(bool gone, ByteView payload, LinkNews& news);

  int socket_;
  std::map<int, Link> links_;
};

}  // namespace drover
