"""Planned moves of a VIP: handover, failback, upgrade in place, settings of another form. Nothing is lost when somebody means it.

    tests/lab/lab --engine native -i tests/lab/inventories/vrrp.yml -- /usr/bin/python3 tests/lab/handover_test.py [TEST…]
"""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from vrrp_case import BESIDE_AN_INSTANCE, READING, VrrpTest  # noqa: E402
from vrrp_tools import ADDRESS, LINK_LOCAL, VIPS, VIPS6, Client, Echo, Owners, Wire, addresses, instance, on, wait_until  # noqa: E402


class Planned(VrrpTest):
    """Nothing is lost when somebody means it."""

    def under_load(self, act, interval_ms=1000, seconds=2.5, **both):
        one, two = self.pair(advert_interval_ms=interval_ms, **both)
        for host in ADDRESS:
            self.keep(Echo(host))
        owners = self.keep(Owners(VIPS[0]))
        client = Client()
        time.sleep(1)
        began = time.time()
        act(one, two)
        time.sleep(seconds)
        client.stop()
        print(f"    {len(client.lost())} of {client.sent} lost", file=sys.stderr)
        self.assertEqual(client.lost(), [], f"of {client.sent}, answered by {client.hosts()}")
        self.assertLess(owners.longest_gap(began, time.time() - 1.2), READING, "at every moment somebody owns it")
        return one, two, client

    def yielding(self, interval_ms):
        _, two, client = self.under_load(lambda one, _: one.yield_all(), interval_ms)
        self.assertEqual(client.hosts(), ["d1", "d2"])
        self.assertTrue(two.is_master())

    def test_yield_loses_nothing_at_1_s(self):
        self.yielding(1000)

    def test_yield_loses_nothing_at_100_ms(self):
        self.yielding(100)

    def test_stopping_loses_nothing(self):
        one, two, client = self.under_load(lambda one, _: one.hand_over())
        self.assertEqual(client.hosts(), ["d1", "d2"])
        self.assertFalse(one.process.running())
        self.assertNotIn(VIPS[0], addresses("d1", "lo"), "it lingered there")

    def test_failback_loses_nothing(self):
        def there_and_back(one, two):
            one.yield_all()
            wait_until(two.is_master, 3, "d2 took over")
            time.sleep(1)
            one.return_all()
            wait_until(one.is_master, 6, "d1 came back")

        _, two, client = self.under_load(there_and_back, 100)
        self.assertEqual(client.hosts(), ["d1", "d2"])
        self.assertEqual(two.states(), {"web": "backup"})

    def test_a_start_with_greater_priority_loses_nothing(self):
        two = self.drover("d2", priority=100, advert_interval_ms=100)
        wait_until(two.is_master, 3, "d2 is master")
        for host in ADDRESS:
            self.keep(Echo(host))
        client = Client()
        time.sleep(1)
        one = self.drover("d1", priority=150, advert_interval_ms=100)
        wait_until(one.is_master, 3, "d1 preempts")
        time.sleep(1)
        client.stop()
        self.assertEqual(client.lost(), [])
        self.assertEqual(client.hosts(), ["d2", "d1"])

    def upgrading(self, interval_ms):
        one, two, client = self.under_load(lambda one, _: one.upgrade(), interval_ms)
        self.assertEqual(client.hosts(), ["d1"])
        self.assertIn("went on after an upgrade in place", one.events("moved")[-1][1])
        self.assertEqual([text for _, text in two.events("moved")], ["web initialize -> backup: started"])

    def test_an_upgrade_in_place_is_no_transition_and_loses_nothing_at_1_s(self):
        self.upgrading(1000)

    def test_an_upgrade_in_place_is_no_transition_and_loses_nothing_at_100_ms(self):
        self.upgrading(100)

    def test_yield_and_return_lose_nothing_over_ipv6(self):
        settings = {host: {"addresses": [f"{VIPS6[1]}/128"], "source_address": LINK_LOCAL[host], "advert_interval_ms": 100}
                    for host in ADDRESS}
        one, two = self.pair(first=settings["d1"], second=settings["d2"])
        for host in ADDRESS:
            self.keep(Echo(host, VIPS6[1]))
            on(host, "ip -6 route add 2001:db8::/64 dev eth0")
        on("control", "ip -6 addr add 2001:db8::5/64 dev eth0 nodad")
        client = Client(VIPS6[1])
        time.sleep(1)
        one.yield_all()
        wait_until(two.is_master, 3, "d2 took over")
        time.sleep(1)
        one.return_all()
        wait_until(one.is_master, 3, "d1 came back")
        time.sleep(1)
        client.stop()
        on("control", "ip -6 addr del 2001:db8::5/64 dev eth0")
        for host in ADDRESS:
            on(host, "ip -6 route del 2001:db8::/64 dev eth0")
        self.assertEqual(client.lost(), [])
        self.assertEqual(client.hosts(), ["d1", "d2"])

    def test_settings_of_the_interface_are_left_to_the_playbook(self):
        settings = "cd /proc/sys/net/ipv4/conf/eth0; cat arp_ignore arp_announce promote_secondaries"
        self.addCleanup(on, "d1", BESIDE_AN_INSTANCE)
        on("d1", "sysctl -q -w net.ipv4.conf.eth0.arp_ignore=2 net.ipv4.conf.eth0.arp_announce=0")
        one = self.drover("d1", advert_interval_ms=100)
        wait_until(one.is_master, 3, "d1 is master")
        self.assertEqual(on("d1", settings).split(), ["2", "0", "1"])
        on("d1", "sysctl -q -w net.ipv4.conf.eth0.arp_announce=1")
        one.hand_over()
        self.assertEqual(on("d1", settings).split(), ["2", "1", "1"])

    def test_a_yield_without_a_peer_is_given_up(self):
        one = self.drover("d1", advert_interval_ms=100)
        wait_until(one.is_master, 3, "d1 is master")
        one.yield_all()
        wait_until(lambda: any("nobody took over" in text for _, text in one.events("problem")), 2, "it says so")
        self.assertTrue(one.is_master())
        self.assertIn(VIPS[0], addresses("d1"))

    def test_a_handover_to_keepalived_and_back_loses_nothing(self):
        one = self.drover("d1", advert_interval_ms=100)
        wait_until(one.is_master, 3, "d1 is master")
        peer = self.keepalived("d2", advert_interval_ms=100, priority=100)
        time.sleep(1.5)
        for host in ADDRESS:
            self.keep(Echo(host))
        client = Client()
        time.sleep(1)
        one.yield_all()
        wait_until(peer.is_master, 3, "keepalived took over")
        time.sleep(1)
        one.return_all()
        wait_until(one.is_master, 3, "Drover came back")
        time.sleep(1)
        client.stop()
        self.assertEqual(client.lost(), [])
        self.assertEqual(client.hosts(), ["d1", "d2"])

    def test_another_form_is_rolled_out_without_a_second_master(self):
        one, two = self.pair(advert_interval_ms=1000)
        wire = self.keep(Wire("control"))
        new = {"version": 2, "password": "secret"}
        one.reconfigure(instance(priority=150, **new))
        time.sleep(2)
        two.reconfigure(instance(priority=100, **new))
        time.sleep(2)
        self.assertEqual({advert.payload[0] for advert in wire.adverts()}, {0x31}, "the old form until it is settled")
        settled = time.time()
        two.settle()
        one.settle()
        time.sleep(5)
        self.assertEqual({advert.payload[0] for advert in wire.adverts(since=settled + 1.5)}, {0x21})
        self.assertEqual({advert.source for advert in wire.adverts()}, {ADDRESS["d1"]}, "the backup never spoke")
        self.assertEqual(one.states() | two.states(), {"web": "backup"})
        self.assertTrue(one.is_master())


if __name__ == "__main__":
    unittest.main(verbosity=2)
