#include "node-helper/net/ipvs_sync_codec.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

SyncDaemon Master() {
  SyncDaemon daemon;
  daemon.role = SyncRole::kMaster;
  daemon.interface = "eth0";
  daemon.sync_id = 11;
  return daemon;
}

// Golden bytes are those of a little-endian machine; the attributes are in host order.
TEST(IpvsSyncCodec, StartHasTheBytesOfTheKernelsHeader) {
  EXPECT_EQ(EncodeStartSyncDaemon(Master()),
            (Bytes{9,  1, 0, 0,                                       // NEW_DAEMON, version 1
                   56, 0, 3, 0x80,                                    // nested daemon
                   8,  0, 1, 0,    1,    0,    0,   0,                // master
                   9,  0, 2, 0,    'e',  't',  'h', '0', 0, 0, 0, 0,  // interface
                   8,  0, 3, 0,    11,   0,    0,   0,                // sync id
                   8,  0, 5, 0,    224,  0,    0,   81,               // group
                   6,  0, 7, 0,    0x90, 0x22, 0,   0,                // port 8848 in host order
                   5,  0, 8, 0,    1,    0,    0,   0}));             // TTL
}

TEST(IpvsSyncCodec, StopNamesTheRole) {
  EXPECT_EQ(EncodeStopSyncDaemon(SyncRole::kBackup),
            (Bytes{10, 1, 0, 0, 12, 0, 3, 0x80, 8, 0, 1, 0, 2, 0, 0, 0}));
  EXPECT_EQ(EncodeListSyncDaemons(), (Bytes{11, 1, 0, 0}));
}

TEST(IpvsSyncCodec, EncodedDaemonsAreDecoded) {
  for (const SyncRole role : {SyncRole::kMaster, SyncRole::kBackup}) {
    for (const char* group : {"224.0.0.81", "239.255.255.255", "ff02::81"}) {
      for (const std::uint16_t length : {0, 1, 1400, 65507}) {
        SyncDaemon daemon;
        daemon.role = role;
        daemon.interface = "bond0.123456789";
        daemon.sync_id = 255;
        daemon.group = IpAddress::Parse(group).value();
        daemon.port = 65535;
        daemon.ttl = 255;
        daemon.max_length = length;
        const auto decoded = DecodeSyncDaemon(EncodeStartSyncDaemon(daemon));
        ASSERT_TRUE(decoded) << decoded.error().message;
        EXPECT_EQ(*decoded, daemon) << Summary(*decoded);
      }
    }
  }
}

TEST(IpvsSyncCodec, OldKernelsThatTellThreeSettingsUseTheDefaults) {
  const Bytes bytes = {9, 1, 0,   0,   32,  0,   3, 0x80, 8, 0, 1, 0, 2, 0, 0,  0, 9, 0,
                       2, 0, 'e', 't', 'h', '0', 0, 0,    0, 0, 8, 0, 3, 0, 11, 0, 0, 0};
  const auto decoded = DecodeSyncDaemon(bytes);
  ASSERT_TRUE(decoded) << decoded.error().message;
  SyncDaemon want = Master();
  want.role = SyncRole::kBackup;
  EXPECT_EQ(*decoded, want);
}

TEST(IpvsSyncCodec, TruncationAtEveryByteIsAnError) {
  const Bytes whole = EncodeStartSyncDaemon(Master());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(DecodeSyncDaemon(ByteView(whole).first(size))) << size;
  }
}

TEST(IpvsSyncCodec, ForeignNumbersAreErrors) {
  Bytes role = EncodeStartSyncDaemon(Master());
  role[12] = 3;
  EXPECT_FALSE(DecodeSyncDaemon(role));
  Bytes id = EncodeStartSyncDaemon(Master());
  id[33] = 1;  // 256 + 11
  EXPECT_FALSE(DecodeSyncDaemon(id));
  EXPECT_FALSE(DecodeSyncDaemon(EncodeStopSyncDaemon(SyncRole::kMaster)));
  EXPECT_FALSE(DecodeSyncDaemon(EncodeListSyncDaemons()));
}

TEST(IpvsSyncCodec, DamagedBytesNeverCrash) {
  const Bytes good = EncodeStartSyncDaemon(Master());
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      Bytes bad = good;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ flip);
      refused += DecodeSyncDaemon(bad) ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace drover
