"""The second rollout of four hosts, beside `ssh HOST true` in parallel and beside tuned Ansible, interleaved in one run.

Runs on the lab's control host. Prints medians and the ratios of medians; exits with 1 only when one of the three does not
do its work, never because of a time.
"""

import os
import re
import statistics
import subprocess
import sys
import time

HOSTS = ["lb1", "rs1", "rs2", "rs3"]
INVENTORY = "tests/bench/inventory.yml"
DROVER = os.environ.get("DROVER", "build/drover")
IPVS = "yes" if os.environ.get("LAB_IPVS") == "1" else "no"


def run(argv, **kwargs):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} failed with {done.returncode}:\n{done.stdout}")
    return done.stdout


def expect_no_change(output, tool):
    recap = re.findall(r"^\S+\s+: ok=\d+\s+changed=(\d+)", output, re.MULTILINE)
    if len(recap) != len(HOSTS) or any(count != "0" for count in recap):
        sys.exit(f"{tool}: a second run should change nothing on {len(HOSTS)} hosts:\n{output}")


def ssh_true():
    children = [subprocess.Popen(["ssh", "-o", "BatchMode=yes", host, "true"]) for host in HOSTS]
    if any([child.wait() for child in children]):
        sys.exit("ssh HOST true failed")


def drover():
    return run([DROVER, "rollout", "tests/bench/settings.yml", "-i", INVENTORY, "-e", f"ipvs={IPVS}"])


def ansible(fresh):
    environment = dict(os.environ, ANSIBLE_CONFIG=os.path.abspath("tests/bench/ansible/ansible.cfg"))
    if fresh:  # no connection left from the run before, as it is when one starts to work
        subprocess.run("rm -rf ~/.ansible/cp; pkill -f 'ssh.*ControlPersist' || true", shell=True, check=False)
    return run(["/usr/bin/ansible-playbook", "-i", INVENTORY, "tests/bench/ansible/settings.yml", "-e", f"ipvs={IPVS}"],
               env=environment)


def timed(work):
    began = time.monotonic()
    output = work()
    return time.monotonic() - began, output


def main():
    repetitions = int(sys.argv[1])
    drover()
    expect_no_change(drover(), "drover")
    ansible(fresh=True)  # finds everything set already
    times = {"ssh": [], "drover": [], "ansible, kept connections": [], "ansible, fresh": []}
    for _ in range(repetitions):
        times["ssh"].append(timed(ssh_true)[0])
        seconds, output = timed(drover)
        expect_no_change(output, "drover")
        times["drover"].append(seconds)
    for _ in range(max(2, repetitions // 5)):
        for name, fresh in (("ansible, fresh", True), ("ansible, kept connections", False)):
            seconds, output = timed(lambda fresh=fresh: ansible(fresh))
            expect_no_change(output, "ansible")
            times[name].append(seconds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"second rollout of {len(HOSTS)} hosts, ip_vs rules: {IPVS}; medians of whole processes on this machine")
    for name, values in times.items():
        print(f"  {name:28} {medians[name]:7.3f} s   (min {min(values):.3f}, max {max(values):.3f}, n {len(values)})")
    print(f"  drover / ssh HOST true            {medians['drover'] / medians['ssh']:6.2f}   (aim: at most 1.5)")
    print(f"  ansible, fresh / drover           {medians['ansible, fresh'] / medians['drover']:6.1f}   (aim: at least 10)")
    print(f"  ansible, kept / drover            {medians['ansible, kept connections'] / medians['drover']:6.1f}")


main()
