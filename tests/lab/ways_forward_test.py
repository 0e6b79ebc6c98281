"""Arrangements of docs/ways/ that differ in how packets come to the real servers: translated, in tunnels, by a mark, and to
servers that come and go.

    tests/lab/lab -i tests/lab/inventories/ways.yml -- /usr/bin/python3 tests/lab/ways_forward_test.py [CLASS…]
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
from host_shell import on  # noqa: E402
from ways_case import ADDRESS, CLIENTS, LATE, VIP, WayTest, holds, lab, page, pages, rest, wait_until, run_with_ip_vs  # noqa: E402


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


class Tun(WayTest):
    """6: tunnels, ipip."""
    way = "tun"
    nodes = ("lb1", "rs1", "rs2")
    servers = ("rs1", "rs2")
    kind = "ipip"
    wrapped = "--tun-type ipip"  # as ipvsadm says it

    @classmethod
    def setUpClass(cls):
        for node in cls.nodes:  # its module brings a device of its own into every namespace, which stays
            on(node, "modprobe ipip; modprobe ip_gre; true")
        super().setUpClass()

    @property
    def device(self):
        return f"lvs-{self.kind}"

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        self.expect_rules("lb1", f"-A -t {VIP}:80 -s rr",
                          *(f"-a -t {VIP}:80 -r {ADDRESS[server]}:80 -i -w 1 {self.wrapped}" for server in self.servers))
        for server in self.servers:
            link = on(server, f"ip -d link show {self.device}")
            self.assertIn(f"{self.kind} ", link)
            self.assertIn(f"local {ADDRESS[server]}", link)
            self.assertTrue(holds(server, interface=self.device))
            self.assertEqual(on(server, f"cat /proc/sys/net/ipv4/conf/{self.device}/rp_filter"), "2")
            self.expect_sysctls(server, all_arp_ignore=1, all_arp_announce=2)
        self.assertEqual(pages(6), {"rs1": 3, "rs2": 3})
        self.assertRegex(self.expect_clean(), "ok: +segment-size")  # full packets, too
        self.expect_nothing_changes()

    def test_2_sabotage_the_end_of_a_tunnel_is_down(self):
        with self.asleep("rs2"):
            on("rs2", f"ip link set {self.device} down")
            self.assertEqual(pages(4), {"rs1": 2, None: 2})
            self.expect_found(("tunnel", "rs2"), ("no-answer", "rs2"))
        wait_until(lambda: pages(2) == {"rs1": 1, "rs2": 1}, LATE, "the helper mends it")

    def test_3_it_goes_without_a_trace(self):
        self.take_away()


class TunGre(Tun):
    """6: tunnels, gre."""
    way = "tun-gre"
    kind = "gre"
    wrapped = "--tun-type gre --tun-nocsum"
    test_2_sabotage_the_end_of_a_tunnel_is_down = None  # as with ipip

    def test_2_sabotage_the_director_wraps_in_another_way(self):
        with self.asleep("lb1"):
            on("lb1", f"ipvsadm -e -t {VIP}:80 -r {ADDRESS['rs2']}:80 -i -w 1 --tun-type ipip")
            self.assertEqual(pages(4), {"rs1": 2, None: 2})
            said = self.expect_found(("server-settings", "lb1"), ("no-answer", "rs2"))
            self.assertIn('is "tun weight 1" on lb1 where it should be "tun by gre weight 1"', said)
        wait_until(lambda: pages(2) == {"rs1": 1, "rs2": 1}, LATE, "the helper mends it")


class TunGue(Tun):
    """6: tunnels, gue: ipip over UDP. Somebody else's receiver is on rs2 already, and stays."""
    way = "tun-gue"
    wrapped = "--tun-type gue --tun-port 6080 --tun-nocsum"
    test_2_sabotage_the_end_of_a_tunnel_is_down = None  # as with ipip

    @classmethod
    def setUpClass(cls):
        on("rs2", "modprobe fou && ip fou add port 6080 gue")
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        on("rs2", "ip fou del port 6080", check=False)

    @staticmethod
    def receives(server):
        return on(server, "ip fou show") == "port 6080 gue"

    def test_1_it_is_what_the_classic_commands_set(self):
        super().test_1_it_is_what_the_classic_commands_set()
        self.assertTrue(self.receives("rs1") and self.receives("rs2"))

    def test_2_sabotage_nobody_takes_what_comes_over_udp(self):
        with self.asleep("rs1"):
            on("rs1", "ip fou del port 6080")
            self.assertEqual(pages(4), {"rs2": 2, None: 2})
            said = self.expect_found(("gue-receiver", "rs1"), ("no-answer", "rs1"))
            self.assertIn("rs1 lacks gue receiver 6080 (on UDP port 6080)", said)
        wait_until(lambda: self.receives("rs1"), LATE, "the helper mends it")
        wait_until(lambda: pages(2) == {"rs1": 1, "rs2": 1}, LATE, "it serves")


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


class TwoBoxes(WayTest):
    """8: two directors that are real servers, too."""
    way = "two-boxes"
    nodes = ("lb1", "lb2")
    servers = ("lb1", "lb2")
    NOTICED = 2 * 2 + 1  # s: two looks that fail
    OWNER = 4 + 2  # s: until a backup has taken over; an instance comes up

    @classmethod
    def tearDownClass(cls):
        rest(cls.servers)
        super().tearDownClass()

    def marked(self, box, other):
        """Only what the other box did not send is marked."""
        mac = on(other, "cat /sys/class/net/eth0/address")
        rule = f"ether saddr != {mac} ip daddr {VIP} tcp dport 80 meta mark set 0x00000007"
        return rule in on(box, "nft list table inet drover 2>/dev/null", check=False)

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        wait_until(lambda: holds("lb1") and not holds("lb2"), self.OWNER + LATE, "lb1 is master")
        for box, other in (("lb1", "lb2"), ("lb2", "lb1")):
            self.expect_rules(box, "-A -f 7 -s rr", *(f"-a -f 7 -r {ADDRESS[server]}:0 -g -w 1" for server in self.servers))
            self.assertTrue(self.marked(box, other), on(box, "nft list ruleset"))
            self.assertTrue(holds(box, interface="lo"))
            self.expect_sysctls(box, all_arp_ignore=1, all_arp_announce=2, all_send_redirects=0)
        self.assertEqual(pages(8), {"lb1": 4, "lb2": 4})
        self.assertRegex(self.expect_clean(), "ok: +mark-exceptions +lb1")
        self.expect_nothing_changes()

    def test_2_the_other_box_takes_over_and_serves_alone(self):
        lab("link", "lb1", "eth0", "down")
        try:
            wait_until(lambda: holds("lb2"), self.OWNER + LATE, "lb2 is master")
            wait_until(lambda: pages(4, timeout=1.0) == {"lb2": 4}, self.NOTICED + 2 * LATE, "it serves alone")
        finally:
            lab("link", "lb1", "eth0", "up")
        wait_until(lambda: holds("lb1") and not holds("lb2"), 2 * self.OWNER + LATE, "lb1 is master again")
        wait_until(lambda: pages(4, timeout=1.0) == {"lb1": 2, "lb2": 2}, self.NOTICED + 2 * LATE, "both serve")

    def test_3_sabotage_the_backup_balances_what_the_master_sends_it(self):
        said = f"mark tcp {VIP}:80 fwmark 7 not from " + on("lb1", "cat /sys/class/net/eth0/address")
        with self.asleep("lb2"):
            on("lb2", "nft flush chain inet drover prerouting && nft add rule inet drover prerouting "
                      f"ip daddr {VIP} tcp dport 80 meta mark set 7 comment '\"{said}\"'")
            answered = pages(8, timeout=1.0)  # half of what lb2 gets it sends back, and lb1 to lb2, and so on
            self.assertEqual((answered["lb1"], answered["lb2"], answered[None]), (4, 2, 2), answered)
            self.expect_found(("mark", "lb2"), ("standby-traffic", "lb2"))
        wait_until(lambda: self.marked("lb2", "lb1"), LATE, "the helper mends it")
        self.assertEqual(pages(4), {"lb1": 2, "lb2": 2})

    def test_4_it_goes_without_a_trace(self):
        self.take_away()


class Growing(WayTest):
    """4: real servers come and go under load, with weights and a scheduler that change on the way."""
    way = "growing"
    nodes = ("lb1", "lb2", "rs1", "rs2", "rs3", "rs4", "rs5")
    servers = ("rs1", "rs2", "rs3", "rs4", "rs5")

    @classmethod
    def setUpClass(cls):
        cls.hosts = pathlib.Path(tempfile.mkdtemp(prefix="way-")) / "growing.yml"
        shutil.copy(f"inventory/ways/{cls.way}.yml", cls.hosts)
        super().setUpClass()

    def inventory(self):
        return str(self.hosts)

    def rules(self, scheduler, **weights):
        return [f"-A -t {VIP}:80 -s {scheduler}"] + [f"-a -t {VIP}:80 -r {ADDRESS[server]}:80 -g -w {weight}"
                                                    for server, weight in weights.items()]

    def expect_tables(self, scheduler, **weights):
        for director in ("lb1", "lb2"):
            self.expect_rules(director, *self.rules(scheduler, **weights))

    def change(self, old, new):
        text = self.hosts.read_text()
        self.assertIn(old, text)
        self.hosts.write_text(text.replace(old, new))

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        wait_until(lambda: holds("lb1") and not holds("lb2"), 6 + LATE, "lb1 is master")
        self.expect_tables("wrr", rs1=1, rs2=2)
        self.assertEqual(pages(6), {"rs1": 2, "rs2": 4})

    def test_2_from_two_to_five_and_down_to_three_under_load(self):
        with Load() as load:
            self.about("add", "--update-inventory", "-T", "60", words=("rs3", "rs4", "rs5"))
            self.expect_tables("wrr", rs1=1, rs2=2, rs3=2, rs4=2, rs5=2)
            load.goes_on(10)
        load.expect_none_hurt(self)
        self.assertEqual({"rs1", "rs2", "rs3", "rs4", "rs5"}, set(load.answers))
        # The backup has the VIP while the other's service changes.
        self.change("scheduler: wrr", "scheduler: wlc")
        self.change("10.77.0.23, drover_weight: 2", "10.77.0.23, drover_weight: 4")
        with Load() as load:
            self.roll_out()
            self.expect_tables("wlc", rs1=1, rs2=2, rs3=4, rs4=2, rs5=2)
        load.expect_none_hurt(self)
        type(self).grown = self.hosts.read_text()
        with Load() as load:
            self.about("remove", "--drain", "30s", "--update-inventory", "-T", "60", words=("rs4", "rs5"))
            self.expect_tables("wlc", rs1=1, rs2=2, rs3=4)
        load.expect_none_hurt(self)  # the first director may take the VIP back only now
        self.assertFalse(holds("rs5", interface="lo"))
        wait_until(lambda: holds("lb1") and not holds("lb2"), 60 + LATE, "lb1 is master again")
        self.expect_clean()
        self.expect_nothing_changes()

    def test_3_sabotage_a_new_server_has_lost_its_vip(self):
        with self.asleep("rs3"):
            on("rs3", f"ip addr del {VIP}/32 dev lo")
            self.assertIn(None, pages(6, timeout=1.0))
            self.expect_found(("vip-missing", "rs3"))
        wait_until(lambda: holds("rs3", interface="lo"), LATE, "the helper mends it")

    def test_4_it_goes_without_a_trace(self):
        self.hosts.write_text(self.grown)  # all that ever took part
        self.take_away()


class Load:
    """New connections one after the other, as long as it lasts; who answered them."""

    def __init__(self):
        self.answers = []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._ends.is_set():
            self.answers.append(page(source=CLIENTS[0], timeout=10.0))
            self._ends.wait(0.05)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()

    def goes_on(self, number):
        """Until so many more have been answered."""
        wanted = len(self.answers) + number
        wait_until(lambda: len(self.answers) >= wanted, number * LATE, "new connections")

    def expect_none_hurt(self, test):
        test.assertGreater(len(self.answers), 10)
        test.assertNotIn(None, self.answers)


if __name__ == "__main__":
    run_with_ip_vs(__file__)
