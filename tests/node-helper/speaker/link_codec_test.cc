// What the speaker's rtnetlink makes of link messages.

#include <gtest/gtest.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cstring>

#include "node-helper/net/vrrp_netlink.h"

namespace drover {
namespace {

Bytes LinkMessage(unsigned flags) {
  ifinfomsg header{};
  header.ifi_type = ARPHRD_ETHER;
  header.ifi_index = 7;
  header.ifi_flags = flags;
  Bytes message(sizeof header);
  std::memcpy(message.data(), &header, sizeof header);
  AttributeWriter writer(message);
  writer.PutText(IFLA_IFNAME, "vrrp4.51.2");
  writer.Put(IFLA_ADDRESS, MacAddress{0x00, 0x00, 0x5e, 0x00, 0x01, 51});
  writer.PutU32(IFLA_LINK, 2);
  return message;
}

TEST(VrrpNetlink, ALinkIsReadWithItsNameMacAndParent) {
  const auto link = DecodeLink(LinkMessage(IFF_UP | IFF_RUNNING));
  ASSERT_TRUE(link);
  EXPECT_EQ(*link, (LinkFact{.index = 7,
                             .name = "vrrp4.51.2",
                             .up = true,
                             .carrier = true,
                             .ethernet = true,
                             .mac = {0x00, 0x00, 0x5e, 0x00, 0x01, 51},
                             .parent = 2}));
}

TEST(VrrpNetlink, CarrierNeedsBothFlags) {
  EXPECT_FALSE(DecodeLink(LinkMessage(IFF_RUNNING))->carrier);
  EXPECT_FALSE(DecodeLink(LinkMessage(IFF_UP))->carrier);
  EXPECT_TRUE(DecodeLink(LinkMessage(IFF_UP))->up);
}

TEST(VrrpNetlink, ACutMessageIsAnErrorOrLacksWhatWasCut) {
  const Bytes whole = LinkMessage(IFF_UP);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto link = DecodeLink(ByteView(whole).first(size));
    if (link) {
      EXPECT_NE(*link, *DecodeLink(whole)) << size;
    }
  }
}

}  // namespace
}  // namespace drover
