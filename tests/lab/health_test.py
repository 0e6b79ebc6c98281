"""Health checks, pools and reconciliation with a real ip_vs: what the daemon makes of real servers that answer wrongly,
not at all, or again.

    tests/lab/lab -i tests/lab/inventories/pair.yml -- /usr/bin/python3 tests/lab/health_test.py [TEST…]

Tests run in the order of writing; each leaves all real servers well.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from vrrp_tools import on, wait_until  # noqa: E402

HELPER = os.path.abspath(os.environ.get("HELPER", "build/node-helper"))
DIRECTOR = "director1"
VIP = "10.77.0.100"
REAL = {"real1": "10.77.0.21", "real2": "10.77.0.22"}
SORRY = {"real3": "10.77.0.23"}
INTERVAL, TIMEOUT, FALL, RISE = 500, 400, 2, 1
SLOW = 5.0  # what looking from outside may take on an emulated machine, in seconds
LATE = 1.0  # what it may add to the daemon's own times

# Answers its host's name; /run/mood says how: well, wrong (500) or hung.
SERVER = r"""
import http.server, os, socket, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        mood = open('/run/mood').read().strip()
        if mood == 'hung':
            time.sleep(30)
        body = socket.gethostname().encode()
        self.send_response(500 if mood == 'wrong' else 200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(('0.0.0.0', 80), Handler).serve_forever()
"""


def key():
    return {"transport": "tcp", "address": VIP, "port": 80}


def destination(address, weight=1):
    return {"address": address, "port": 80, "forward": "dr", "weight": weight, "upper_threshold": 0, "lower_threshold": 0}


def check(**settings):
    kind = {"kind": "http", "path": "/", "host": "", "headers": {}, "status": [{"first": 200, "last": 299}],
            "body_regex": "", "body_sha256": "", "weight_header": "", "tls_verify": False, "tls_ca": "", "sni": ""}
    return {"kind": kind, "interval_ms": INTERVAL, "fast_interval_ms": 0, "timeout_ms": TIMEOUT, "fall": FALL,
            "rise": RISE, "jitter_percent": 0, "initial": "auto", "through_vip": False} | settings


def state(check=None, **watch):
    service = {"key": key(), "scheduler": "rr", "scheduler_flags": [], "one_packet": False,
               "destinations": [destination(address) for address in REAL.values()]}
    whole = {"service": key(), "checks": [check or globals()["check"]()], "on_failure": "quiesce", "slow_start_ms": 0,
             "quorum": 1, "hysteresis": 0, "sorry_server": destination(*SORRY.values())} | watch
    return {"addresses": [{"interface": "eth0", "prefix": f"{VIP}/32", "announce": True}], "sysctls": [],
            "services": [service], "watches": [whole]}


def rollout(wanted):
    run = {"run_id": "1", "owner": "web", "playbook": "web.yml", "playbook_hash": "", "user": "test",
           "control_host": "control", "pid": 1}
    actions = [{"kind": "converge", "state": wanted}, {"kind": "prune", "whole": wanted, "unsettled": []}]
    tasks = [{"id": number, "name": action["kind"], "action": action, "check": False, "diff": False, "secret": False,
              "ignore_errors": False, "timeout_ms": 0} for number, action in enumerate(actions)]
    subprocess.run(["lab-ctl", "exec", DIRECTOR, "--", "/bin/sh", "-c", "cat > /run/program.json"], text=True, check=True,
                   input=json.dumps({"type": "program", "run": run, "tasks": tasks}) + "\n", timeout=60)
    events = [json.loads(line) for line in on(DIRECTOR, f"{HELPER} apply < /run/program.json").splitlines()]
    results = [event for event in events if event["type"] == "task_result"]
    for result in results:
        if result["status"] == "failed":
            raise AssertionError(result["message"])
    return [f"{change['verb']} {change['resource']}" for result in results for change in result.get("changes", [])]


def table():
    """{address: weight} as ip_vs has it."""
    lines = on(DIRECTOR, "ipvsadm -Sn").splitlines()
    return {line.split()[4].split(":")[0]: int(line.split()[-1]) for line in lines if line.startswith(f"-a -t {VIP}:80")}


def weights():
    now = table()
    return [now.get(address) for address in REAL.values()]


def mood(host, word):
    """Sets it; when that was, in microseconds of the clock that all hosts share."""
    return int(on(host, f"date +%s%6N; echo {word} > /run/mood"))


def verdict_at(server, word, since):
    """When the daemon's log says that SERVER is up or down, after SINCE."""
    times = [event["wall_us"] for event in status()["events"]
             if event["kind"] == "check" and f"{server}:80 is {word}" in event["text"] and event["wall_us"] > since]
    return times[0] if times else None


def status():
    return json.loads(on(DIRECTOR, f"{HELPER} status --json"))


def ask():
    done = subprocess.run(["curl", "-sS", "--max-time", "5", f"http://{VIP}/"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


class HealthTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls._servers = []
        for host in [*REAL, *SORRY]:
            on(host, f"sysctl -q -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2; "
                     f"ip addr add {VIP}/32 dev lo; echo well > /run/mood")
            cls._servers.append(subprocess.Popen(["lab-ctl", "exec", host, "--", "/usr/bin/python3", "-c", SERVER],
                                                 stderr=subprocess.DEVNULL))
        for host, address in [*REAL.items(), *SORRY.items()]:
            wait_until(lambda at=address: subprocess.run(["curl", "-s", "-o", "/dev/null", "--max-time", "2", f"http://{at}/"],
                                                         check=False).returncode == 0, 30, f"{host} serves")

    @classmethod
    def tearDownClass(cls):
        for server in cls._servers:
            server.kill()

    def tearDown(self):
        for host in [*REAL, *SORRY]:
            mood(host, "well")
        wait_until(lambda: weights() == [1, 1], 10 + SLOW, "all are well again")

    def test_01_a_rollout_waits_for_verdicts_and_the_second_changes_nothing(self):
        self.assertIn(f"add checks of tcp {VIP}:80", rollout(state()))
        self.assertEqual(weights(), [1, 1])
        self.assertEqual(sorted({ask() for _ in range(6)}), sorted(REAL))
        self.assertEqual(rollout(state()), [])

    def test_02_out_of_the_table_in_the_time_that_the_settings_promise(self):
        promised = (FALL * INTERVAL + TIMEOUT) / 1000
        for word in ("wrong", "hung"):
            changed = mood("real1", word)
            wait_until(lambda: weights() == [0, 1], promised + SLOW, f"real1 is {word}")
            took = (verdict_at(REAL["real1"], "down", changed) - changed) / 1e6
            print(f"{word}: {took:.2f} s of {promised:.2f} s promised", end=" ", file=sys.stderr, flush=True)
            self.assertLess(took, promised + LATE)
            self.assertEqual({ask() for _ in range(4)}, {"real2"})
            self.assertEqual(rollout(state()), [], "a session leaves the weight of a dead real server alone")
            changed = mood("real1", "well")
            wait_until(lambda: weights() == [1, 1], SLOW, "real1 is back")
            self.assertLess((verdict_at(REAL["real1"], "up", changed) - changed) / 1e6, RISE * INTERVAL / 1000 + LATE)

    def test_03_the_sorry_server_stands_in_when_all_are_down(self):
        for host in REAL:
            mood(host, "wrong")
        wait_until(lambda: table() == {SORRY["real3"]: 1}, 2 + SLOW, "the sorry server stands in")
        self.assertEqual(ask(), "real3")
        self.assertTrue(status()["services"][0]["sorry"])
        on(DIRECTOR, "ipvsadm -C")
        wait_until(lambda: table() == {SORRY["real3"]: 1}, 1 + SLOW, "the cleared table is as it was")

    def test_04_a_crash_of_the_daemon_takes_no_real_server_out(self):
        mood("real2", "wrong")
        wait_until(lambda: weights() == [1, 0], 2 + SLOW, "real2 is out")
        on(DIRECTOR, "kill -9 $(head -1 /run/drover/daemon.pid)")
        for _ in range(10):
            self.assertEqual(weights(), [1, 0])
            time.sleep(0.2)
        wait_until(lambda: status()["services"][0]["servers"][1]["checks"][0]["decided"], 5 + SLOW, "verdicts are in")
        self.assertEqual(weights(), [1, 0])

    def test_05_upgrade_in_place_keeps_verdicts(self):
        mood("real2", "wrong")
        wait_until(lambda: weights() == [1, 0], 2 + SLOW, "real2 is out")
        at = "/var/lib/drover/node-helper"
        on(DIRECTOR, f"cp {at} {at}.other && printf x >> {at}.other && {at}.other install && {HELPER} install")
        server = status()["services"][0]["servers"][1]
        self.assertEqual((server["up"], server["checks"][0]["decided"]), (False, True))
        self.assertEqual(weights(), [1, 0])

    def test_06_removal_instead_of_weight_0(self):
        rollout(state(on_failure="remove"))
        mood("real1", "wrong")
        wait_until(lambda: table() == {REAL["real2"]: 1}, 2 + SLOW, "real1 is removed")
        self.assertEqual(rollout(state(on_failure="remove")), [])
        mood("real1", "well")
        wait_until(lambda: weights() == [1, 1], 2 + SLOW, "real1 is back")
        rollout(state())

    def test_07_through_the_vip_a_real_server_without_it_is_not_well(self):
        on(DIRECTOR, "sysctl -q -w net.ipv4.conf.eth0.accept_local=1")
        through = check(through_vip=True)
        rollout(state(through))
        self.assertEqual(weights(), [1, 1])
        self.assertEqual(len([line for line in on(DIRECTOR, "ipvsadm -Sn").splitlines() if line.startswith("-A -f")]), 2)
        on("real1", f"ip addr del {VIP}/32 dev lo")
        try:
            wait_until(lambda: weights() == [0, 1], 3 + SLOW, "real1 without the VIP is out")
        finally:
            on("real1", f"ip addr add {VIP}/32 dev lo")
        wait_until(lambda: weights() == [1, 1], 3 + SLOW, "real1 is back")
        rollout(state())
        wait_until(lambda: "-A -f" not in on(DIRECTOR, "ipvsadm -Sn"), 2 + SLOW, "the private services are gone")

    def test_08_status_counts_connections(self):
        for _ in range(6):
            ask()
        time.sleep(2.5)
        service = status()["services"][0]
        self.assertGreaterEqual(service["connections"], 6)
        self.assertGreater(sum(server["active"] + server["inactive"] for server in service["servers"]), 0)
        self.assertTrue(all(server["in_table"] for server in service["servers"]))

    def test_09_a_real_server_of_another_weight_gets_it_and_a_new_one_waits_for_its_check(self):
        wanted = state()
        wanted["services"][0]["destinations"][0]["weight"] = 3
        wanted["services"][0]["destinations"].append(destination("10.77.0.99"))
        changes = rollout(wanted)
        self.assertIn(f"change real server {REAL['real1']}:80 of service tcp {VIP}:80", changes)
        self.assertEqual(table(), {REAL["real1"]: 3, REAL["real2"]: 1, "10.77.0.99": 0})
        self.assertEqual(rollout(wanted), [])
        rollout(state())
        self.assertEqual(table(), {address: 1 for address in REAL.values()})


if __name__ == "__main__":
    if os.environ.get("LAB_IPVS") != "1":
        sys.exit("health_test.py: needs the lab with ip_vs")
    unittest.main(verbosity=2)
