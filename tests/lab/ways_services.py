"""Arrangements of docs/ways/ that differ in what is served, and in what the real servers are asked."""

import collections
import os
import pathlib
import re
import socket
import struct
import tempfile

from host_shell import on
from ways_case import ADDRESS, CLIENT, LATE, VIP, WayTest, holds, lab, page, pages, side_by_side, wait_until

# Answers each question of DNS with one address, over UDP (from where it was asked) and TCP; says no more than checks need.
NAME_SERVER = """
import socket, sys, threading
own, vip, answer = sys.argv[1:]

def reply(question):
    end = question.index(0, 12) + 5
    return (question[:2] + b"\\x85\\x80" + b"\\0\\1\\0\\1\\0\\0\\0\\0" + question[12:end] + b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4"
            + socket.inet_aton(answer))

def datagrams(address):
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND: the VIP need not be there yet
    door.bind((address, 53))
    while True:
        question, client = door.recvfrom(4096)
        door.sendto(reply(question), client)

for address in (own, vip):
    threading.Thread(target=datagrams, args=(address,), daemon=True).start()
with socket.create_server(("", 53)) as door:
    while True:
        connection, _ = door.accept()
        with connection:
            connection.settimeout(1)
            try:
                question = connection.recv(4096)[2:]
                connection.sendall(len(reply(question)).to_bytes(2, "big") + reply(question))
            except (OSError, ValueError):
                pass
"""


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


def name_service(kind, options=""):
    """One of the two services, as `ipvsadm -Sn` shows it."""
    return [f"-A {kind} {VIP}:53 -s rr{options}", *(f"-a {kind} {VIP}:53 -r {ADDRESS[server]}:53 -g -w 1" for server in ("rs1", "rs2"))]


class Dns(WayTest):
    """9: a service over UDP."""
    way = "dns"
    nodes = ("lb1", "lb2", "rs1", "rs2")
    names = ("rs1", "rs2")
    SAYS = {"rs1": "192.0.2.1", "rs2": "192.0.2.2"}
    RULES = [*name_service("-t"), *name_service("-u", " -o")]

    @classmethod
    def setUpClass(cls):
        def start(host):
            on(host, f"cat > /run/names.py <<'E'\n{NAME_SERVER}E\n"
                     f"/usr/bin/python3 /run/names.py {ADDRESS[host]} {VIP} {cls.SAYS[host]} >/dev/null 2>&1 & echo $! > /run/names.pid")
        side_by_side(start, cls.names)
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        side_by_side(lambda host: on(host, "kill $(cat /run/names.pid); rm /run/names.pid /run/names.py"), cls.names)
        super().tearDownClass()

    @classmethod
    def ask(cls, number, door=None):
        """{server: how many of so many questions it answered}, each from a port of its own when no door is given."""
        answers = collections.Counter()
        for _ in range(number):
            with door.dup() if door else socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
                way.settimeout(2)
                number_of_question = os.urandom(2)
                way.sendto(number_of_question + b"\1\0\0\1\0\0\0\0\0\0\3www\7example\3net\0\0\1\0\1", (VIP, 53))
                try:
                    answer = way.recv(4096)
                except OSError:
                    answers[None] += 1
                    continue
                assert answer[:2] == number_of_question
                answers[next(host for host, address in cls.SAYS.items() if address == socket.inet_ntoa(answer[-4:]))] += 1
        return answers

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        wait_until(lambda: holds("lb1") and not holds("lb2"), 4 + LATE, "lb1 is master")
        for director in ("lb1", "lb2"):
            self.expect_rules(director, *self.RULES)
        self.assertEqual(self.ask(6), {"rs1": 3, "rs2": 3})
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            self.assertEqual(self.ask(4, door), {"rs1": 2, "rs2": 2})  # one port, and yet the next server each time
        self.expect_clean()
        self.expect_nothing_changes()

    def test_2_sabotage_a_server_without_the_vip(self):
        with self.asleep("rs2"):
            on("rs2", f"ip addr del {VIP}/32 dev lo")
            self.assertEqual(self.ask(4), {"rs1": 2, None: 2})
            self.expect_found(("vip-missing", "rs2"))
        wait_until(lambda: holds("rs2", interface="lo"), LATE, "the helper mends it")
        self.assertEqual(self.ask(4), {"rs1": 2, "rs2": 2})

    def test_3_it_goes_without_a_trace(self):
        self.take_away()


class Ipv6(WayTest):
    """9: direct routing over IPv6 with a VRRPv3 pair."""
    way = "ipv6"
    nodes = ("lb1", "lb2", "rs1", "rs2")
    servers = ("rs1", "rs2")
    VIP6 = "fd77::100"
    RULES = [f"-A -t [{VIP6}]:80 -s rr", f"-a -t [{VIP6}]:80 -r [fd77::21]:80 -g -w 1", f"-a -t [{VIP6}]:80 -r [fd77::22]:80 -g -w 1"]
    TAKEN_OVER = 3 + (256 - 90) / 256  # s, RFC 9568 6.1

    def has(self, host, interface="eth0"):
        return holds(host, self.VIP6, interface)

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        wait_until(lambda: self.has("lb1") and not self.has("lb2"), self.TAKEN_OVER + LATE, "lb1 is master")
        for director in ("lb1", "lb2"):
            self.expect_rules(director, *self.RULES)
        self.assertRegex(on("lb1", "ip -6 addr show dev eth0"), f"inet6 {self.VIP6}/128 scope global .*nodad.*\n.* preferred_lft 0sec")
        for server in self.servers:
            self.assertIn(f"inet6 {self.VIP6}/128 scope global", on(server, "ip -6 addr show dev lo"))
        self.assertEqual(pages(6, address=self.VIP6), {"rs1": 3, "rs2": 3})
        self.assertIn(on("lb1", "cat /sys/class/net/eth0/address"), on("control", f"ip -6 neigh show {self.VIP6} dev eth0"))
        self.expect_clean()
        self.expect_nothing_changes()

    def test_2_the_backup_takes_over_and_the_preferred_master_returns(self):
        lab("off", "lb1")
        try:
            wait_until(lambda: page(self.VIP6) is not None, self.TAKEN_OVER + LATE, "the backup serves")
            self.assertTrue(self.has("lb2"))
        finally:
            lab("on", "lb1")
        wait_until(lambda: self.has("lb1") and not self.has("lb2"), 2 * self.TAKEN_OVER + 2 * LATE, "lb1 is master again")
        wait_until(lambda: page(self.VIP6) is not None, LATE, "it serves")

    def test_3_sabotage_a_real_server_without_the_vip(self):
        with self.asleep("rs2"):
            on("rs2", f"ip -6 addr del {self.VIP6}/128 dev lo")
            self.assertEqual(pages(4, address=self.VIP6), {"rs1": 2, None: 2})
            self.expect_found(("vip-missing", "rs2"), ("no-answer", "rs2"), within={"rs2"})
        wait_until(lambda: self.has("rs2", "lo"), LATE, "the helper mends it")

    def test_4_it_goes_without_a_trace(self):
        self.take_away()


class Sorry(WayTest):
    """9: a server for the time when there is none."""
    way = "sorry"
    nodes = ("lb1", "rs1", "rs2", "rs3")
    servers = ("rs1", "rs2", "rs3")
    SERVICE = f"-A -t {VIP}:80 -s rr"
    NOTICED = 2 * 2 + 1  # s: two looks that fail

    def rule(self, server):
        return f"-a -t {VIP}:80 -r {ADDRESS[server]}:80 -g -w 1"

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        self.expect_rules("lb1", self.SERVICE, self.rule("rs1"), self.rule("rs2"))
        self.assertEqual(pages(4), {"rs1": 2, "rs2": 2})
        self.expect_clean()
        self.expect_nothing_changes()

    def test_2_both_stop_one_returns(self):
        try:
            for server in ("rs1", "rs2"):
                on(server, "/etc/init.d/nginx stop")
            self.expect_rules("lb1", self.SERVICE, self.rule("rs3"))
            self.assertEqual(pages(4), {"rs3": 4})
            self.assertIn("the sorry server stands in", self.about("status", status=2))
            on("rs3", "/etc/init.d/nginx stop")  # the sabotage: nobody is there to say sorry
            self.assertEqual(pages(2), {None: 2})
            self.expect_found(("no-answer", "rs3"), ("state", "lb1"))
        finally:
            on("rs3", "/etc/init.d/nginx start")
        self.assertEqual(pages(2), {"rs3": 2})
        on("rs1", "/etc/init.d/nginx start")
        self.expect_rules("lb1", self.SERVICE, self.rule("rs1"))
        self.assertEqual(pages(2), {"rs1": 2})
        on("rs2", "/etc/init.d/nginx start")
        self.expect_rules("lb1", self.SERVICE, self.rule("rs1"), self.rule("rs2"))

    def test_3_it_goes_without_a_trace(self):
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
