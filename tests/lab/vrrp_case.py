"""What every test of VRRP in the lab starts from and leaves behind: bare hosts. With it the settings and the times that they share.
Real kernel, exact timing; times are promises, and a machine that is busy otherwise may break them."""

import time
import unittest

from vrrp_tools import ADDRESS, VIPS, VIPS6, Drover, Keepalived, addresses, instance, on, wait_until

LATE = 0.020  # what scheduling may add to the protocol's own times
READING = 0.005  # `ip monitor` stamps what it reads when it gets to it; tests/node-helper/speaker looks closer
FENCED = 1.3  # a lease of 1 s, as the kernel keeps it
MUTE = "nft add table inet mute && nft add chain inet mute in '{ type filter hook input priority 0; }' && " \
       "nft add chain inet mute out '{ type filter hook output priority 0; }' && " \
       "nft add rule inet mute in meta l4proto 112 drop && nft add rule inet mute out meta l4proto 112 drop"
# What a rollout sets beside an instance.
BESIDE_AN_INSTANCE = "sysctl -q -w net.ipv4.conf.eth0.arp_ignore=1 net.ipv4.conf.eth0.arp_announce=2 " \
                     "net.ipv4.conf.eth0.promote_secondaries=1"
UNMUTE = "nft delete table inet mute"


def down_interval(settings):
    """Active_Down_Interval of a backup with these settings, in seconds."""
    interval = settings["advert_interval_ms"] / 1000
    skew = (256 - settings["priority"]) / 256 * (1 if settings["version"] == 2 else interval)
    return 3 * interval + skew


class VrrpTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        for host in ADDRESS:
            on(host, BESIDE_AN_INSTANCE)

    def setUp(self):
        self._cleanup = []
        for host in ADDRESS:
            self.assertFalse(set(VIPS + VIPS6) & addresses(host), f"{host} is not bare")

    def tearDown(self):
        for thing in reversed(self._cleanup):
            thing.stop()
        for host in ADDRESS:
            on(host, f"{UNMUTE} 2>/dev/null; true")
            for vip in VIPS + VIPS6:
                for interface in ("eth0", "lo"):
                    on(host, f"for p in 32 64 128; do ip addr del {vip}/$p dev {interface} 2>/dev/null; done; true")

    def keep(self, thing):
        """Stopped at the end of the test, however it ends."""
        self._cleanup.append(thing)
        return thing

    def drover(self, host, **settings):
        return self.keep(Drover(host, instance(**settings)))

    def keepalived(self, host, **settings):
        return self.keep(Keepalived(host, instance(**settings)))

    def expect_master(self, master, backup, seconds, why):
        wait_until(lambda: master.is_master() and not backup.is_master(), seconds, why)
        vip = VIPS[0] if VIPS[0] in addresses(master.host) else VIPS6[0]
        self.assertIn(vip, addresses(master.host), why)
        # A former master accepts for 100 ms what still comes to it, so that nothing is lost meanwhile.
        wait_until(lambda: vip not in addresses(backup.host), 0.5, f"{why}: {backup.host} gives {vip} up")
        self.assertIn(vip, addresses(master.host), why)

    def pair(self, first=None, second=None, **both):
        """Two speakers, d1 master and d2 backup."""
        one = self.drover("d1", **({"priority": 150} | both | (first or {})))
        wait_until(one.is_master, 6, "d1 is master")
        two = self.drover("d2", **({"priority": 100} | both | (second or {})))
        wait_until(lambda: two.states() == {"web": "backup"}, 3, "d2 is backup")
        time.sleep(both.get("advert_interval_ms", 1000) / 1000 + 0.1)
        return one, two
