#include "node-helper/net/ipvs_codec.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

IpAddress Ip(const std::string& text) { return IpAddress::Parse(text).value(); }

VirtualService Web() {
  VirtualService service;
  service.key = SocketKey{Transport::kTcp, Ip("10.0.0.100"), 80};
  service.scheduler = "rr";
  return service;
}

Destination Real(const std::string& address) {
  Destination destination;
  destination.address = Ip(address);
  destination.port = 80;
  return destination;
}

// Golden bytes are those of a little-endian machine; the attributes are in host order.
const Bytes kWebKey = {
    6,  0, 1, 0, 2,  0,  0, 0,                                        // AF_INET
    6,  0, 2, 0, 6,  0,  0, 0,                                        // TCP
    20, 0, 3, 0, 10, 0,  0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // address
    6,  0, 4, 0, 0,  80, 0, 0,                                        // port, network order
};

Bytes Joined(const std::vector<Bytes>& parts) {
  Bytes whole;
  for (const Bytes& part : parts) whole.insert(whole.end(), part.begin(), part.end());
  return whole;
}

TEST(IpvsCodec, AddServiceHasTheBytesOfTheKernelsHeader) {
  VirtualService service = Web();
  service.persistence = Persistence{std::chrono::seconds(50), 24, ""};
  EXPECT_EQ(EncodeAddService(service),
            Joined({{1, 1, 0, 0},      // NEW_SERVICE, version 1
                    {84, 0, 1, 0x80},  // nested service
                    kWebKey,
                    {7, 0, 6, 0, 'r', 'r', 0, 0},                       // scheduler
                    {12, 0, 7, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},  // persistent; all flags
                    {8, 0, 8, 0, 50, 0, 0, 0},                          // timeout
                    {8, 0, 9, 0, 255, 255, 255, 0}}));                  // netmask, network order
}

TEST(IpvsCodec, RemoveServiceCarriesOnlyItsKey) {
  EXPECT_EQ(EncodeRemoveService(Web().key), Joined({{3, 1, 0, 0}, {48, 0, 1, 0x80}, kWebKey}));
  EXPECT_EQ(EncodeRemoveService(FwmarkKey{7, Family::kIpv6}),
            (Bytes{3, 1, 0, 0, 20, 0, 1, 0x80, 6, 0, 1, 0, 10, 0, 0, 0, 8, 0, 5, 0, 7, 0, 0, 0}));
}

TEST(IpvsCodec, AddDestinationHasTheBytesOfTheKernelsHeader) {
  Destination destination = Real("10.0.0.11");
  destination.weight = 3;
  destination.upper_threshold = 256;
  destination.lower_threshold = 1;
  EXPECT_EQ(EncodeAddDestination(Web().key, destination),
            Joined({{5, 1, 0, 0},
                    {48, 0, 1, 0x80},
                    kWebKey,
                    {72, 0, 2, 0x80},           // nested dest
                    {6, 0, 11, 0, 2, 0, 0, 0},  // AF_INET
                    {20, 0, 1, 0, 10, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                    {6, 0, 2, 0, 0, 80, 0, 0},
                    {8, 0, 3, 0, 3, 0, 0, 0},     // droute
                    {8, 0, 4, 0, 3, 0, 0, 0},     // weight
                    {8, 0, 5, 0, 0, 1, 0, 0},     // upper
                    {8, 0, 6, 0, 1, 0, 0, 0}}));  // lower
}

TEST(IpvsCodec, Ipv6NetmaskIsAPrefixLength) {
  VirtualService service = Web();
  service.key = SocketKey{Transport::kTcp, Ip("2001:db8::1"), 80};
  const Bytes plain = EncodeAddService(service);
  EXPECT_EQ(Bytes(plain.end() - 8, plain.end()), (Bytes{8, 0, 9, 0, 128, 0, 0, 0}));
  service.persistence = Persistence{std::chrono::seconds(1), 64, ""};
  const Bytes masked = EncodeAddService(service);
  EXPECT_EQ(Bytes(masked.end() - 8, masked.end()), (Bytes{8, 0, 9, 0, 64, 0, 0, 0}));
}

TEST(IpvsCodec, EncodedServicesAreDecoded) {
  std::vector<VirtualService> services;
  for (const ServiceKey& key :
       std::vector<ServiceKey>{SocketKey{Transport::kTcp, Ip("10.0.0.100"), 80},
                               SocketKey{Transport::kUdp, Ip("2001:db8::100"), 65535},
                               SocketKey{Transport::kSctp, Ip("10.0.0.100"), 0},
                               FwmarkKey{0xffffffff, Family::kIpv4}, FwmarkKey{1, Family::kIpv6}}) {
    VirtualService service;
    service.key = key;
    services.push_back(service);
    service.scheduler = "mh";
    service.scheduler_flags = {"flag-3", "mh-fallback", "mh-port"};
    service.one_packet = true;
    service.persistence = Persistence{std::chrono::seconds(2678400), 17, "sip"};
    services.push_back(service);
  }
  for (const VirtualService& service : services) {
    const auto decoded = DecodeService(EncodeAddService(service));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(*decoded, service) << ToString(service.key);
  }
}

TEST(IpvsCodec, KernelsOwnFlagIsNoSchedulerFlag) {
  VirtualService service = Web();
  Bytes bytes = EncodeAddService(service);
  bytes[4 + 4 + kWebKey.size() + 8 + 4] |= 0x02;  // IP_VS_SVC_F_HASHED
  const auto decoded = DecodeService(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, service);
}

TEST(IpvsCodec, NetmaskWithHolesIsNoLength) {
  VirtualService service = Web();
  service.persistence = Persistence{std::chrono::seconds(50), 24, ""};
  Bytes bytes = EncodeAddService(service);
  bytes[bytes.size() - 1] = 255;  // 255.255.255.255
  bytes[bytes.size() - 2] = 0;    // 255.255.0.255
  EXPECT_EQ(DecodeService(bytes).value().persistence->netmask_length, 0);
}

TEST(IpvsCodec, EncodedDestinationsAreDecoded) {
  for (const Forwarding forward : {Forwarding::kDr, Forwarding::kNat, Forwarding::kTun}) {
    for (const char* address : {"10.0.0.11", "2001:db8::11"}) {
      Destination destination = Real(address);
      destination.forward = forward;
      destination.weight = 65535;
      destination.upper_threshold = 4000000000;
      destination.lower_threshold = 7;
      const auto decoded =
          DecodeDestination(EncodeAddDestination(Web().key, destination), Family::kIpv4);
      ASSERT_TRUE(decoded) << decoded.error().message;
      EXPECT_EQ(*decoded, destination);
    }
  }
}

TEST(IpvsCodec, WrappingsHaveTheBytesOfTheKernelsHeader) {
  Destination destination = Real("10.0.0.11");
  destination.forward = Forwarding::kTun;
  const auto end = [&destination](const Wrapping& wrapping, std::ptrdiff_t size) {
    destination.tunnel = wrapping;
    const Bytes bytes = EncodeAddDestination(Web().key, destination);
    return Bytes(bytes.end() - size, bytes.end());
  };
  EXPECT_EQ(end({}, 8), (Bytes{5, 0, 13, 0, 0, 0, 0, 0}));  // the type, and nothing behind it
  EXPECT_EQ(end({TunnelKind::kGre}, 16), (Bytes{5, 0, 13, 0, 2, 0, 0, 0, 6, 0, 15, 0, 0, 0, 0, 0}));
  EXPECT_EQ(end({TunnelKind::kGue, 6080, TunnelChecksum::kFull}, 24),
            (Bytes{5, 0, 13, 0, 1,    0,    0, 0,     // type
                   6, 0, 15, 0, 1,    0,    0, 0,     // flags, host order
                   6, 0, 14, 0, 0x17, 0xC0, 0, 0}));  // port, network order
}

TEST(IpvsCodec, WrappingsAreReadAsTheyWereWritten) {
  for (const Wrapping& wrapping :
       {Wrapping{}, Wrapping{TunnelKind::kGre},
        Wrapping{TunnelKind::kGre, 0, TunnelChecksum::kFull}, Wrapping{TunnelKind::kGue, 6080},
        Wrapping{TunnelKind::kGue, 1, TunnelChecksum::kFull},
        Wrapping{TunnelKind::kGue, 65535, TunnelChecksum::kRemote}}) {
    Destination destination = Real("10.0.0.11");
    destination.forward = Forwarding::kTun;
    destination.tunnel = wrapping;
    const auto decoded =
        DecodeDestination(EncodeAddDestination(Web().key, destination), Family::kIpv4);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->tunnel, wrapping) << ToString(wrapping);
  }
}

TEST(IpvsCodec, DestinationOfAnOldKernelHasTheFamilyOfItsService) {
  Bytes bytes = EncodeAddDestination(Web().key, Real("10.0.0.11"));
  const std::size_t family_type = 4 + 4 + kWebKey.size() + 4 + 2;
  ASSERT_EQ(bytes[family_type], 11);
  bytes[family_type] = 99;  // an attribute we do not know
  EXPECT_EQ(DecodeDestination(bytes, Family::kIpv4).value(), Real("10.0.0.11"));
}

TEST(IpvsCodec, TruncationAtEveryByteIsAnError) {
  // Padding behind the last attribute may be missing; nothing else may.
  const Bytes service = EncodeAddService(Web());
  const Bytes destination = EncodeAddDestination(Web().key, Real("10.0.0.11"));
  for (std::size_t size = 0; size < service.size(); ++size) {
    EXPECT_FALSE(DecodeService(ByteView(service).first(size))) << size;
  }
  for (std::size_t size = 0; size < destination.size(); ++size) {
    EXPECT_FALSE(DecodeDestination(ByteView(destination).first(size), Family::kIpv4)) << size;
  }
}

TEST(IpvsCodec, MessagesWithoutAPartAreErrors) {
  EXPECT_FALSE(DecodeService(EncodeListServices()));
  EXPECT_FALSE(DecodeService(EncodeRemoveService(Web().key)));  // no settings
  EXPECT_FALSE(DecodeDestination(EncodeRemoveService(Web().key), Family::kIpv4));
  EXPECT_FALSE(
      DecodeDestination(EncodeRemoveDestination(Web().key, Real("10.0.0.11")), Family::kIpv4));
}

TEST(IpvsCodec, ForeignNumbersAreErrors) {
  Bytes family = EncodeAddService(Web());
  family[4 + 4 + 4] = 5;
  EXPECT_FALSE(DecodeService(family));
  Bytes protocol = EncodeAddService(Web());
  protocol[4 + 4 + 8 + 4] = 1;  // ICMP
  EXPECT_FALSE(DecodeService(protocol));
}

TEST(IpvsCodec, DamagedBytesNeverCrash) {
  VirtualService rich = Web();
  rich.persistence = Persistence{std::chrono::seconds(50), 24, "sip"};
  const Bytes good = EncodeAddService(rich);
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      Bytes bad = good;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ flip);
      refused += DecodeService(bad) ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace drover
