"""The arrangements of docs/ways/ that need no ip_vs, one after the other in one lab: rollout, what the classic tools see, real
traffic, proof, a second rollout that changes nothing, a sabotage that is found, uninstall.

    tests/lab/lab --engine native -i tests/lab/inventories/ways.yml -- /usr/bin/python3 tests/lab/ways_native_test.py [CLASS…]
"""

import json
import os
import pathlib
import re
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
from host_shell import on  # noqa: E402
from ways_case import LATE, VIP, WayTest, holds, lab, page, pages, rest, wait_until  # noqa: E402

DIRECTORS = ("lb1", "lb2")
INTERVAL = 0.25  # s between adverts, in both playbooks
TAKEN_OVER = INTERVAL * (3 + (256 - 95) / 256)  # RFC 9568 6.1, after the master's last advert
BUSY = 1.0  # s; what other work on this machine may add


def mac(host):
    return on(host, "cat /sys/class/net/eth0/address")


def status_of(host):
    return json.loads(on(host, "/var/lib/drover/node-helper status --json"))


def instance_of(host):
    return status_of(host)["instances"][0]


def owner():
    """The hosts that have the VIP."""
    return [host for host in DIRECTORS if holds(host)]


class Surfer:
    """Asks for a page again and again, each time over a new connection; who answered when."""

    def __init__(self, every=0.03):
        self.answers = []  # (when it was asked, when it was answered, who; None: nobody)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(every,), daemon=True)
        self._thread.start()

    def _ask(self, every):
        while not self._stop.is_set():
            asked = time.monotonic()
            who = page(timeout=1.0)
            self.answers.append((asked, time.monotonic(), who))
            time.sleep(every)

    def stop(self):
        self._stop.set()
        self._thread.join()

    def outage(self, since=0.0):
        """Seconds without an answer, at the longest."""
        times = [at for _, at, who in self.answers if who and at >= since]
        return max((later - sooner for sooner, later in zip(times, times[1:])), default=float("inf"))

    def lost(self, since=0.0):
        return sum(who is None for asked, _, who in self.answers if asked >= since)

    def servers(self, since=0.0):
        return {who for asked, _, who in self.answers if who and asked >= since}


class NativeWay(WayTest):
    @classmethod
    def tearDownClass(cls):
        rest(cls.servers)
        super().tearDownClass()

    def surfing(self):
        surfer = Surfer()
        self.addCleanup(surfer.stop)
        return surfer

    def report(self, text):
        print(f"\n    {text}", file=sys.stderr)

    def expect_owner(self, host, seconds, what):
        return wait_until(lambda: owner() == [host], seconds, f"{what}: {host} alone has the VIP, not {owner()}")

    def variant(self, old, new):
        """The playbook with other words in it, beside its templates; the same owner by its name."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="way-"))
        self.addCleanup(lambda: [path.unlink() for path in folder.glob("*.yml")])
        text = pathlib.Path(f"playbooks/ways/{self.way}.yml").read_text()
        self.assertIn(old, text)
        (folder / "templates").symlink_to(pathlib.Path("playbooks/ways/templates").resolve())
        (folder / f"{self.way}.yml").write_text(text.replace(old, new))
        return folder / f"{self.way}.yml"


class Proxies(NativeWay):
    """7: VRRP for layer-7 proxies."""
    way = "proxies"
    nodes = DIRECTORS
    servers = ("rs1", "rs2")
    NOTICED = 0.5  # s, the process tracker
    SERVES = 2 * 1.0 + 1.0  # s, the script tracker: two failures, behind two of haproxy's own checks

    def kill(self, *hosts):
        for host in hosts:
            on(host, "kill -9 $(cat /run/haproxy.pid)")

    def expect_turns(self):
        wait_until(lambda: pages(4) == {"rs1": 2, "rs2": 2}, LATE, "both web servers take turns")

    def start(self, *hosts):
        for host in hosts:
            on(host, "/etc/init.d/haproxy start")

    def test_1_it_stands_without_ip_vs(self):
        before = {host: on(host, "sysctl -n net.ipv4.ip_nonlocal_bind") for host in self.nodes}
        self.assertEqual(before, {"lb1": "0", "lb2": "0"})
        self.roll_out()
        self.expect_owner("lb1", 3 * TAKEN_OVER + LATE, "the better one")
        self.assertIn(f" {VIP}/32 ", on("lb1", "ip -o addr show dev eth0"))
        for host in self.nodes:
            self.assertEqual(on(host, "sysctl -n net.ipv4.ip_nonlocal_bind"), "1")
            self.expect_sysctls(host, eth0_arp_ignore=1, eth0_arp_announce=2, eth0_promote_secondaries=1)
            self.assertEqual(on(host, f"ss -Hltn src {VIP}:80 | wc -l"), "1", f"{host} listens, with the VIP or without")
            if os.environ.get("LAB_IPVS") == "0":
                self.assertEqual(on(host, "ls /proc/net/ip_vs 2>/dev/null || echo none"), "none")
        wait_until(lambda: [instance_of(host)["priority"] for host in self.nodes] == [100, 95], LATE, "all trackers are up")
        self.expect_turns()
        self.assertIn("x-proxy: lb1", on("control", f"curl -si http://{VIP}/"))
        self.assertIn(mac("lb1"), on("control", f"ip neigh show {VIP}"))

    def test_2_it_is_proven_and_a_second_rollout_changes_nothing(self):
        said = self.expect_clean()
        for check in (f"answers  tcp {VIP}:80", f"distribution  tcp {VIP}:80", f"reply-path  tcp {VIP}:80", f"arp  {VIP}",
                      f"vip-owner  {VIP}", "as-the-playbook-says  lb1", "as-the-playbook-says  lb2", "state  cluster"):
            self.assertIn(f"ok:      {check}", said)
        self.assertIn("exact: whoever has the VIP", said)
        self.assertNotIn("skipped", said)
        self.expect_nothing_changes()

    def test_3_the_vip_leaves_a_dead_haproxy_and_comes_back_to_a_living_one(self):
        surfer = self.surfing()
        time.sleep(0.5)
        died = time.monotonic()
        self.kill("lb1")
        took = self.expect_owner("lb2", self.NOTICED + TAKEN_OVER + LATE, "haproxy is dead")
        wait_until(lambda: page() is not None, LATE, "lb2 serves")
        self.assertIn(instance_of("lb1")["priority"], (80, 90))
        time.sleep(0.5)
        outage = surfer.outage(since=died - 0.5)
        self.start("lb1")
        back = time.monotonic()
        self.expect_owner("lb1", self.SERVES + TAKEN_OVER + LATE, "haproxy lives again")
        time.sleep(0.5)
        surfer.stop()
        self.report(f"haproxy killed: VIP moved after {took:.2f} s, {outage:.2f} s without an answer; on the way back "
                    f"{surfer.lost(since=back)} of {sum(asked >= back for asked, _, _ in surfer.answers)} requests lost")
        self.assertLess(outage, self.NOTICED + TAKEN_OVER + BUSY)
        # A handshake that is under way in the moment of the move is reset by a host that knows nothing of it.
        self.assertLessEqual(surfer.lost(since=back), 1)
        self.assertEqual(instance_of("lb1")["priority"], 100)

    def test_4_a_haproxy_without_web_servers_gives_way(self):
        """The process lives, so it is the script alone that sees it."""
        on("lb1", "nft 'add table inet cut; add chain inet cut out { type filter hook output priority 0; }; "
                  "add rule inet cut out ip daddr { 10.77.0.21, 10.77.0.22 } tcp dport 80 drop'")
        try:
            took = self.expect_owner("lb2", self.SERVES + 2 * 1.5 + TAKEN_OVER + LATE, "lb1 reaches no web server")
            self.assertEqual(instance_of("lb1")["priority"], 90)
            self.assertEqual(instance_of("lb1")["state"], "backup")
            self.expect_turns()
        finally:
            on("lb1", "nft delete table inet cut")
        self.expect_owner("lb1", self.SERVES + 2 * 1.5 + TAKEN_OVER + LATE, "lb1 reaches them again")
        self.report(f"no web server within reach: VIP moved after {took:.2f} s")

    def test_5_sabotage_a_tracker_that_asks_the_wrong_path(self):
        wrong = self.variant("/ready\"]", "/raedy\"]")
        self.about("rollout", "-l", ",".join(self.nodes), playbook=wrong)
        wait_until(lambda: [instance_of(host)["priority"] for host in self.nodes] == [90, 85], 2 * LATE + self.SERVES,
                   "it costs both of them 10")
        try:
            said = self.about("status", status=2, playbook=wrong)
            self.assertRegex(said, r"tracker haproxy-serves is down: the script ended with exit code 22")
            self.assertEqual(owner(), ["lb1"])  # the same for both: nobody is better
            self.expect_turns()
            document = json.loads(self.about("verify", "--output", "json", status=2, playbook=wrong))
            messages = [finding["message"] for check in document["checks"] for finding in check["findings"]]
            self.assertEqual(len(messages), 1, messages)
            self.assertRegex(messages[0], r"tracker haproxy-serves is down: the script ended with exit code 22")
        finally:
            self.roll_out()
        wait_until(lambda: [instance_of(host)["priority"] for host in self.nodes] == [100, 95], 2 * LATE + self.SERVES, "mended")
        self.expect_clean()

    def test_6_sabotage_haproxy_killed_on_both(self):
        self.kill(*self.nodes)
        try:
            wait_until(lambda: all(instance_of(host)["priority"] < 90 for host in self.nodes), 2 * LATE + self.SERVES, "seen by both")
            said = self.about("status", status=2)
            self.assertRegex(said, "tracker haproxy-lives is down")
            told = self.expect_found(("no-answer", ""), ("state", "lb1, lb2"))
            self.assertIn("refused", told)
            self.assertIn("start the service on it", told)
            self.assertNotIn("ipvsadm", told)
        finally:
            self.start(*self.nodes)
        wait_until(lambda: [instance_of(host)["priority"] for host in self.nodes] == [100, 95], 2 * LATE + self.SERVES, "mended")
        self.expect_owner("lb1", TAKEN_OVER + LATE, "mended")
        self.expect_clean()

    def test_7_it_goes_without_a_trace(self):
        self.take_away()
        for host in self.nodes:
            self.assertEqual(on(host, "sysctl -n net.ipv4.ip_nonlocal_bind"), "0")
            on(host, "/etc/init.d/haproxy stop")  # what generic modules brought stays


CUT = "nft 'add table inet cut; add chain inet cut in { type filter hook input priority 0; }; " \
      "add rule inet cut in meta l4proto 112 drop; add chain inet cut out { type filter hook output priority 0; }; " \
      "add rule inet cut out meta l4proto 112 drop'"


class SplitBrain(NativeWay):
    """10: VRRP cut between directors while both reach the clients."""
    way = "split-brain"
    nodes = DIRECTORS
    servers = DIRECTORS
    FOUND = 2.0  # s; promised from the moment in which there are two

    def cut(self):
        for host in DIRECTORS:
            on(host, CUT)
        return time.monotonic()

    def heal(self):
        for host in DIRECTORS:
            on(host, "nft delete table inet cut 2>/dev/null; true")
        return time.monotonic()

    def events(self, host, kind):
        """[(monotonic seconds, text)], the oldest first."""
        lines = map(json.loads, on(host, "cat /var/log/drover/events.jsonl").splitlines())
        return [(line["monotonic_us"] / 1e6, line["text"]) for line in lines if line["kind"] == kind]

    def metric(self, host, name):
        text = on(host, "curl -s http://127.0.0.1:9630/metrics")
        return float(re.search(rf"^drover_{re.escape(name)} (\S+)$", text, re.M).group(1))

    def rivals(self, host, since):
        return [(at, text) for at, text in self.events(host, "rival") if at >= since]

    def test_1_it_stands_and_is_proven(self):
        self.roll_out()
        self.expect_owner("lb1", 3 * TAKEN_OVER + LATE, "the better one")
        time.sleep(1)  # what neighbours say right after a takeover is no quarrel
        self.assertEqual(set(pages(5)), {"lb1"})
        self.expect_clean()
        self.expect_nothing_changes()
        for host in DIRECTORS:
            self.assertEqual(self.metric(host, 'vrrp_rivals_total{instance="web"}'), 0)

    def test_2_two_owners_are_found_told_and_healed(self):
        surfer = self.surfing()
        began = self.cut()
        try:
            wait_until(lambda: owner() == list(DIRECTORS), TAKEN_OVER + LATE, "both are master")
            double = next(at for at, text in self.events("lb2", "vrrp") if at >= began and "-> master" in text)
            for host, other in (DIRECTORS, DIRECTORS[::-1]):
                wait_until(lambda host=host: self.rivals(host, began), self.FOUND + LATE, f"{host} tells of the other")
                at, text = self.rivals(host, began)[0]
                self.report(f"{host} told of {other} {at - double:.2f} s after there were two: {text}")
                self.assertLess(at - double, self.FOUND)
                self.assertEqual(text, f"{VIP} is claimed by {mac(other)}: announced again")
                self.assertGreater(self.metric(host, 'vrrp_rivals_total{instance="web"}'), 0)
                self.assertEqual(self.metric(host, 'vrrp_state{instance="web",state="master"}'), 1)
            said = self.about("status", status=2)
            self.assertIn(f"vrrp_instance web ({VIP}) has 2 masters: lb1 and lb2", said)
            told = self.expect_found(("two-masters", "lb2"), ("arp-double-owner", ""), ("state", ""))
            self.assertIn("lb1 and lb2 both have", told)
            self.assertIn("protocol 112", told)
        finally:
            healed = self.heal()
        took = self.expect_owner("lb1", TAKEN_OVER + LATE, "healed")
        wait_until(lambda: mac("lb1") in on("control", f"ip neigh show {VIP}"), LATE, "the client learns it")
        found = time.monotonic() - healed
        time.sleep(2)
        surfer.stop()
        settled = healed + 1.0 + BUSY
        self.report(f"healed: one owner after {took:.2f} s, the client knew after {found:.2f} s; without an answer at most "
                    f"{surfer.outage(healed):.2f} s, {surfer.lost(began)} of {len(surfer.answers)} requests lost in all")
        self.assertEqual(surfer.servers(since=settled), {"lb1"})
        self.assertEqual(surfer.lost(since=settled), 0)
        self.assertLess(surfer.outage(since=healed), 1.0 + BUSY)
        self.about("status")
        self.expect_clean()

    def test_3_who_is_told_to_yield_leaves_one_owner(self):
        self.about("rollout", "-l", "lb1,lb2", "-e", "on_rival=yield")
        self.expect_owner("lb1", 3 * TAKEN_OVER + LATE, "rolled out")
        time.sleep(1)
        surfer = self.surfing()
        began = self.cut()
        try:
            wait_until(lambda: len(owner()) == 1 and self.rivals("lb1", began) + self.rivals("lb2", began),
                       TAKEN_OVER + self.FOUND + LATE, "one of them gave way")
            one = owner()[0]
            other = next(host for host in DIRECTORS if host != one)
            self.report(f"{other} gave way after {time.monotonic() - began:.2f} s: {self.rivals(other, began)[-1][1]}")
            self.assertEqual(self.rivals(other, began)[-1][1], f"{VIP} is claimed by {mac(one)}: yielded")
            self.assertIn("fault", self.about("status", "-e", "on_rival=yield", status=2))
            time.sleep(1)
            self.assertEqual(instance_of(other)["state"], "fault")
            self.assertEqual(set(pages(5)), {one})
        finally:
            self.heal()
        time.sleep(3)
        surfer.stop()
        self.assertEqual(owner(), [one], "who gave way stays away for a while")
        self.assertLess(surfer.outage(since=began), self.FOUND + BUSY)

    def test_4_it_goes_without_a_trace(self):
        self.take_away()


class BothActive(NativeWay):
    """9: several VIPs active on both directors, by instances with crossed priorities; an IPv6 address that moves with an IPv4 one."""
    way = "both-active"
    nodes = DIRECTORS
    servers = DIRECTORS
    RED, RED6, BLUE = "10.77.0.100", "fd77::100", "10.77.0.101"

    def at(self):
        """{address: the hosts that have it}"""
        return {vip: [host for host in DIRECTORS if holds(host, vip)] for vip in (self.RED, self.RED6, self.BLUE)}

    def served(self):
        """Who answers on each address."""
        return [page(address=vip, timeout=1.0) for vip in (self.RED, self.RED6, self.BLUE)]

    def expect_at(self, red, blue, seconds, what):
        """And that clients get there."""
        want = {self.RED: [red], self.RED6: [red], self.BLUE: [blue]}
        took = wait_until(lambda: self.at() == want, seconds, f"{what}: {want}")
        wait_until(lambda: self.served() == [red, red, blue], LATE, f"{what}: the client gets there")
        return took

    def test_1_each_has_its_own(self):
        self.roll_out()
        self.expect_at("lb1", "lb2", 3 * TAKEN_OVER + LATE, "at home")
        self.assertIn(f" {self.RED6}/128 ", on("lb1", "ip -o addr show dev eth0"))
        self.assertIn(" fe80::77:51/128 ", on("lb1", "ip -o addr show dev eth0"))
        time.sleep(1)  # what neighbours say right after a takeover is no quarrel
        said = self.expect_clean()
        for vip in (self.RED, self.RED6, self.BLUE):
            self.assertIn(f"ok:      vip-owner  {vip}", said)
            self.assertIn(f"ok:      arp  {vip}", said)
        self.expect_nothing_changes()

    def test_2_each_takes_the_others_address_and_gives_it_back(self):
        for dead, alive in (DIRECTORS, DIRECTORS[::-1]):
            lab("link", dead, "down")
            try:
                wait_until(lambda: [page(address=vip, timeout=1.0) for vip in (self.RED, self.RED6, self.BLUE)] == [alive] * 3,
                           TAKEN_OVER + LATE, f"{alive} serves all")
            finally:
                lab("link", dead, "up")
            took = self.expect_at("lb1", "lb2", 2 * TAKEN_OVER + LATE, f"{dead} is back")
            self.report(f"{dead} without its cable: all on {alive}; at home again {took:.2f} s after it was plugged in")

    def test_3_sabotage_adverts_of_ipv6_are_dropped(self):
        on("lb2", "nft 'add table ip6 cut; add chain ip6 cut in { type filter hook input priority 0; }; "
                  "add rule ip6 cut in meta l4proto 112 drop'")
        try:
            wait_until(lambda: self.at()[self.RED6] == list(DIRECTORS), TAKEN_OVER + LATE, "two owners over IPv6")
            told = self.expect_found(("two-masters", "lb2"), ("arp-double-owner", ""))
            self.assertIn(self.RED6, told)
        finally:
            on("lb2", "nft delete table ip6 cut")
        self.expect_at("lb1", "lb2", 2 * TAKEN_OVER + LATE, "they hear each other again")

    def test_4_it_goes_without_a_trace(self):
        self.take_away()


if __name__ == "__main__":
    unittest.main(verbosity=2)
