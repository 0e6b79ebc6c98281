"""Drills by the calendar, in the lab: a due time is driven once and leaves its page and its place in the history; the process that
drives it may be killed in mid-drill. Its blackouts hold for drills by hand, too.

    tests/lab/lab --engine native -i tests/lab/inventories/pair.yml -- /usr/bin/python3 tests/lab/drill_schedule_test.py
"""

import datetime
import glob
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

DROVER = os.path.abspath(os.environ.get("DROVER", "build/drover"))
HELPER = os.environ.get("HELPER")
INVENTORY = os.path.abspath("tests/lab/inventories/pair.yml")
PLAYBOOK = """\
- hosts: directors
  tasks:
    - vrrp_instance: {name: web, interface: eth0, virtual_router_id: 51, priority: "{{ 200 if inventory_hostname == 'director1' else 100 }}",
        advert_interval: 200ms, addresses: [10.77.0.100]}
"""
# What is looked at is that it is driven: how long the outage is on a busy machine is other tests'.
OPTIONS = ["--settle", "1s", "--duration", "3s", "--connections", "0", "--rate", "20", "--probe", "10.77.0.100:80"]
COMES_SOON = 3  # seconds
DRILL_ENDS = 90.0


def helper_option():
    return ["--helper", os.path.abspath(HELPER)] if HELPER else []


class Scheduled(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        os.environ["XDG_STATE_HOME"] = cls.folder
        cls.playbook = os.path.join(cls.folder, "pair.yml")
        with open(cls.playbook, "w", encoding="utf-8") as file:
            file.write(PLAYBOOK)
        status, text = cls.drover("rollout", cls.playbook, "-i", INVENTORY, *helper_option())
        assert status == 0, text
        time.sleep(3)

    @classmethod
    def drover(cls, *words, timeout=180):
        done = subprocess.run([DROVER, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=timeout, check=False)
        return done.returncode, done.stdout

    def soon(self, name):
        """A schedule that has come due when this returns."""
        due = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=COMES_SOON)
        self.schedule(name, due.strftime("%Y-%m-%d %H:%M:%S UTC"))
        time.sleep(max(0.0, due.timestamp() - time.time()) + 0.1)

    def drills(self, trigger):
        status, text = self.drover("drill", "history", "--output", "json")
        self.assertEqual(status, 0, text)
        return [drill for drill in json.loads(text)["drills"] if drill["trigger"] == trigger]

    def test_1_a_due_time_is_driven_once(self):
        self.soon("once")
        status, text = self.drover("drill", "due")
        self.assertIn(status, (0, 2, 3), text)  # what the verdict is depends on how busy this machine is
        self.assertIn("once: drives vrrp-split", text)
        self.assertEqual(self.drover("drill", "due"), (0, ""))
        drills = self.drills("schedule once")
        self.assertEqual(len(drills), 1, drills)
        drill = drills[0]
        self.assertIn(drill["verdict"], text)
        for name in ("journal.json", "probe.dplg", "capture.pcap", "snapshots.json", "junit.xml", "report.html"):
            self.assertTrue(os.path.getsize(os.path.join(drill["folder"], name)) > 0, name)
        with open(os.path.join(drill["folder"], "report.html"), encoding="utf-8") as page:
            html = page.read()
        self.assertIn(f"class=\"badge\">{drill['verdict']}<", html)
        self.assertIn(">director2</text>", html)  # the second owner, by name
        status, text = self.drover("drill", "report", drill["id"], "--rejudge")
        self.assertIn("nothing differs", text)
        self.assertIn("Nothing is left behind.", text)

    def test_2_killed_in_mid_drill_it_is_neither_driven_twice_nor_forgotten(self):
        self.soon("killed")
        due = subprocess.Popen([DROVER, "drill", "due"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        journals = os.path.join(self.folder, "drover/drills/*/journal.json")
        before = len(glob.glob(journals))
        self.wait_for(lambda: len(glob.glob(journals)) > before, "the drill has begun")
        due.send_signal(signal.SIGKILL)
        due.wait()
        # The drill goes on by itself; while it does, nobody takes its time for abandoned.
        status, text = self.drover("drill", "due")
        self.assertEqual((status, text), (0, "a drill that was due is being driven already\n"))
        self.wait_for(lambda: self.drover("drill", "due")[1] != "a drill that was due is being driven already\n", "it ends")
        status, text = self.drover("drill", "schedule", "list")
        self.assertIn("(found later)", text)
        self.assertEqual(len(self.drills("schedule killed")), 1)
        self.assertEqual(self.drover("drill", "due"), (0, ""))

    def test_3_a_blackout_of_a_schedule_is_a_gate_of_every_drill_with_its_playbook(self):
        today = datetime.date.today()
        days = f"{today - datetime.timedelta(1)}..{today + datetime.timedelta(1)}"  # also when it is midnight meanwhile
        past = f"{today - datetime.timedelta(9)}..{today - datetime.timedelta(8)}"
        run = ["drill", "run", "vip-lost", self.playbook, "-i", INVENTORY, "--yes", *OPTIONS, *helper_option()]
        self.schedule("quiet", "yearly", "--blackout", past, "--blackout", days)
        status, text = self.drover(*run)
        self.assertEqual(status, 3, text)
        self.assertRegex(text, rf"RED +no blackout +{re.escape(days)} \(schedule quiet\)\n")
        self.assertIn("Nothing was injected", text)
        # That of another playbook, and that of other days, are none of its affair.
        self.assertEqual(self.drover("drill", "schedule", "remove", "quiet")[0], 0)
        other = os.path.join(self.folder, "other.yml")
        with open(other, "w", encoding="utf-8") as file:
            file.write(PLAYBOOK)
        self.schedule("elsewhere", "yearly", "--blackout", days, playbook=other)
        self.schedule("over", "yearly", "--blackout", past)
        status, text = self.drover(*run)
        self.assertIn(status, (0, 2, 3, 5), text)  # what the verdict is depends on how busy this machine is
        self.assertNotIn("no blackout", text)
        self.assertIn("\nPrediction\n", text)

    def schedule(self, name, at, *words, playbook=None):
        status, text = self.drover("drill", "schedule", "add", name, "vrrp-split", playbook or self.playbook, "-i",
                                   INVENTORY, "--at", at, *words, "--", *OPTIONS, *helper_option())
        self.assertEqual(status, 0, text)

    def wait_for(self, condition, what):
        deadline = time.monotonic() + DRILL_ENDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
