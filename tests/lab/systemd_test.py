"""Drover where systemd is the first process: the helper as a unit, drills with a timer of systemd as their last guard, runs that
go back outside the unit's confinement, schedules carried out by a timer, of root and of a user, and nothing of it left in the end.

    tests/lab/lab --engine native -i tests/lab/inventories/systemd.yml -- /usr/bin/python3 tests/lab/systemd_test.py [TEST…]

Needs no ip_vs. One cluster runs through all tests, in order; director1 is master before and after each.
"""

import concurrent.futures
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from director_tools import Owners, lab, shared  # noqa: E402
from fault_test import Drill, daemon_pids, journals, processes  # noqa: E402
from transaction_test import Session  # noqa: E402
from vrrp_tools import ECHO, ECHO_PORT, Client, addresses, on, wait_until  # noqa: E402

DROVER = os.path.abspath(os.environ.get("DROVER", "build/drover"))
HELPER = os.path.abspath(os.environ.get("HELPER", "build/node-helper"))
INVENTORY = os.path.abspath("tests/lab/inventories/systemd.yml")
VIP = "10.77.0.100"
DIRECTORS = ["director1", "director2"]
UNIT = "drover-node-helper.service"
DUE = "drover-drill-due"
PLAYBOOK = """\
- hosts: directors
  tasks:
    - vrrp_instance: {name: web, interface: eth0, virtual_router_id: 51, priority: "{{ 200 if inventory_hostname == 'director1' else 100 }}",
        advert_interval: 200ms, addresses: [10.77.0.100]}
"""
# It answers on the VIP before the helper may have it, and for as long; also over reboots.
ECHO_UNIT = f"""\
[Unit]
Before={UNIT}
[Service]
Type=exec
ExecStart=/usr/bin/python3 /var/lib/echo.py {VIP} {ECHO_PORT} %H
ExecStartPost=/bin/sh -c 'until ss -Hlun sport = :{ECHO_PORT} | grep -q .; do sleep 0.05; done'
CPUSchedulingPolicy=fifo
CPUSchedulingPriority=5
[Install]
WantedBy=multi-user.target
"""
# What of a drill is looked at is who guards it and what it leaves; outages on a busy machine are other tests'.
DRILL = ["--settle", "1s", "--duration", "2s", "--connections", "0", "--rate", "20", "--probe", f"{VIP}:80", "--may-cut-ssh"]
DRIVEN = (0, 2, 3)  # a verdict, whichever: the prober of a busy machine may void it
LEASE_LAW = 1.3  # seconds for which two may own a VIP
LOOK = 0.1  # how coarse the owners' looks may be on a busy machine
WATCHDOG = 10.0
SLACK = 10.0  # on a busy machine

# All that a rollout, drills and schedules might leave of what systemd, the disk and the kernel know.
SNAPSHOT = r"""
echo '# units'; systemctl list-units --all --plain --no-legend | awk '{print $1, $2, $3}' | sort
echo '# unit files'; systemctl list-unit-files --no-legend | awk '{print $1, $2}' | sort
echo '# files'; find /etc /var/lib /usr/local -xdev \( -path /var/lib/dpkg -o -path /var/lib/apt \) -prune -o -printf '%p %y %m %l\n' | sort
echo '# contents'; find /etc -xdev -type f -print0 | sort -z | xargs -0 sha256sum
echo '# network'; ip -o addr | sed -E 's/(valid|preferred)_lft.*//'; ip route show table all; nft list ruleset
echo '# sysctls'; sysctl -a 2>/dev/null | grep -E '^net\.(ipv4|ipv6)\.' | grep -vE 'tcp_fastopen_key|nf_conntrack_count|stable_secret' | sort
echo '# processes'; ps -eo comm= | grep -E 'node-helper|drover' | sort; ls /run/drover 2>/dev/null
"""


def drover(*words, status=0, timeout=120):
    done = subprocess.run([DROVER, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=timeout, check=False)
    assert done.returncode in (status if isinstance(status, tuple) else (status,)), f"{words}: {done.returncode}\n{done.stdout}"
    return done.stdout


def unit(host, name):
    """A property of the helper's unit."""
    return on(host, f"systemctl show -P {name} {UNIT}")


def active(host):
    return unit(host, "ActiveState")


def units(host, pattern):
    """Names of units that systemd knows, running or not."""
    return on(host, f"systemctl list-units --all --plain --no-legend '{pattern}' | awk '{{print $1}}'").split()


def owns(host):
    return VIP in addresses(host)


def journal_of(host, *words):
    return on(host, f"journalctl --no-pager -q -o cat {' '.join(words)}")


def transitions(host):
    return [line for line in journal_of(host, "-u", UNIT).splitlines() if line.startswith("vrrp: ")]


def install_echo(host):
    on(host, f"cat > /var/lib/echo.py <<'END'\n{ECHO}END\ncat > /etc/systemd/system/echo.service <<'END'\n{ECHO_UNIT}END\n"
             "systemctl enable --now echo.service 2>&1")


def both(work):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return list(pool.map(work, DIRECTORS))


class SystemdTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        os.environ["XDG_STATE_HOME"] = cls.folder
        both(install_echo)
        cls.before = both(lambda host: on(host, SNAPSHOT, check=False))
        cls.playbook = cls.write("pair.yml", PLAYBOOK)
        drover("rollout", cls.playbook, "-i", INVENTORY, "--helper", HELPER)

    @classmethod
    def write(cls, name, text):
        path = os.path.join(cls.folder, name)
        pathlib.Path(path).write_text(text, encoding="utf-8")
        return path

    def setUp(self):
        self.well()

    def well(self):
        wait_until(lambda: owns("director1") and not owns("director2"), SLACK, "director1 is master, and alone")
        wait_until(lambda: both(active) == ["active", "active"], SLACK, lambda: both(active))

    def under_load(self, act):
        """Nothing is lost, whatever happens in between."""
        began = time.time()
        client = Client(VIP)
        time.sleep(0.5)
        act()
        time.sleep(1)
        client.stop()
        lost = client.lost()
        self.assertEqual(len(lost), 0, f"of {client.sent} in {time.time() - began:.1f} s, from {lost[:1]} to {lost[-1:]}, answered by "
                                       f"{client.hosts()}\n" + "\n".join(both(lambda host: journal_of(host, "-n", "25", "-o", "short-precise"))))
        return client.hosts()

    def test_01_a_rollout_installs_a_unit_that_is_enabled_runs_and_tells_the_journal(self):
        for host in DIRECTORS:
            self.assertEqual(on(host, f"systemctl is-enabled {UNIT}"), "enabled")
            status = on(host, f"systemctl status --no-pager {UNIT}")
            self.assertRegex(status, r"Active: active \(running\)")
            self.assertEqual(daemon_pids(host), [int(unit(host, "MainPID"))], "systemd watches it, no process of its own")
            told = journal_of(host, "-u", UNIT)
            self.assertIn("vrrp_instance web: initialize -> backup: started", told)
            self.assertEqual(journal_of(host, "-u", UNIT, "-p", "warning"), "")
            self.assertEqual(on(host, "systemctl --failed --plain --no-legend"), "")
            self.assertEqual(on(host, f"systemd-analyze verify {UNIT} 2>&1"), "")
        self.assertIn("web: backup -> master: ", transitions("director1")[-1])
        self.assertIn("healthy", drover("status", self.playbook, "-i", INVENTORY))

    def test_02_a_killed_daemon_is_started_anew_and_the_lease_law_holds(self):
        owners = Owners(*DIRECTORS)
        self.addCleanup(owners.kill)
        pid = unit("director1", "MainPID")
        on("director1", f"kill -9 {pid}")
        wait_until(lambda: active("director1") == "active" and unit("director1", "MainPID") not in ("0", pid), SLACK, "it runs anew")
        self.assertEqual(unit("director1", "NRestarts"), "1")
        time.sleep(1.5)
        self.well()
        self.assertLess(shared(owners.result()), LEASE_LAW + LOOK)

    def test_03_a_frozen_daemon_loses_the_vip_by_the_lease_and_its_life_by_the_watchdog(self):
        owners = Owners(*DIRECTORS)
        self.addCleanup(owners.kill)
        pid = unit("director1", "MainPID")
        began = time.monotonic()
        on("director1", f"kill -STOP {pid}")
        wait_until(lambda: owns("director2") and not owns("director1"), SLACK, "the other one took over")
        wait_until(lambda: unit("director1", "MainPID") not in ("0", pid), WATCHDOG + SLACK, "systemd starts it anew")
        self.assertGreater(time.monotonic() - began, WATCHDOG / 2)
        self.well()
        self.assertIn("Watchdog timeout", journal_of("director1", "-u", UNIT))
        self.assertLess(shared(owners.result()), LEASE_LAW + LOOK)

    def test_04_restart_and_stop_lose_nothing(self):
        def act():
            on("director1", f"systemctl restart {UNIT}")
            self.well()
            on("director1", f"systemctl stop {UNIT}")
            self.assertTrue(owns("director2") and not owns("director1"))
            self.assertEqual((active("director1"), unit("director1", "Result")), ("inactive", "success"))
            on("director1", f"systemctl start {UNIT}")
            self.well()

        self.assertEqual(self.under_load(act), ["director1", "director2"])

    def test_05_an_upgrade_changes_neither_the_process_nor_its_role(self):
        other = os.path.join(self.folder, "node-helper")
        shutil.copy(HELPER, other)
        with open(other, "ab") as file:
            file.write(b"\0another version")
        pids = both(lambda host: unit(host, "MainPID"))
        told = both(transitions)
        self.assertEqual(self.under_load(lambda: drover("rollout", self.playbook, "-i", INVENTORY, "--helper", other)), ["director1"])
        self.assertEqual(both(lambda host: unit(host, "MainPID")), pids)
        for before, after, goes_on in zip(told, both(transitions), ("master: went on after an upgrade in place", "backup: started")):
            self.assertEqual(after, [*before, f"vrrp: vrrp_instance web: initialize -> {goes_on}"])
        for host, pid in zip(DIRECTORS, pids):
            self.assertEqual(on(host, f"tail -c 15 /proc/{pid}/exe"), "another version")
        # The new version feeds systemd's watchdog.
        fed = unit("director1", "WatchdogTimestampMonotonic")
        wait_until(lambda: unit("director1", "WatchdogTimestampMonotonic") != fed, WATCHDOG, "the watchdog is fed")
        self.assertEqual(both(active), ["active", "active"])

    def test_06_after_a_power_cut_the_unit_comes_up_by_itself(self):
        lab("off", "director1")
        wait_until(lambda: owns("director2"), SLACK, "the other one took over")
        lab("on", "director1")
        self.well()
        self.assertEqual(unit("director1", "NRestarts"), "0")
        self.assertIn("initialize -> backup: started", journal_of("director1", "-b", "-u", UNIT))

    def test_07_a_reboot_in_good_order_loses_nothing(self):
        def act():
            on("director1", "touch /run/before; systemctl reboot", check=False)
            wait_until(lambda: on("director1", "test -e /run/before || echo anew", check=False) == "anew", 30, "it boots again")
            self.well()

        self.assertEqual(self.under_load(act), ["director1", "director2"])

    def drill(self, fault):
        """Drives it, and what systemd had meanwhile."""
        child = subprocess.Popen([DROVER, "drill", "run", fault, self.playbook, "-i", INVENTORY, "--yes", "--output", "json", *DRILL],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        seen = set()
        while child.poll() is None:
            seen.update(units("director1", "drover-drill*"))
            time.sleep(0.2)
        verdict = json.load(child.stdout)
        child.stdout.close()
        self.assertIn(child.returncode, DRIVEN, verdict)
        return verdict, seen

    def test_08_a_timer_of_systemd_guards_a_drill_and_goes_with_it(self):
        time.sleep(2)  # --settle, and some more
        verdict, seen = self.drill("helper-kill")
        guards = next(gate["text"] for gate in verdict["gates"] if gate["name"] == "guards")
        self.assertIn("systemd", guards)
        self.assertIn(f"drover-drill-{verdict['id']}.timer", seen)
        self.assertEqual((verdict["residue"], verdict["snapshots_compared"]), ([], True), verdict)
        self.assertEqual(units("director1", "drover-drill*"), [])
        self.well()

    def test_09_when_all_of_a_drills_processes_and_the_daemon_are_killed_the_timer_undoes(self):
        def one(host, fault):
            drill = Drill(host, fault, 1.0, lease=2.0)
            self.assertIn("systemd", drill.guards)
            guards = processes(host, "guard", drill.order["drill_id"])
            self.assertEqual(len(guards), 2)
            drill.inject()
            # A frozen daemon stays as it is: nothing but the undoing gives it its life back.
            daemon = [] if fault == "helper-freeze" else daemon_pids(host)
            on(host, f"kill -9 {' '.join(map(str, [*guards, drill.session.pid, *daemon]))}")
            drill.close()
            self.assertNotEqual(journals(host), "")
            wait_until(drill.over, 1.0 + 2.0 + 5.0 + SLACK, f"{fault} on {host}: {journals(host)}")
            with Session(drill.run, host) as session:
                state = drill.undo(session)
            self.assertEqual((state["undone"], state["undone_by"], state["residue"]), (True, "systemd", []), fault)
            wait_until(lambda: units(host, "drover-drill*") == [], SLACK, lambda: units(host, "drover-drill*"))

        with concurrent.futures.ThreadPoolExecutor() as pool:
            for done in [pool.submit(one, *drill) for drill in (("director1", "arp-misconfigured"), ("director2", "helper-freeze"))]:
                done.result()
        Drill.open.clear()

    def go_back(self, harm):
        """A run that changed a file and is never confirmed, and something that happens to its guard."""
        on("director2", "echo before > /etc/motd.test")
        path = self.write("files.yml", "- hosts: director2\n  tasks:\n    - copy: {content: 'after', dest: /etc/motd.test}\n"
                                       "    - command: sleep 60\n")
        child = subprocess.Popen([DROVER, "rollout", path, "-i", INVENTORY, "--confirm-timeout", "5s"], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: on("director2", "cat /etc/motd.test") == "after", SLACK, "the file is changed")
            harm()
        finally:
            child.kill()
            child.wait()
        wait_until(lambda: on("director2", "cat /etc/motd.test") == "before", 5 + SLACK,
                   lambda: journal_of("director2", "-n", "20"))
        wait_until(lambda: units("director2", "drover-guard-*") == [], SLACK, lambda: units("director2", "drover-guard-*"))
        on("director2", "rm /etc/motd.test; pkill -x sleep || true")

    def test_10_a_run_whose_guard_is_gone_goes_back_outside_the_units_confinement(self):
        def kill():
            on("director2", "kill -9 $(pgrep -x drover-guard)")
            wait_until(lambda: units("director2", "drover-guard-*"), SLACK, "the daemon starts another guard, as a unit")

        self.go_back(kill)
        self.go_back(lambda: lab("reboot", "director2"))
        self.assertNotIn("Read-only", journal_of("director2", "-b"))

    def test_11_a_schedule_is_carried_out_by_a_timer_once(self):
        due = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=3)
        told = drover("drill", "schedule", "add", "soon", "director-isolated", self.playbook, "-i", INVENTORY, "--at",
                      due.strftime("%Y-%m-%d %H:%M:%S UTC"), "--", *DRILL, "--helper", HELPER)
        self.assertIn(f"systemd looks every minute: /etc/systemd/system/{DUE}.timer", told)
        control = os.uname().nodename
        self.assertEqual(on(control, f"systemctl is-enabled {DUE}.timer; systemctl is-active {DUE}.timer").split(), ["enabled", "active"])
        left = int(on(control, f"date -d \"$(systemctl show -P NextElapseUSecRealtime {DUE}.timer)\" +%s")) - time.time()
        self.assertTrue(-5 <= left <= 61, left)
        # A minute is long for a test.
        on(control, f"mkdir -p /run/systemd/system/{DUE}.timer.d; printf '[Timer]\\nOnCalendar=*:*:*\\n' > /run/systemd/system/{DUE}.timer.d/often.conf; "
                    f"systemctl daemon-reload; systemctl restart {DUE}.timer")
        wait_until(lambda: "drives director-isolated" in journal_of(control, "-u", f"{DUE}.service"), 3 + SLACK, "it is driven")
        wait_until(lambda: self.history(), 60, lambda: journal_of(control, "-u", f"{DUE}.service"))
        time.sleep(3)  # the timer looks again and again
        self.assertEqual(len(self.history()), 1, "once")
        self.assertEqual(journal_of(control, "-u", f"{DUE}.service").count("drives director-isolated"), 1)
        # A drill that does not pass is a failure of its unit; systemd has nothing else to say against it.
        warned = journal_of(control, "_PID=1", "-p", "warning").splitlines()
        self.assertEqual([line for line in warned if "Fail" not in line], [])
        drover("drill", "schedule", "remove", "soon")
        self.assertEqual(on(control, f"systemctl list-unit-files --no-legend '{DUE}*'; ls /etc/systemd/system/{DUE}* 2>/dev/null", check=False), "")
        self.assertEqual(units(control, f"{DUE}.timer"), [])

    def test_11_users_have_a_timer_of_their_own_systemd(self):
        """Of a user without any right, by a schedule whose blackout is today: that it was skipped says that somebody looked."""
        control, home, runtime = os.uname().nodename, "/run/user-home", "/run/user/65534"
        on(control, f"mkdir -p {home} {runtime}; cp {DROVER} {self.playbook} {INVENTORY} {home}/; chown -R nobody:nogroup {home} {runtime}; "
                    f"chmod 700 {runtime}; systemd-run --quiet --unit=of-nobody -p Type=notify -p Delegate=yes -p User=nobody "
                    f"-E XDG_RUNTIME_DIR={runtime} -E HOME={home} /lib/systemd/systemd --user")

        def as_nobody(command):
            return on(control, f"cd {home}; exec setpriv --reuid=nobody --regid=nogroup --clear-groups env -u XDG_STATE_HOME "
                               f"XDG_RUNTIME_DIR={runtime} HOME={home} {command}")

        def occurrences():
            return json.loads(as_nobody("./drover drill schedule list --output json"))[0]["occurrences"]
        today = datetime.date.today()
        days = f"{today - datetime.timedelta(1)}..{today + datetime.timedelta(1)}"
        due = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=3)
        told = as_nobody(f"./drover drill schedule add quiet vip-lost pair.yml -i systemd.yml --at '{due:%Y-%m-%d %H:%M:%S} UTC' --blackout {days}")
        timer = f"{home}/.config/systemd/user/{DUE}.timer"
        self.assertIn(f"systemd looks every minute: {timer} (loginctl enable-linger lets it go on without a login)", told)
        self.assertEqual(as_nobody(f"systemctl --user is-enabled {DUE}.timer"), "enabled")
        # A minute is long for a test.
        on(control, f"mkdir -p {timer}.d; printf '[Timer]\\nOnCalendar=*:*:*\\n' > {timer}.d/often.conf")
        as_nobody("systemctl --user daemon-reload")
        as_nobody(f"systemctl --user restart {DUE}.timer")
        wait_until(lambda: [(one["state"], one["reason"].split()[0]) for one in occurrences()] == [("skipped", "blackout")], 3 + SLACK,
                   lambda: f"somebody looks: {occurrences()}")
        self.assertIn("The timer is gone.", as_nobody("./drover drill schedule remove quiet"))
        self.assertEqual(on(control, f"ls {timer} {home}/.config/systemd/user/{DUE}.service 2>/dev/null", check=False), "")
        self.assertEqual(as_nobody(f"systemctl --user list-units --all --plain --no-legend {DUE}.timer"), "")
        on(control, f"systemctl stop of-nobody.service; rm -r {home} {runtime}")

    @staticmethod
    def history():
        drills = json.loads(drover("drill", "history", "--output", "json"))["drills"]
        return [drill for drill in drills if drill["trigger"] == "schedule soon"]

    def test_12_uninstall_leaves_no_unit_and_everything_as_it_was(self):
        drover("uninstall", self.playbook, "-i", INVENTORY, "-y")
        for host, before, after in zip(DIRECTORS, self.before, both(lambda host: on(host, SNAPSHOT, check=False))):
            self.assertEqual(after.splitlines(), before.splitlines(), host)
            # The echo's unit names the helper's.
            self.assertEqual([line for line in after.splitlines() if "drover" in line and "not-found" not in line], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
