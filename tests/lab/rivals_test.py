"""Second owners and meddlers; and what else VRRP does: groups, virtual MACs, links that go and come.

    tests/lab/lab --engine native -i tests/lab/inventories/vrrp.yml -- /usr/bin/python3 tests/lab/rivals_test.py [TEST…]
"""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from vrrp_case import MUTE, VrrpTest  # noqa: E402
from vrrp_tools import (ADDRESS, LINK_LOCAL, VIPS, VIPS6, Client, Drover, Echo, HostProcess, Wire, addresses,  # noqa: E402
                        instance, on, wait_until)


class Strangers(VrrpTest):
    """Second owners and meddlers."""

    def test_a_silent_second_owner_is_found_within_2_s(self):
        one = self.drover("d1", advert_interval_ms=1000)
        wait_until(one.is_master, 6, "d1 is master")
        time.sleep(1.5)
        mac = on("d2", "cat /sys/class/net/eth0/address")
        began = time.monotonic()
        on("d2", f"ip addr add {VIPS[0]}/32 dev eth0")
        wait_until(lambda: one.events("rival"), 3, "it is noticed")
        at, text = one.events("rival")[0]
        print(f"    found after {at - began:.2f} s", file=sys.stderr)
        self.assertLess(at - began, 2.0)
        self.assertEqual(text, f"web {VIPS[0]} {mac}: announced again")
        self.assertTrue(one.is_master())

    def test_a_silent_second_owner_of_an_ipv6_address_is_found_within_2_s(self):
        one = self.drover("d1", addresses=[f"{VIPS6[1]}/128"], source_address=LINK_LOCAL["d1"])
        wait_until(one.is_master, 6, "d1 is master")
        time.sleep(1.5)
        mac = on("d2", "cat /sys/class/net/eth0/address")
        began = time.monotonic()
        on("d2", f"ip addr add {VIPS6[1]}/128 dev eth0 nodad")
        wait_until(lambda: one.events("rival"), 3, "it is noticed")
        at, text = one.events("rival")[0]
        self.assertLess(at - began, 2.0)
        self.assertEqual(text, f"web {VIPS6[1]} {mac}: announced again")

    def test_a_deleted_ipv6_address_is_set_again(self):
        one = self.drover("d1", addresses=[f"{VIPS6[1]}/128"], source_address=LINK_LOCAL["d1"])
        wait_until(one.is_master, 6, "d1 is master")
        on("d1", f"ip addr del {VIPS6[1]}/128 dev eth0")
        wait_until(lambda: one.events("repaired"), 0.5, "it is noticed")
        self.assertIn(VIPS6[1], addresses("d1"))

    def test_a_second_owner_makes_a_master_yield_if_its_rule_says_so(self):
        one, two = self.pair(advert_interval_ms=1000, first={"on_rival": "yield"})
        time.sleep(0.5)
        on("control", f"ip addr add {VIPS[0]}/32 dev eth0")
        try:
            wait_until(lambda: one.states() == {"web": "fault"}, 3, "d1 yields")
            wait_until(two.is_master, 3, "d2 takes over")
        finally:
            on("control", f"ip addr del {VIPS[0]}/32 dev eth0")
        self.assertTrue(any(text.endswith(": yielded") for _, text in one.events("rival")))

    def test_a_second_master_that_does_not_hear_us_is_found_within_2_s(self):
        one = self.drover("d1", advert_interval_ms=1000)
        wait_until(one.is_master, 6, "d1 is master")
        on("d2", MUTE.replace("&& nft add rule inet mute out meta l4proto 112 drop", ""))
        time.sleep(0.5)
        two = self.drover("d2", priority=100, advert_interval_ms=1000)
        wait_until(two.is_master, 6, "d2 hears nobody")
        began = time.monotonic()
        mac = on("d2", "cat /sys/class/net/eth0/address")
        wait_until(lambda: len(one.events("rival")) >= 1, 3, "it is noticed")
        self.assertLess(one.events("rival")[0][0] - began, 2.0)
        wait_until(lambda: any(ADDRESS["d2"] + " " + mac in text for _, text in one.events("rival")), 3, "with its MAC")
        self.assertTrue(one.is_master())

    def test_a_deleted_address_is_set_again_under_load(self):
        one = self.drover("d1", advert_interval_ms=1000)
        wait_until(one.is_master, 6, "d1 is master")
        self.keep(Echo("d1"))
        client = Client()
        time.sleep(1)
        on("d1", f"ip addr del {VIPS[0]}/32 dev eth0")
        time.sleep(1)
        client.stop()
        print(f"    {len(client.lost())} of {client.sent} lost, outage {client.outage() * 1000:.0f} ms", file=sys.stderr)
        self.assertIn(VIPS[0], addresses("d1"))
        self.assertEqual([text for _, text in one.events("repaired")], [f"web address {VIPS[0]}/32 on eth0"])
        self.assertLess(client.outage(), 0.1)
        self.assertTrue(one.is_master())

    def test_garbage_on_the_wire_is_counted_and_changes_nothing(self):
        one, two = self.pair(advert_interval_ms=1000)
        packets = ["31", "3133ff0200640000", "21339602000100000afa00640afa00650000000000000000",
                   "31349602006421f40afa00640afa0065", "3133ff020064ffff0afa00640afa0065", "32339602006400000afa00640afa0065"]
        sender = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)\n" \
                 "s.setsockopt(0, 33, 255)\ns.setsockopt(0, 32, socket.inet_aton('10.250.0.5'))\n" \
                 f"for p in {packets!r}:\n for _ in range(50): s.sendto(bytes.fromhex(p), ('224.0.0.18', 0))\n"
        HostProcess("control", "/usr/bin/python3 -", stdin=sender).wait()
        time.sleep(2.5)
        self.assertTrue(one.is_master())
        self.assertEqual(two.states(), {"web": "backup"})
        status = two.status()
        for reason in ("too_short", "version", "vrid", "checksum"):
            self.assertGreaterEqual(int(status.get(f"refused_{reason}", 0)), 50, f"{reason} in {status}")


class More(VrrpTest):
    """Groups, virtual MACs, links."""

    def test_members_of_a_group_move_together(self):
        inside = [f"{VIPS[1]}/32"]
        group = [{"name": "pair", "instances": ["outside", "inside"], "track": []}]

        def both(priority):
            return [instance(name="outside", vrid=51, priority=priority, advert_interval_ms=100, addresses=[f"{VIPS[0]}/32"]),
                    instance(name="inside", vrid=52, priority=priority, advert_interval_ms=100, addresses=inside)]

        one = self.keep(Drover("d1", *both(150), groups=group))
        wait_until(one.is_master, 3, "d1 is master of both")
        two = self.keep(Drover("d2", *both(100), groups=group))
        time.sleep(1)
        self.assertEqual(set(two.states().values()), {"backup"})
        one.yield_all()
        wait_until(two.is_master, 3, "d2 is master of both")
        wait_until(lambda: set(one.states().values()) == {"backup"}, 1, "d1 is backup of both")
        self.assertLessEqual(set(VIPS), addresses("d2"))

    def test_a_virtual_mac_moves_with_the_address(self):
        one, two = self.pair(advert_interval_ms=100, vmac=True)
        wire = self.keep(Wire("control"))
        on("control", f"ip neigh flush all; ping -c 1 -W 1 {VIPS[0]}")
        self.assertIn("00:00:5e:00:01:33", on("control", f"ip neigh show {VIPS[0]}"))
        time.sleep(0.5)
        self.assertEqual({advert.source_mac.hex() for advert in wire.adverts()}, {"00005e000133"})
        one.yield_all()
        wait_until(two.is_master, 2, "d2 took over")
        on("control", f"ping -c 3 -i 0.2 -W 1 {VIPS[0]}")
        macs = {arp.sender_mac.hex() for arp in wire.arps() if arp.sender == VIPS[0]}
        self.assertEqual(macs, {"00005e000133"}, "nobody answers with the MAC of a card")
        two.hand_over()
        self.assertNotIn("vrrp4", on("d2", "ip -o link"), "the virtual link goes with the speaker")

    def test_an_interface_that_goes_and_comes_is_followed(self):
        one, two = self.pair(advert_interval_ms=100)
        on("d1", "ip link set eth0 down")
        wait_until(lambda: one.states() == {"web": "fault"}, 0.5, "d1 notices at once")
        wait_until(two.is_master, 2, "d2 takes over")
        on("d1", "ip link set eth0 up")
        on("d1", f"ip addr add {LINK_LOCAL['d1']}/64 dev eth0 nodad")  # went with the interface
        wait_until(one.is_master, 3, "d1 comes back")
        wait_until(lambda: two.states() == {"web": "backup"}, 1, "d2 lets go")


if __name__ == "__main__":
    unittest.main(verbosity=2)
