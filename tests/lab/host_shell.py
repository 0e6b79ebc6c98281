"""Shell commands on the lab's hosts, and waiting for what they show."""

import subprocess
import time


def on(host, command, check=True):
    """Runs a shell command in a host without SSH; its output, stripped."""
    done = subprocess.run(["lab-ctl", "exec", host, "--", "/bin/sh", "-c", command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{host}: {command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def lab(*command):
    subprocess.run(["lab-ctl", *command], check=True, timeout=120)


def wait_until(condition, seconds, what):
    """How long it took. WHAT may be a function that says it."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"not within {seconds:.1f} s: {what() if callable(what) else what}")
        time.sleep(0.02)
    return time.monotonic() - begun
