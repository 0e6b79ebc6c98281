"""What tests of killed drills work with: a cluster whose drills come to a line and are cut there, by kill -9 of the orchestrator, of SSH
or of the helper, and a look of their own at what is left on the hosts. The look and the kills run as processes of their own on a host,
started by this file's name and a role: drill_kills.py look | kill ssh|helper
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from host_shell import on, side_by_side, wait_until  # noqa: E402
from transaction_test import Session, run_of  # noqa: E402

DROVER = os.environ.get("DROVER", "build/drover")
PYTHON = "/usr/bin/python3"
HERE = str(pathlib.Path(__file__).resolve())
LEASE = 5.0  # of a drill whose orchestrator is silent
TRIES = 4
BY_ITSELF = ("kernel", "guardian", "watchman")  # who undoes when nobody orders it
NEED_A_WHOLE_KERNEL = ("real-server-slow", "rules-cleared", "clock-jump")  # with ip_vs, netem and a clock that nobody else has
# What a drill may leave in the helper's folders: the page with its last word until the next drill, logs, and empty folders. The lock of
# a run that was killed ends by its lease.
KEPT = ("/run/drover/drill", "/run/drover/deadline", "/run/drover/guard.", "/var/lib/drover/drill", "/var/lib/drover/run_lock.json")


def cut_ssh(host):
    """All of the host's sshd but the one that listens; what was killed."""
    return on(host, f"{PYTHON} {HERE} kill ssh", check=False)


def kill_helper(host):
    """The session of the drill, the daemon's worker, which the supervisor starts anew, and the guardian, whom the watchman replaces."""
    return on(host, f"{PYTHON} {HERE} kill helper", check=False)


class DrilledCluster:
    """Hosts, the playbooks that they were rolled out and are drilled with, and the drills so far."""

    def __init__(self, name, inventory, folder, directors, others=()):
        self.name, self.inventory, self.folder = name, inventory, folder
        self.master, self.backup = directors
        self.hosts = [*directors, *others]
        self.state = folder / name
        self.environment = os.environ | {"XDG_STATE_HOME": str(self.state)}
        self.killed = ""  # the drill whose orchestrator was killed last
        self.killed_at = 0.0
        self.before = None
        self.all_killed = []

    # What a test says of its cluster.

    options = ()  # of every drill
    duration = 4.0
    kill_after = 0.7  # of the fault
    late = 6.0  # on a busy machine
    undo_takes = 2.0  # no more, from the end of the fault's time, as the node's own clock has it
    healed = 30.0  # until the cluster serves again and all is as it was

    def playbook_for(self, fault):
        raise NotImplementedError

    def target_of(self, fault):
        raise NotImplementedError

    def words_for(self, fault):
        """More options of this fault's drills."""
        return []

    def serves(self):
        """Whether users are served as before any drill."""
        raise NotImplementedError

    def wait_whole(self):
        wait_until(self.serves, self.healed, lambda: f"cluster {self.name} serves")

    # Drover and the hosts.

    def drover(self, *words):
        done = subprocess.run([DROVER, *words], capture_output=True, text=True, timeout=400, check=False,
                              env=self.environment)
        assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def looks(self):
        return side_by_side(lambda host: json.loads(on(host, f"{PYTHON} {HERE} look")), self.hosts)

    def remember(self):
        """How the hosts are before the first drill, when nobody of a run is on them any more."""
        def quiet():
            self.before = self.looks()
            return not any(re.search(r" apply | guard |^sshd: root", line) for look in self.before.values() for line in look["processes"])
        wait_until(quiet, self.healed, lambda: f"somebody is on hosts of {self.name}: {self.before}")

    def newest(self):
        return max((self.state / "drover/drills").iterdir(), key=lambda path: path.stat().st_ctime).name

    def journal(self, drill):
        return json.loads((self.state / "drover/drills" / drill / "journal.json").read_text())

    def start(self, fault, until):
        """The process of a drill that has come to the line UNTIL, and all that it said. What keeps it from there (a machine too
        busy for clean probes) is tried again."""
        said = ""
        for _ in range(TRIES):
            child = subprocess.Popen([DROVER, "drill", "run", fault, str(self.playbook_for(fault)), "-i", self.inventory, "--yes",
                                      "--duration", f"{self.duration:.0f}s", *self.options, *self.words_for(fault)],
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment)
            for line in child.stdout:
                said += line
                if until in line:
                    return child, said
            child.communicate()
            time.sleep(1)
        raise AssertionError(f"{fault} on cluster {self.name}: never came to \"{until}\"\n{said}")

    # What is to become of a drill that was cut.

    def promised(self, fault):
        """Seconds from the injection in which the node undoes it by itself."""
        return {"reboot": 15.0}.get(fault, self.duration)

    def kill_orchestrator(self, fault):
        """In mid-drill. The fault is undone in its time, everything is as before, and the drill after it tells of this one."""
        self.wait_whole()
        # A failback begins with the VIP away from home, under a lease.
        away = fault == "failback"
        child, said = self.start(fault, "has handed the VIP over" if away else "injecting")
        self.expect_told(said)
        since = time.monotonic()
        time.sleep(0.0 if fault == "reboot" else self.kill_after)
        child.kill()
        child.communicate(timeout=30)
        self.killed, self.killed_at = self.newest(), time.monotonic()
        self.all_killed.append(self.killed)
        promised = LEASE + self.kill_after if away else self.promised(fault)
        self.expect_undone(fault, since, promised, "orchestrator")
        if fault != "reboot":  # nothing is known of it but that it is gone
            self.expect_state(fault, self.killed, promised, BY_ITSELF, self.killed_at)
        self.expect_as_before(fault)

    def cut(self, fault, harm, who):
        """As above, by HARM(target); the orchestrator goes on to a verdict."""
        self.wait_whole()
        child, said = self.start(fault, "injecting")
        self.expect_told(said)
        since = time.monotonic()
        time.sleep(0.0 if fault == "reboot" else self.kill_after)
        killed = harm(self.target_of(fault))
        killed_at = time.monotonic()
        assert killed or fault == "reboot", f"{fault}: there was nobody of {who} to kill"  # unless all are gone already
        promised = self.promised(fault)
        self.expect_undone(fault, since, promised, who)
        said += child.communicate(timeout=300)[0]
        assert child.returncode in (0, 2, 3, 5), f"{fault}, {who} killed: exit {child.returncode}\n{said}"
        assert "Nothing is left behind." in said, f"{fault}, {who} killed:\n{said}"
        if fault not in ("reboot", "failback"):  # which undoes what came before its probes
            self.expect_state(fault, self.newest(), promised, ("order", *BY_ITSELF), killed_at)
        self.expect_as_before(fault)

    def expect_state(self, fault, drill, promised, undoers, killed_at):
        """What the node itself says of it. All clocks are CLOCK_MONOTONIC of the one kernel."""
        target = self.target_of(fault)
        with Session(run_of(run_id=drill), target) as session:
            state = session.do({"kind": "drill_undo", "drill_id": drill})[-1]["detail"]
        took = (state["undone_us"] - state["injected_us"]) / 1e6
        assert state["injected"] and state["undone"] and not state["residue"], (fault, state)
        assert state["undone_by"] in undoers, (fault, state)
        assert killed_at < state["undone_us"] / 1e6, f"{fault} on {target} was over before anybody was killed"
        assert 0 < took <= promised + self.undo_takes, f"{fault} on {target} was undone {took:.1f} s after it was injected"

    def expect_undone(self, fault, since, promised, who):
        """In its time nothing of the drill is on its node: neither its journal nor a process."""
        target, left = self.target_of(fault), None

        def over():
            nonlocal left
            left = drill_leftovers(target)
            return left == []
        wait_until(over, max(0.0, since + promised + self.late - time.monotonic()),
                   lambda: f"{fault} on {target}, {who} killed: still there is {left}")
        print(f"\n    {fault} on {target}, {who} killed: undone after {time.monotonic() - since:.1f} s of {promised:.0f} s",
              file=sys.stderr)

    def expect_as_before(self, what):
        self.wait_whole()
        changed = {}

        def same():
            nonlocal changed
            changed = differences(self.before, self.looks())
            return not changed
        wait_until(same, self.healed, lambda: f"{what} on cluster {self.name} has left {json.dumps(changed, indent=1)}")

    def expect_told(self, said):
        """The drill that was killed before is told of by the next one, and its journal closed."""
        if not self.killed:
            return
        assert f"Drill {self.killed}: interrupted, clean" in said, said
        journal = self.journal(self.killed)
        assert journal["verdict"]["kind"] == "aborted-clean", journal["verdict"]
        self.killed = ""

    def expect_history(self):
        """The drills that were killed are in the history as what they became, but for the last one, of which no other has told yet."""
        drills = {drill["id"]: drill["verdict"] for drill in json.loads(self.drover("drill", "history", "--output", "json"))["drills"]}
        told = [drill for drill in self.all_killed if drill != self.killed]
        assert told, "nothing was killed"
        assert all(drills.get(drill) == "aborted-clean" for drill in told), (told, drills)


def drill_leftovers(host):
    """Journals of drills that are not undone, and processes of drills; None: the host does not answer."""
    said = on(host, "ls /var/lib/drover/drill 2>/dev/null; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | "
                    "grep -ao 'node-helper [d]rill [a-z]* [^ ]*'; echo looked", check=False).splitlines()
    return said[:-1] if said[-1:] == ["looked"] else None


def expect_no_prober(seconds):
    """On this host, the control host: what an orchestrator has started ends with it."""
    def left():
        return [line for _, line in processes() if "node-helper" in line]
    wait_until(lambda: not left(), seconds, lambda: f"still on the control host: {left()}")


def differences(before, after):
    """{"HOST SECTION": [what was, what is]} of two looks, without what is the same; the clock may be a second off."""
    changed = {}
    for host, look in before.items():
        for section, lines in look.items():
            now = after[host][section]
            if section == "clock":
                if abs(lines - now) > 1:
                    changed[f"{host} clock"] = [lines, now]
            elif lines != now:
                changed[f"{host} {section}"] = [[line for line in lines if line not in now], [line for line in now if line not in lines]]
    return changed


# --- the roles

def processes():
    """(pid, command line) of every process of the host but those of this file."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if line and os.path.basename(HERE) not in line:
            yield int(folder.name), line


def told_of(pid, line):
    """What a process started in a drill might have from who started it."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    state = next(word for word in status.splitlines() if word.startswith("State:")).split()[1]
    score = pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text().strip()
    stopped = " stopped" if state == "T" else ""
    return f"{line}{stopped} oom {score} policy {os.sched_getscheduler(pid)} nice {os.getpriority(os.PRIO_PROCESS, pid)}"


def look():
    def lines(*command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        # Lifetimes run down, an address that is set again is in use at once, and the lab plugs a new cable in after a reboot.
        return sorted(re.sub(r" valid_lft.*| nodad|@if\d+", "", line).rstrip() for line in done.stdout.splitlines() if line.strip())

    def files(folder):
        return [str(path) for path in pathlib.Path(folder).rglob("*") if not str(path).startswith(KEPT)]
    found = []
    for pid, line in processes():
        try:
            found.append(told_of(pid, line))
        except (OSError, StopIteration):
            pass  # it has ended
    settings = [path for conf in pathlib.Path("/proc/sys/net/ipv4/conf").iterdir() for path in conf.iterdir()]
    settings += pathlib.Path("/proc/sys/net/ipv4/vs").glob("*")
    rules = pathlib.Path("/proc/net/ip_vs")
    return {
        "clock": round(time.time() - time.monotonic(), 1),
        "addresses": lines("ip", "-o", "addr"), "links": lines("ip", "-o", "link"), "policy": lines("ip", "rule"),
        "routes": lines("ip", "route", "show", "table", "all"), "qdiscs": lines("tc", "qdisc", "show"),
        "nft": lines("nft", "-s", "list", "ruleset"),
        "sysctls": sorted(f"{path} {path.read_text().strip()}" for path in settings if os.access(path, os.R_OK) and path.name != "flush"),
        "ip_vs": [" ".join(line.split()[:4]) for line in rules.read_text().splitlines()[3:]] if rules.exists() else [],
        "processes": sorted(found),
        "files": sorted(name for folder in ("/run/drover", "/var/lib/drover", "/var/log/drover", "/etc") for name in files(folder)),
    }


def kill(who):
    daemon = pathlib.Path("/run/drover/daemon.pid")
    workers = [int(pid) for pid in daemon.read_text().split()[:1]] if who == "helper" and daemon.exists() else []
    marks = {"ssh": lambda line: line.startswith("sshd: ") and not line.startswith("sshd: /"),
             "helper": lambda line: "node-helper" in line and (line.endswith(" apply") or line.endswith(" guardian"))}[who]
    killed = []
    for pid, line in processes():
        if marks(line) or pid in workers:
            try:
                os.kill(pid, signal.SIGKILL)
                killed.append(line)
            except ProcessLookupError:
                pass
    return "\n".join(killed)


if __name__ == "__main__":
    print(json.dumps(look()) if sys.argv[1] == "look" else kill(sys.argv[2]))
