"""Failover within the protocol's bound, and never two owners for longer than the lease: the tests of VRRP that measure.

    tests/lab/lab --engine native -i tests/lab/inventories/vrrp.yml -- /usr/bin/python3 tests/lab/failover_test.py [TEST…]
"""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from vrrp_case import FENCED, LATE, VrrpTest, down_interval  # noqa: E402
from vrrp_tools import ADDRESS, VIPS, Client, Echo, Owners, Wire, addresses, instance, link, wait_until  # noqa: E402


class Faults(VrrpTest):
    """Failover within the protocol's bound, and never two owners for longer than the lease."""

    def takeover(self, interval_ms, crash):
        """Crashes d1 and returns (seconds from its last advert to the first one of d2, the bound)."""
        _, two = self.pair(advert_interval_ms=interval_ms)
        wire = self.keep(Wire("d2"))
        time.sleep(2.3 * interval_ms / 1000)
        crash(self._cleanup[0])
        wait_until(two.is_master, 6, "d2 takes over")
        time.sleep(0.2)
        last = [advert for advert in wire.adverts(ADDRESS["d1"]) if advert.priority == 150][-1]
        first = wire.adverts(ADDRESS["d2"])[0]
        return first.at - last.at, down_interval(instance(priority=100, advert_interval_ms=interval_ms))

    def expect_in_time(self, interval_ms, crash):
        took, bound = self.takeover(interval_ms, crash)
        print(f"    {took * 1000:.1f} ms after the last advert, bound {bound * 1000:.1f} ms", file=sys.stderr)
        self.assertGreater(took, bound - 0.002)
        self.assertLess(took, bound + LATE)

    def pull_cable(self, _speaker):
        link("d1", "down")
        self.keep(type("Plug", (), {"stop": lambda _: link("d1", "up")})())

    def test_link_down_at_1_s(self):
        self.expect_in_time(1000, self.pull_cable)

    def test_link_down_at_100_ms(self):
        self.expect_in_time(100, self.pull_cable)

    def test_kill_at_1_s(self):
        self.expect_in_time(1000, lambda speaker: speaker.process.kill())

    def test_kill_at_100_ms(self):
        self.expect_in_time(100, lambda speaker: speaker.process.kill())

    def test_kill_at_10_ms(self):
        self.expect_in_time(10, lambda speaker: speaker.process.kill())

    def test_a_client_misses_no_more_than_the_bound_when_the_link_goes(self):
        self.pair(advert_interval_ms=100)
        for host in ADDRESS:
            self.keep(Echo(host))
        client = Client()
        time.sleep(1)
        self.pull_cable(None)
        time.sleep(2)
        client.stop()
        bound = down_interval(instance(priority=100, advert_interval_ms=100))
        print(f"    outage {client.outage() * 1000:.0f} ms, bound {bound * 1000:.0f} ms", file=sys.stderr)
        self.assertLess(client.outage(), bound + LATE)
        self.assertEqual(client.hosts(), ["d1", "d2"])

    def fenced(self, interval_ms, signal):
        one, two = self.pair(advert_interval_ms=interval_ms)
        owners = self.keep(Owners(VIPS[0]))
        one.process.signal(signal)
        wait_until(two.is_master, 6, "d2 takes over")
        time.sleep(3)
        double = owners.longest_double()
        print(f"    two owners for {double:.2f} s", file=sys.stderr)
        self.assertLess(double, FENCED)
        self.assertNotIn(VIPS[0], addresses("d1"))
        return one, two, owners

    def test_after_sigkill_the_kernel_takes_the_addresses_away_at_1_s(self):
        self.fenced(1000, "KILL")

    def test_after_sigkill_the_kernel_takes_the_addresses_away_at_100_ms(self):
        self.fenced(100, "KILL")

    def thawed(self, interval_ms):
        one, two, owners = self.fenced(interval_ms, "STOP")
        wire = self.keep(Wire("control"))
        thaw = time.time()
        one.process.signal("CONT")
        listens = down_interval(instance(priority=150, advert_interval_ms=interval_ms)) - interval_ms / 1000
        wait_until(one.is_master, 8, "d1 preempts again")
        time.sleep(0.5)
        spoken = wire.adverts(ADDRESS["d1"], since=thaw)
        self.assertGreater(spoken[0].at - thaw, listens * 0.6, "it listens before it says anything")
        self.assertLess(owners.longest_double(), FENCED)
        self.assertTrue(any("was not running for too long" in text for _, text in one.events("moved")))
        self.assertEqual(two.states(), {"web": "backup"})

    def test_after_sigstop_it_listens_before_it_speaks_at_1_s(self):
        self.thawed(1000)

    def test_after_sigstop_it_listens_before_it_speaks_at_100_ms(self):
        self.thawed(100)

    def test_a_process_that_starts_again_removes_what_the_old_one_left(self):
        one = self.drover("d1", advert_interval_ms=100, lease_ms=0)
        wait_until(one.is_master, 3, "d1 is master")
        one.process.kill()
        self.assertIn(VIPS[0], addresses("d1"), "without a lease it stays")
        again = self.drover("d1", advert_interval_ms=1000)
        wait_until(lambda: again.states() == {"web": "backup"}, 3, "d1 is backup")
        self.assertNotIn(VIPS[0], addresses("d1"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
