#include "node-helper/net/fou_netlink.h"

#include <linux/fou.h>
#include <linux/netlink.h>

#include <cerrno>

#include "node-helper/net/family_module.h"
#include "node-helper/net/fou_codec.h"

namespace drover {
namespace {

// The family has no alias by which the kernel could load it when it is asked for by name.
constexpr const char* kModule = "fou";

Status NotThere(const GueReceiver& receiver) {
  return Fail(ErrorCode::kNotFound, NameOf(receiver) + ": it is not there");
}

}  // namespace

Result<FouNetlink> FouNetlink::Open() {
  auto socket = NetlinkSocket::Open(NETLINK_GENERIC);
  if (!socket) return Fail(socket.error());
  return FouNetlink(std::move(*socket));
}

Result<std::vector<GueReceiver>> FouNetlink::List() {
  std::vector<GueReceiver> receivers;
  const auto family = socket_->FindFamily(FOU_GENL_NAME);
  if (!family) return Fail(family.error().In(kModule));
  if (!family->has_value()) return receivers;
  const auto messages = socket_->List(**family, EncodeListReceivers());
  if (!messages) return Fail(messages.error().In("receivers of gue"));
  for (const Bytes& message : *messages) {
    const auto receiver = DecodeReceiver(message);
    if (!receiver) return Fail(receiver.error());
    if (receiver->has_value()) receivers.push_back(**receiver);
  }
  return receivers;
}

Status FouNetlink::Add(const GueReceiver& receiver) {
  const std::string name = NameOf(receiver);
  const auto family = LoadFamily(*socket_, FOU_GENL_NAME, kModule);
  if (!family) return Fail(family.error().In(name));
  const auto verdict = socket_->Request(*family, 0, EncodeReceiver(receiver));
  if (!verdict) return Fail(verdict.error().In(name));
  switch (verdict->error_number) {
    case 0:
      return {};
    case EADDRINUSE:
    case EALREADY:
      return Fail(ErrorCode::kExists,
                  name + ": UDP port " + std::to_string(receiver.port) +
                      " of the node is taken, by a program (ss -ulpn) or by a receiver of another "
                      "kind (ip fou show)");
    default:
      return Fail(ErrorCode::kInternal, name + ": " + verdict->Reason());
  }
}

Status FouNetlink::Remove(const GueReceiver& receiver) {
  const auto family = socket_->FindFamily(FOU_GENL_NAME);
  if (!family) return Fail(family.error().In(NameOf(receiver)));
  if (!family->has_value()) return NotThere(receiver);
  const auto verdict = socket_->Request(**family, 0, EncodeReceiverRemoval(receiver));
  if (!verdict) return Fail(verdict.error().In(NameOf(receiver)));
  if (verdict->ok()) return {};
  if (verdict->error_number == EINVAL) return NotThere(receiver);  // fou_destroy: none on that port
  return Fail(ErrorCode::kInternal, NameOf(receiver) + ": " + verdict->Reason());
}

Status FouNetlink::CanLoad() { return CanLoadFamily(*socket_, FOU_GENL_NAME, kModule); }

}  // namespace drover
