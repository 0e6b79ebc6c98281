"""Arrangements of docs/ways/ that differ in how packets come to the real servers: translated, in tunnels, by a mark, and to
servers that come and go."""

import subprocess

from host_shell import on
from ways_case import ADDRESS, CLIENTS, LATE, VIP, WayTest, holds, lab, page, pages, wait_until


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


class Fwmark(WayTest):
    """9: http and https as one service."""
    way = "fwmark"
    nodes = ("lb1", "rs1", "rs2")
    servers = ("rs1", "rs2")
    MARKED = [f"ip daddr {VIP} tcp dport {port} meta mark set 0x00000007" for port in (80, 443)]

    @staticmethod
    def secure_page(source):
        done = subprocess.run(["curl", "-sk", "--max-time", "5", "--interface", source, f"https://{VIP}/"], capture_output=True,
                              text=True, check=False)
        return done.stdout.strip() or None

    def marked(self):
        rules = on("lb1", "nft list table inet drover 2>/dev/null", check=False)
        return all(rule in rules for rule in self.MARKED)

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        self.expect_rules("lb1", "-A -f 7 -s rr -p 50",
                          *(f"-a -f 7 -r {ADDRESS[server]}:0 -g -w 1" for server in self.servers))
        self.assertTrue(self.marked(), on("lb1", "nft list ruleset"))
        self.expect_clean()
        self.expect_nothing_changes()

    def test_2_a_client_has_one_server_for_both(self):
        first = {client: page(source=client) for client in CLIENTS[:2]}
        self.assertEqual(sorted(first.values()), ["rs1", "rs2"])
        self.assertEqual({client: self.secure_page(client) for client in first}, first)

    def test_3_sabotage_nobody_marks_the_packets(self):
        with self.asleep("lb1"):
            on("lb1", "nft flush table inet drover")
            self.assertIsNone(page())
            self.expect_found(("mark", "lb1"), ("no-answer", ""))
        wait_until(self.marked, LATE, "the helper mends it")
        wait_until(lambda: page() is not None, LATE, "it serves")

    def test_4_it_goes_without_a_trace(self):
        self.take_away()
