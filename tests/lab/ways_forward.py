"""Arrangements of docs/ways/ that differ in how packets come to the real servers."""

from host_shell import on
from ways_case import ADDRESS, LATE, VIP, WayTest, holds, lab, page, pages, wait_until


class Nat(WayTest):
    """5: address translation."""
    way = "nat"
    nodes = ("lb1", "lb2", "nat1", "nat2")
    servers = ("nat1", "nat2")
    INSIDE = "10.78.0.100"
    ROUTE = f"10.77.0.0/24 via {INSIDE} dev eth0"

    def is_active(self, director):
        return holds(director) and holds(director, self.INSIDE, "eth1")

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        wait_until(lambda: self.is_active("lb1") and not holds("lb2") and not holds("lb2", self.INSIDE, "eth1"), 8 + LATE,
                   "lb1 has both addresses")
        for director in ("lb1", "lb2"):
            self.expect_rules(director, f"-A -t {VIP}:8080 -s rr",
                              *(f"-a -t {VIP}:8080 -r {ADDRESS[server]}:80 -m -w 1" for server in self.servers))
            self.assertEqual(on(director, "cat /proc/sys/net/ipv4/ip_forward"), "1")
            self.expect_sysctls(director, all_send_redirects=0, eth0_send_redirects=0, eth1_send_redirects=0)
        for server in self.servers:
            self.assertIn(self.ROUTE, on(server, "ip route show"))
        wait_until(lambda: page(port=8080) is not None, LATE, "it serves")
        self.assertEqual(pages(6, port=8080), {"nat1": 3, "nat2": 3})
        self.expect_clean()
        self.expect_nothing_changes()

    def test_2_the_backup_takes_both_addresses(self):
        lab("link", "lb1", "eth0", "down")
        try:
            wait_until(lambda: self.is_active("lb2"), 4 + LATE, "lb2 has both addresses")
            wait_until(lambda: page(port=8080) is not None, LATE, "it serves")
        finally:
            lab("link", "lb1", "eth0", "up")
        wait_until(lambda: self.is_active("lb1") and not holds("lb2"), 10 + LATE, "lb1 has them again")

    def test_3_sabotage_a_real_server_answers_past_the_director(self):
        with self.asleep("nat1"):
            on("nat1", f"ip route del {self.ROUTE}")
            self.assertEqual(pages(4, port=8080), {"nat2": 2, None: 2})
            self.expect_found(("route", "nat1"))
        wait_until(lambda: self.ROUTE in on("nat1", "ip route show"), LATE, "the helper mends it")

    def test_4_it_goes_without_a_trace(self):
        self.take_away()
