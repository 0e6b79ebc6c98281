// What every probe is to the engine: something that can be started again and again and brings one
// outcome each time. The engine keeps the time.
//
// One thread: the one that runs the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace drover {

// What one probe found.
struct CheckAnswer {
  enum class Kind : std::uint8_t {
    kOk,
    kFailed,
    kNotAsked  // this node lacks the means (descriptors, memory, a sysctl): says nothing about the
               // server
  };
  Kind kind = Kind::kFailed;
  std::string reason;  // unless ok; in words: "connection refused"
  std::optional<std::uint32_t> weight;

  static CheckAnswer Ok(std::optional<std::uint32_t> weight = std::nullopt) {
    return {Kind::kOk, {}, weight};
  }
  static CheckAnswer Failed(std::string reason) {
    return {Kind::kFailed, std::move(reason), std::nullopt};
  }
  static CheckAnswer NotAsked(std::string reason) {
    return {Kind::kNotAsked, std::move(reason), std::nullopt};
  }
  [[nodiscard]] bool ok() const { return kind == Kind::kOk; }
  bool operator==(const CheckAnswer&) const = default;
};

class Probe {
 public:
  using Done = std::function<void(const CheckAnswer&)>;

  virtual ~Probe() = default;  // ends what runs, without an outcome
  // Asks once. An outcome that is known at once is returned; else `done` is called later with it,
  // once. Not again before that.
  virtual std::optional<CheckAnswer> Start(Done done) = 0;
  // The time is up: ends what runs and says what that means. `done` will not be called.
  virtual CheckAnswer TimedOut() = 0;
};

}  // namespace drover
