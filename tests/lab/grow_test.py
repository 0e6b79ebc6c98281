"""Real servers that come and go under load (add, remove, replace, maintenance), another scheduler, a rollback, and what stops a
rollout. Real ip_vs, real nginx.

    tests/lab/lab -i tests/lab/inventories/grow.yml -- /usr/bin/python3 tests/lab/grow_test.py [TEST…]

Tests run in the order of writing on one cluster, and each leaves it well. While they run there are new connections at the pace
that test_02 finds this machine to carry (100/s or less), and 50 connections that stay open.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
from director_case import DROVER, EMULATED, DirectorTest, drover, holds_vip, table, write_playbook  # noqa: E402
from director_tools import ECHO_PORT, VIP, WEB_PORT, lab, on, start_servers, wait_until  # noqa: E402

WORK = pathlib.Path(tempfile.mkdtemp(prefix="grow-"))
PLAYBOOK = WORK / "site.yml"
INVENTORY = WORK / "hosts.yml"
REAL = {f"rs{i}": f"10.77.0.2{i}" for i in range(1, 5)}
EMULATION = 4.0 if EMULATED else 0.5
LONG_LIVED = 50
WEIGHT = 4
SLOW_START = 4

PLAY = f"""
- name: Directors
  hosts: directors
  tasks:
    - sysctl: {{net.ipv4.conf.all.send_redirects: 0, net.ipv4.conf.default.send_redirects: 0}}
    - connection_sync: {{interface: eth0}}
    - vrrp_instance:
        name: web
        interface: eth0
        virtual_router_id: 51
        priority: "{{{{ vrrp_priority }}}}"
        advert_interval: 1s
        addresses: ["{{{{ vip }}}}"]
        sync_wait: 30s
    - virtual_service:
        address: "{{{{ vip }}}}:{WEB_PORT}"
        scheduler: wrr
        weight: {WEIGHT}
        real_servers: "{{{{ groups['real_servers'] }}}}"
        check: {{http: {{path: /health}}, interval: 1s, timeout: 900ms, fall: 3, rise: 2}}
        slow_start: {SLOW_START}s
    - virtual_service:
        address: "{{{{ vip }}}}:{ECHO_PORT}"
        scheduler: rr
        real_servers: "{{{{ groups['real_servers'] }}}}"
        check: {{tcp: {{}}, port: {WEB_PORT}, interval: 1s, timeout: 900ms, fall: 3, rise: 2}}
"""


def about(command, *words, options=(), connect=60):
    """drover COMMAND WORDS… PLAYBOOK"""
    return drover(command, *words, str(PLAYBOOK), "-i", str(INVENTORY), "-T", str(connect), *options)


def rollout():
    return about("rollout")


def weights(weight, *names, drained=()):
    return {REAL[name]: 0 if name in drained else weight for name in names}


class LongTalk:
    """A connection to the VIP that one real server has, and that ends when it is told."""

    def __init__(self, server):
        for _ in range(40):
            self.door = socket.create_connection((VIP, ECHO_PORT), timeout=20)
            if self.ask() == server:
                return
            self.door.close()
        raise AssertionError(f"no connection came to {server}")

    def ask(self):
        """Who answers."""
        self.door.sendall(b"GET /1 HTTP/1.1\r\nHost: lab\r\n\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self.door.recv(4096)
            if not piece:
                raise AssertionError(f"the connection ended: {answer}")
            answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1))
        while len(body) < length:
            body += self.door.recv(4096)
        return (head + body).decode(errors="replace") and self.server_in(head.decode(), body.decode())

    @staticmethod
    def server_in(head, body):
        return next((name for name in REAL if re.search(rf"\b{name}\b", head + " " + body)), None)

    def close(self):
        self.door.close()


class Growth(DirectorTest):
    emulation = EMULATION

    def expect_unchanged_rollout(self):
        self.expect_nothing_changed(rollout())

    def under_load(self, work):
        """Carries it out while connections come and others stay. Nothing is lost, nothing is reset."""
        role = self.probing(self.pace, LONG_LIVED, datagrams=0)
        time.sleep(2)
        work()
        time.sleep(2)
        result = role.result()
        self.report(result)
        self.assertEqual(result.hurt(), {}, str(result))
        self.assertGreater(result.answered(), 0)
        return result

    def bring_rs4(self, *words):
        """What drover WORDS… says, which brings rs4 into service."""
        start = time.monotonic()
        adding = subprocess.Popen([DROVER, *words, str(PLAYBOOK), "-i", str(INVENTORY), "-T", "60", "--update-inventory"],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # The echo server needs the VIP, as the web server does not.
        wait_until(lambda: VIP in on("rs4", "ip -o addr show dev lo"), 120, "the VIP on rs4")
        start_servers(["rs4"])
        said, _ = adding.communicate(timeout=300)
        self.assertEqual(adding.returncode, 0, said)
        self.report(f"{' '.join(words)}: {time.monotonic() - start:.1f} s")
        self.assertIn("rs4: added, serves on lb1, lb2", said)
        return said

    # --- the cluster comes up

    def test_01_one_rollout_makes_the_cluster(self):
        shutil.copy("tests/lab/inventories/grow.yml", INVENTORY)
        write_playbook(PLAYBOOK, PLAY)
        self.expect(rollout())
        self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3"), 20 + SLOW_START, "three real servers")
        start_servers(["rs1", "rs2", "rs3"])
        Growth.stands = True

    def test_02_this_machine_carries_a_pace(self):
        rate = self.find_pace(LONG_LIVED, 0, lambda result: not result.hurt())
        # Commands of the orchestrator run meanwhile, which an emulated machine feels.
        Growth.pace = max(rate // 2, 2) if EMULATED else rate

    # --- add

    def test_03_a_host_that_the_services_do_not_have_is_told_its_place(self):
        said = self.expect(about("add", "rs4"), status=1)
        self.assertIn("not in the group real_servers", said)
        self.assertRegex(said, rf"{INVENTORY}:\d+, or give --update-inventory: rs4:")
        said = self.expect(about("add", "rs9"), status=1)
        self.assertIn("rs9: {ansible_host: ADDRESS}", said)

    def test_04_a_server_that_never_gets_healthy_is_not_added(self):
        before = INVENTORY.read_text()
        on("rs4", "touch /run/sick")
        try:
            said = self.expect(about("add", "rs4", options=["--update-inventory", "--ready-timeout", "10s"]), status=2)
        finally:
            on("rs4", "rm /run/sick")
        self.assertIn("500", said)
        self.assertIn("the cluster is as before", said)
        self.assertEqual(INVENTORY.read_text(), before)
        self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3"), 5, "as before")
        self.assertNotIn(VIP, on("rs4", "ip -o addr show dev lo"))
        self.assertIn("no host is under maintenance", self.expect(about("maintenance", "list")))

    def test_05_a_server_is_added_under_load(self):
        before = INVENTORY.read_text()
        highest = {}

        def watch(stop):
            while not stop.is_set():
                weight = table("lb1").get(REAL["rs4"])
                if weight is not None and (not highest or weight != highest["last"]):
                    highest.setdefault("seen", []).append(weight)
                    highest["last"] = weight
                time.sleep(0.1)

        def add():
            stop = threading.Event()
            watcher = threading.Thread(target=watch, args=(stop,))
            watcher.start()
            try:
                self.bring_rs4("add", "rs4")
                self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3", "rs4"), SLOW_START + 3, "four real servers")
            finally:
                stop.set()
                watcher.join()

        self.under_load(add)
        self.assertEqual(highest["seen"][0], 0, highest)  # no connection before it is ready
        self.assertEqual(highest["seen"][-1], WEIGHT, highest)
        self.assertEqual(INVENTORY.read_text(), before.replace("10.77.0.23}\n", "10.77.0.23}\n        rs4:\n"))

    def test_06_the_next_rollout_changes_nothing(self):
        time.sleep(3)
        self.expect_unchanged_rollout()
        self.assertIn("serves already", self.expect(about("add", "rs4")))

    # --- maintenance

    def test_07_maintenance_loses_nothing_and_outlives_rollout_and_restart(self):
        def turn():
            self.expect(about("maintenance", "on", "rs2", options=["--reason", "new disk"]))
            self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3", "rs4", drained=["rs2"]), 2, "rs2 gets nothing")
            self.assertEqual(table("lb1", ECHO_PORT)[REAL["rs2"]], 0)
            status = about("status").stdout
            self.assertRegex(status, r"rs2 .*maintenance by \S+@\S+ since ")
            self.expect_unchanged_rollout()
            self.assertEqual(table("lb1")[REAL["rs2"]], 0)
            lab("off", "lb2")
            lab("on", "lb2")
            wait_until(lambda: REAL["rs1"] in table("lb2"), 60, "lb2 is back")
            self.assertEqual(table("lb2")[REAL["rs2"]], 0)
            time.sleep(4)  # also when its checks have spoken
            self.assertEqual(table("lb2")[REAL["rs2"]], 0)
            self.assertIn("new disk", self.expect(about("maintenance", "list")))
            self.expect(about("maintenance", "off", "rs2"))
            self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3", "rs4"), SLOW_START + 10, "rs2 is back")

        self.under_load(turn)

    def test_08_while_a_director_is_down_it_is_named(self):
        lab("off", "lb2")
        try:
            said = self.expect(about("maintenance", "on", "rs2", connect=10), status=4)
            self.assertIn("lb2 gave no answer", said)
            self.assertEqual(table("lb1")[REAL["rs2"]], WEIGHT)
            said = self.expect(about("maintenance", "on", "rs2", options=["--ignore-unreachable"], connect=10))
            self.assertIn("lb2 could not be told", said)
            self.assertEqual(table("lb1")[REAL["rs2"]], 0)
        finally:
            lab("on", "lb2")
        wait_until(lambda: table("lb2").get(REAL["rs2"]) == WEIGHT, 60, "lb2 knows nothing of it")
        self.assertIn("under maintenance on lb1 but not here", about("status").stdout)
        self.expect(about("maintenance", "on", "rs2"))
        self.assertEqual(table("lb2")[REAL["rs2"]], 0)
        self.expect(about("maintenance", "off", "rs2"))
        self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3", "rs4"), SLOW_START + 10, "rs2 is back")

    # --- remove

    def test_09_a_server_is_removed_under_load_after_its_last_connection(self):
        before = INVENTORY.read_text()
        ended = []
        # The prober's connections stay open: none of them may be on the server that leaves.
        self.expect(about("maintenance", "on", "rs4"))

        def end_later(talk):
            for _ in range(15):
                time.sleep(2)
                assert talk.ask() == "rs4"
            ended.append(time.monotonic())
            talk.close()

        def remove():
            self.expect(about("maintenance", "off", "rs4"))
            self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3", "rs4"), SLOW_START + 10, "four real servers")
            talker = threading.Thread(target=end_later, args=(LongTalk("rs4"),))
            talker.start()
            said = self.expect(about("remove", "rs4", options=["--drain", "120s", "--update-inventory"]))
            finished = time.monotonic()
            talker.join()
            self.assertTrue(ended and ended[0] < finished, "it did not wait for the connection")
            self.assertIn("1 established", said)
            self.assertNotIn("this is cut", said)
            self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3"), 3, "three real servers")
            self.assertNotIn(VIP, on("rs4", "ip -o addr show dev lo"))
            self.assertEqual(on("rs4", "cat /proc/sys/net/ipv4/conf/all/arp_ignore"), "0")

        self.under_load(remove)
        self.assertEqual(INVENTORY.read_text(), before.replace("        rs4:\n", "", 1))
        self.assertIn("no host is under maintenance", self.expect(about("maintenance", "list")))

    def test_10_a_server_is_replaced_under_load(self):
        before = INVENTORY.read_text()
        # As above: no connection that stays open may be on the server that leaves.
        self.expect(about("maintenance", "on", "rs3"))

        def replace():
            self.expect(about("maintenance", "off", "rs3"))
            said = self.bring_rs4("replace", "rs3", "rs4", "--drain", "120s")
            self.assertLess(said.index("rs4: added"), said.index("rs3: no new connections"))
            self.assertIn("rs3: removed", said)
            self.assertNotIn("this is cut", said)
            self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs4"), SLOW_START + 10, "rs4 instead of rs3")

        self.under_load(replace)
        after = before.replace("        rs3: {ansible_host: 10.77.0.23}\n", "        rs4:\n", 1)
        self.assertEqual(INVENTORY.read_text(), after)

    def test_11_what_is_open_is_cut_at_the_deadline_and_said(self):
        talk = LongTalk("rs4")
        try:
            said = self.expect(about("remove", "rs4", options=["--drain", "3s"]))
            self.assertIn("this is cut: lb1: 1 established", said)
            self.assertRegex(said, rf"take this line out of the inventory, .* rs4 back: {INVENTORY}:\d+: rs4:")
        finally:
            talk.close()
        shutil.copy("tests/lab/inventories/grow.yml", INVENTORY)
        self.expect(rollout())
        self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3"), SLOW_START + 10, "the first three again")

    def test_12_the_last_real_servers_stay(self):
        said = self.expect(about("remove", "rs1", "rs2", "rs3"), status=2)
        self.assertIn("would have no real server left", said)
        said = self.expect(about("maintenance", "on", "rs1", "rs2", "rs3"), status=2)
        self.assertIn("would have no live real server", said)
        said = self.expect(about("replace", "rs9", "rs4"), status=1)
        self.assertIn("rs9", said)
        self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3"), 1, "nothing was changed")

    # --- a change of everything

    def test_13_another_scheduler_and_other_weights_and_the_way_back_break_no_connection(self):
        def schedulers():
            """Of the services of the web and of echo, on both directors."""
            found = [re.findall(r"TCP +[0-9A-F]+:([0-9A-F]+) (\w+)", on(host, "cat /proc/net/ip_vs")) for host in ("lb1", "lb2")]
            return [[name for _, name in sorted(services)] for services in found]

        other = PLAYBOOK.read_text().replace("scheduler: wrr", "scheduler: wlc").replace("scheduler: rr", "scheduler: wrr")
        other = other.replace(f"weight: {WEIGHT}", f"weight: {WEIGHT + 3}")

        def change():
            before = PLAYBOOK.read_text()
            PLAYBOOK.write_text(other)
            said = self.expect(rollout())
            self.assertIn("handed over before its changes", said)
            self.assertEqual(schedulers(), [["wlc", "wrr"]] * 2)
            self.expect_tables(weights(WEIGHT + 3, "rs1", "rs2", "rs3"), SLOW_START + 10, "other weights")
            wait_until(lambda: holds_vip("lb1") and not holds_vip("lb2"), 60, "lb1 is master again")
            PLAYBOOK.write_text(before)
            self.assertIn("handed over before its changes", self.expect(about("rollback")))
            self.assertEqual(schedulers(), [["wrr", "rr"]] * 2)
            self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3"), SLOW_START + 10, "the weights of before")

        self.under_load(change)  # lb1 gives way and comes back, twice
        wait_until(lambda: holds_vip("lb1") and not holds_vip("lb2"), 60, "lb1 is master again")
        self.expect_unchanged_rollout()

    # --- what stops a rollout

    def carry_out(self, change):
        """(exit status, events) of a rollout of the playbook as CHANGE makes it."""
        before = PLAYBOOK.read_text()
        PLAYBOOK.write_text(change(before))
        try:
            done = about("rollout", options=["--output", "jsonl"])
        finally:
            PLAYBOOK.write_text(before)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def test_14_a_server_that_never_gets_healthy_stops_the_rollout_at_its_batch(self):
        update = "  update: {canary: 1, hold: 2s, min_healthy_time: 7s, healthy_deadline: 12s}\n"
        tasks = "    - command: touch /run/touched\n" \
                "    - {command: touch /run/sick, when: inventory_hostname == 'rs2'}\n"
        try:
            status, events = self.carry_out(lambda text: text.replace("  hosts: real_servers\n  tasks:\n",
                                                                      f"  hosts: real_servers\n{update}  tasks:\n{tasks}", 1))
        finally:
            on("rs2", "rm -f /run/sick")
        self.assertEqual(status, 2, events)
        course = [(event["event"], *event["hosts"]) for event in events if event.get("batches") == 3]
        self.assertEqual([step for step in course if step[0] in ("hold", "health", "batch_end")],
                         [("hold", "rs1"), ("health", "rs1"), ("batch_end", "rs1"), ("health", "rs2")])
        self.assertRegex(events[-1]["transaction"]["reason"], r"batch 2 was not healthy in 12 s: .*rs2")
        ends = events[-1]["transaction"]["hosts"]
        self.assertEqual((ends["rs1"], ends["rs2"], ends["rs3"], ends["lb1"]),
                         ("reverted", "reverted", "not attempted", "not attempted"))
        self.expect_tables(weights(WEIGHT, "rs1", "rs2", "rs3"), SLOW_START + 10, "rs2 is back")

    def test_15_a_vip_that_no_longer_answers_takes_all_back(self):
        mute = f"    - command: ip rule add from {VIP} blackhole\n"
        status, events = self.carry_out(lambda text: text.replace("- name: Directors\n", f"{mute}- name: Directors\n", 1))
        self.assertEqual(status, 2, events)
        self.assertIn(f"tcp {VIP}:{WEB_PORT}", events[-1]["transaction"]["reason"])
        self.assertIn("answered from here before the run and no longer does", events[-1]["transaction"]["reason"])
        self.assertIn("probe", [event["event"] for event in events])
        for host in ("rs1", "rs2", "rs3"):
            self.assertEqual(events[-1]["transaction"]["hosts"][host], "reverted")
            self.assertNotIn("blackhole", on(host, "ip rule"))
        LongTalk("rs1").close()  # it answers again

    # --- the director

    def test_16_a_director_under_maintenance_gives_the_addresses_away_also_after_a_restart(self):
        wait_until(lambda: holds_vip("lb1"), 60, "lb1 is master")

        def turn():
            self.expect(about("maintenance", "on", "lb1"))
            wait_until(lambda: holds_vip("lb2") and not holds_vip("lb1"), 10, "lb2 is master")

        on("control", "tc qdisc add dev eth0 root netem delay 40ms")  # many handshakes are under way at any time
        try:
            self.under_load(turn)
        finally:
            on("control", "tc qdisc del dev eth0 root")
        lab("off", "lb1")
        lab("on", "lb1")
        time.sleep(40)  # it would preempt after the wait for connections
        self.assertTrue(holds_vip("lb2") and not holds_vip("lb1"))
        self.expect(about("maintenance", "off", "lb1"))
        wait_until(lambda: holds_vip("lb1") and not holds_vip("lb2"), 90, "lb1 is master again")

    def test_17_the_last_rollout_changes_nothing(self):
        self.expect_unchanged_rollout()


if __name__ == "__main__":
    if os.environ.get("LAB") != "1" or os.environ.get("LAB_IPVS") != "1":
        sys.exit("grow_test.py: needs the lab with ip_vs: tests/lab/lab -i tests/lab/inventories/grow.yml -- "
                 "/usr/bin/python3 " + __file__)
    try:
        unittest.main(verbosity=2, failfast=False)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
