"""VRRP with Debian's keepalived as the peer, in both directions, and byte by byte.

    tests/lab/lab --engine native -i tests/lab/inventories/vrrp.yml -- /usr/bin/python3 tests/lab/interop_test.py [TEST…]
"""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from vrrp_case import LATE, MUTE, UNMUTE, VrrpTest, down_interval  # noqa: E402
from vrrp_tools import ADDRESS, LINK_LOCAL, VIPS, VIPS6, Wire, addresses, instance, link, on, wait_until  # noqa: E402


def unicast_peer(host):
    return [address for other, address in ADDRESS.items() if other != host]


def kinds(host):
    """The ways to speak that both must share, by name: settings of an instance on HOST."""
    v6 = [f"{vip}/{'64' if vip.startswith('fe80') else '128'}" for vip in VIPS6]
    return {
        "v2": {"version": 2},
        "v2 PASS": {"version": 2, "password": "1111"},
        "v3": {"advert_interval_ms": 100},
        "v3 unicast": {"advert_interval_ms": 100, "unicast_peers": unicast_peer(host)},
        "v3 IPv6": {"advert_interval_ms": 100, "addresses": v6, "source_address": LINK_LOCAL[host]},
    }


class Interop(VrrpTest):
    """With keepalived as the peer, in both directions."""

    def speakers(self, kind, drover_on, priorities):
        made = {}
        for host in ("d1", "d2"):
            settings = kinds(host)[kind] | {"priority": priorities[host]}
            made[host] = self.drover(host, **settings) if host == drover_on else self.keepalived(host, **settings)
        return made["d1"], made["d2"]

    def story(self, kind, drover_on):
        """Election, failover and failback; d1 is the one with the greater priority."""
        d1, d2 = self.speakers(kind, drover_on, {"d1": 150, "d2": 100})
        slow = down_interval(instance(priority=100, **kinds("d2")[kind]))
        self.expect_master(d1, d2, 2 * slow + 3, "the greater priority wins the election")
        wire = self.keep(Wire("d2"))
        link("d1", "down")
        try:
            wait_until(d2.is_master, slow + 2, "the backup takes over")
        finally:
            link("d1", "up")
        self.expect_master(d1, d2, 2 * slow + 4, "the greater priority comes back")
        time.sleep(0.5)
        speakers = {advert.priority for advert in wire.adverts() if advert.at > time.time() - 0.4}
        self.assertLessEqual(speakers, {150}, "one master speaks")

    def tie(self, kind, drover_on):
        """Both were master while they did not hear each other; d2 has the greater address."""
        on("d1", MUTE)
        d1, d2 = self.speakers(kind, drover_on, {"d1": 100, "d2": 100})
        slow = down_interval(instance(priority=100, **kinds("d2")[kind]))
        wait_until(lambda: d1.is_master() and d2.is_master(), 2 * slow + 3, "both are master")
        on("d1", UNMUTE)
        self.expect_master(d2, d1, slow + 2, "of equal priorities the greater address stays")


def _add_interop():
    for kind in kinds("d1"):
        for host, role in (("d1", "drover_is_master"), ("d2", "keepalived_is_master")):
            name = f"{kind.replace(' ', '_').lower()}_{role}"
            setattr(Interop, f"test_story_{name}", lambda self, k=kind, h=host: self.story(k, h))
            setattr(Interop, f"test_tie_{name.replace('is_master', 'is_the_lesser')}",
                    lambda self, k=kind, h=host: self.tie(k, h))


_add_interop()


class Golden(VrrpTest):
    """The bytes on the wire. Payloads as keepalived 2.2.7 sends them; checked by hand against RFC 9568 and RFC 3768."""

    V6_BODY = "fe800000000000000000000000000100" "20010db8000000000000000000000100"
    CASES = {
        "v2": ({"version": 2}, "213396020001320c0afa00640afa00650000000000000000"),
        "v2 PASS": ({"version": 2, "password": "1111"}, "213396020101cea90afa00640afa00653131313100000000"),
        "v3": ({"advert_interval_ms": 250}, "31339602001936660afa00640afa0065"),
        "v3 unicast": ({"unicast_peers": ["10.250.0.2"]}, "3133960200640b320afa00640afa0065"),
        "v3 IPv6": ({"addresses": ["fe80::100/64", "2001:db8::100/128"], "source_address": LINK_LOCAL["d1"]},
                    "3133960200640b53" + V6_BODY),
    }

    def advert_of(self, start, settings):
        speaker = start("d1", **settings)
        wire = Wire("d1")
        try:
            wait_until(lambda: any(advert.priority == 150 for advert in wire.adverts()), 8,
                       lambda: f"an advert; {speaker.process.lines[-20:]}")
            return next(advert for advert in wire.adverts() if advert.priority == 150)
        finally:
            wire.stop()
            speaker.stop()
            wait_until(lambda: not set(VIPS + VIPS6) & addresses("d1"), 5, "the addresses are gone")

    def test_both_send_the_golden_bytes_and_the_same_packet(self):
        for kind, (settings, want) in self.CASES.items():
            with self.subTest(kind):
                ours = self.advert_of(self.drover, settings)
                theirs = self.advert_of(self.keepalived, settings)
                self.assertEqual(ours.payload.hex(), want, "Drover's payload")
                self.assertEqual(theirs.payload.hex(), want, "keepalived's payload")
                self.assertEqual(ours.comparable().hex(), theirs.comparable().hex(), "header and payload")
                self.assertEqual((ours.ttl, theirs.ttl), (255, 255))
                if ours.v4:
                    self.assertNotEqual(ours.header[4:6], b"\0\0", "an identification of 0 would be replaced")

    def test_the_checksum_of_rfc_9568_can_be_chosen(self):
        advert = self.advert_of(self.drover, {"advert_interval_ms": 250, "checksum": "rfc9568"})
        self.assertEqual(advert.payload.hex(), "31339602001921f40afa00640afa0065")

    def test_a_gratuitous_arp_is_a_request_to_all_from_the_address_for_itself(self):
        wire = self.keep(Wire("control"))
        one = self.drover("d1", advert_interval_ms=100)
        wait_until(one.is_master, 3, "d1 is master")
        time.sleep(0.5)
        arps = [arp for arp in wire.arps() if arp.sender == arp.target == VIPS[0]]
        self.assertEqual(len(arps), 5, "announce.count")
        self.assertTrue(all(arp.is_request for arp in arps))
        first_advert = wire.adverts()[0]
        self.assertLess(first_advert.at, arps[0].at, "the advert goes out first")
        self.assertLess(arps[0].at - first_advert.at, LATE)

    def test_the_form_of_the_peers_checksum_is_taken_over_and_the_difference_counted(self):
        lesser = self.drover("d2", advert_interval_ms=100, priority=100, checksum="rfc9568")
        wait_until(lesser.is_master, 3, "d2 is master")
        wire = self.keep(Wire("control"))
        greater = self.drover("d1", advert_interval_ms=100, priority=150)
        wait_until(greater.is_master, 3, "d1 is master")
        time.sleep(0.5)
        plain = wire.adverts(ADDRESS["d1"])[-1]
        self.assertEqual(sum(int.from_bytes(plain.payload[i:i + 2], "big") for i in range(0, len(plain.payload), 2)) % 0xffff,
                         0, "without a pseudo-header")
        wait_until(lambda: int(greater.status().get("checksum_mismatch", 0)) > 0, 3, "the difference is counted")
        self.assertEqual(greater.status()["peer_checksum"], "rfc9568")


if __name__ == "__main__":
    unittest.main(verbosity=2)
