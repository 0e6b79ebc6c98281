#include "node-helper/checks/poller.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <utility>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace drover {
namespace {

using boost::asio::posix::stream_descriptor;

constexpr std::size_t kEventsPerTurn = 256;

}  // namespace

struct Poller::State : std::enable_shared_from_this<Poller::State> {
  // A ticket is the number of its place and how often the place was given away, so that an event
  // fetched for a watcher that went meanwhile finds nobody.
  struct Place {
    Watcher* watcher = nullptr;
    std::uint32_t turn = 1;
  };

  explicit State(boost::asio::io_context& loop) : set(loop, ::epoll_create1(EPOLL_CLOEXEC)) {}

  void Wait();
  void Deliver();

  stream_descriptor set;
  std::vector<Place> places;
  std::vector<std::uint32_t> free_places;
  bool closed = false;
};

void Poller::State::Wait() {
  set.async_wait(stream_descriptor::wait_read,
                 [self = shared_from_this()](const boost::system::error_code& error) {
                   if (error || self->closed) return;
                   self->Deliver();
                   if (!self->closed) self->Wait();
                 });
}

void Poller::State::Deliver() {
  std::array<epoll_event, kEventsPerTurn> events;
  const int ready =
      ::epoll_wait(set.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < ready && !closed; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const Place place = places[event.data.u64 & 0xFFFFFFFF];
    if (place.watcher != nullptr && place.turn == event.data.u64 >> 32) {
      place.watcher->Ready(event.events);
    }
  }
}

Poller::Poller(boost::asio::io_context& loop) : state_(std::make_shared<State>(loop)) {
  state_->Wait();
}

Poller::~Poller() {
  state_->closed = true;
  boost::system::error_code ignored;
  state_->set.close(ignored);
}

Poller::Ticket Poller::Add(int fd, std::uint32_t events, Watcher& watcher) {
  State& state = *state_;
  if (state.free_places.empty()) {
    state.free_places.push_back(static_cast<std::uint32_t>(state.places.size()));
    state.places.emplace_back();
  }
  const std::uint32_t number = state.free_places.back();
  State::Place& place = state.places[number];
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.u64 = std::uint64_t{place.turn} << 32 | number;
  if (::epoll_ctl(state.set.native_handle(), EPOLL_CTL_ADD, fd, &event) != 0) return 0;
  state.free_places.pop_back();
  place.watcher = &watcher;
  return event.data.u64;
}

void Poller::Forget(Ticket ticket) {
  const auto number = static_cast<std::uint32_t>(ticket & 0xFFFFFFFF);
  State::Place& place = state_->places[number];
  place.watcher = nullptr;
  if (++place.turn == 0) place.turn = 1;  // no ticket is 0
  state_->free_places.push_back(number);
}

void Poller::Remove(int fd, Ticket ticket) {
  ::epoll_ctl(state_->set.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
  Forget(ticket);
}

}  // namespace drover
