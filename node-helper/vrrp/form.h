// The form of an instance's adverts and how it changes while peers still have the other one
// (SpeaksDifferently): both are accepted at once, the old one is sent until the run has settled,
// and it is accepted as long as somebody is heard in it.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node-helper/vrrp/instance.h"
#include "node-helper/vrrp/packet.h"
#include "protocol/vrrp_settings.h"

namespace drover::vrrp {

// What peers must agree on to understand each other.
struct Form {
  Version version = Version::k3;
  std::uint8_t vrid = 1;
  Centiseconds interval{100};
  AuthType auth = AuthType::kNone;
  std::string password;
  std::vector<IpAddress> peers;  // unicast; empty: multicast

  bool operator==(const Form&) const = default;
};
Form FormOf(const VrrpInstance& instance);

// After settling, the old form is forgotten when nobody was heard in it for so long.
inline constexpr std::chrono::seconds kForgetOldForm{15};

class FormBook {
 public:
  explicit FormBook(Form form) : sent_(std::move(form)) {}

  // The settings are others now. `understood`: peers with the old ones understand the new form, so
  // there is nothing to wait for.
  void Change(const Form& wanted, bool understood);
  // Everybody accepts the new form: send it. False when there was nothing to settle.
  bool Settle(Time now);
  // An advert in this form was accepted.
  void Heard(const Form& form, Time now);

  [[nodiscard]] const Form& sent() const { return sent_; }
  [[nodiscard]] bool two_phase() const { return next_.has_value(); }
  // What to send after settling; what is sent now, when there is nothing to settle.
  [[nodiscard]] const Form& wanted() const { return next_ ? *next_ : sent_; }
  // The form that is sent comes first.
  [[nodiscard]] std::vector<Form> Accepted(Time now) const;
  // Some accepted form goes to the multicast group; an old one counts until the next settling.
  [[nodiscard]] bool Multicast() const;
  // Some accepted form has this id.
  [[nodiscard]] bool Knows(std::uint8_t vrid, Time now) const;

 private:
  Form sent_;
  std::optional<Form> next_;
  std::optional<Form> old_;
  Time old_until_{};
};

}  // namespace drover::vrrp
