"""The helper's daemon in the lab: sessions that tell it what to do, handover, crashes, upgrade in place, drift. Real
kernel, real processes; without ip_vs what needs it is left out.

    tests/lab/lab --engine native -i tests/lab/inventories/vrrp.yml -- /usr/bin/python3 tests/lab/daemon_test.py [TEST…]

Tests run in the order of writing; each leaves d1 as master and d2 as backup.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from vrrp_tools import Client, Echo, Owners, addresses, instance, on, wait_until  # noqa: E402

HELPER = os.path.abspath(os.environ.get("HELPER", "build/node-helper"))
INSTALLED = "/var/lib/drover/node-helper"
VIP = "10.250.0.100"
FIXED = "10.250.0.200"
FENCED = 1.3  # a lease of 1 s, as the kernel keeps it
# What a rollout sets beside an instance, and one more.
SETTINGS = {"arp_ignore": "1", "arp_announce": "2", "promote_secondaries": "1", "log_martians": "1"}
# A script that nearly always runs, beside the file that the instance depends on.
TRACKED = {"maintenance": {"kind": "file", "path": "/run/serving"}, "slow": {"kind": "script", "argv": ["/bin/sleep", "0.4"]}}
PRIORITY = {"d1": 150, "d2": 100}


def state_of(host, **lists):
    """What the test's playbook wants of HOST."""
    state = {"addresses": [{"interface": "lo", "prefix": f"{FIXED}/32", "announce": False}],
             "sysctls": [{"key": f"net/ipv4/conf/eth0/{key}", "value": value} for key, value in SETTINGS.items()],
             "services": [],
             "vrrp_instances": [instance(addresses=[f"{VIP}/32"], priority=PRIORITY[host], advert_interval_ms=100)],
             "trackers": [{"name": name, "target": target, "interval_ms": 100, "timeout_ms": 1000, "rise": 1, "fall": 1}
                          for name, target in TRACKED.items()],
             "metrics": [{"at": "127.0.0.1:9630"}]}
    state["vrrp_instances"][0]["track"] = [{"tracker": "maintenance", "weight": 0}]
    return state | lists


def session(host, *actions, check=False, owner="web"):
    """One session of `node-helper apply`; the results of its tasks."""
    run = {"run_id": "1", "owner": owner, "playbook": "web.yml", "playbook_hash": "", "user": "test",
           "control_host": "control", "pid": 1}
    tasks = [{"id": number, "name": action["kind"], "action": action, "check": check, "diff": False, "secret": False,
              "ignore_errors": False, "timeout_ms": 0} for number, action in enumerate(actions)]
    subprocess.run(["lab-ctl", "exec", host, "--", "/bin/sh", "-c", "cat > /run/program.json"], text=True, check=True,
                   input=json.dumps({"type": "program", "run": run, "tasks": tasks}) + "\n", timeout=30)
    done = subprocess.run(["lab-ctl", "exec", host, "--", "/bin/sh", "-c", f"exec {HELPER} apply < /run/program.json"],
                          stdin=subprocess.DEVNULL, text=True, capture_output=True, timeout=60, check=False)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    results = [event for event in events if event["type"] == "task_result"]
    if not results:
        raise AssertionError(f"{host}: {done.stdout}{done.stderr}")
    return results


def rollout(host, state, check=False):
    """A whole run; its changes in words, and how long it took."""
    began = time.monotonic()
    results = session(host, {"kind": "converge", "state": state},
                      {"kind": "prune", "whole": state, "unsettled": []}, check=check)
    for result in results:
        if result["status"] == "failed":
            raise AssertionError(f"{host}: {result['message']}")
    changes = [f"{change['verb']} {change['resource']}" for result in results for change in result.get("changes", [])]
    return changes, time.monotonic() - began


def status(host):
    return json.loads(on(host, f"{HELPER} status --json"))


def web(host):
    return status(host)["instances"][0]


def pid(host):
    return int(on(host, "head -1 /run/drover/daemon.pid"))


def is_pair():
    return web("d1")["state"] == "master" and web("d2")["state"] == "backup"


class DaemonTest(unittest.TestCase):
    maxDiff = None

    def tearDown(self):
        wait_until(is_pair, 15, "d1 is master again, d2 backup")

    def told(self, host, kind, text):
        lines = [f"{event['subject']}: {event['text']}" for event in status(host)["events"] if event["kind"] == kind]
        self.assertTrue(any(text in line for line in lines), f"no event of kind {kind} with {text!r} in {lines}")

    def test_01_a_session_installs_starts_tells_and_waits(self):
        for host in ("d1", "d2"):
            on(host, "echo 1 > /run/serving")
            checked, _ = rollout(host, state_of(host), check=True)
            changes, took = rollout(host, state_of(host))
            self.assertEqual(checked, changes)
            self.assertIn("add vrrp_instance web", changes)
            self.assertIn(f"add address {FIXED}/32 on lo", changes)
            self.assertLess(took, 6)
        self.assertIn(VIP, addresses("d1"))
        self.assertNotIn(VIP, addresses("d2"))

    def test_02_the_second_run_changes_nothing_and_is_quick(self):
        for host in ("d1", "d2"):
            before = pid(host)
            changes, took = rollout(host, state_of(host))
            self.assertEqual(changes, [])
            self.assertLess(took, 1.5)
            self.assertEqual(pid(host), before)

    def test_03_the_socket_is_roots_alone(self):
        self.assertEqual(on("d1", "stat -c '%a %u' /run/drover /run/drover/control.sock").split("\n"), ["700 0", "600 0"])
        on("d1", "chmod 755 /run/drover; chmod 666 /run/drover/control.sock")
        try:
            script = ("import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/drover/control.sock'); "
                      "s.sendall(b'{\"verb\":\"status\"}\\n'); print(len(s.recv(100)))")
            said = on("d1", f"setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 -c \"{script}\" 2>&1", check=False)
            self.assertTrue(said.endswith("0") or "Error" in said, said)
        finally:
            on("d1", "chmod 700 /run/drover; chmod 600 /run/drover/control.sock")

    def test_04_status_metrics_and_log_tell_of_it(self):
        table = on("d1", f"{HELPER} status")
        self.assertRegex(table, r"web +eth0 +51 v3 +master")
        page = on("d1", "curl -sS http://127.0.0.1:9630/metrics")
        self.assertIn('drover_vrrp_state{instance="web",state="master"} 1', page)
        self.assertIn("drover_resident_bytes", page)
        self.assertEqual(on("d1", "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9630/other"), "404")
        lines = [json.loads(line) for line in on("d1", "cat /var/log/drover/events.jsonl").splitlines()]
        self.assertTrue(any("master" in line["text"] for line in lines if line["kind"] == "vrrp"))
        self.assertEqual(status("d1")["problems"], [])

    def test_05_drift_is_repaired_within_a_second_and_told(self):
        repairs = {"address on lo": (f"ip addr del {FIXED}/32 dev lo", lambda: FIXED in addresses("d2", "lo")),
                   "sysctl": ("sysctl -q -w net.ipv4.conf.eth0.log_martians=0",
                              lambda: on("d2", "cat /proc/sys/net/ipv4/conf/eth0/log_martians") == "1")}
        for name, (harm, mended) in repairs.items():
            on("d2", harm)
            wait_until(mended, 1.0, name)
        on("d1", f"ip addr del {VIP}/32 dev eth0")
        wait_until(lambda: VIP in addresses("d1"), 1.0, "VIP")
        self.told("d2", "drift", f"address {FIXED}/32 on lo: was gone")
        self.told("d2", "drift", "log_martians: was 0")
        self.told("d1", "drift", VIP)

    def test_06_handover_and_return_lose_nothing(self):
        echoes = [Echo("d1"), Echo("d2")]
        client = Client()
        try:
            time.sleep(0.5)
            self.assertIn("change vrrp_instance web", on("d1", f"{HELPER} handover"))
            self.assertEqual((web("d1")["state"], web("d2")["state"]), ("backup", "master"))
            self.assertTrue(web("d1")["yielded"])
            time.sleep(1)
            self.assertEqual(web("d1")["state"], "backup")
            results = session("d1", {"kind": "handover", "move": "return", "instances": [], "sync_wait_ms": 0})
            self.assertEqual(results[0]["status"], "changed")
            wait_until(is_pair, 5, "d1 is back")
            time.sleep(0.5)
        finally:
            client.stop()
            for echo in echoes:
                echo.stop()
        self.assertEqual(client.lost(), [], f"of {client.sent} questions")

    def test_07_a_tracker_brings_fault_and_back(self):
        on("d1", "echo 0 > /run/serving")
        wait_until(lambda: web("d2")["state"] == "master", 2, "d2 takes over")
        self.assertEqual(web("d1")["state"], "fault")
        self.told("d1", "tracker", "maintenance")
        on("d1", "echo 1 > /run/serving")

    def test_08_a_crash_is_covered_by_the_backup_and_the_daemon_comes_back(self):
        before = pid("d1")
        owners = Owners(VIP)
        try:
            on("d1", f"kill -9 {before}")
            wait_until(lambda: VIP in addresses("d2"), 2, "d2 takes over")
            wait_until(is_pair, 10, "d1 is back")
            self.assertNotEqual(pid("d1"), before)
            time.sleep(0.5)
        finally:
            owners.stop()
        self.assertLess(owners.longest_double(), FENCED)

    def test_08a_a_frozen_master_loses_its_address_and_comes_back_as_backup(self):
        owners = Owners(VIP)
        frozen = pid("d1")
        try:
            on("d1", f"kill -STOP {frozen}")
            wait_until(lambda: VIP not in addresses("d1"), FENCED + 0.2, "the lease of d1 ends")
            wait_until(lambda: VIP in addresses("d2"), 2, "d2 takes over")
            time.sleep(2)
            on("d1", f"kill -CONT {frozen}")
            wait_until(is_pair, 10, "d1 is back")
            time.sleep(0.5)
        finally:
            owners.stop()
        self.assertLess(owners.longest_double(), FENCED)
        self.assertEqual(pid("d1"), frozen)

    def test_08b_a_handover_without_a_backup_fails_and_the_node_goes_on(self):
        on("d2", f"{HELPER} daemon --stop")
        said = on("d1", f"{HELPER} handover 2>&1", check=False)
        self.assertIn("no backup took over", said)
        self.assertEqual((web("d1")["state"], web("d1")["yielded"]), ("master", False))
        on("d2", f"{INSTALLED} daemon --detach")

    def test_09_upgrade_in_place_is_no_transition(self):
        before = web("d1")["counters"]["transitions"], pid("d1"), status("d1")["running_for_ms"]
        moves = web("d2")["counters"]["transitions"]
        echoes = [Echo("d1"), Echo("d2")]
        client = Client()
        try:
            time.sleep(0.5)
            on("d1", f"cp {INSTALLED} {INSTALLED}.other && printf x >> {INSTALLED}.other && {INSTALLED}.other install")
            self.assertEqual(pid("d1"), before[1])
            self.assertEqual(on("d1", f"cmp /proc/{before[1]}/exe {INSTALLED} && echo same"), "same")
            self.assertEqual(web("d1")["state"], "master")
            self.assertGreater(status("d1")["running_for_ms"], before[2])
            self.told("d1", "daemon", "goes on after an upgrade in place")
            on("d1", f"{HELPER} install")  # the right version again
            self.assertEqual(pid("d1"), before[1])
            time.sleep(1)
            self.assertNotIn("Z", on("d1", f"ps --ppid {before[1]} -o stat= || true"), "no script is left as a zombie")
        finally:
            client.stop()
            for echo in echoes:
                echo.stop()
        self.assertEqual(web("d2")["counters"]["transitions"], moves)
        self.assertEqual(client.lost(), [], f"of {client.sent} questions")

    def test_10_a_file_that_cannot_be_run_leaves_the_daemon_as_it_is(self):
        before = pid("d1"), web("d2")["counters"]["transitions"]
        on("d1", f"mv {INSTALLED} {INSTALLED}.kept && echo rubbish > {INSTALLED} && chmod 700 {INSTALLED}")
        try:
            ask = ("import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/drover/control.sock'); "
                   "s.sendall(b'{\\\"verb\\\":\\\"upgrade\\\"}\\n'); print(s.recv(100).decode())")
            self.assertIn("true", on("d1", f"/usr/bin/python3 -c \"{ask}\""))
            time.sleep(0.5)
            self.told("d1", "daemon", "the upgrade failed")
        finally:
            on("d1", f"mv {INSTALLED}.kept {INSTALLED}")
        self.assertEqual((pid("d1"), web("d2")["counters"]["transitions"]), before)

    def test_11_stop_hands_over_and_start_takes_back(self):
        on("d1", f"{HELPER} daemon --stop")
        self.assertIn(VIP, addresses("d2"))
        self.assertNotIn(VIP, addresses("d1"))
        changes, _ = rollout("d1", state_of("d1"))
        self.assertEqual(changes, ["change system service drover-node-helper"])

    def test_12_what_left_the_playbook_stops(self):
        state = state_of("d2", vrrp_instances=[], trackers=[])
        changes, _ = rollout("d2", state)
        self.assertIn("remove vrrp_instance web", changes)
        self.assertEqual(status("d2").get("instances", []), [])
        rollout("d2", state_of("d2"))

    def test_13_a_fixed_address_moves_to_an_instance_and_back(self):
        fixed = {"interface": "eth0", "prefix": "10.250.0.150/32", "announce": True}
        rollout("d1", state_of("d1", addresses=[fixed]))
        self.assertIn("10.250.0.150", addresses("d1"))
        state = state_of("d1", addresses=[])
        state["vrrp_instances"].append(instance(name="more", vrid=52, addresses=["10.250.0.150/32"], advert_interval_ms=100))
        rollout("d1", state)
        self.assertIn("10.250.0.150", addresses("d1"))
        rollout("d1", state_of("d1", addresses=[fixed]))
        wait_until(lambda: "10.250.0.150" in addresses("d1"), 1.5, "the fixed address is there")
        time.sleep(1.5)
        self.assertIn("10.250.0.150", addresses("d1"))
        rollout("d1", state_of("d1"))
        self.assertNotIn("10.250.0.150", addresses("d1"))

    def test_14_a_frozen_daemon_does_not_keep_a_session_from_the_kernel(self):
        on("d2", f"kill -STOP {pid('d2')}")
        try:
            state = {"addresses": [{"interface": "lo", "prefix": "10.250.0.201/32", "announce": False}], "sysctls": [],
                     "services": []}
            result = session("d2", {"kind": "converge", "state": state}, owner="other")[0]
            self.assertEqual(result["status"], "changed")
            self.assertIn("does not answer", result["message"])
            session("d2", {"kind": "prune", "whole": {"addresses": [], "sysctls": [], "services": []}, "unsettled": []},
                    owner="other")
        finally:
            on("d2", f"kill -CONT {pid('d2')}")
        time.sleep(1)

    def test_15_garbage_on_the_socket_harms_nobody(self):
        ask = ("import os, socket\nfor n in range(40):\n s = socket.socket(socket.AF_UNIX)\n s.connect('/run/drover/control.sock')\n"
               " s.settimeout(2)\n try:\n  s.sendall(os.urandom(70000 if n % 2 else 2000) + b'\\n{\\n[]\\n')\n  s.recv(1000)\n"
               " except OSError: pass\n")
        subprocess.run(["lab-ctl", "exec", "d1", "--", "/usr/bin/python3", "-c", ask], check=True, timeout=60)
        self.assertTrue(is_pair())


class Last(unittest.TestCase):
    def test_99_uninstall_leaves_nothing(self):
        for host in ("d2", "d1"):
            on(host, f"{HELPER} uninstall")
            self.assertEqual(on(host, "ls -A /run/drover /var/lib/drover /etc/init.d/drover-node-helper 2>/dev/null; true"), "")
            self.assertNotIn(VIP, addresses(host))
            self.assertNotIn(FIXED, addresses(host, "lo"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
