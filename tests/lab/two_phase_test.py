"""Rollouts that change what a pair of directors says to each other: interval, list of addresses, password, version, id. The
peers never misunderstand each other on the way, so nobody else takes over and nothing is lost. The daemons, drover and SSH
as they are used; the kernel tells who had an address.

    tests/lab/lab --engine native -i tests/lab/inventories/vrrp.yml -- /usr/bin/python3 tests/lab/two_phase_test.py [TEST…]

Tests run in the order of writing; each leaves d1 as master and d2 as backup.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from recap import recap  # noqa: E402
from vrrp_tools import ADDRESS, Client, Echo, Owners, Wire, addresses, on, wait_until  # noqa: E402

DROVER = os.environ.get("DROVER", "build/drover")
HELPER = "/var/lib/drover/node-helper"
INVENTORY = "tests/lab/inventories/vrrp.yml"
VIP = "10.250.0.100"
SECOND_VIP = "10.250.0.101"
WORK = pathlib.Path(tempfile.mkdtemp(prefix="two-phase-"))
FAST = {"version": 3, "advert_interval": "100ms"}
SLOW = {"version": 3, "advert_interval": "1s"}
WITH_PASSWORD = {"version": 2, "advert_interval": "1s", "password": "first"}


def playbook(settings, second=None):
    """A playbook for both directors; `second`: what d2 gets instead."""
    def task(values):
        whole = {"name": "web", "interface": "eth0", "virtual_router_id": 51, "addresses": [VIP],
                 "priority": "{{ 150 if inventory_hostname == 'd1' else 100 }}"} | values
        return {"name": "the pair's address", "vrrp_instance": whole}
    tasks = [task(settings)] if second is None else [task(settings) | {"when": "inventory_hostname == 'd1'"},
                                                     task(second) | {"when": "inventory_hostname == 'd2'"}]
    path = WORK / "pair.yml"
    path.write_text(json.dumps([{"name": "Directors", "hosts": "directors", "tasks": tasks}]))
    return str(path)


def rollout(settings, *arguments, second=None):
    return subprocess.run([DROVER, "rollout", playbook(settings, second), "-i", INVENTORY, *arguments], capture_output=True,
                          text=True, timeout=120, check=False)


def web(host):
    return json.loads(on(host, f"{HELPER} status --json"))["instances"][0]


def is_pair():
    return web("d1")["state"] == "master" and web("d2")["state"] == "backup"


def transitions():
    return {host: web(host)["counters"]["transitions"] for host in ADDRESS}


class Watch:
    """All that sees a change from outside: who has which address, what is on the wire, what a client loses."""

    def __init__(self, *vips):
        self.before = transitions()
        self._parts = []
        try:
            self.owners = {vip: self._keep(Owners(vip)) for vip in vips}
            self.wire = self._keep(Wire("control"))
            for host in ADDRESS:
                self._keep(Echo(host))
            self.client = self._keep(Client())
        except BaseException:
            self.stop()
            raise
        time.sleep(0.5)
        self.began = time.time()

    def _keep(self, part):
        self._parts.append(part)
        return part

    def stop(self):
        for part in reversed(self._parts):
            part.stop()
        self._parts = []


class TwoPhase(unittest.TestCase):
    maxDiff = None

    def expect(self, done, status=0):
        self.assertEqual(done.returncode, status, f"\n{done.stdout}\n{done.stderr}")
        return done

    def expect_nothing_to_do(self, settings, *arguments):
        for host, counts in recap(self.expect(rollout(settings, *arguments)).stdout).items():
            self.assertEqual((counts["changed"], counts["failed"], counts["unreachable"]), (0, 0, 0), host)

    def expect_quiet(self, watch, ended, speakers=("d1",)):
        """Nobody but the master ever owned or said anything, and the client noticed nothing."""
        owners = watch.owners[VIP]
        self.assertEqual(owners.longest_double(), 0.0, "two owners")
        self.assertEqual(round(owners.longest_gap(watch.began, ended), 3), 0.0, "no owner")
        self.assertEqual({advert.source for advert in watch.wire.adverts()}, {ADDRESS[host] for host in speakers})
        self.assertEqual(transitions(), watch.before)
        self.assertEqual(watch.client.lost(), [], f"of {watch.client.sent} questions")

    def change(self, before, after, *arguments, settle=3.0, vips=(VIP,)):
        """Rolls `after` out where `before` is in force; what was seen, and the adverts from then on."""
        self.expect(rollout(before))
        wait_until(is_pair, 15, "d1 is master, d2 backup")
        time.sleep(1.5)  # the backup has learned the interval
        watch = Watch(*vips)
        try:
            done = self.expect(rollout(after, *arguments))
            rolled_out = time.time()
            for host in ADDRESS:
                self.assertGreater(recap(done.stdout)[host]["changed"], 0, host)
                self.assertFalse(web(host)["two_phase"], f"{host} still sends the old form")
            time.sleep(settle)
            ended = time.time()
        finally:
            watch.stop()
        self.expect_quiet(watch, ended)
        self.expect_nothing_to_do(after)
        self.assertEqual(transitions(), watch.before, "the second run")
        return watch, rolled_out, watch.wire.adverts(since=rolled_out)

    def test_01_one_rollout_makes_a_pair_and_the_second_changes_nothing(self):
        self.expect(rollout(SLOW))
        wait_until(is_pair, 10, "d1 is master, d2 backup")
        self.expect_nothing_to_do(SLOW)

    def test_02_a_shorter_interval(self):
        _, _, adverts = self.change(SLOW, FAST)
        self.assertGreater(len(adverts), 20)

    def test_03_a_longer_interval(self):
        _, _, adverts = self.change(FAST, SLOW, settle=5)
        self.assertLess(len(adverts), 12)

    def test_04_a_much_longer_interval_one_host_after_the_other(self):
        self.change({"version": 3, "advert_interval": "50ms"}, {"version": 3, "advert_interval": "3s"}, "-f", "1", settle=10)

    def test_05_an_address_more_and_an_address_less(self):
        both = FAST | {"addresses": [VIP, SECOND_VIP]}
        watch, rolled_out, adverts = self.change(FAST, both, vips=(VIP, SECOND_VIP))
        self.assertEqual(watch.owners[SECOND_VIP].longest_double(), 0.0)
        self.assertEqual(round(watch.owners[SECOND_VIP].longest_gap(rolled_out, rolled_out + 2), 3), 0.0)
        self.assertEqual({advert.payload[3] for advert in adverts}, {2}, "addresses in an advert")
        watch, _, adverts = self.change(both, FAST, vips=(VIP, SECOND_VIP))
        self.assertEqual(watch.owners[SECOND_VIP].longest_double(), 0.0)
        self.assertEqual({advert.payload[3] for advert in adverts}, {1}, "addresses in an advert")
        self.assertNotIn(SECOND_VIP, addresses("d1") | addresses("d2"))

    def test_06_a_password(self):
        _, _, adverts = self.change(WITH_PASSWORD, WITH_PASSWORD | {"password": "second"}, settle=5)
        self.assertEqual({advert.payload[-8:] for advert in adverts}, {b"second\0\0"})

    def test_07_another_version_and_back(self):
        _, _, adverts = self.change(FAST, WITH_PASSWORD, settle=6)
        self.assertEqual({advert.payload[0] for advert in adverts}, {0x21})
        _, _, adverts = self.change(WITH_PASSWORD, FAST)
        self.assertEqual({advert.payload[0] for advert in adverts}, {0x31})

    def test_08_the_interval_of_version_2_one_host_after_the_other(self):
        slower = WITH_PASSWORD | {"advert_interval": "5s"}
        _, _, adverts = self.change(WITH_PASSWORD, slower, "-f", "1", settle=12)
        self.assertEqual({advert.payload[5] for advert in adverts}, {5})
        self.change(slower, WITH_PASSWORD, "-f", "1", settle=12)

    def test_09_another_virtual_router_id(self):
        _, _, adverts = self.change(FAST, FAST | {"virtual_router_id": 60})
        self.assertEqual({advert.vrid for advert in adverts}, {60})

    def test_09a_from_multicast_to_unicast_and_back(self):
        unicast = FAST | {"unicast_peers": "{{ groups['directors'] | difference([inventory_hostname]) }}"}
        self.change(FAST, unicast)
        self.change(unicast, FAST, "-f", "1")

    def test_10_a_host_that_was_left_out_keeps_the_others_to_the_old_form(self):
        self.change(FAST, WITH_PASSWORD, settle=6)
        new = WITH_PASSWORD | {"password": "third"}
        watch = Watch(VIP)
        try:
            for limit in ("d1", "d2"):
                self.expect(rollout(new, "--limit", limit))
                time.sleep(4)
                self.assertTrue(web("d1")["two_phase"])
                self.expect(subprocess.run([DROVER, "status", playbook(new), "-i", INVENTORY], capture_output=True, text=True,
                                           timeout=60, check=False))
            middle = time.time()
            self.expect(rollout(new))
            settled = time.time()
            time.sleep(4)
            ended = time.time()
        finally:
            watch.stop()
        self.expect_quiet(watch, ended)
        adverts = watch.wire.adverts()
        self.assertEqual({advert.payload[-8:] for advert in adverts if advert.at < middle}, {b"first\0\0\0"})
        self.assertEqual({advert.payload[-8:] for advert in adverts if advert.at > settled}, {b"third\0\0\0"})
        self.expect_nothing_to_do(new)

    def test_11_a_host_that_gives_no_answer_keeps_the_others_to_the_old_form(self):
        old = WITH_PASSWORD | {"password": "third"}
        new = WITH_PASSWORD | {"password": "fourth"}
        self.expect(rollout(old))
        wait_until(is_pair, 15, "d1 is master, d2 backup")
        sshd = on("d2", "cat /run/sshd.pid")
        on("d2", f"kill -STOP {sshd}")
        watch = Watch(VIP)
        try:
            self.expect(rollout(new, "-T", "3"), 4)
            self.assertTrue(web("d1")["two_phase"])
            on("d2", f"kill -CONT {sshd}")
            self.expect(rollout(new))
            time.sleep(4)
            ended = time.time()
        finally:
            on("d2", f"kill -CONT {sshd}")
            watch.stop()
        self.expect_quiet(watch, ended)
        self.assertFalse(web("d1")["two_phase"])
        self.expect_nothing_to_do(new)

    def test_12_what_two_hosts_would_not_understand_is_refused_before_any_is_touched(self):
        base = WITH_PASSWORD | {"password": "fourth"}
        for words, other in {"the password on d2": base | {"password": "stranger"},
                             "the version is": SLOW,
                             "the advert interval is": base | {"advert_interval": "2s"},
                             "the addresses on d2": base | {"addresses": [VIP, SECOND_VIP]},
                             "the way of adverts is": base | {"unicast_peers": ["10.250.0.1"]}}.items():
            with self.subTest(words):
                done = self.expect(rollout(base, second=other), 4)
                self.assertRegex(done.stderr, r"pair\.yml:\d+:\d+: ")
                self.assertIn(words, done.stderr)
                self.assertIn("would have two masters", done.stderr)
                self.assertNotIn("stranger", done.stderr)
                self.assertNotIn("PLAY RECAP", done.stdout)
        self.expect_nothing_to_do(base)

    def test_99_uninstall_leaves_nothing(self):
        for host in ("d2", "d1"):
            on(host, f"{HELPER} uninstall")
            self.assertNotIn(VIP, addresses(host))


if __name__ == "__main__":
    unittest.main(verbosity=2, failfast=os.environ.get("FAILFAST") == "1")
