#include "node-helper/undo/network_parts.h"

#include "node-helper/net/network_restore.h"

namespace drover {
namespace {

using RestoreNetwork = Status (*)(const NetworkSnapshot& before, const HeldElsewhere& held,
                                  std::vector<ChangeText>& done);

// Both remember the whole: routes cannot be told without the interfaces they name.
class NetworkPart : public UndoPart {
 public:
  NetworkPart(std::string name, HeldNow held, RestoreNetwork restore)
      : name_(std::move(name)), held_(std::move(held)), restore_(restore) {}

  [[nodiscard]] std::string name() const override { return name_; }
  Result<std::string> Capture() override {
    const auto snapshot = TakeNetworkSnapshot();
    if (!snapshot) return Fail(snapshot.error());
    return EncodeNetworkSnapshot(*snapshot);
  }
  Status Restore(const std::string& captured, std::vector<ChangeText>& done) override {
    const auto before = DecodeNetworkSnapshot(captured);
    if (!before) return Fail(before.error());
    return restore_(*before, held_(), done);
  }

 private:
  std::string name_;
  HeldNow held_;
  RestoreNetwork restore_;
};

}  // namespace

std::unique_ptr<UndoPart> MakeLinksPart(HeldNow held) {
  return std::make_unique<NetworkPart>("links", std::move(held), RestoreLinks);
}

std::unique_ptr<UndoPart> MakeRoutingPart(HeldNow held) {
  return std::make_unique<NetworkPart>("routing", std::move(held), RestoreRouting);
}

}  // namespace drover
