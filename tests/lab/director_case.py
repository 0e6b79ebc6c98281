"""What tests of directors in the lab have in common: the playbook of their real servers, drover, and the case that one cluster runs
through. Looks and probers are in director_tools.py."""

import os
import pathlib
import subprocess
import sys
import time
import unittest

from director_tools import VIP, WEB_PORT, Prober, on, services, wait_until
from recap import recap

DROVER = os.environ.get("DROVER", "build/drover")
EMULATED = "QEMU TCG" in pathlib.Path("/proc/cpuinfo").read_text()
PACES = (100, 50, 20, 10, 5) if EMULATED else (100,)  # new connections/s
LATE_PROBER = 500 if EMULATED else 20  # ms, the 99th percentile; an answer has 4 s

# Says who it is; /run/sick makes it unhealthy.
SITE = """server {
    listen 80 default_server;
    listen 81 default_server;
    location / { default_type text/plain; return 200 "{{ inventory_hostname }}\\n"; }
    location /health { if (-f /run/sick) { return 500; } return 200 "fine\\n"; }
}
"""

REAL_SERVERS = """
- name: Real servers
  hosts: real_servers
  tasks:
    - package: {name: nginx-light, state: present}
    - template: {src: site.conf, dest: /etc/nginx/sites-enabled/default, mode: "0644"}
    - service: {name: nginx, state: started}
    - wait_for: {port: 80, timeout: 20}
    - real_server: {vip: "{{ vip }}"}
"""


def drover(*arguments, binary=DROVER, timeout=400):
    return subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=timeout, check=False)


def write_playbook(path, directors):
    """The real servers and then these plays, with the template that they need."""
    (path.parent / "templates").mkdir(exist_ok=True)
    (path.parent / "templates/site.conf").write_text(SITE)
    path.write_text(REAL_SERVERS + directors)


def table(host, port=WEB_PORT):
    """{real server: weight} of the VIP's service on this port."""
    return services(on(host, "cat /proc/net/ip_vs")).get(str(port), {})


def holds_vip(host):
    return f" {VIP}/32 " in on(host, "ip -o addr show dev eth0", check=False)


class DirectorTest(unittest.TestCase):
    """Tests run in the order of writing on one cluster, which test_01 makes."""
    maxDiff = None
    pace = PACES[-1]
    stands = False
    emulation = 0.0  # s; what a machine without acceleration adds to a time that is promised

    def setUp(self):
        if not self.stands and "_01_" not in self.id():
            self.fail("there is no cluster to test")

    def expect(self, done, status=0):
        """What it said, errors behind it."""
        if done.returncode != status:  # now, and not when all tests are through
            print(f"\n{done.stdout}\n{done.stderr}", file=sys.stderr)
        self.assertEqual(done.returncode, status, f"\n{done.stdout}\n{done.stderr}")
        return done.stdout + done.stderr

    def expect_nothing_changed(self, done):
        for host, counts in recap(self.expect(done)).items():
            self.assertEqual((counts["changed"], counts["failed"], counts["unreachable"]), (0, 0, 0), host)

    def expect_tables(self, want, seconds, what, port=WEB_PORT):
        """How long it took on both directors."""
        return wait_until(lambda: table("lb1", port) == want and table("lb2", port) == want, seconds + self.emulation,
                          f"{what}: {want}, not {table('lb1', port)} and {table('lb2', port)}")

    def probing(self, rate, long_lived, datagrams=5):
        role = Prober(rate, long_lived, datagrams)
        self.addCleanup(role.kill)
        return role

    def find_pace(self, long_lived, datagrams, is_well):
        """The first of PACES at which the prober keeps its time and IS_WELL holds for what it found."""
        for rate in PACES:
            role = self.probing(rate, long_lived, datagrams)
            time.sleep(6)
            result = role.result()
            if result.lag_ms() < LATE_PROBER and is_well(result):
                self.report(f"{rate} new connections/s and {rate * datagrams} datagrams/s: {result}")
                return rate
            self.report(f"{rate}/s is too much for it: {result}")
            time.sleep(3)
        return self.fail(f"not even {rate}/s: {result}")

    def report(self, text):
        print(f"\n    {text}", file=sys.stderr)
