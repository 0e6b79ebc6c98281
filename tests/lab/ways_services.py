"""Arrangements of docs/ways/ that differ in what is served, and in what the real servers are asked."""

import pathlib
import re
import socket
import struct
import tempfile

from host_shell import on
from ways_case import ADDRESS, CLIENT, LATE, VIP, WayTest, holds, lab, page, pages, wait_until


def variant(way, old, new):
    """The way's playbook with another text in it, under the same name and so of the same owner."""
    text = pathlib.Path(f"playbooks/ways/{way}.yml").read_text()
    if old not in text:
        raise AssertionError(f"{way} has no {old}")
    path = pathlib.Path(tempfile.mkdtemp(prefix="way-")) / f"{way}.yml"
    path.write_text(text.replace(old, new))
    return path


class PageChecks(WayTest):
    """3: real servers are asked for a page and for what is in it."""
    way = "page-checks"
    nodes = ("lb1", "lb2", "rs1", "rs2")
    servers = ("rs1", "rs2")
    RULES = [f"-A -t {VIP}:80 -s rr"] + [f"-a -t {VIP}:80 -r {ADDRESS[server]}:80 -g -w 1" for server in servers]
    NOTICED = 2 * 2 + 1  # s: two looks that fail

    def out(self, server):
        return f"-r {ADDRESS[server]}:80 -g -w 0"

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        wait_until(lambda: on("lb1", "ipvsadm -Sn").splitlines() == self.RULES, self.NOTICED + LATE, "both are found well")
        wait_until(lambda: holds("lb1"), 4 + LATE, "lb1 is master")
        self.expect_clean()
        self.expect_nothing_changes()

    def test_2_a_wrong_page_behind_an_open_port_leaves_the_table(self):
        on("rs2", "touch /run/sick")
        wait_until(lambda: self.out("rs2") in on("lb1", "ipvsadm -Sn"), self.NOTICED + LATE, "rs2 gets nothing any more")
        self.assertEqual(pages(6), {"rs1": 6})
        self.assertEqual(page(ADDRESS["rs2"], path="/health"), "out of order")  # answered, with status 200
        self.assertIn("body", self.about("status", status=2))

    def test_3_sabotage_only_the_port_is_asked(self):
        only_port = variant(self.way, re.search(r"\n +- \{http: .*", pathlib.Path(f"playbooks/ways/{self.way}.yml").read_text()).group(), "")
        self.about("rollout", "-l", "lb1,lb2", "-T", "60", playbook=only_port)
        wait_until(lambda: self.out("rs2") not in on("lb1", "ipvsadm -Sn"), self.NOTICED + LATE, "rs2 is thought to be well")
        self.assertIn("out of order", pages(6, path="/health"))  # what clients get who are less lucky
        self.about("rollout", "-l", "lb1,lb2", "-T", "60")
        wait_until(lambda: self.out("rs2") in on("lb1", "ipvsadm -Sn"), self.NOTICED + LATE, "its page is asked for again")
        on("rs2", "rm /run/sick")
        wait_until(lambda: on("lb1", "ipvsadm -Sn").splitlines() == self.RULES, self.NOTICED + LATE, "rs2 is back")

    def test_4_it_goes_without_a_trace(self):
        self.take_away()


class MhStateless(WayTest):
    """9: mh, and directors that tell each other nothing."""
    way = "mh-stateless"
    nodes = ("lb1", "lb2", "rs1", "rs2", "rs3")
    servers = ("rs1", "rs2", "rs3")
    TAKEN_OVER = 3 + (256 - 90) / 256  # s

    @staticmethod
    def get(connection):
        """Who answers on a connection that stays open."""
        connection.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
        return connection.recv(4096).partition(b"\r\n\r\n")[2].decode().strip()

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        wait_until(lambda: holds("lb1") and not holds("lb2"), self.TAKEN_OVER + LATE, "lb1 is master")
        for director in ("lb1", "lb2"):
            self.expect_rules(director, f"-A -t {VIP}:80 -s mh -b mh-port",
                              *(f"-a -t {VIP}:80 -r {ADDRESS[server]}:80 -g -w 1" for server in self.servers))
            self.assertEqual(on(director, "cat /proc/sys/net/ipv4/vs/sloppy_tcp"), "1")
        self.assertIn("each connection predicted", self.expect_clean())
        self.expect_nothing_changes()

    def test_2_connections_live_on_over_the_other_director(self):
        connections = [socket.create_connection((VIP, 80), 10, (CLIENT, 0)) for _ in range(6)]
        try:
            before = [self.get(connection) for connection in connections]
            self.assertGreater(len(set(before)), 1, before)
            lab("off", "lb1")
            wait_until(lambda: holds("lb2"), self.TAKEN_OVER + LATE, "lb2 has taken over")
            self.assertEqual([self.get(connection) for connection in connections], before)
        finally:
            for connection in connections:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            lab("on", "lb1")
        wait_until(lambda: holds("lb1") and not holds("lb2"), 2 * self.TAKEN_OVER + 2 * LATE, "lb1 is master again")

    def test_3_sabotage_another_weight_on_the_backup(self):
        with self.asleep("lb2"):
            on("lb2", f"ipvsadm -e -t {VIP}:80 -r {ADDRESS['rs1']}:80 -g -w 5")
            self.expect_found(("rules-unequal", "lb2"), ("server-weight", "lb2"))

    def test_4_it_goes_without_a_trace(self):
        self.take_away()
