#include "node-helper/vrrp/form.h"

#include <utility>

namespace drover::vrrp {

Form FormOf(const VrrpInstance& instance) {
  Form form;
  form.version = instance.version == 2 ? Version::k2 : Version::k3;
  form.vrid = instance.vrid;
  form.interval = std::chrono::duration_cast<Centiseconds>(instance.advert_interval);
  if (form.version == Version::k2 && !instance.password.empty()) {
    form.auth = AuthType::kPassword;
    form.password = instance.password;
  }
  form.peers = instance.unicast_peers;
  return form;
}

void FormBook::Change(const Form& wanted, bool understood) {
  next_.reset();
  if (understood) {
    sent_ = wanted;
  } else if (wanted != sent_) {
    next_ = wanted;
  }
}

bool FormBook::Settle(Time now) {
  if (!next_) return false;
  old_ = std::exchange(sent_, *std::exchange(next_, std::nullopt));
  old_until_ = now + kForgetOldForm;
  return true;
}

void FormBook::Heard(const Form& form, Time now) {
  if (old_ && form == *old_) old_until_ = now + kForgetOldForm;
}

std::vector<Form> FormBook::Accepted(Time now) const {
  std::vector<Form> forms = {sent_};
  if (next_) forms.push_back(*next_);
  if (old_ && now < old_until_) forms.push_back(*old_);
  return forms;
}

bool FormBook::Multicast() const {
  return sent_.peers.empty() || (next_ && next_->peers.empty()) || (old_ && old_->peers.empty());
}

bool FormBook::Knows(std::uint8_t vrid, Time now) const {
  return sent_.vrid == vrid || (next_ && next_->vrid == vrid) ||
         (old_ && now < old_until_ && old_->vrid == vrid);
}

}  // namespace drover::vrrp
