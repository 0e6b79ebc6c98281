"""The arrangements of docs/ways/ that need ip_vs, one after the other in one lab: rollout, what the classic tools see, real traffic,
proof, a second rollout that changes nothing, a sabotage that is found, uninstall.

    tests/lab/lab -i tests/lab/inventories/ways.yml -- /usr/bin/python3 tests/lab/ways_test.py [CLASS…]
"""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
from host_shell import on  # noqa: E402
from ways_case import ADDRESS, CLIENTS, LATE, VIP, WayTest, holds, lab, page, pages, run_with_ip_vs, wait_until  # noqa: E402
from ways_services import Dns, Ipv6, MhStateless, PageChecks, Sorry  # noqa: E402,F401


class DrStatic(WayTest):
    """1: direct routing with nobody who asks; the VIP is hidden by a filter of ARP."""
    way = "dr-static"
    nodes = ("lb1", "rs1", "rs2")
    servers = ("rs1", "rs2")

    def hidden(self, server):
        """Whether both rules are there, as `nft list` shows them."""
        rules = on(server, "nft list table arp drover 2>/dev/null", check=False)
        return (f"arp daddr ip {VIP} drop" in rules and
                f"arp saddr ip {VIP} arp saddr ip set {ADDRESS[server]}" in rules)

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        self.expect_rules("lb1", f"-A -t {VIP}:80 -s rr",
                          *(f"-a -t {VIP}:80 -r {ADDRESS[server]}:80 -g -w 1" for server in self.servers))
        for server in self.servers:
            self.assertTrue(self.hidden(server), on(server, "nft list ruleset"))
            self.assertTrue(holds(server, interface="lo"))
            self.expect_sysctls(server, all_arp_ignore=0, all_arp_announce=0, lo_arp_ignore=0, eth0_arp_ignore=0)
        self.assertEqual(pages(6), {"rs1": 3, "rs2": 3})
        self.assertIn(on("lb1", "cat /sys/class/net/eth0/address"), on("control", f"ip neigh show {VIP} dev eth0"))
        self.expect_clean()
        self.expect_nothing_changes()

    def test_2_it_survives_a_reboot(self):
        for host in ("lb1", "rs1"):
            lab("reboot", host)
        on("rs1", "/etc/init.d/nginx start")
        wait_until(lambda: self.hidden("rs1"), 10 + LATE, "the filter is back")
        wait_until(lambda: page() is not None, 10 + LATE, "the director serves again")
        self.assertEqual(pages(4), {"rs1": 2, "rs2": 2})

    def test_3_the_lesson_nobody_notices_that_a_server_stopped(self):
        on("rs2", "/etc/init.d/nginx stop")
        try:
            self.assertEqual(pages(8), {"rs1": 4, None: 4})  # half of the new connections fail
            said = self.expect_found(("no-answer", "rs2"))
            self.assertIn("Nobody asks the real servers of this service", said)
            self.assertIn("check: {tcp: {}}", said)
        finally:
            on("rs2", "/etc/init.d/nginx start")

    def test_4_sabotage_the_filter_is_flushed(self):
        with self.asleep("rs2"):
            on("rs2", "nft flush table arp drover")
            self.expect_found(("arp-filter", "rs2"), ("arp-real-server", "rs2"))
        wait_until(lambda: self.hidden("rs2"), LATE, "the helper mends it")
        on("control", f"ip neigh del {VIP} dev eth0 2>/dev/null; true")
        self.expect_clean()

    def test_5_it_goes_without_a_trace(self):
        self.take_away()


class DrPair(WayTest):
    """2: direct routing with a VRRP pair."""
    way = "dr-pair"
    nodes = ("lb1", "lb2", "rs1", "rs2")
    servers = ("rs1", "rs2")
    KEPT = 50  # s of persistence
    NOTICED = 6 + 3 * 3 + 3  # s: the next look, three retries, and the time-out of the last
    TAKEN_OVER = 3 + (256 - 90) / 256  # s, RFC 3768 6.1

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        wait_until(lambda: holds("lb1") and not holds("lb2"), self.TAKEN_OVER + LATE, "lb1 is master")
        for director in ("lb1", "lb2"):
            self.expect_rules(director, f"-A -t {VIP}:80 -s rr -p {self.KEPT}",
                              *(f"-a -t {VIP}:80 -r {ADDRESS[server]}:80 -g -w 1" for server in self.servers))
            self.expect_sysctls(director, all_send_redirects=0, default_send_redirects=0, eth0_send_redirects=0)
        for server in self.servers:
            self.expect_sysctls(server, all_arp_ignore=1, all_arp_announce=2, lo_arp_ignore=1, lo_arp_announce=2)
            self.assertTrue(holds(server, interface="lo"))
        self.assertIn(f" {VIP}/32 ", on("lb1", "ip -o addr show dev eth0"))

    def test_2_a_client_stays_for_50_s_and_then_moves_on(self):
        """Meanwhile another server fails and comes back, and the arrangement is proven."""
        tried, *others = CLIENTS
        mine = page(source=tried)
        self.assertIn(mine, self.servers)
        self.assertEqual([page(source=tried) for _ in range(3)], [mine] * 3)
        last = time.monotonic()
        other = next(server for server in self.servers if server != mine)
        on(other, "/etc/init.d/nginx stop")
        try:
            out = f"-r {ADDRESS[other]}:80 -g -w 0"
            wait_until(lambda: out in on("lb1", "ipvsadm -Sn"), self.NOTICED + LATE, f"{other} gets nothing any more")
        finally:
            on(other, "/etc/init.d/nginx start")
        wait_until(lambda: out not in on("lb1", "ipvsadm -Sn") + on("lb2", "ipvsadm -Sn"), 6 + LATE, f"{other} is back")
        self.expect_clean()
        self.expect_nothing_changes()
        time.sleep(max(0.0, last + self.KEPT + 2 - time.monotonic()))
        # Clients that were not there before take turns: who comes after one on `mine` gets the other, unless it is still bound.
        while others and page(source=others.pop(0)) != mine:
            pass
        self.assertEqual(page(source=tried), other)

    def test_3_the_backup_takes_over_and_the_preferred_master_returns(self):
        lab("off", "lb1")
        try:
            wait_until(lambda: page() is not None, self.TAKEN_OVER + LATE, "the backup serves")
            self.assertTrue(holds("lb2"))
        finally:
            lab("on", "lb1")
        wait_until(lambda: holds("lb1") and not holds("lb2"), 2 * self.TAKEN_OVER + 2 * LATE, "lb1 is master again")
        wait_until(lambda: page() is not None, LATE, "it serves")

    def test_4_sabotage_a_real_server_answers_arp_for_the_vip(self):
        with self.asleep("rs2"):
            on("rs2", "sysctl -q -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.lo.arp_ignore=0")
            self.expect_found(("arp-real-server", "rs2"), ("arp-ignore", "rs2"))
        wait_until(lambda: on("rs2", "cat /proc/sys/net/ipv4/conf/all/arp_ignore") == "1", LATE, "the helper mends it")
        on("control", f"ip neigh del {VIP} dev eth0 2>/dev/null; true")
        self.expect_clean()

    def test_5_it_goes_without_a_trace(self):
        self.take_away()


if __name__ == "__main__":
    run_with_ip_vs(__file__)
