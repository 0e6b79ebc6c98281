// Stands between libssh and ssh-agent: libssh waits for the agent without end and offers every key
// the agent holds, which uses up the tries that a server grants. The relay offers the keys it is
// told to, and ends the wait at a deadline or when the bell rings.
//
// Belongs to one thread; while a login goes on it runs a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "orchestrator/ssh/wait.h"
#include "protocol/result.h"

namespace drover {

struct AgentKey {
  std::string blob;  // public key in wire form
  std::string comment;
  bool operator==(const AgentKey&) const = default;
};

// The two messages of the agent protocol (draft-miller-ssh-agent, 4.4) that the relay reads and
// writes itself.
Result<std::vector<AgentKey>> ParseIdentitiesAnswer(std::string_view message);
std::string IdentitiesAnswer(const std::vector<AgentKey>& keys);

class AgentRelay {
 public:
  // Connects to the agent and asks which keys it holds.
  static Result<std::unique_ptr<AgentRelay>> Open(const std::string& socket_path, const Bell& bell,
                                                  Deadline deadline);
  AgentRelay(UniqueFd agent, std::vector<AgentKey> keys, const Bell& bell)
      : agent_(std::move(agent)), keys_(std::move(keys)), bell_(bell) {}
  AgentRelay(const AgentRelay&) = delete;
  AgentRelay& operator=(const AgentRelay&) = delete;
  ~AgentRelay() { Stop(); }

  [[nodiscard]] const std::vector<AgentKey>& keys() const { return keys_; }
  // A socket that speaks the agent protocol and holds only `keys`; the caller owns it. Valid until
  // Stop or the next call.
  Result<UniqueFd> Offer(const std::vector<AgentKey>& keys);
  void Stop();

 private:
  void Relay(int client, const std::vector<AgentKey>& keys) const;

  UniqueFd agent_;
  std::vector<AgentKey> keys_;
  const Bell& bell_;
  std::unique_ptr<Bell> stop_;
  std::thread thread_;
};

}  // namespace drover
