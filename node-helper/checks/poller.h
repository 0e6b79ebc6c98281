// Readiness of the sockets of many short probes, by an epoll set of its own inside the loop: one
// system call to add a socket, none to remove one (closing does), and the events of many sockets in
// one turn.
//
// One thread: the one that runs the loop.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace drover {

class Poller {
 public:
  // Who waits for a socket.
  class Watcher {
   public:
    // `events` as epoll says them, when they change (EPOLLET). The watcher may go in it.
    virtual void Ready(std::uint32_t events) = 0;

   protected:
    ~Watcher() = default;
  };
  using Ticket = std::uint64_t;

  explicit Poller(boost::asio::io_context& loop);
  ~Poller();

  // From now on `watcher` is told, until Forget. 0: errno says why not.
  Ticket Add(int fd, std::uint32_t events, Watcher& watcher);
  // The caller closes the socket, or takes it out of the set with Remove before.
  void Forget(Ticket ticket);
  void Remove(int fd, Ticket ticket);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace drover
