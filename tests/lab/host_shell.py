"""Shell commands on the lab's hosts, on several at once, and waiting for what they show."""

import concurrent.futures
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


def side_by_side(work, items):
    """{item: what WORK gives for it}, all at once; raises what failed first."""
    items = list(items)
    with concurrent.futures.ThreadPoolExecutor(max(1, len(items))) as pool:
        return dict(zip(items, pool.map(work, items)))


def wait_until(condition, seconds, what):
    """How long it took. WHAT may be a function that says it."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"not within {seconds:.1f} s: {what() if callable(what) else what}")
        time.sleep(0.02)
    return time.monotonic() - begun
